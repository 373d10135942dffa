"""The guide's examples of signing, as a site's server would run them."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

from user360.channels.web import identity

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "put-the-chat-on-a-site.md"
KEY, USER = "a key of the shop that nobody else has", "Åsa ☃ <asa@example.com>"
KNOWN: dict[str, Any] = {"firstName": 'Åsa "A"', "plan": "gold"}


def example(language: str) -> str:
    """The one example in a language that signs."""
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (found,) = [block for block in blocks if "signed(" in block and "HS256" in block]
    return str(found)


def test_python_signs_what_is_believed() -> None:
    names: dict[str, Any] = {}
    exec(example("python"), names)
    check(names["signed"](KEY, USER, KNOWN))


def test_node_signs_what_is_believed(tmp_path: Path) -> None:
    (tmp_path / "signed.mjs").write_text(example("js"), encoding="utf-8")
    said = json.dumps([KEY, USER, KNOWN])
    code = f"import('./signed.mjs').then((it) => console.log(it.signed(...{said})))"
    done = subprocess.run(
        ["node", "-e", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    check(done.stdout.strip())


def check(token: str) -> None:
    found = identity.read(token, KEY, int(time.time() * 1_000_000))
    assert (found.user_id, found.properties) == (USER, KNOWN)
