"""Exports as a person makes them: whom, which columns, and the file that comes of it."""

from __future__ import annotations

import csv
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser import axe
from tests.browser.site import Site, Visit
from tests.people import HOSTILE, call, segment, settle

BERN = '{"property": "city", "op": "is", "values": ["Bern"]}'
PUNE = {"property": "city", "op": "is", "values": ["Pune"]}


@pytest.fixture
def people(site: Site) -> Site:
    """Three people, of whom two live in Pune; a segment of those has a hostile name."""
    site.member("admin")
    segment(site.platform, HOSTILE, PUNE)
    rows = [("asha", "Pune"), ("ravi", "Pune"), ("lena", "Bern")]
    calls = [
        call(site.platform, name, properties={"firstName": HOSTILE, "city": city})
        for name, city in rows
    ]
    assert [outcome.status for outcome in settle(site.platform, *calls)] == ["created"] * 3
    return site


def taken(page: Page) -> list[list[str]]:
    """The newest export as it is downloaded."""
    link = page.get_by_role("link", name="Download").first
    expect(link).to_be_visible(timeout=20_000)
    with page.expect_download() as found:
        link.click()
    return list(csv.reader(found.value.path().read_text("utf-8-sig").splitlines()))


@pytest.mark.usefixtures("people")
def test_a_segment_as_a_file_with_chosen_columns(visit: Visit) -> None:
    page = visit("editor")
    page.goto("/exports")
    expect(page.get_by_text("Nothing was exported yet")).to_be_visible()
    page.get_by_role("link", name="Make an export").first.click()
    page.get_by_label("Segment", exact=True).select_option(HOSTILE)
    page.get_by_role("button", name="Tick none").click()
    page.get_by_role("button", name="Make the file").click()
    expect(page.get_by_text("Tick at least one column")).to_be_visible()
    page.get_by_label("userId", exact=True).check()
    page.get_by_label("city", exact=True).check()
    while page.get_by_role("checkbox").first.get_attribute("value") != "city":
        page.get_by_role("button", name="Move city up").click()
    page.get_by_role("button", name="Make the file").click()
    expect(page.get_by_role("row", name=HOSTILE)).to_contain_text("Completed")
    expect(page.get_by_role("row", name=HOSTILE)).to_contain_text("Editor")
    assert taken(page) == [["city", "userId"], ["Pune", "asha"], ["Pune", "ravi"]]
    page.on("dialog", lambda asked: asked.accept())
    page.get_by_role("button", name="Remove the file").click()
    expect(page.get_by_text("no file any more").first).to_be_visible()


@pytest.mark.usefixtures("people")
def test_those_whom_a_filter_finds_and_their_events(visit: Visit) -> None:
    page = visit("admin")
    page.goto(f"/exports/new?where={quote(BERN)}")
    expect(page.get_by_text("Only those with:")).to_contain_text("Bern")
    page.get_by_role("link", name="Their events").click()
    expect(page.get_by_text("Only those with:")).to_contain_text("Bern")
    page.get_by_role("button", name="Make the file").click()
    expect(page.get_by_role("row", name="of users filtered")).to_contain_text("Completed")
    rows = taken(page)
    assert {row[rows[0].index("userId")] for row in rows[1:]} == {"lena"}


@pytest.mark.usefixtures("people")
def test_who_may_not_export_sees_nothing_of_it(visit: Visit) -> None:
    page = visit("reader")
    page.goto("/imports")
    expect(page.get_by_role("link", name="Exports")).to_have_count(0)
    page.goto("/exports")
    expect(page.get_by_role("heading", name="Not allowed")).to_be_visible()


@pytest.mark.usefixtures("people")
def test_everybody_can_use_the_pages(visit: Visit) -> None:
    page = visit("admin", viewport=axe.NARROW)
    page.goto("/exports/new?what=events")
    page.get_by_role("button", name="Make the file").click()
    expect(page.get_by_role("link", name="Download")).to_be_visible(timeout=20_000)
    for path in ("/exports", "/exports/new", "/exports/new?what=events&text=asha"):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert axe.troubles(page) == []
        assert axe.too_wide(page) == 0
