"""The server ends and begins again while an agent answers: nothing is lost, nothing twice."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import PATIENCE
from tests.browser.site import Site
from tests.browser.talks import Talks

LOST = "No connection. Trying again; what you write is kept and sent later."


def test_an_inbox_outlives_the_server(browser: Browser, tmp_path: Path) -> None:
    with Site.running(tmp_path / "data") as site:
        talks = Talks(site)
        talks.there()
        public = talks.says("s", "Hello?", properties={"firstName": "Asha"})
        context = browser.new_context(base_url=site.url, reduced_motion="reduce")
        context.add_cookies([site.cookie("agent")])
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(f"/inbox/{public}")
        expect(page).to_have_title("(1) Asha · User 360")
        write(page, "I look it up")
        expect(messages(page).get_by_text("sent", exact=True)).to_be_visible()
    port = int(site.url.rpartition(":")[2])
    expect(page.get_by_text(LOST)).to_be_visible()
    write(page, "Here it is")
    with Site.running(tmp_path / "data", port) as again:
        expect(page.get_by_text(LOST)).to_be_hidden()
        expect(messages(page).get_by_text("sent", exact=True)).to_have_count(2)
        talks = Talks(again)
        talks.says("s", "Thank you")
        expect(messages(page).get_by_text("Thank you")).to_be_visible()
        for said in ("Hello?", "I look it up", "Here it is", "Thank you"):
            expect(messages(page).get_by_text(said, exact=True)).to_have_count(1)
        assert talks.held(public).messages == 4
        talks.says("other", "Me too", properties={"firstName": "Meera"})
        expect(page.get_by_role("link", name="Mine 2")).to_be_visible()
        expect(page).to_have_title("(2) Asha · User 360")
        context.close()


def messages(page: Page) -> Locator:
    return page.get_by_role("log", name="Messages")


def write(page: Page, text: str) -> None:
    page.get_by_label("Message", exact=True).fill(text)
    page.keyboard.press("Enter")
