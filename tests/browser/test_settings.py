"""Settings as an admin meets them: the workspace, its members, its keys, the lines to copy."""

from __future__ import annotations

import contextlib
import functools
import http.server
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser import axe
from tests.browser.site import Site, Visit
from tests.signed_in import PASSWORD

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "front/node_modules/@segment/analytics-next/dist/umd"
NODE = ROOT / "tests/doors/node"


def test_settings_are_kept_and_what_is_wrong_is_said_at_its_field(visit: Visit) -> None:
    page = visit("admin")
    page.goto("/settings")
    page.get_by_label("Time zone").fill("Mars/Olympus")
    page.get_by_label("Calls a minute for each key").fill("many")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("This must be a whole number")).to_be_visible()
    page.get_by_label("Calls a minute for each key").fill("6000")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Time zone")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("must be a name such as Europe/Berlin")).to_be_visible()
    page.get_by_label("Time zone").fill("Asia/Kolkata")
    page.get_by_label("Who is recognised by").select_option("email")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").get_by_text("Saved")).to_be_visible()
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Kolkata")
    expect(page.get_by_label("Calls a minute for each key")).to_have_value("6000")
    expect(page.get_by_label("Who is recognised by")).to_have_value("email")


def test_a_reader_reads_them_and_finds_no_way_to_the_rest(visit: Visit) -> None:
    page = visit("reader")
    page.goto("/settings")
    expect(page.get_by_text("Admins can change this.")).to_be_visible()
    expect(page.get_by_role("link", name="API keys")).to_have_count(0)
    for path in ("/settings/keys", "/settings/members"):
        page.goto(path)
        expect(page.get_by_role("heading", name="Not allowed")).to_be_visible()


def test_somebody_is_invited_by_a_link_and_comes_in(
    site: Site, visit: Visit, browser: Browser
) -> None:
    page = visit("admin")
    page.goto("/settings/members")
    page.get_by_role("button", name="Invite somebody").click()
    page.get_by_label("E-mail").fill("meera@")
    page.get_by_label("Name", exact=True).fill("Meera")
    page.get_by_role("button", name="Invite", exact=True).click()
    expect(page.get_by_text("This is no e-mail address")).to_be_visible()
    page.get_by_label("E-mail").fill("meera@example.com")
    page.get_by_role("button", name="Invite", exact=True).click()
    expect(page.get_by_role("heading", name="A link for Meera")).to_be_focused()
    link = page.get_by_text(f"{site.url}/join/").inner_text()
    expect(page.get_by_role("row", name="Meera")).to_contain_text("invited")
    theirs = browser.new_context().new_page()
    theirs.goto(link)
    theirs.get_by_label("Password").fill(PASSWORD)
    theirs.get_by_role("button", name="Go on").click()
    expect(theirs.get_by_role("heading", name="Users")).to_be_visible()
    page.get_by_label("Role of Meera").select_option("reader")
    expect(page.get_by_text("Meera is reader now")).to_be_visible()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove Meera").click()
    expect(page.get_by_role("row", name="Meera")).to_have_count(0)
    theirs.reload()
    expect(theirs.get_by_role("heading", name="Sign in")).to_be_visible()
    theirs.context.close()


