"""The lists of the inbox: searched, filtered, and what they say where there is nothing."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser import axe
from tests.browser.site import Site, Visit
from tests.browser.talks import Talks


@pytest.fixture
def talks(site: Site) -> Talks:
    return Talks(site)


def test_lists_are_searched_and_filtered(visit: Visit, talks: Talks) -> None:
    talks.says("a", "Where is my parcel?", properties={"firstName": "Asha"})
    talks.says("b", "Do you ship?", "whatsapp", properties={"firstName": "Ravi"})
    page = visit("admin")
    page.goto("/inbox")
    rows = page.get_by_role("list", name="All active")
    expect(rows.get_by_role("listitem")).to_have_count(2)
    page.get_by_label("Search conversations").fill("parcel")
    page.keyboard.press("Enter")
    expect(rows.get_by_role("listitem")).to_have_count(1)
    expect(rows.get_by_role("link", name=re.compile("Asha"))).to_be_visible()
    page.get_by_role("link", name="Show all of the list").click()
    page.get_by_role("button", name="Filters").click()
    page.get_by_label("Channel").select_option("whatsapp")
    page.get_by_role("button", name="Apply").click()
    expect(rows.get_by_role("link", name=re.compile("Ravi"))).to_be_visible()
    expect(rows.get_by_role("listitem")).to_have_count(1)


def test_a_search_that_finds_nothing_says_why_and_leads_on(visit: Visit, talks: Talks) -> None:
    public = talks.says("a", "Where is my parcel?", properties={"firstName": "Asha"})
    talks.does(public, "resolve")
    page = visit("admin")
    page.goto("/inbox?q=wh")
    expect(page.get_by_text("Nothing in this list is like that.")).to_be_visible()
    expect(page.get_by_text("one or two letters is looked for as it is")).to_be_visible()
    page.get_by_label("Search conversations").fill("whe")
    page.keyboard.press("Enter")
    expect(page.get_by_text("one or two letters")).to_have_count(0)
    page.get_by_role("link", name="resolved", exact=True).click()
    rows = page.get_by_role("list", name="Resolved")
    expect(rows.get_by_role("link", name=re.compile("Asha"))).to_be_visible()
    assert axe.troubles(page) == []


def test_an_inbox_nobody_has_written_to_says_how_to_begin(visit: Visit, talks: Talks) -> None:
    agent = visit("agent")
    agent.goto("/inbox")
    expect(agent.get_by_role("heading", name="No conversation is open")).to_be_visible()
    page = visit("admin")
    page.goto("/inbox")
    page.get_by_role("link", name="Set up a channel").click()
    expect(page.get_by_role("heading", name="Channels")).to_be_visible()
    talks.says("a", "Hello")
    page.goto("/inbox")
    expect(page.get_by_role("heading", name="No conversation is open")).to_be_visible()


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 800}, axe.NARROW])
def test_long_lists_and_talks_scroll_within_the_page(
    visit: Visit, talks: Talks, viewport: dict[str, int]
) -> None:
    talks.there()
    for number in range(30):
        public = talks.says(f"s{number}", "Hello?")
    for number in range(20):
        talks.says("s29", f"Are you there? {number}")
    page = visit("agent", viewport=viewport)
    page.goto("/inbox?list=active")
    rows = page.get_by_role("list", name="All active").get_by_role("listitem")
    expect(rows).to_have_count(30)
    assert axe.too_tall(page) == 0
    rows.last.scroll_into_view_if_needed()
    expect(rows.last).to_be_in_viewport()
    page.goto(f"/inbox/{public}")
    expect(page.get_by_role("log").get_by_text("Are you there? 19")).to_be_in_viewport()
    assert axe.too_tall(page) == 0
