"""The tutorial in the browser, walked step by step as it is written.

Its bold words are what a person presses or fills in, in their order; its italics what she types,
chooses or sees. The test takes both from the page, so that neither can drift from the product.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.site import Site
from tests.signed_in import PASSWORD
from user360 import demo

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tutorial" / "in-the-browser.md"
STEPS = dict(
    re.findall(r"^## \d+\. (.+?)\n(.*?)(?=^## )", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
)


class Step:
    """One step of the tutorial: what it names, to be taken in order and to the last."""

    def __init__(self, title: str) -> None:
        text = re.sub(r"```.*?```", "", STEPS[title], flags=re.DOTALL)
        self._bold = re.findall(r"\*\*(.+?)\*\*", text)
        self._italic = re.findall(r"(?<!\*)\*([^*\n]+?)\*(?!\*)", text)

    def press(self) -> str:
        return self._bold.pop(0)

    def word(self) -> str:
        return self._italic.pop(0)

    def done(self) -> None:
        assert self._bold == []
        assert self._italic == []


def test_a_newcomer_follows_the_tutorial(site: Site, browser: Browser, tmp_path: Path) -> None:
    demo.load(site.platform, lambda _done: None)
    site.member("admin")
    page = browser.new_page(base_url=site.url)
    page.set_default_timeout(30_000)
    steps = {title: Step(title) for title in STEPS}
    for title, walk in WALKED.items():
        walk(page, steps[title], tmp_path)
    assert list(WALKED) == list(steps)
    for each in steps.values():
        each.done()
    page.close()


def come_in(page: Page, step: Step, _folder: Path) -> None:
    page.goto("/")
    page.get_by_label(step.press()).fill("admin@example.com")
    page.get_by_label(step.press()).fill(PASSWORD)
    page.get_by_role("button", name=step.press()).click()
    expect(page.get_by_text(step.word(), exact=True)).to_be_visible()


def find(page: Page, step: Step, _folder: Path) -> None:
    page.get_by_role("button", name=step.press(), exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name=step.press()).click()
    dialog.get_by_label(step.press(), exact=True).select_option(label=step.word())
    value = dialog.get_by_label(step.press(), exact=True)
    with page.expect_response(re.compile("/builder/values")):
        value.click()
    value.press_sequentially(step.word())
    page.keyboard.press("Tab")
    expect(dialog).to_contain_text(step.word())
    dialog.get_by_role("button", name=step.press()).click()
    dialog.get_by_label(step.press(), exact=True).press_sequentially(step.word())
    dialog.get_by_label(step.press(), exact=True).select_option(label=step.word())
    dialog.get_by_label(step.press(), exact=True).press_sequentially(step.word())
    expect(dialog).to_contain_text(step.word())
    dialog.get_by_role("button", name=step.press()).click()
    expect(page).to_have_url(re.compile("where="))


def keep(page: Page, step: Step, _folder: Path) -> None:
    page.get_by_role("button", name=step.press()).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(step.press(), exact=True).fill(step.word())
    dialog.get_by_role("button", name=step.press()).click()
    expect(page.get_by_text("Saved as the segment Three times in India")).to_be_visible()


def who_and_why(page: Page, step: Step, _folder: Path) -> None:
    menu = page.get_by_role("navigation", name="Main")
    menu.get_by_role("link", name=step.press()).click()
    page.get_by_role("link", name=step.press(), exact=True).click()
    expect(page.get_by_text("Size over time")).to_be_visible()
    page.get_by_role("link", name=step.press()).first.click()
    expect(page.get_by_text("Purchase").first).to_be_visible()


def one_person(page: Page, step: Step, _folder: Path) -> None:
    page.go_back()
    page.get_by_role("main").get_by_role("table").get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Reach")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name=step.press()).click()
    expect(page.get_by_text("First name").first).to_be_visible()


def take_with(page: Page, step: Step, _folder: Path) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Segments").click()
    page.get_by_role("link", name="Three times in India", exact=True).click()
    page.get_by_role("button", name=step.press()).click()
    page.get_by_role("button", name=step.press()).click()
    with page.expect_download() as file:
        page.get_by_role("link", name="Download").click()
    assert len(file.value.path().read_text("utf-8").splitlines()) > 1_000
    page.get_by_role("navigation", name="Main").get_by_role("link", name=step.press()).click()
    expect(page.get_by_role("link", name="Download").first).to_be_visible()


def bring_in(page: Page, step: Step, folder: Path) -> None:
    (content,) = re.findall(r"```csv\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    file = folder / "people.csv"
    file.write_text(content, "utf-8")
    page.get_by_role("navigation", name="Main").get_by_role("link", name=step.press()).click()
    page.get_by_role("link", name=step.press()).first.click()
    page.get_by_label("Choose a file of people").set_input_files(file)
    page.get_by_role("link", name=step.press()).click()
    page.get_by_label(step.press()).select_option(label=step.word())
    expect(page.get_by_label(f"Name of the new property for {step.word()}")).to_be_visible()
    page.get_by_role("button", name=step.press()).click()
    page.get_by_role("button", name=step.press()).click()
    expect(page.get_by_text(step.word()).first).to_be_visible()
    page.get_by_role("button", name=step.press()).click()
    expect(page.get_by_role("status").get_by_text("Completed")).to_be_visible()


def take_back(page: Page, step: Step, _folder: Path) -> None:
    page.get_by_role("button", name=step.press()).click()
    page.get_by_role("dialog").get_by_role("button", name=step.press()).click()
    expect(page.get_by_role("status").get_by_text("Undone")).to_be_visible()
    page.goto("/users?text=cdnow-00111")
    page.get_by_role("main").get_by_role("table").get_by_role("link").first.click()
    expect(page.get_by_text("Hyderabad").first).to_be_visible()
    page.goto("/users?text=new-1")
    expect(page.get_by_text("Nobody matches")).to_be_visible()


WALKED: Mapping[str, Callable[[Page, Step, Path], None]] = {
    "Come in": come_in,
    "Find the people you want": find,
    "Keep them as a segment": keep,
    "See who is in it, and why": who_and_why,
    "Look at one person": one_person,
    "Take them with you": take_with,
    "Bring people in from a file": bring_in,
    "Take it back": take_back,
}
