"""Properties as a person meets them: what there is, adding, describing, retyping, deleting."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import axe
from tests.browser.site import Site, Visit
from tests.people import HOSTILE, call, segment, settle
from user360.records import declare
from user360.records.properties import Type


@pytest.fixture
def people(site: Site) -> Site:
    """Three people, of whom two have points; one of the points is no number."""
    site.member("admin")
    site.change(lambda c: declare.declare(c, "points", Type.STRING, "Loyalty points"))
    rows: list[dict[str, Any]] = [
        {"firstName": HOSTILE, "points": "12"},
        {"firstName": "Meera", "points": "a few"},
        {"firstName": "Meera"},
    ]
    calls = [call(site.platform, f"u{i}", properties=row) for i, row in enumerate(rows)]
    assert [outcome.status for outcome in settle(site.platform, *calls)] == ["created"] * 3
    return site


@pytest.mark.usefixtures("people")
def test_one_sees_how_complete_each_property_is_and_what_it_holds(visit: Visit) -> None:
    page = visit("reader")
    page.goto("/properties")
    row = page.get_by_role("row", name="points")
    expect(row).to_contain_text("67 %")
    expect(row).to_contain_text("a few")
    expect(page.get_by_role("button", name="Add a property")).to_have_count(0)
    page.get_by_role("searchbox", name="Find a property").fill("first")
    expect(page.get_by_role("row", name="points")).to_have_count(0)
    expect(page).to_have_url(f"{page.url.split('?')[0]}?q=first")
    page.get_by_role("link", name="firstName").click()
    expect(page.get_by_text("3 of 3 records")).to_be_visible()
    expect(page.get_by_role("cell", name=HOSTILE)).to_be_visible()
    expect(page.get_by_role("row", name="Meera")).to_contain_text("2")


@pytest.mark.usefixtures("people")
def test_adding_and_describing_one(visit: Visit) -> None:
    page = visit("editor")
    page.goto("/properties")
    page.get_by_role("button", name="Add a property").click()
    page.get_by_label("Name").fill("2nd plan")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("name must be a letter, then letters")).to_be_visible()
    page.get_by_label("Name").fill("plan")
    page.get_by_label("Type").select_option("string")
    page.get_by_label("Required").check()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", name="plan", exact=True)).to_be_visible()
    expect(page.get_by_text("No record has it yet")).to_be_visible()
    page.get_by_label("Description").fill("What they pay for")
    page.get_by_label("Required").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("A string: What they pay for")).to_be_visible()
    expect(page.get_by_label("Required")).not_to_be_checked()


@pytest.mark.usefixtures("people")
def test_another_type_says_first_what_it_would_do(visit: Visit) -> None:
    page = visit("editor")
    page.goto("/properties/points")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("This is its type already")).to_be_visible()
    page.get_by_label("New type").select_option("number")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("1 does not and would no longer be seen")).to_be_visible()
    page.get_by_role("button", name="Make it a number").click()
    expect(page.get_by_text("1 of 3 records")).to_be_visible()


def test_a_deleted_one_is_given_back_with_its_values(people: Site, visit: Visit) -> None:
    segment(people.platform, "Collectors", {"property": "points", "op": "known"})
    page = visit("editor")
    page.goto("/properties/points")
    page.get_by_role("button", name="Delete").click()
    inside = page.get_by_role("dialog")
    expect(inside.get_by_text("2 records have it")).to_be_visible()
    inside.get_by_role("button", name="Delete").click()
    expect(inside.get_by_text("points is asked about by Collectors")).to_be_visible()
    inside.get_by_label("Delete it all the same").check()
    inside.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Nothing of your own yet")).to_be_visible()
    page.get_by_role("link", name="Deleted").click()
    page.get_by_role("button", name="Give back points").click()
    expect(page.get_by_text("2 of 3 records")).to_be_visible()


@pytest.mark.usefixtures("people")
def test_everybody_can_use_the_pages(visit: Visit) -> None:
    page = visit("admin", viewport=axe.NARROW)
    for path in ("/properties", "/properties/points", "/properties?deleted=true"):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert axe.troubles(page) == []
        assert axe.too_wide(page) == 0
