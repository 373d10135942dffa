"""The lines of the guide set the channel up as it says, on a server that is really served."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "answer-by-email.md"
KEY = "u3_the-key-of-the-guide"
PATIENCE = 60.0


def free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_the_guide_to_email_runs(tmp_path: Path) -> None:
    blocks = re.findall(r"^```console\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    port, smtp = free(), free()
    url = f"http://127.0.0.1:{port}"
    own = {"USER360_ADMIN_KEY": KEY, "USER360_SMTP_PORT": str(smtp)}
    command = [sys.executable, "-m", "user360", "serve", "--data", str(tmp_path / "data")]
    server = subprocess.Popen(
        [*command, "--port", str(port)], env={**os.environ, **own}, stdout=subprocess.DEVNULL
    )
    try:
        _until_it_serves(url, server)
        given = {**os.environ, **own, "USER360_URL": url, "USER360_KEY": KEY}
        told = [
            subprocess.run(
                ["bash", "-euc", code], env=given, capture_output=True, timeout=60, check=True
            ).stdout
            for code in blocks
        ]
    finally:
        server.send_signal(signal.SIGTERM)
        ended = server.wait(PATIENCE)
    assert ended == 0
    assert json.loads(told[0])["secretsSet"] == ["smtp.password"]
    (ticket,) = json.loads(told[1])["conversations"]
    assert (ticket["kind"], ticket["subject"]) == ("ticket", "Late order")
    assert json.loads(told[2])["message"]["detail"] == {"cc": ["ravi@customer.example"]}


def _until_it_serves(url: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert server.poll() is None
        try:
            httpx.get(f"{url}/health")
            return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("it does not serve")
