"""Who is there and who is not, and what tells an agent that somebody waits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import axe
from tests.browser.site import Site, Visit
from tests.browser.talks import Talks
from tests.waiting import until
from user360.conversations import presence
from user360.conversations.desk import Agent
from user360.inbox.presence import Presence

# Notes each tone that a page sounds, in place of a loudspeaker.
LISTENS = """
window.tones = 0;
const begin = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (at) { window.tones += 1; begin.call(this, at); };
"""


@pytest.fixture
def talks(site: Site) -> Talks:
    return Talks(site)


@pytest.fixture
def attended(site: Site) -> Iterator[Presence]:
    """Presence is followed, as it is while a server runs."""
    following: Presence = site.state.presence
    following.start()
    yield following
    following.close()


def agent(site: Site, number: int) -> Agent:
    return site.platform.default.desk.agents[number]


def left(site: Site, number: int) -> None:
    """The system sets somebody away, as it does after a while."""
    site.change(lambda c: presence.notice(c, [number]))
    site.change(lambda c: presence.leave(c, [number]))


def tones(page: Page) -> int:
    found: int = page.evaluate("window.tones")
    return found


@pytest.mark.usefixtures("attended")
def test_who_comes_back_is_there_again_and_told_so(site: Site, visit: Visit, talks: Talks) -> None:
    number = talks.there(availability="busy")
    left(site, number)
    admin = visit()
    admin.goto("/settings/inbox")
    expect(admin.get_by_text("with the inbox closed")).to_be_visible()
    page = visit("agent")
    page.goto("/inbox")
    expect(page.get_by_text("for the inbox was closed. You are busy again.")).to_be_visible()
    expect(page.get_by_label("You are")).to_have_value("busy")
    assert agent(site, number).left_at is None


def test_how_she_is_there_shows_in_all_her_pages(site: Site, visit: Visit, talks: Talks) -> None:
    number = talks.there()
    page = visit("agent")
    page.goto("/inbox")
    there = page.get_by_label("You are")
    expect(there).to_have_value("available")
    left(site, number)
    expect(there).to_have_value("away")
    there.select_option("available")
    expect(page.get_by_text("Available, 5 at once")).to_be_visible()
    assert agent(site, number).left_at is None


def test_a_page_that_is_open_is_noticed_until_it_is_closed(
    site: Site, visit: Visit, talks: Talks, attended: Presence
) -> None:
    number, workspace = talks.there(), site.platform.default.id
    page = visit("agent")
    page.goto("/inbox")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    page.wait_for_function("() => document.querySelector('[data-link]').hidden")
    until(lambda: agent(site, number).watched)
    assert attended.attendance.there(workspace, number)
    page.goto("/me")
    until(lambda: not attended.attendance.there(workspace, number))


def test_every_number_beside_the_lists_is_live(visit: Visit, talks: Talks) -> None:
    talks.there()
    page = visit("agent")
    page.goto("/inbox")
    expect(page.get_by_role("link", name="Mine 0")).to_be_visible()
    first, second = talks.says("a", "Hello?"), talks.says("b", "Hello?")
    expect(page.get_by_role("link", name="Mine 2")).to_be_visible()
    expect(page).to_have_title("(2) Inbox · User 360")
    talks.says("a", "Good day", sender="agent")
    expect(page).to_have_title("(1) Inbox · User 360")
    talks.does(first, "resolve")
    expect(page.get_by_role("link", name="Resolved 1")).to_be_visible()
    talks.does(second, "resolve")
    expect(page.get_by_role("link", name="Resolved 2")).to_be_visible()
    expect(page.get_by_role("link", name="Mine 0")).to_be_visible()
    expect(page).to_have_title("Inbox · User 360")
    talks.does(first, "reopen")
    expect(page.get_by_role("link", name="Resolved 1")).to_be_visible()


def test_the_title_says_so_beside_the_name_of_who_is_open(visit: Visit, talks: Talks) -> None:
    talks.there()
    public = talks.says("a", "Hello?", properties={"firstName": "Asha"})
    page = visit("agent")
    page.goto(f"/inbox/{public}")
    expect(page).to_have_title("(1) Asha · User 360")


def test_it_rings_only_for_who_wants_it_and_for_what_is_hers(
    site: Site, visit: Visit, talks: Talks
) -> None:
    talks.there("editor")
    others = talks.says("others", "Hello?")
    talks.does(others, "assign", assignee=site.member("editor"))
    talks.there()
    talks.does(talks.says("mine", "Hello?"), "assign", assignee=site.member("agent"))
    page = visit("admin")
    page.add_init_script(LISTENS)
    page.goto("/inbox")
    bell = page.get_by_role("button", name="Ring for new messages")
    expect(bell).to_have_attribute("aria-pressed", "false")
    talks.says("new", "Quiet, please")
    expect(page.get_by_text("Quiet, please")).to_be_visible()
    assert tones(page) == 0
    bell.click()
    expect(bell).to_have_attribute("aria-pressed", "true")
    heard = tones(page)
    assert heard > 0, "she hears what it will be like"
    page.reload()
    expect(bell).to_have_attribute("aria-pressed", "true")
    page.get_by_role("heading", name="Inbox").click()  # a browser is quiet until one has clicked
    talks.says("others", "Not yours")
    expect(page.get_by_text("Not yours")).to_be_visible()
    assert tones(page) == 0
    talks.does(talks.says("hers", "Yours"), "assign", assignee=site.member("admin"))
    page.wait_for_function("() => window.tones > 0")
    bell.click()
    expect(bell).to_have_attribute("aria-pressed", "false")


def test_what_she_writes_in_the_head_is_left_alone(visit: Visit, talks: Talks) -> None:
    number = talks.there()
    public = talks.says("a", "Hello?")
    page = visit("agent")
    page.goto(f"/inbox/{public}")
    page.get_by_role("button", name="Resolve").first.click()
    page.get_by_label("How it ended").fill("Refunded")
    talks.does(public, "edit", add_tags=("late",))
    talks.says("a", "Are you there?")
    expect(page.get_by_role("log").get_by_text("Are you there?")).to_be_visible()
    expect(page.get_by_label("How it ended")).to_have_value("Refunded")
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    tags = page.get_by_role("list", name="Tags of the conversation")
    expect(tags.get_by_text("late")).to_be_visible()
    # The new head is on its way when she begins to write.
    held: list[Route] = []
    page.route("**/head", lambda route: held.append(route))
    with page.expect_request("**/head"):
        talks.does(public, "edit", add_tags=("urgent",))
    tag = page.get_by_label("Add a tag to the conversation")
    tag.fill("wants a")
    with page.expect_response("**/head"):
        held[0].continue_()
    page.unroute("**/head")
    expect(tag).to_have_value("wants a")
    expect(tag).to_be_focused()
    tag.press_sequentially(" refund")
    page.keyboard.press("Enter")
    for each in ("late", "urgent", "wants a refund"):
        expect(tags.get_by_text(each, exact=True)).to_be_visible()
    assert talks.held(public).assignee == number


def test_a_choice_she_is_about_to_make_is_left_open(visit: Visit, talks: Talks) -> None:
    talks.there()
    public = talks.says("a", "It is late", "email", kind="ticket", subject="Late")
    page = visit("agent")
    page.goto(f"/inbox/{public}")
    priority = page.get_by_label("Priority")
    priority.focus()
    shown = priority.element_handle()
    talks.does(public, "edit", add_tags=("vip",))
    talks.says("a", "Are you there?", "email")
    expect(page.get_by_role("log").get_by_text("Are you there?")).to_be_visible()
    assert shown.evaluate("select => select.isConnected")
    page.get_by_label("Message", exact=True).focus()
    tags = page.get_by_role("list", name="Tags of the conversation")
    expect(tags.get_by_text("vip")).to_be_visible()
    page.get_by_label("Priority").select_option("high")
    expect(page.get_by_text("High priority").first).to_be_visible()
    until(lambda: talks.held(public).priority == "high")


def test_everybody_can_use_it(visit: Visit, talks: Talks) -> None:
    talks.there()
    page = visit("agent", viewport={"width": 360, "height": 780})
    page.goto("/inbox")
    bell = page.get_by_role("button", name="Ring for new messages")
    bell.focus()
    page.keyboard.press("Space")
    expect(bell).to_have_attribute("aria-pressed", "true")
    assert axe.troubles(page) == []
    assert not axe.too_wide(page)
