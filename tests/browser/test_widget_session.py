"""A browser keeps its chat for as long as it is used; after that it begins anew, silently."""

from __future__ import annotations

from playwright.sync_api import Page, Route, expect

from tests.browser.chat import Come, answers, does, messages, open_chat, rename, say
from tests.browser.site import Site
from tests.waiting import until
from user360.channels import settings
from user360.channels.web import sessions

KEY = "user360:default:token"
DAY = 86_400_000_000  # microseconds


def token(page: Page) -> str:
    found: str = page.evaluate(f"localStorage.getItem('{KEY}')")
    return found


def session(page: Page) -> str:
    return token(page).split(".")[1]


def age(site: Site, page: Page, days: int) -> str:
    """Let the token that a browser keeps be so many days old; what it is then."""
    platform = site.platform
    held = sessions.read(platform.vault, token(page))
    old = sessions.token(platform.vault, held.visitor, platform.clock.now() - days * DAY)
    page.evaluate(f"(old) => localStorage.setItem('{KEY}', old)", old)
    return old


def begin(page: Page) -> None:
    open_chat(page)
    say(page, "Hello")
    expect(page.get_by_role("status")).to_contain_text("We have your message")


def test_who_comes_again_in_time_goes_on_with_a_new_token(site: Site, come: Come) -> None:
    page = come()
    begin(page)
    before, old = session(page), age(site, page, 30)
    page.reload()
    expect(page.get_by_role("log")).to_contain_text("Hello")
    until(lambda: token(page) != old)
    assert session(page) == before
    say(page, "Again")
    until(lambda: messages(site) == ["Hello", "Again"])
    answers(site, "Welcome back")
    expect(page.get_by_role("log")).to_contain_text("Welcome back")
    assert messages(site) == ["Hello", "Again", "Welcome back"]


def test_a_tab_that_stays_open_hears_of_the_new_token(site: Site, come: Come) -> None:
    first = come()
    begin(first)
    second = come(beside=first)
    open_chat(second)
    expect(second.get_by_role("log")).to_contain_text("Hello")
    old = age(site, first, 30)
    third = come(beside=first)
    until(lambda: token(third) != old)
    open_chat(third)
    for page, text in ((first, "One"), (second, "Two"), (third, "Three")):
        say(page, text)
        for each in (first, second, third):
            expect(each.get_by_role("log")).to_contain_text(text)
    assert messages(site) == ["Hello", "One", "Two", "Three"]


def test_who_comes_after_long_begins_anew_and_sees_no_error(site: Site, come: Come) -> None:
    page = come()
    begin(page)
    before = session(page)
    age(site, page, 100)
    page.reload()
    until(lambda: session(page) != before)
    log = page.get_by_role("log")
    expect(log).not_to_contain_text("Hello")
    say(page, "I am new here")
    expect(page.get_by_role("status")).to_contain_text("We have your message")
    expect(log).to_contain_text("I am new here")
    assert messages(site) == ["Hello"]


def test_what_was_written_meanwhile_is_said_in_the_new_one(site: Site, come: Come) -> None:
    page = come()
    begin(page)
    before = session(page)
    page.route("**/channels/web/messages", lambda route: route.abort())
    for text in ("One", "Two"):
        say(page, text)
    expect(page.get_by_text("Will be sent", exact=True)).to_have_count(2)
    age(site, page, 100)
    page.unroute("**/channels/web/messages")
    page.reload()
    until(lambda: session(page) != before)
    expect(page.get_by_text("Will be sent", exact=True)).to_have_count(0)
    log = page.get_by_role("log")
    expect(log).to_contain_text("Two")
    expect(log).not_to_contain_text("Hello")
    assert messages(site) == ["Hello"]


def test_a_file_finds_a_session_that_ended_while_the_page_was_open(site: Site, come: Come) -> None:
    page = come()
    begin(page)
    before = session(page)
    page.route("**/channels/web/stream*", lambda route: route.abort())
    page.reload()
    expect(page.get_by_role("log")).to_contain_text("Hello")
    # The page was left open for so long, so that the token it holds is old as well.
    old = age(site, page, 100)

    def with_its_own(route: Route) -> None:
        given = dict(route.request.headers)
        if given["x-user360-session"].split(".")[1] == before:
            given["x-user360-session"] = old
        route.continue_(headers=given)

    page.route("**/channels/web/files", with_its_own)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Attach a file").click()
    given = {"name": "bill.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 bill"}
    chooser.value.set_files([given])  # type: ignore[list-item]
    expect(page.get_by_role("button", name="Remove: bill.pdf")).to_be_visible()
    expect(page.get_by_text("bill.pdf (1 KB)", exact=True)).to_be_visible()
    say(page, "My bill")
    expect(page.get_by_role("link", name="bill.pdf (1 KB)")).to_be_visible()
    assert session(page) != before
    assert messages(site) == ["Hello"]


def test_what_was_said_last_stays_in_view_when_the_line_above_tells_something(
    come: Come, site: Site
) -> None:
    agent, vault = site.member("agent"), site.platform.vault
    rename(site, agent, "Meera")
    site.change(lambda c: settings.change(c, vault, "web", {"bot": "webhook"}))
    page = come()
    open_chat(page)
    for number in range(12):
        say(page, f"Line {number}")
    status, log = page.get_by_role("status"), page.get_by_role("log")
    expect(log.get_by_text("Line 11")).to_be_visible()
    below = "log => log.scrollHeight - log.scrollTop - log.clientHeight"
    expect(status).to_be_hidden()
    does(site, 1, "assign", assignee=agent)
    expect(status).to_have_text("You are talking to Meera.")
    assert log.evaluate(below) < 2
