"""Take a picture of every page of a demo, at two widths, light and dark: `make screenshots`.

Starts a server of its own on a directory that is thrown away, and signs in as its member would.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
TO = ROOT / "docs" / "pictures"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
WIDTHS = {"wide": {"width": 1280, "height": 800}, "narrow": {"width": 390, "height": 844}}
SCHEMES = ("light", "dark")
INDIA = {"property": "country", "op": "is", "values": ["IN"]}
PAGES = {
    "users": "/users",
    "filter": f"/users?where={quote(json.dumps({'all': [INDIA]}))}",
    "user": "/users/r112",
    "inbox": "/inbox",
    "conversation": "/inbox/c3",
    "reports": "/inbox/reports",
    "flows": "/flows",
    "segments": "/segments",
    "segment": "/segments/1",
    "builder": "/segments/1/edit",
    "imports": "/imports",
    "import": "/imports/new",
    "exports": "/exports",
    "properties": "/properties",
    "events": "/events",
    "event": "/events/of/Purchase",
    "activity": "/activity",
    "settings": "/settings",
    "members": "/settings/members",
    "keys": "/settings/keys",
    "channels": "/settings/channels",
    "me": "/me",
}


def main() -> None:
    """Write the pictures anew; with names as arguments only those."""
    chosen = {name: PAGES[name] for name in sys.argv[1:]} or PAGES
    TO.mkdir(parents=True, exist_ok=True)
    with _demo() as (url, who, password), sync_playwright() as playwright:
        program = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        state = _signed_in(browser, url, who, password)
        for width, size in WIDTHS.items():
            for scheme in SCHEMES:
                how: Any = {"viewport": size, "color_scheme": scheme, "storage_state": state}
                page = browser.new_context(base_url=url, **how).new_page()
                for name, address in chosen.items():
                    _take(page, address, TO / f"{name}-{width}-{scheme}.png")
        browser.close()


def _take(page: Page, address: str, to: Path) -> None:
    answer = page.goto(address, wait_until="networkidle")
    if answer is None or answer.status != 200:
        raise SystemExit(f"{address} answered {answer.status if answer else 'nothing'}")
    page.screenshot(path=to)


def _signed_in(browser: Browser, url: str, who: str, password: str) -> Any:
    """What a browser keeps of a sign-in."""
    page = browser.new_context(base_url=url).new_page()
    page.goto("/sign-in")
    page.get_by_label("E-mail").fill(who)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/users")
    return page.context.storage_state()


@contextlib.contextmanager
def _demo() -> Iterator[tuple[str, str, str]]:
    """A running demo: its address, and how to sign in."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "demo"
        command = [sys.executable, "-m", "user360", "demo", "--data", str(data), "--port", "0"]
        process = subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            yield told["url"], "demo@example.com", (data / "demo.password").read_text("ascii")
        finally:
            process.terminate()
            process.wait(30)


if __name__ == "__main__":
    main()
