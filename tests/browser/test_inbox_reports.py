"""Reports of the inbox as people meet them: drawn, as a table, and what is behind a number."""

from __future__ import annotations

import csv
import re

import pytest
from playwright.sync_api import expect

from tests.browser import axe
from tests.browser.site import Site, Visit
from tests.people import HOSTILE
from user360.conversations.deeds import Deed
from user360.conversations.talk import Said
from user360.ingest.call import Call, Session


@pytest.fixture
def talks(site: Site) -> Site:
    """Three conversations on two channels, one of them resolved; somebody with a hostile name."""
    for channel, name, text in (("web", "a", "Hello"), ("web", "b", HOSTILE), ("app", "c", "Hi")):
        session = Session(channel, name)
        found = settle(site, session=session, said=Said(sender="customer", text=text))
        settle(site, session=session, properties={"firstName": f"{HOSTILE} {name}"})
        if name == "a":
            answer = Said(sender="agent", text="Hello", author="key:1")
            settle(site, conversation=found, said=answer)
            settle(site, conversation=found, deed=Deed(action="resolve"))
    return site


def settle(site: Site, **told: object) -> int | None:
    platform = site.platform
    now = platform.now()
    given: dict[str, object] = {"source": "conversation", "ref": "test", "at": now}
    call = Call(workspace=platform.default.id, message_id=str(now), **given, **told)  # type: ignore[arg-type]
    (outcome,) = platform.settle([call])
    assert outcome.problem is None
    return outcome.conversation


@pytest.mark.usefixtures("talks")
def test_a_number_leads_to_the_conversations_behind_it(visit: Visit) -> None:
    page = visit("reader")
    page.goto("/inbox/reports")
    expect(page.get_by_role("img", name="3 in all")).to_be_visible()
    page.get_by_role("link", name="Channel").click()
    row = page.get_by_role("row", name="web")
    expect(row).to_contain_text("2")
    row.get_by_role("link", name="1 resolved, web").click()
    expect(page.get_by_role("heading", name="1 conversation")).to_be_visible()
    expect(page.get_by_role("row", name="c1")).to_contain_text(f"{HOSTILE} a")
    expect(page.get_by_text(re.compile("^Resolved that began from .*Channel: Web"))).to_be_visible()
    page.get_by_role("link", name="Reports").click()
    expect(page.get_by_role("link", name="Channel")).to_have_attribute("aria-current", "page")


@pytest.mark.usefixtures("talks")
def test_times_and_messages_open_what_they_are_of(visit: Visit) -> None:
    page = visit("reader")
    page.goto("/inbox/reports?by=agent")
    page.get_by_role("row", name="nobody").get_by_role("link", name="By an agent").click()
    expect(page.get_by_role("heading", name="1 conversation")).to_be_visible()
    expect(page.get_by_text(re.compile("an agent answered .*Agent: nobody"))).to_be_visible()
    page.go_back()
    page.get_by_role("link", name="4 messages, nobody").click()
    expect(page.get_by_role("heading", name="3 conversations")).to_be_visible()


@pytest.mark.usefixtures("talks")
def test_other_days_are_chosen_and_taken_away(visit: Visit) -> None:
    page = visit()
    page.goto("/inbox/reports?by=state")
    with page.expect_download() as coming:
        page.get_by_role("link", name="CSV").click()
    with open(coming.value.path(), encoding="utf-8") as file:
        rows = {row["name"]: row["conversations"] for row in csv.DictReader(file)}
    assert rows == {"open": "2", "resolved": "1", "total": "3"}
    page.get_by_label("From").fill("2020-01-01")
    page.get_by_label("To, included").fill("2020-01-31")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("No conversation began then")).to_be_visible()
    page.get_by_label("From").fill("2020-02-29")  # later than the other
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("began from 31 Jan 2020 to 29 Feb 2020")).to_be_visible()
    page.get_by_role("link", name="7 days").click()
    expect(page.get_by_role("rowheader", name="resolved")).to_be_visible()


@pytest.mark.usefixtures("site")
def test_an_agent_is_told_that_this_is_not_for_agents(visit: Visit) -> None:
    page = visit("agent")
    page.goto("/inbox/reports")
    expect(page.get_by_role("heading", name="Not allowed")).to_be_visible()


@pytest.mark.usefixtures("talks")
def test_everybody_can_use_the_pages(visit: Visit) -> None:
    page = visit("admin", viewport=axe.NARROW)
    for path in ("?by=day", "?by=hour", "?by=segment", "?by=topic", "/behind?by=channel&key=web"):
        page.goto(f"/inbox/reports{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert axe.troubles(page) == []
        assert axe.too_wide(page) == 0
