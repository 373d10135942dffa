"""The card of one person, as agents and marketers use it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser import axe
from tests.browser.site import Site, Visit
from tests.people import HOSTILE, write
from user360.access.change import Change
from user360.ingest.call import Event, Session, Verb
from user360.records import declare
from user360.records.properties import Type
from user360.segments import define

HOUR = 3_600_000_000


def bought(site: Site, user: str, hours: int, amount: int) -> None:
    platform, order = site.platform, {"amount": amount, "currency": "INR"}
    at = platform.now() - hours * HOUR
    write(platform, user, at=at, event=Event("Order Completed", order))


@pytest.fixture
def asha(site: Site) -> str:
    """Where Asha is: three orders, a tag, one segment that she is in and one that she is not."""

    def prepare(change: Change) -> None:
        declare.declare(change, "likes", Type.LIST)
        declare.declare(change, "visits", Type.NUMBER)
        define.create(change, "In Pune", "", {"property": "city", "op": "is", "values": ["Pune"]})
        ordered = {"event": "Order Completed", "count": {"op": "gte", "value": 2}}
        city = {"property": "city", "op": "is", "values": ["Goa"]}
        define.create(change, "Buyers of Goa", "", {"all": [ordered, city]})

    site.change(prepare)
    given = {"firstName": "Asha", "lastName": "Rao", "city": "Pune", "email": "asha@example.com"}
    known = {**given, "emailOptin": True, "tags": ["vip"]}
    write(site.platform, "asha", source="csv", ref="a-job", properties=known)
    for hours, amount in ((1, 1200), (30, 80), (54, 90)):
        bought(site, "asha", hours, amount)
    write(site.platform, "asha", session=Session("web", "visit-1"))
    return "/users/r1"


def test_a_card_answers_who_this_is_what_happened_and_why(visit: Visit, asha: str) -> None:
    page = visit("agent", viewport={"width": 1280, "height": 800})
    page.goto(asha)
    expect(page.get_by_role("heading", name="Asha Rao", level=1)).to_be_in_viewport()
    expect(page.get_by_role("link", name="asha@example.com")).to_be_in_viewport()
    expect(page.get_by_role("button", name="Remove the tag vip")).to_be_in_viewport()
    expect(page.get_by_role("link", name="In Pune", exact=True)).to_be_in_viewport()
    expect(page.get_by_text("amount 1,200")).to_be_in_viewport()
    expect(page.get_by_role("img", name=re.compile("3 events from"))).to_be_in_viewport()

    page.get_by_role("link", name="Why in In Pune").click()
    why = page.get_by_role("dialog", name="Why in In Pune")
    expect(why.get_by_text('True: city is "Pune"')).to_be_visible()
    expect(why.get_by_text("City is Pune, from a file")).to_be_visible()
    page.keyboard.press("Escape")
    expect(why).to_be_hidden()

    page.get_by_label("A segment they are not in").select_option("Buyers of Goa")
    page.get_by_role("button", name="Why not").click()
    why = page.get_by_role("dialog", name="Why not in Buyers of Goa")
    expect(why.get_by_text('False: city is "Goa"')).to_be_visible()
    why.get_by_role("link", name="3 events").click()
    expect(page).to_have_url(re.compile(r"/users/r1\?name=Order\+Completed"))
    expect(page.get_by_role("link", name="Order Completed 3")).to_have_attribute(
        "aria-current", "true"
    )
    page.goto(f"{asha}/why/2")
    expect(page.get_by_role("heading", name="Why not in Buyers of Goa")).to_be_visible()
    assert axe.troubles(page) == []


def test_the_timeline_is_filtered_by_name_and_the_address_says_so(visit: Visit, asha: str) -> None:
    page = visit("reader")
    page.goto(asha)
    page.get_by_role("link", name="Profile changed").or_(
        page.get_by_role("link", name="Created 1")
    ).first.click()
    expect(page).to_have_url(re.compile(r"\?name=USER_"))
    expect(page.get_by_text("amount 1,200")).to_have_count(0)
    page.go_back()
    expect(page.get_by_text("amount 1,200")).to_be_visible()
    page.get_by_text("amount 1,200").click()
    order = page.get_by_role("group").filter(has_text="amount 1,200")
    expect(order.get_by_text("Event id")).to_be_visible()
    page.get_by_role("textbox", name="From").fill("2001-01-01")
    page.get_by_role("textbox", name="before").fill("2001-01-02")
    expect(page.get_by_role("heading", name="No such events")).to_be_visible()
    page.get_by_role("link", name="Show all events").click()
    expect(page.get_by_text("amount 80")).to_be_visible()


def test_earlier_events_come_on_demand(visit: Visit, site: Site, asha: str) -> None:
    for n in range(60):
        bought(site, "asha", 100 + n, 10_000 + n)
    page = visit("reader", viewport={"width": 1280, "height": 800})
    page.goto(asha)
    expect(page.get_by_text("amount 10,059")).to_have_count(0)
    page.get_by_role("button", name="Show earlier events").scroll_into_view_if_needed()
    expect(page.get_by_text("amount 10,059")).to_be_attached()
    titles = page.get_by_role("heading", level=3).all_inner_texts()
    assert len(titles) == len(set(titles)), "a day that goes on has one heading"


def test_a_property_is_edited_in_place_and_what_changed_is_told(visit: Visit, asha: str) -> None:
    page = visit("agent")
    page.goto(f"{asha}?tab=properties")
    page.get_by_role("button", name="Edit Gender").click()
    page.get_by_label("Gender", exact=True).fill("f")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="history of Gender")).to_be_visible()
    page.get_by_role("button", name="Edit City").click()
    field = page.get_by_label("City", exact=True)
    expect(field).to_be_focused()
    field.fill("Goa")
    field.press("Enter")
    expect(page.get_by_role("button", name="Edit City")).to_be_focused()
    expect(page.get_by_text("Saved").first).to_be_visible()
    expect(page.get_by_role("link", name="Buyers of Goa", exact=True)).to_be_visible()
    origin = page.get_by_role("button", name="history of City")
    expect(origin).to_contain_text("Agent, by hand")
    origin.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("tooltip", name="Written by Agent, by hand on")).to_be_visible()
    origin.click()
    history = page.get_by_role("dialog", name="History of City")
    expect(history.get_by_role("listitem").first).to_contain_text("Pune → became Goa")
    history.get_by_role("button", name="Close").click()
    page.get_by_role("link", name="Timeline").click()
    expect(page.get_by_text("City Pune → became Goa").first).to_be_visible()


def test_each_type_has_its_field_and_a_problem_stands_beside_it(visit: Visit, asha: str) -> None:
    page = visit("agent")
    page.goto(f"{asha}?tab=properties")
    page.get_by_role("button", name="Edit Phone").click()
    phone = page.get_by_label("Phone", exact=True)
    phone.fill("12")
    page.get_by_role("button", name="Save").click()
    expect(phone).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("expected a valid phone number")).to_be_visible()
    phone.press("Escape")
    expect(page.get_by_role("button", name="Edit Phone")).to_be_focused()

    page.get_by_role("button", name="Edit Likes").click()
    page.get_by_label("Likes", exact=True).fill("tea\ncoffee")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("tea, coffee")).to_be_visible()
    page.get_by_role("button", name="Edit E-mail consent").click()
    page.get_by_label("E-mail consent", exact=True).select_option("no")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("E-mailnot allowed")).to_be_visible()
    page.get_by_role("button", name="Edit Last name").click()
    page.get_by_label("Last name", exact=True).fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Asha", exact=True)).to_be_visible()

    page.get_by_role("searchbox", name="Search properties").fill("coff")
    expect(page.get_by_role("button", name="Edit Phone")).to_have_count(0)
    expect(page.get_by_role("button", name="Edit Likes")).to_be_visible()
    expect(page).to_have_url(re.compile("q=coff"))
    page.get_by_role("searchbox", name="Search properties").fill("nothing like it")
    expect(page.get_by_role("heading", name="No such property")).to_be_visible()


def test_two_people_edit_one_record_and_each_sees_what_the_other_did(
    visit: Visit, asha: str
) -> None:
    first, second = visit("agent"), visit("editor")
    for page in (first, second):
        page.goto(f"{asha}?tab=properties")
    first.get_by_role("button", name="Edit City").click()
    first.get_by_label("City", exact=True).fill("Mumbai")
    first.get_by_role("button", name="Edit Gender").click()
    first.get_by_label("Gender", exact=True).fill("f")
    second.get_by_role("button", name="Edit City").click()
    second.get_by_label("City", exact=True).fill("Goa")
    second.get_by_role("button", name="Save").click()
    expect(second.get_by_role("status")).to_contain_text("Saved")

    first.get_by_label("Gender", exact=True).press("Enter")
    expect(first.get_by_role("button", name="Edit Gender")).to_be_visible()
    expect(first.get_by_text("Goa").first).to_be_visible()
    expect(first.get_by_label("City", exact=True)).to_have_value("Mumbai")
    first.get_by_label("City", exact=True).press("Enter")
    told = "Saved, over Goa, which somebody wrote meanwhile"
    expect(first.get_by_role("status")).to_contain_text(told)
    second.reload()
    expect(second.get_by_role("definition").filter(has_text="Mumbai")).to_be_visible()


def test_tags_are_added_and_removed(visit: Visit, asha: str) -> None:
    page = visit("agent")
    page.goto(asha)
    page.get_by_label("Add a tag").fill("loyal & kind")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Remove the tag loyal & kind")).to_be_visible()
    expect(page.get_by_label("Add a tag")).to_be_focused()
    expect(page.get_by_label("Add a tag")).to_have_value("")
    page.get_by_role("button", name="Remove the tag vip").click()
    expect(page.get_by_role("button", name="Remove the tag vip")).to_have_count(0)
    expect(page.get_by_text("Profile changed").first).to_be_visible()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("Write the tag to add")).to_be_visible()
    page.get_by_role("button", name="History of the tags").click()
    history = page.get_by_role("dialog", name="History of Tags")
    expect(history.get_by_role("listitem").first).to_contain_text("became loyal & kind")


def test_records_are_merged_by_hand_and_the_merge_is_undone(
    visit: Visit, site: Site, asha: str
) -> None:
    write(
        site.platform, None, session=Session("whatsapp", "919845364887"), properties={"gender": "f"}
    )
    page = visit("editor")
    page.goto(asha)
    page.get_by_role("button", name="Merge").click()
    other = page.get_by_label("User id or record id of the other")
    other.fill("r99")
    page.get_by_role("button", name="See what changes").click()
    expect(page.get_by_text("Nobody has this userId or record id")).to_be_visible()
    other.fill("r2")
    page.get_by_role("button", name="See what changes").click()
    preview = page.get_by_role("dialog", name="Merge r2 into Asha Rao?")
    expect(preview.get_by_role("row", name="Gender — f f")).to_be_visible()
    preview.get_by_role("button", name="Merge").click()
    expect(page.get_by_role("cell", name="whatsapp", exact=True)).to_be_visible()
    expect(page.get_by_text("r2 was merged into r1")).to_be_visible()
    page.goto("/users/r2")
    expect(page).to_have_url(f"{site.url}/users/r1")

    page.get_by_role("link", name="Sessions and merges").click()
    page.get_by_role("button", name="Undo the merge of r2").click()
    preview = page.get_by_role("dialog", name="Undo the merge of r2?")
    expect(preview.get_by_role("row", name="Gender f —")).to_be_visible()
    preview.get_by_role("button", name="Undo the merge").click()
    expect(page.get_by_text("The merge is undone")).to_be_visible()
    page.goto("/users/r2")
    expect(page.get_by_role("heading", name="Visitor r2")).to_be_visible()


def test_somebody_is_exported_deleted_and_erased_with_a_receipt(
    visit: Visit, site: Site, asha: str
) -> None:
    write(site.platform, "meera", properties={"firstName": "Meera"})
    page = visit("editor")
    page.goto("/users/r2")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog", name="Delete Meera?").get_by_role("button", name="Delete").click()
    expect(page).to_have_url(f"{site.url}/users")
    page.goto(asha)
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the archive").click()
    assert download.value.suggested_filename == "r1.zip"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Erase").click()
    asked = page.get_by_role("dialog", name="Erase Asha Rao for good?")
    asked.get_by_role("button", name="Erase for good").click()
    expect(asked.get_by_text("Write r1 to erase this person")).to_be_visible()
    asked.get_by_label("Write r1 to go on").fill("r1")
    asked.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_role("heading", name="Receipt of an erasure")).to_be_visible()
    expect(page.get_by_text("No file holds a trace any more")).to_be_visible(timeout=30_000)
    assert axe.troubles(page) == []
    page.goto(asha)
    expect(page.get_by_role("heading", name="Not found")).to_be_visible()


def test_somebody_unidentified_is_given_a_user_id(site: Site, visit: Visit, asha: str) -> None:
    write(site.platform, None, session=Session("web", "visit-2"), properties={"city": "Goa"})
    page = visit("agent")
    page.goto("/users/r2")
    expect(page.get_by_text("Unidentified")).to_be_visible()
    page.get_by_role("button", name="Give a user ID").click()
    dialog = page.get_by_role("dialog", name="Who is Visitor r2?")
    field = dialog.get_by_label("User ID")
    for given, said in (
        ("", "Write the user id"),
        ("null", "is a placeholder that many people would share"),
        ("asha", "exists already. Where it is the same person, merge the two."),
    ):
        field.fill(given)
        dialog.get_by_role("button", name="Give the user ID").click()
        expect(dialog.get_by_text(said)).to_be_visible()
    assert axe.troubles(page) == []
    field.fill("meera@example.com")
    dialog.get_by_role("button", name="Give the user ID").click()
    expect(page.get_by_text("This is meera@example.com now")).to_be_visible()
    expect(page.get_by_role("button", name="Give a user ID")).to_have_count(0)
    expect(page.get_by_role("heading", name="meera@example.com", level=1)).to_be_visible()
    page.goto(asha)
    expect(page.get_by_role("button", name="Give a user ID")).to_have_count(0)


def test_a_reader_looks_and_an_agent_neither_merges_nor_deletes(visit: Visit, asha: str) -> None:
    for role, edits in (("reader", 0), ("agent", 1)):
        page = visit(role)
        page.goto(f"{asha}?tab=properties")
        expect(page.get_by_role("button", name="Export")).to_be_visible()
        expect(page.get_by_role("button", name="Edit City")).to_have_count(edits)
        expect(page.get_by_label("Add a tag")).to_have_count(edits)
        for name in ("Merge", "Delete", "Erase"):
            expect(page.get_by_role("button", name=name)).to_have_count(0)


def test_the_card_is_for_everybody(visit: Visit, site: Site, asha: str) -> None:
    write(site.platform, None, session=Session("web", HOSTILE), properties={"gender": "f"})
    write(site.platform, "asha", verb=Verb.MERGE, other=(1 << 40) + 2)
    write(site.platform, "asha", properties={"firstName": HOSTILE, "tags": ["x" * 60, HOSTILE]})
    write(site.platform, "asha", event=Event(HOSTILE, {HOSTILE: HOSTILE, "long": "y" * 20_000}))
    wide, narrow = visit(), visit(viewport={"width": 360, "height": 800})
    for tab in ("timeline", "properties", "identity"):
        for page in (wide, narrow):
            page.goto(f"{asha}?tab={tab}")
            expect(page.get_by_role("heading", name=HOSTILE, level=1)).to_be_visible()
        assert axe.troubles(wide) == [], tab
        assert not axe.too_wide(narrow), tab
    wide.get_by_role("link", name="Why in In Pune").click()
    expect(wide.get_by_role("dialog")).to_be_visible()
    assert axe.troubles(wide) == []
    wide.goto(f"{asha}?tab=properties")
    wide.get_by_role("button", name="Edit Likes").click()
    expect(wide.get_by_label("Likes", exact=True)).to_be_visible()
    assert axe.troubles(wide) == []


def test_a_lost_connection_is_told_and_nothing_is_lost(visit: Visit, asha: str) -> None:
    page = visit("agent")
    page.goto(f"{asha}?tab=properties")
    page.get_by_role("button", name="Edit City").click()
    page.get_by_label("City", exact=True).fill("Goa")
    page.context.set_offline(True)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The server cannot be reached")).to_be_visible()
    expect(page.get_by_label("City", exact=True)).to_have_value("Goa")
    page.context.set_offline(False)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="Edit City")).to_be_visible()
