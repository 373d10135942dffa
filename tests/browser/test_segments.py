"""Segments: building one without reading anything, seeing who is in it, editing it with care."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import axe
from tests.browser.site import Site, Visit
from tests.people import HOSTILE, INDIA, call, segment, settle
from user360.ingest.call import Event
from user360.segments import statics

PEOPLE: list[tuple[str, dict[str, Any], list[str]]] = [
    ("asha", {"firstName": "Asha", "country": "IN", "city": "Pune"}, ["Purchase"] * 3),
    ("ravi", {"firstName": "Ravi", "country": "IN"}, ["Purchase"] * 3 + ["Downgrade"]),
    ("mina", {"firstName": HOSTILE, "country": "IN", "city": "Pune"}, ["Purchase"] * 4),
    ("lena", {"firstName": "Lena", "country": "DE"}, ["Purchase"] * 5),
    ("noor", {"firstName": "Noor", "country": "IN"}, ["Purchase"]),
]


@pytest.fixture
def people(site: Site) -> Site:
    """Five people, four of them in India; two bought three times and never downgraded."""
    platform = site.platform
    calls = [call(platform, user, properties=properties) for user, properties, _ in PEOPLE]
    calls += [
        call(platform, user, event=Event(name, {"amount": 10 * (i + 1)}))
        for user, _, events in PEOPLE
        for i, name in enumerate(events)
    ]
    settle(platform, *calls)
    return site


def count(page: Page, number: int) -> None:
    expect(page.get_by_text(re.compile(rf"^{number} (person|people) of"))).to_be_visible()


def add(page: Page, what: str) -> None:
    page.get_by_role("button", name=f"Add {what}", exact=True).last.click()
    expect(page.get_by_label(what.title(), exact=True).last).to_be_focused()


@pytest.mark.usefixtures("people")
def test_a_newcomer_builds_the_segment_saves_it_and_sees_who_is_in_it_and_why(visit: Visit) -> None:
    page = visit("editor")
    page.goto("/segments")
    expect(page.get_by_role("heading", name="No segments yet")).to_be_visible()
    page.get_by_role("link", name="New segment").first.click()
    count(page, 5)
    add(page, "property")
    page.get_by_label("Property", exact=True).select_option(label="Country")
    with page.expect_response(re.compile("/builder/values")):
        page.get_by_label("Value", exact=True).click()
    page.get_by_label("Value", exact=True).press_sequentially("India")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Value", exact=True)).to_have_value("IN")
    count(page, 4)
    add(page, "event")
    page.get_by_label("Event", exact=True).press_sequentially("Purchase")
    page.get_by_label("How often").select_option(label="at least")
    expect(page.get_by_text("Enter a number")).to_be_visible()
    count(page, 4)
    page.get_by_label("How many times").press_sequentially("3")
    count(page, 3)
    add(page, "event")
    page.get_by_label("Did or did not").last.select_option(label="did not do")
    page.get_by_label("Event", exact=True).last.press_sequentially("Downgrade")
    count(page, 2)
    expect(page.get_by_text('"Downgrade" never happened')).to_be_visible()
    assert axe.troubles(page) == []
    page.get_by_role("button", name="Save the segment").click()
    expect(page.get_by_text("name must be text of 1 to 200 characters")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("Loyal in India")
    page.get_by_role("button", name="Save the segment").click()
    expect(page.get_by_role("heading", name="Loyal in India", level=1)).to_be_visible()
    expect(page.get_by_role("link", name="Asha", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name=HOSTILE, exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Ravi", exact=True)).to_have_count(0)
    page.get_by_role("link", name="Why Asha is in it").click()
    expect(page.get_by_text("Loyal in India").first).to_be_visible()


@pytest.mark.usefixtures("people")
def test_sets_sequences_groups_and_values_of_events_are_built_by_keyboard_alone(
    visit: Visit,
) -> None:
    page = visit("editor")
    page.goto("/segments/new")
    count(page, 5)
    page.get_by_role("button", name="Add event").press("Enter")
    expect(page.get_by_label("Event", exact=True)).to_be_focused()
    page.keyboard.type("Purchase")
    page.get_by_role("button", name="Only where").press("Enter")
    expect(page.get_by_label("What the event holds")).to_be_focused()
    page.keyboard.type("amount")
    page.get_by_label("Operator").select_option(label="is more than")
    page.get_by_label("Value", exact=True).press_sequentially("35")
    expect(page.get_by_text('"Purchase" (where amount is more than 35) happened')).to_be_visible()
    count(page, 2)
    page.get_by_role("button", name="Or: another set").press("Enter")
    expect(page.get_by_text("Not finished")).to_be_visible()
    count(page, 2)
    page.get_by_role("button", name="Remove condition 1").last.press("Enter")
    expect(page.get_by_text("Not finished")).to_be_hidden()
    count(page, 2)
    page.get_by_role("button", name="Or: another set").press("Enter")
    page.get_by_label("Property", exact=True).select_option(label="City")
    expect(page.get_by_label("Value", exact=True)).to_have_count(2)
    page.get_by_label("Value", exact=True).last.press_sequentially("pune")
    count(page, 3)
    page.get_by_role("button", name="Remove alternative 1").press("Enter")
    count(page, 2)
    page.get_by_role("button", name="Sequence").press("Enter")
    page.get_by_label("Step 1").press_sequentially("Purchase")
    page.get_by_label("Step 2").press_sequentially("Purchase")
    page.get_by_label("How long it may take").select_option(label="all within …")
    page.get_by_label("Longest time").press_sequentially("2")
    expect(page.get_by_text("all within 2 days")).to_be_visible()
    page.get_by_role("button", name="Group").press("Enter")
    page.get_by_label("What must fit").select_option(label="none of these")
    page.get_by_label("Property", exact=True).last.select_option(label="Email")
    expect(page.get_by_label("Operator")).to_have_count(2)
    page.get_by_label("Operator").last.select_option(label="is known")
    expect(page.get_by_text("it is not so that (email is known)")).to_be_visible()
    count(page, 2)
    assert axe.troubles(page) == []


@pytest.mark.usefixtures("people")
def test_what_is_typed_is_never_lost_while_the_count_follows(visit: Visit) -> None:
    page = visit("editor")
    page.goto("/segments/new")
    page.get_by_role("button", name="Add property").click()
    page.get_by_label("Property", exact=True).select_option(label="City")
    page.get_by_label("Operator").select_option(label="contains")
    field = page.get_by_label("Value", exact=True)
    field.click()
    field.press_sequentially("a rather long text", delay=60)
    expect(page.get_by_text('city contains "a rather long text"')).to_be_visible()
    expect(field).to_have_value("a rather long text")
    expect(field).to_be_focused()
    page.get_by_label("Property", exact=True).select_option(label="Last name")
    expect(page.get_by_label("Value", exact=True)).to_have_value("")


def test_an_edit_shows_who_enters_and_who_leaves_before_it_is_saved_and_can_be_undone(
    people: Site, visit: Visit
) -> None:
    number = segment(people.platform, "From India", INDIA)
    page = visit("editor")
    page.goto(f"/segments/{number}/edit")
    expect(page.get_by_text("Nobody enters and nobody leaves; 4 stay.")).to_be_visible()
    page.get_by_label("Value", exact=True).fill("DE")
    expect(page.get_by_text("1 would enter")).to_be_visible()
    expect(page.get_by_text("4 would leave")).to_be_visible()
    expect(page.get_by_role("link", name="Lena", exact=True)).to_be_visible()
    assert axe.troubles(page) == []
    page.get_by_label("Value", exact=True).fill("")
    expect(page.get_by_text("Enter a value")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_label("Value", exact=True)).to_be_focused()
    expect(page.get_by_label("Value", exact=True)).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Value", exact=True).fill("DE")
    expect(page.get_by_text("Enter a value")).to_have_count(0)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("link", name="Lena", exact=True)).to_be_visible()
    page.get_by_role("link", name="Definition").click()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("Version 1 is in force again")).to_be_visible()
    page.get_by_role("link", name="Members", exact=True).click()
    expect(page.get_by_role("link", name="Asha", exact=True)).to_be_visible()


@pytest.mark.usefixtures("people")
def test_a_list_is_made_changed_archived_and_deleted(visit: Visit) -> None:
    page = visit("editor")
    page.goto("/segments/new?kind=list")
    page.get_by_label("Name", exact=True).fill("Friends")
    page.get_by_role("button", name="Create the list").click()
    expect(page.get_by_text("Write at least one userId")).to_be_visible()
    page.get_by_label("userIds").fill("asha\nnobody")
    page.get_by_role("button", name="Create the list").click()
    expect(page.get_by_text("Friends is made; 1 userIds are nobody's")).to_be_visible()
    expect(page.get_by_role("link", name="Asha", exact=True)).to_be_visible()
    page.get_by_role("button", name="Add or remove").click()
    page.get_by_label("Or a file").set_input_files(
        {"name": "more.csv", "mimeType": "text/csv", "buffer": b"userId\nlena\nasha\n"}
    )
    page.get_by_role("button", name="Do it").click()
    expect(page.get_by_text("1 added, 1 were in it already")).to_be_visible()
    page.get_by_role("button", name="Remove Asha").click()
    expect(page.get_by_text("1 removed")).to_be_visible()
    expect(page.get_by_role("link", name="Asha", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Archive", exact=True).click()
    expect(page.get_by_role("button", name="Unarchive")).to_be_visible()
    page.goto("/segments")
    expect(page.get_by_role("link", name="Friends")).to_have_count(0)
    page.get_by_role("link", name="Archived").click()
    page.get_by_role("link", name="Friends").click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("Friends is deleted")).to_be_visible()


def test_one_that_others_ask_about_says_so_and_shows_its_error(people: Site, visit: Visit) -> None:
    inner = segment(people.platform, "From India", INDIA)
    outer = segment(people.platform, "Not from India", {"segment": inner, "in": False})
    page = visit("editor")
    page.goto(f"/segments/{inner}")
    page.get_by_role("button", name="Snapshot").click()
    page.get_by_label("Name of the list").fill("Not from India")
    page.get_by_role("button", name="Make the list").click()
    expect(page.get_by_text("A segment of this name exists already")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("alert").first).to_contain_text("is used by Not from India")
    dialog.get_by_role("checkbox").check()
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("Cannot be evaluated")).to_be_visible()
    page.get_by_role("link", name="Not from India").click()
    expect(page.get_by_role("alert")).to_contain_text("was deleted")
    page.get_by_role("button", name="Try again now").click()
    expect(page.get_by_text("Tried again", exact=True)).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("was deleted")
    page.goto(f"/segments/{outer}/edit")
    expect(page.get_by_label("Segment", exact=True)).to_be_visible()
    assert axe.troubles(page) == []


def test_searching_and_downloading(people: Site, visit: Visit) -> None:
    number = segment(people.platform, "From India", INDIA)
    segment(people.platform, HOSTILE, {"event": "Purchase"})
    page = visit("editor")
    page.goto("/segments")
    page.get_by_role("searchbox").press_sequentially("india")
    expect(page).to_have_url(re.compile("q=india"))
    expect(page.get_by_role("link", name=HOSTILE)).to_have_count(0)
    page.get_by_role("link", name="From India").click()
    page.get_by_role("searchbox").press_sequentially("asha")
    expect(page.get_by_text("1 member found")).to_be_visible()
    page.goto(f"/segments/{number}")
    page.get_by_role("button", name="Download").click()
    page.get_by_label("Kind of file").select_option(label="Excel")
    page.get_by_role("button", name="Make the file").click()
    expect(page).to_have_url(re.compile("/exports"))


def test_every_page_is_usable_by_everybody(people: Site, visit: Visit) -> None:
    number = segment(people.platform, "From India", INDIA)
    listed = site_list(people)
    page = visit("editor", viewport=axe.NARROW)
    for address in (
        "/segments",
        "/segments?archived=true",
        "/segments/new",
        "/segments/new?kind=list",
        f"/segments/{number}",
        f"/segments/{number}?tab=changes",
        f"/segments/{number}?tab=definition",
        f"/segments/{number}/edit",
        f"/segments/{listed}",
    ):
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert axe.troubles(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


def site_list(site: Site) -> int:
    """A list with two people in it."""
    number = segment(site.platform, "Friends", None)
    site.change(lambda c: statics.change_members(c, number, ["asha", "mina"], []))
    return number
