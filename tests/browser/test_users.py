"""The users: finding people, columns, order and pages, a filter kept, and deeds with many."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser import axe
from tests.browser.site import Site, Visit
from tests.people import HOSTILE, INDIA, segment, write
from user360.segments import lifetime


def row(page: Page, name: str) -> Any:
    return page.get_by_role("row", name=name)


def names(page: Page) -> list[str]:
    return page.get_by_role("table").get_by_role("rowheader").all_inner_texts()


def choose(page: Page, *those: str) -> None:
    for name in those:
        page.get_by_role("checkbox", name=f"Choose {name}", exact=True).check()


def where(condition: Any) -> str:
    return f"/users?where={quote(json.dumps(condition))}"


def test_without_anybody_the_page_says_what_to_do(visit: Visit) -> None:
    page = visit()
    page.goto("/users")
    expect(page.get_by_role("heading", name="Nobody is here yet")).to_be_visible()
    expect(page.get_by_role("link", name="Import a file")).to_be_visible()
    assert axe.troubles(page) == []
    page.get_by_role("button", name="Add a user").click()
    adding = page.get_by_role("dialog", name="Add a user")
    adding.get_by_role("button", name="Add the user").click()
    expect(adding.get_by_text("Say something of this person")).to_be_visible()
    adding.get_by_label("User ID").fill("ravi@example.com")
    adding.get_by_label("First name").fill("Ravi")
    adding.get_by_label("E-mail").fill("no address")
    adding.get_by_role("button", name="Add the user").click()
    expect(adding.get_by_label("E-mail")).to_have_attribute("aria-invalid", "true")
    adding.get_by_label("E-mail").fill("ravi@example.com")
    adding.get_by_role("button", name="Add the user").click()
    expect(page).to_have_url(f"{page.url.split('/users')[0]}/users/r1")
    page.goto("/users")
    expect(row(page, "Ravi")).to_be_visible()
    page.get_by_role("button", name="Add a user").click()
    adding.get_by_label("User ID").fill("ravi@example.com")
    adding.get_by_role("button", name="Add the user").click()
    expect(adding.get_by_role("alert").or_(adding.get_by_text("exists"))).not_to_have_count(0)


def test_people_are_searched_sorted_and_paged_through(people: Site, visit: Visit) -> None:
    page = visit()
    page.goto("/users")
    expect(page.get_by_text("60 users", exact=True)).to_be_visible()
    assert names(page)[0] == f"{HOSTILE} Rao"
    expect(page.get_by_role("img")).to_have_count(0)
    page.get_by_role("link", name="User ID").click()
    expect(page.get_by_role("columnheader", name="User ID")).to_have_attribute(
        "aria-sort", "ascending"
    )
    assert names(page)[:2] == ["First00 Rao", "First01 Rao"]
    page.get_by_role("link", name="Next page").click()
    expect(page.get_by_text("51–60 of 60")).to_be_visible()
    assert names(page)[0] == "First50 Rao"
    page.get_by_role("link", name="Previous page").click()
    expect(page.get_by_text("1–50 of 60")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("51–60 of 60")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("1–50 of 60")).to_be_visible()
    page.get_by_label("Search users").fill("first07")
    expect(page.get_by_text("1 user", exact=True)).to_be_visible()  # while it is typed
    assert names(page) == ["First07 Rao"]
    expect(page.get_by_label("Search users")).to_be_focused()
    expect(page).to_have_url(f"{people.url}/users?text=first07&sort=userId")
    page.get_by_label("Search users").press("Enter")
    expect(page.get_by_text("Found by “first07”")).to_be_visible()
    page.get_by_label("Clear the search").click()
    expect(page.get_by_text("60 users", exact=True)).to_be_visible()
    page.get_by_role("link", name="First00 Rao").click()
    expect(page).to_have_url(f"{people.url}/users/r1")


@pytest.mark.usefixtures("people")
def test_each_member_chooses_columns_and_their_order(visit: Visit) -> None:
    page = visit()
    page.goto("/users?sort=userId")
    page.get_by_role("button", name="Columns").click()
    dialog = page.get_by_role("dialog", name="Columns")
    dialog.get_by_label("Search columns").fill("lang")
    expect(dialog.get_by_label("City", exact=True)).to_be_hidden()
    dialog.get_by_role("checkbox", name="Language").check()
    dialog.get_by_label("Search columns").fill("")
    dialog.get_by_role("checkbox", name="Phone").uncheck()
    dialog.get_by_role("button", name="Move City up").click()
    dialog.get_by_role("button", name="Move City up").click()
    dialog.get_by_role("button", name="Move City up").press("Enter")
    dialog.get_by_role("button", name="Show these columns").click()
    expect(page.get_by_role("columnheader", name="Language")).to_be_visible()
    heads = page.get_by_role("columnheader").all_inner_texts()[1:]
    assert [h.strip() for h in heads] == [
        "User", "City", "User ID", "E-mail", "Country", "Tags", "Created", "Language"
    ]  # fmt: skip
    assert page.url.endswith("sort=userId")
    other = visit("editor")
    other.goto("/users")
    expect(other.get_by_role("columnheader", name="Phone")).to_be_visible()
    page.get_by_role("button", name="Columns").click()
    dialog.get_by_role("button", name="The usual columns").click()
    expect(page.get_by_role("columnheader", name="Phone")).to_be_visible()


def test_a_saved_filter_has_exactly_the_same_people(people: Site, visit: Visit) -> None:
    page = visit()
    page.goto(where(INDIA))
    expect(page.get_by_text('People for whom country is "IN".')).to_be_visible()
    expect(page.get_by_text("40 users", exact=True)).to_be_visible()
    page.get_by_role("button", name="Save as a segment").click()
    dialog = page.get_by_role("dialog", name="Save as a segment")
    dialog.get_by_role("button", name="Save the segment").click()
    expect(dialog.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Name").fill("India")
    dialog.get_by_role("button", name="Save the segment").click()
    expect(page.get_by_text("Saved as the segment India")).to_be_visible()
    expect(page.get_by_text("40 users", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="India 40")).to_have_attribute("aria-current", "page")
    page.get_by_label("Search users").fill("first0")
    page.get_by_label("Search users").press("Enter")
    expect(page.get_by_text("7 users", exact=True)).to_be_visible()
    page.get_by_role("button", name="Save as a segment").click()
    expect(dialog.get_by_text("A search is kept as a fixed list: the 7 users")).to_be_visible()
    dialog.get_by_label("Name").fill("Seven")
    dialog.get_by_role("button", name="Save the segment").click()
    expect(page.get_by_text("Saved as the segment Seven")).to_be_visible()
    expect(page.get_by_text("7 users", exact=True)).to_be_visible()
    write(people.platform, "new", properties={"firstName": "First0", "country": "IN"})
    people.platform.keeper.settle()  # the page shows members as they are when it is asked for
    page.goto("/users")
    expect(page.get_by_role("link", name="Seven 7")).to_be_visible()
    page.get_by_role("link", name="India").click()
    expect(page.get_by_text("41 users", exact=True)).to_be_visible()


@pytest.mark.usefixtures("people")
def test_a_filter_is_built_counted_shown_and_changed(visit: Visit) -> None:
    page = visit("reader")
    page.goto("/users?sort=userId")
    page.get_by_role("button", name="Filter", exact=True).click()
    dialog = page.get_by_role("dialog", name="Filter the users")
    dialog.get_by_role("button", name="Add property").click()
    dialog.get_by_label("Property").select_option("city")
    expect(dialog.get_by_label("Value").first).to_be_visible()
    dialog.get_by_role("button", name="Show these users").click()
    expect(dialog.get_by_label("Value").first).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Value").first.fill("Lyon")
    expect(dialog.get_by_text('city is "Lyon"')).to_be_visible()
    dialog.get_by_role("button", name="Show these users").click()
    expect(page.get_by_text('People for whom city is "Lyon".')).to_be_visible()
    expect(page.get_by_text("20 users", exact=True)).to_be_visible()
    assert "sort=userId" in page.url
    page.get_by_role("button", name="Change the filter").click()
    expect(dialog.get_by_label("Value").first).to_have_value("Lyon")
    dialog.get_by_label("Value").first.fill("Pune")
    expect(dialog.get_by_text('city is "Pune"')).to_be_visible()
    dialog.get_by_role("button", name="Show these users").click()
    expect(page.get_by_text('People for whom city is "Pune".')).to_be_visible()
    page.get_by_label("Clear the filter").click()
    expect(page.get_by_text("60 users", exact=True)).to_be_visible()


def test_segments_are_found_by_name_and_archived_ones_have_their_tab(
    people: Site, visit: Visit
) -> None:
    for name in ("In India", "Elsewhere"):
        segment(people.platform, name, INDIA)
    number = segment(people.platform, "Gone by", INDIA)
    people.change(lambda change: lifetime.archive(change, number, True))
    page = visit()
    page.goto("/users")
    listed = page.get_by_role("navigation", name="Segments", exact=True)
    expect(listed.get_by_role("link", name="Gone by")).to_have_count(0)
    page.get_by_label("Search segments").fill("india")
    expect(listed.get_by_role("link", name="Elsewhere")).to_be_hidden()
    expect(listed.get_by_role("link", name="In India")).to_be_visible()
    page.get_by_label("Search segments").fill("nowhere")
    expect(page.get_by_text("No segment is called that.")).to_be_visible()
    page.get_by_role("link", name="Archived 1").click()
    listed.get_by_role("link", name="Gone by").click()
    expect(page.get_by_text("40 users", exact=True)).to_be_visible()


@pytest.mark.usefixtures("people")
def test_those_who_are_ticked_are_tagged_and_deleted(visit: Visit) -> None:
    page = visit("editor")
    page.goto("/users?sort=userId")
    choose(page, "First00 Rao", "First02 Rao")
    expect(page.get_by_text("2 chosen")).to_be_visible()
    page.get_by_role("button", name="Tag", exact=True).click()
    dialog = page.get_by_role("dialog", name="Tag")
    dialog.get_by_role("button", name="Change the tags").click()
    expect(dialog.get_by_text("Write at least one tag")).to_be_visible()
    dialog.get_by_label("Tags to add").fill("vip, new")
    dialog.get_by_label("Tags to remove").fill("old")
    dialog.get_by_role("button", name="Change the tags").click()
    expect(page.get_by_text("The tags of 2 users are up to date")).to_be_visible()
    expect(row(page, "First00 Rao")).to_contain_text("vip new")
    expect(row(page, "First00 Rao")).not_to_contain_text("old")
    expect(row(page, "First01 Rao")).to_contain_text("old")
    choose(page, "First00 Rao", "First02 Rao")
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete 2 users").click()
    expect(page.get_by_text("2 users deleted")).to_be_visible()
    expect(page.get_by_text("58 users", exact=True)).to_be_visible()
    assert names(page)[:2] == ["First01 Rao", "First03 Rao"]


def test_all_that_match_are_more_than_the_page_and_only_as_many_as_were_seen(
    people: Site, visit: Visit
) -> None:
    page = visit()
    page.goto("/users")
    page.get_by_label("Choose everybody on this page").check()
    expect(page.get_by_text("50 chosen")).to_be_visible()
    page.get_by_role("button", name="Choose all 60 that match").click()
    expect(page.get_by_text("60 chosen")).to_be_visible()
    write(people.platform, "meanwhile")
    page.get_by_role("button", name="Delete", exact=True).click()
    dialog = page.get_by_role("dialog", name="Delete")
    dialog.get_by_role("button", name="Delete 60 users").click()
    expect(dialog.get_by_role("alert")).to_contain_text("61 users match by now, you saw 60")
    page.goto("/users?text=rao")
    page.get_by_label("Choose everybody on this page").check()
    page.get_by_role("button", name="Choose all 60 that match").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    dialog.get_by_role("button", name="Delete 60 users").click()
    expect(page.get_by_text("60 users deleted")).to_be_visible()
    page.goto("/users")
    expect(page.get_by_text("1 user", exact=True)).to_be_visible()


def test_those_who_are_ticked_or_match_become_a_file(people: Site, visit: Visit) -> None:
    page = visit()
    page.goto(where(INDIA))
    choose(page, "First00 Rao")
    page.get_by_role("button", name="Export", exact=True).click()
    page.get_by_role("button", name="Make the file").click()
    expect(page).to_have_url(f"{people.url}/exports")
    page.goto("/users?text=rao")
    page.get_by_label("Choose everybody on this page").check()
    page.get_by_role("button", name="Choose all 60 that match").click()
    page.get_by_role("button", name="Export", exact=True).click()
    page.get_by_label("The columns of this table").check()
    page.get_by_role("button", name="Make the file").click()
    expect(page).to_have_url(f"{people.url}/exports")
    jobs = people.platform.jobs.listed(people.platform.default.id, ["export"], None, 10)
    assert [people.platform.jobs.wait(job.id, 30).result["rows"] for job in jobs] == [60, 1]


@pytest.mark.usefixtures("people")
def test_a_reader_sees_everybody_and_changes_nothing(visit: Visit) -> None:
    page = visit("reader")
    page.goto(where(INDIA))
    expect(page.get_by_text("40 users", exact=True)).to_be_visible()
    expect(page.get_by_role("checkbox", include_hidden=False)).to_have_count(0)
    for name in ("Add a user", "Save as a segment", "Delete", "Export", "Tag"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)


MAY = {
    "reader": ("columns", "filter"),
    "agent": ("columns", "filter", "new", "tag"),
    "editor": ("columns", "filter", "new", "tag", "delete", "export", "save"),
}


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("role", MAY)
def test_the_server_refuses_what_a_role_may_not(visit: Visit, role: str) -> None:
    page = visit(role)
    page.goto("/users")
    headers = {"X-CSRF-Token": page.evaluate("document.body.dataset.csrf"), "HX-Request": "true"}
    for deed in MAY["editor"]:
        found = page.request.post(f"/users/{deed}", headers=headers, form={"x": "y"})
        assert (found.status == 403) == (deed not in MAY[role]), deed
    assert page.request.post("/users/columns", form={"x": "y"}).status == 403  # of another site
    page.goto("/users")
    expect(page.get_by_text("60 users", exact=True)).to_be_visible()


@pytest.mark.usefixtures("people")
def test_a_damaged_address_says_so_and_can_be_left(visit: Visit) -> None:
    page = visit()
    page.goto("/users?sort=gone")
    expect(page.get_by_role("alert")).to_contain_text("by must name a property")
    page.get_by_role("link", name="Show everybody").click()
    for address in ('/users?where={"prop', where({"property": "gone", "op": "known"})):
        page.goto(address)
        expect(page.get_by_role("alert")).to_be_visible()
        assert axe.troubles(page) == []
        page.get_by_label("Clear the filter").click()
        expect(page.get_by_text("60 users", exact=True)).to_be_visible()


def test_nothing_keeps_anybody_from_using_it(people: Site, visit: Visit) -> None:
    segment(people.platform, "In India", INDIA)
    page = visit(viewport={"width": 360, "height": 780})
    page.goto(where(INDIA))
    assert axe.troubles(page) == []
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0
    page.get_by_label("Choose everybody on this page").check()
    assert axe.troubles(page) == []
    for name in ("Columns", "Save as a segment", "Delete", "Tag", "Export", "Add a user"):
        page.get_by_role("button", name=name, exact=True).click()
        assert axe.troubles(page) == []
        page.keyboard.press("Escape")