def test_the_last_admin_stays(visit: Visit) -> None:
    page = visit("admin")
    page.goto("/settings/members")
    page.get_by_label("Role of Admin").select_option("reader")
    expect(page.get_by_text("The workspace needs an admin")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Role of Admin")).to_have_value("admin")


def make_key(page: Page, name: str, role: str) -> str:
    """Make a key as a person does; the key."""
    page.goto("/settings/keys")
    page.get_by_role("button", name="Make a key").click()
    page.get_by_label("What it is for").fill(name)
    page.get_by_label("Role").select_option(role)
    page.get_by_role("button", name="Make", exact=True).click()
    expect(page.get_by_role("heading", name=f"The {role} key {name}")).to_be_focused()
    return page.get_by_text(re.compile(r"^u3_\S{20,}$")).inner_text()


def test_a_key_is_shown_once_and_revoked(visit: Visit) -> None:
    page = visit("admin")
    page.goto("/settings/keys")
    page.get_by_role("button", name="Make a key").click()
    page.get_by_role("button", name="Make", exact=True).click()
    expect(page.get_by_text("A name has 1 to 200 characters")).to_be_visible()
    key = make_key(page, "Web shop", "ingest")
    page.reload()
    expect(page.get_by_role("row", name="Web shop")).to_contain_text("never")
    expect(page.get_by_text(key)).to_have_count(0)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Revoke Web shop").click()
    expect(page.get_by_role("row", name="Web shop")).to_have_count(0)
    page.get_by_role("button", name="Revoke first").click()
    expect(page.get_by_text("This is the last admin key")).to_be_visible()


def lines(page: Page, title: str) -> str:
    """The lines for a language as they are shown."""
    shown = page.get_by_role("region", name=f"Lines for {title}")
    if not shown.is_visible():
        page.get_by_text(title, exact=True).click()
    return shown.inner_text()


def run(*words: str, cwd: Path = ROOT) -> None:
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_lines_for_curl_python_and_node_work_as_they_are(visit: Visit) -> None:
    page = visit("admin")
    make_key(page, "Lines", "ingest")
    curl, python, node = (lines(page, title) for title in ("curl", "Python", "Node"))
    live = visit("admin")
    live.goto("/events/live")
    arrived = live.get_by_role("row", name="Order Completed")
    run("bash", "-c", curl.replace("curl ", "curl --silent --show-error --fail "))
    expect(arrived).to_have_count(1)
    run(sys.executable, "-c", python)
    expect(arrived).to_have_count(2)
    run("node", "--input-type=module", "-e", node, cwd=NODE)
    expect(arrived).to_have_count(3)


class Shop(http.server.SimpleHTTPRequestHandler):
    """A page of somebody's website with Segment's script, and the lines to copy."""

    page = ""

    def do_GET(self) -> None:
        if self.path != "/":
            return super().do_GET()
        body = self.page.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        return None

    def log_message(self, format: str, *args: object) -> None:
        pass


PAGE = """<!doctype html><title>Prices</title>
<script type="importmap">{"imports": {"@segment/analytics-next": "data:text/javascript,
export const AnalyticsBrowser = window.AnalyticsNext.AnalyticsBrowser"}}</script>
<script src="/index.js"></script>
<script type="module">LINES</script>
"""


@contextlib.contextmanager
def shop(text: str) -> Iterator[str]:
    """Serve a page with these lines; its address."""
    page = PAGE.replace("javascript,\n", "javascript,").replace("LINES", text)
    handler = type("Once", (Shop,), {"page": page})
    serving = functools.partial(handler, directory=str(SCRIPT))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), serving)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_segments_script_in_somebodys_page_sends_here_and_to_nobody_else(
    site: Site, visit: Visit, browser: Browser
) -> None:
    page = visit("admin")
    make_key(page, "Shop", "ingest")
    text = lines(page, "Browser")
    page.goto("/events/live")
    asked: set[str] = set()
    wrong: list[str] = []
    with shop(text) as address:
        visitor = browser.new_context().new_page()
        visitor.on("request", lambda request: asked.add(request.url))
        visitor.on("pageerror", lambda error: wrong.append(str(error)))
        visitor.goto(address)
        expect(page.get_by_role("row", name="Order Completed")).to_contain_text("ana@example.com")
        expect(page.get_by_role("row", name="Page Viewed")).to_contain_text("ana@example.com")
        visitor.context.close()
    assert wrong == []
    assert {url.split("/")[2] for url in asked if url.startswith("http")} == {
        address.split("/")[2],
        site.url.split("/")[2],
    }


def test_everybody_can_use_the_pages(visit: Visit) -> None:
    page = visit("admin", viewport=axe.NARROW)
    for path in ("/settings", "/settings/members", "/settings/keys"):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert axe.troubles(page) == []
        assert axe.too_wide(page) == 0
