"""The lines of the guide set the channel up as it says."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

from tests.channels import served
from user360.channels import settings
from user360.channels.declared import WhatsApp

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "answer-on-whatsapp.md"


def test_the_guide_to_whatsapp_runs() -> None:
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    with served.running() as site:
        variables = {"USER360_URL": site.url, "USER360_KEY": site.platform.first_key or ""}
        told = [
            subprocess.run(
                ["bash", "-euc", code],
                env={**os.environ, **variables},
                capture_output=True,
                text=True,
                timeout=60,
                check=True,
            ).stdout
            for code in blocks
        ]
        whole = settings.whole(site.platform, site.workspace, "whatsapp", WhatsApp)
    assert json.loads(told[0])["secretsSet"] == ["accessToken", "appSecret", "verifyToken"]
    assert told[1] == "1158201444"
    assert json.loads(told[2])["settings"]["templates"][0]["name"] == "order_update"
    assert json.loads(told[3])["settings"]["codeTemplate"] == "your_code"
    said = json.loads(told[4])["message"]["text"]
    assert said == "Hello there, your order 7012 is on its way.\n\nThe shop"
    assert json.loads(told[5])["deliveries"] == []
    assert whole.verify_token == "any words of mine"
