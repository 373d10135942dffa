"""The inbox by whose conversations they are: a condition built in a dialog, and a segment."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import axe
from tests.browser.site import Site, Visit
from tests.browser.talks import Talks
from user360.segments import define

PUNE = {"property": "city", "op": "is", "values": ["Pune"]}


@pytest.fixture
def talks(site: Site) -> Talks:
    """Two people from Pune, one of them with two conversations, and one from elsewhere."""
    talks = Talks(site)
    for name, city in (("Asha", "Pune"), ("Ravi", "Pune"), ("Lena", "Bern")):
        known = {"user_id": f"{name}@example.com", "properties": {"firstName": name, "city": city}}
        talks.says(name, f"Hello from {name}", **known)
    talks.says("again", "And by mail", "email", kind="ticket", user_id="Asha@example.com")
    return talks


def rows(page: Page, *names: str) -> None:
    listed = page.get_by_role("list", name="All active")
    for name in set(names):
        expect(listed.get_by_role("link", name=re.compile(name))).to_have_count(names.count(name))
    expect(listed.get_by_role("listitem")).to_have_count(len(names))


def ask(page: Page, city: str) -> None:
    """Build `city is ...` in the dialog, and show their conversations."""
    dialog = page.get_by_role("dialog", name="Whose conversations")
    dialog.get_by_role("button", name="Add property").click()
    dialog.get_by_label("Property").select_option("city")
    dialog.get_by_label("Value").first.fill(city)
    expect(dialog.get_by_text(f'city is "{city}"')).to_be_visible()
    dialog.get_by_role("button", name="Show their conversations").click()
    expect(dialog).to_be_hidden()


@pytest.mark.usefixtures("talks")
def test_a_condition_is_built_shown_changed_and_left(visit: Visit) -> None:
    page = visit("admin")
    page.goto("/inbox")
    rows(page, "Asha", "Asha", "Ravi", "Lena")
    page.get_by_role("button", name="Filters").click()
    page.get_by_role("button", name="By what is known of them").click()
    dialog = page.get_by_role("dialog", name="Whose conversations")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Add property").click()
    dialog.get_by_label("Property").select_option("city")
    expect(dialog.get_by_label("Value").first).to_be_visible()
    dialog.get_by_role("button", name="Show their conversations").click()
    expect(dialog.get_by_label("Value").first).to_have_attribute("aria-invalid", "true")
    assert axe.troubles(page) == []
    dialog.get_by_label("Value").first.fill("Pune")
    expect(dialog.get_by_text('city is "Pune"')).to_be_visible()
    dialog.get_by_role("button", name="Show their conversations").click()
    rows(page, "Asha", "Asha", "Ravi")
    expect(page.get_by_text('Only: People for whom city is "Pune".')).to_be_visible()

    page.get_by_label("Channel").select_option("email")
    page.get_by_role("button", name="Apply").click()
    rows(page, "Asha")
    page.get_by_label("Search conversations").fill("nothing of this")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing in this list is like that")).to_be_visible()
    expect(page.get_by_text('Only: People for whom city is "Pune".')).to_be_visible()

    page.get_by_role("button", name="Change the filter").click()
    expect(dialog.get_by_label("Value").first).to_have_value("Pune")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Show all of the list").click()
    rows(page, "Asha", "Asha", "Ravi", "Lena")


def test_a_filtered_list_is_live_and_shared_by_its_address(talks: Talks, visit: Visit) -> None:
    page = visit("admin")
    page.goto("/inbox")
    page.get_by_role("button", name="Filters").click()
    page.get_by_role("button", name="By what is known of them").click()
    ask(page, "Pune")
    rows(page, "Asha", "Asha", "Ravi")
    talks.says("new", "Me too", properties={"firstName": "Nita", "city": "Pune"})
    talks.says("other", "Not me", properties={"firstName": "Otto", "city": "Bern"})
    rows(page, "Asha", "Asha", "Ravi", "Nita")
    page.get_by_role("link", name=re.compile("Ravi")).click()
    expect(page.get_by_role("log").get_by_text("Hello from Ravi")).to_be_visible()
    again = visit("reader")
    again.goto(page.url)
    rows(again, "Asha", "Asha", "Ravi", "Nita")
    expect(again.get_by_role("log").get_by_text("Hello from Ravi")).to_be_visible()


def test_a_segment_leaves_its_members(site: Site, talks: Talks, visit: Visit) -> None:
    assert talks
    made = site.change(lambda c: define.create(c, "In Pune", "", PUNE))
    site.platform.keeper.settle()
    page = visit("admin")
    page.goto("/inbox")
    page.get_by_role("button", name="Filters").click()
    page.get_by_label("Segment").select_option("In Pune")
    page.get_by_role("button", name="Apply").click()
    rows(page, "Asha", "Asha", "Ravi")
    expect(page).to_have_url(re.compile(f"segment={made.id}"))


@pytest.mark.usefixtures("talks")
def test_an_address_that_is_damaged_says_so(visit: Visit) -> None:
    page = visit("admin")
    page.goto('/inbox?where={"property":')
    expect(page.get_by_text("cut off or damaged")).to_be_visible()
    page.goto("/inbox?segment=99")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
