"""The chat on a page of another origin, as a customer uses it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.browser import axe
from tests.browser import shop as shops
from tests.browser.chat import (
    Come,
    answers,
    conversation_of,
    deliveries,
    does,
    messages,
    open_chat,
    person,
    rename,
    say,
)
from tests.browser.shop import Shop
from tests.browser.site import Site
from tests.waiting import until
from user360.channels import settings
from user360.conversations import managing
from user360.conversations.news import Typing
from user360.conversations.talk import Attachment
from user360.ids import record_number


def test_hello_and_an_answer(site: Site, come: Come) -> None:
    page = come()
    open_chat(page)
    say(page, "Hello, is the blue one there?")
    log = page.get_by_role("log", name="Messages")
    expect(log).to_contain_text("Hello, is the blue one there?")
    expect(page.get_by_role("status")).to_contain_text("We have your message")
    answers(site, "It is, see https://shop.example/blue.")
    expect(page.get_by_role("link", name="https://shop.example/blue")).to_have_attribute(
        "rel", "noopener noreferrer nofollow"
    )


def test_the_browser_tells_where_it_is_and_the_record_knows(site: Site, come: Come) -> None:
    page = come(timezone_id="Asia/Kolkata")
    open_chat(page)
    say(page, "Namaste")
    expect(page.get_by_role("status")).to_contain_text("We have your message")
    record = person(site)
    # The old name, as Chromium still tells it.
    assert record["properties"] == {"timezone": "Asia/Calcutta", "country": "IN"}
    assert record["userId"] is None
    assert conversation_of(site).channel == "web"


def test_nothing_is_kept_of_who_says_nothing(site: Site, come: Come) -> None:
    page = come()
    with page.expect_response("**/channels/web/start"):
        open_chat(page)
    assert site.platform.committer.position.last == 0


def test_a_lost_connection_loses_nothing_and_doubles_nothing(site: Site, come: Come) -> None:
    page = come()
    open_chat(page)
    say(page, "One")
    expect(page.get_by_role("status")).to_contain_text("We have your message")
    page.context.set_offline(True)
    say(page, "Two")
    say(page, "Three")
    expect(page.get_by_role("status")).to_have_text("No connection. What you write will be sent.")
    expect(page.get_by_text("Will be sent", exact=True)).to_have_count(2)
    answers(site, "I am here")
    page.context.set_offline(False)
    expect(page.get_by_role("log")).to_contain_text("I am here")
    expect(page.get_by_text("Will be sent", exact=True)).to_have_count(0)
    until(lambda: messages(site) == ["One", "I am here", "Two", "Three"])
    for each in ("One", "Two", "Three", "I am here"):
        expect(page.get_by_text(each, exact=True)).to_have_count(1)


def test_an_answer_that_got_lost_is_asked_for_again_and_said_once(site: Site, come: Come) -> None:
    page = come()
    lost: list[Any] = []

    def lose_first(route: Route) -> None:
        if lost:
            route.continue_()
        else:
            lost.append(route.fetch())  # the server has it, the browser never hears so
            route.abort()

    page.route("**/channels/web/messages", lose_first)
    open_chat(page)
    say(page, "Hello")
    expect(page.get_by_role("status")).to_contain_text("We have your message")
    expect(page.get_by_text("Will be sent", exact=True)).to_have_count(0)
    assert messages(site) == ["Hello"]
    expect(page.get_by_text("Hello", exact=True)).to_have_count(1)


def test_a_reload_in_the_middle_of_a_sentence_keeps_it(come: Come, site: Site) -> None:
    page = come()
    open_chat(page)
    say(page, "Hello")
    expect(page.get_by_role("status")).to_contain_text("We have your message")
    field = page.get_by_role("textbox", name="Your message")
    field.press_sequentially("I wanted to ask whe")
    page.reload()
    expect(field).to_have_value("I wanted to ask whe")
    expect(page.get_by_role("log")).to_contain_text("Hello")
    answers(site, "Yes?")
    expect(page.get_by_role("log")).to_contain_text("Yes?")


def test_what_was_not_sent_when_the_page_went_is_sent_when_it_comes_again(
    come: Come, site: Site
) -> None:
    page = come()
    page.route("**/channels/web/messages", lambda route: route.abort())
    open_chat(page)
    say(page, "Do you hear me?")
    expect(page.get_by_text("Will be sent", exact=True)).to_be_visible()
    page.unroute("**/channels/web/messages")
    page.reload()
    expect(page.get_by_role("status")).to_contain_text("We have your message")
    until(lambda: messages(site) == ["Do you hear me?"])


def test_two_tabs_show_the_same_conversation(come: Come, site: Site) -> None:
    first = come()
    open_chat(first)
    say(first, "From the first")
    expect(first.get_by_role("status")).to_contain_text("We have your message")
    second = come(beside=first)
    open_chat(second)
    expect(second.get_by_role("log")).to_contain_text("From the first")
    say(second, "From the second")
    expect(first.get_by_role("log")).to_contain_text("From the second")
    answers(site, "To both")
    for page in (first, second):
        expect(page.get_by_text("To both", exact=True)).to_have_count(1)
    assert messages(site) == ["From the first", "From the second", "To both"]
    first.close()
    answers(site, "To who is left")
    expect(second.get_by_role("log")).to_contain_text("To who is left")


def test_by_keyboard_alone(come: Come, site: Site) -> None:
    page = come()
    page.get_by_role("button", name="Buy").focus()
    page.keyboard.press("Tab")
    launcher = page.get_by_role("button", name="Open the chat")
    expect(launcher).to_be_focused()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Chat with us")
    expect(page.get_by_role("textbox", name="Your message")).to_be_focused()
    page.keyboard.type("First line")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("second line")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("We have your message")
    expect(page.get_by_role("textbox", name="Your message")).to_be_focused()
    answers(site, "Which?", "bot", detail={"choices": ["The red one", "The blue one"]})
    expect(page.get_by_role("group", name="Choose an answer")).to_be_visible()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="The blue one")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Your message")).to_be_focused()
    expect(page.get_by_role("group", name="Choose an answer")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(launcher).to_be_focused()
    until(lambda: messages(site) == ["First line\nsecond line", "Which?", "The blue one"])


def test_on_a_small_phone_it_fills_the_window_and_keeps_the_focus(come: Come) -> None:
    page = come(viewport=axe.NARROW, has_touch=True)
    open_chat(page)
    say(page, "W" * 500)
    expect(page.get_by_role("status")).to_contain_text("We have your message")
    assert axe.too_wide(page) == 0
    box = page.get_by_role("dialog").bounding_box()
    assert box is not None
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 360, 740)
    expect(page.get_by_role("button", name="Open the chat")).to_be_hidden()
    for _ in range(8):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.localName") == "user360-chat"
    page.get_by_role("button", name="Close the chat").first.click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_nothing_keeps_anybody_from_using_it(come: Come, site: Site) -> None:
    page = come()
    assert axe.troubles(page) == []
    open_chat(page)
    say(page, "Hello")
    expect(page.get_by_role("status")).to_contain_text("We have your message")
    answers(site, "See https://shop.example", "bot", detail={"choices": ["Yes", "No"]})
    expect(page.get_by_role("button", name="Yes")).to_be_visible()
    assert axe.troubles(page) == []
    page.context.set_offline(True)
    say(page, "Still there?")
    expect(page.get_by_role("status")).to_have_text("No connection. What you write will be sent.")
    assert axe.troubles(page) == []


def test_nothing_that_is_said_acts_as_markup(come: Come, site: Site) -> None:
    hostile = "<img src=x onerror=alert(1)><script>alert(1)</script> javascript:alert(1)"
    agent = site.member("agent")
    rename(site, agent, hostile)
    page = come()
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    open_chat(page)
    say(page, hostile)
    expect(page.get_by_role("status")).to_contain_text("We have your message")
    answers(
        site,
        f'{hostile} https://shop.example/"onmouseover=alert(1)',
        author=f"member:{agent}",
        detail={"choices": [hostile]},
        attachments=(Attachment(hostile, url="https://files.example/x"),),
    )
    expect(page.get_by_role("log").get_by_role("button", name=hostile)).to_be_visible()
    expect(page.get_by_role("link", name="https://shop.example/", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name=hostile)).to_have_attribute(
        "href", "https://files.example/x"
    )
    assert page.get_by_role("log").get_by_role("img").count() == 0


def test_the_style_of_a_page_does_not_reach_into_it(come: Come, shop: Shop) -> None:
    shop.style = """body * { display: none !important; color: red !important; transform: scale(0) }
        button { position: absolute !important; left: -9999px !important }"""
    page = come()
    open_chat(page)
    say(page, "I can still write")
    expect(page.get_by_text("I can still write", exact=True)).to_be_visible()


def test_where_nothing_may_be_kept_it_works_until_the_page_goes(come: Come, shop: Shop) -> None:
    shop.early = """for (const name of ['localStorage', 'sessionStorage'])
        Object.defineProperty(window, name, { get() { throw new DOMException('no'); } });"""
    page = come()
    open_chat(page)
    say(page, "Hello")
    expect(page.get_by_role("status")).to_contain_text("We have your message")
    assert page.context.cookies() == []


def test_who_waits_is_told_the_place_and_who_comes(come: Come, site: Site) -> None:
    agent = site.member("agent")
    rename(site, agent, "Meera")
    site.change(lambda c: managing.set_agent(c, agent, availability="busy"))
    first, second = come(), come()
    for page in (first, second):
        open_chat(page)
        say(page, "Hello")
        expect(page.get_by_role("status")).to_contain_text("You are number")
    expect(second.get_by_role("status")).to_have_text("You are number 2 in the queue.")
    does(site, 1, "assign", assignee=agent)
    expect(first.get_by_role("status")).to_have_text("You are talking to Meera.")
    expect(second.get_by_role("status")).to_have_text("You are number 1 in the queue.")
    workspace = site.platform.default.id
    typing = Typing(workspace, record_number(workspace, 1), f"member:{agent}")
    site.platform.exchange.types(typing)
    expect(first.get_by_role("status")).to_have_text("Meera is typing …")
    answers(site, "Hello, I am Meera", author=f"member:{agent}")
    answers(site, "She is nervous", "note", author=f"member:{agent}")
    does(site, 1, "resolve")
    expect(first.get_by_role("status")).to_contain_text("This conversation has ended")
    expect(first.get_by_role("log")).to_contain_text("Hello, I am Meera")
    first.reload()
    expect(first.get_by_role("log")).to_contain_text("Hello, I am Meera")
    expect(first.get_by_text("She is nervous")).to_have_count(0)


def test_what_came_while_it_was_closed_is_counted_and_then_read(come: Come, site: Site) -> None:
    page = come()
    open_chat(page)
    say(page, "Hello")
    expect(page.get_by_role("status")).to_contain_text("We have your message")
    page.keyboard.press("Escape")
    answers(site, "One")
    answers(site, "Two")
    page.get_by_role("button", name="Open the chat, 2 new messages").click()
    expect(page.get_by_role("button", name="Close the chat").last).to_be_visible()
    until(lambda: deliveries(site) == ["read", "read"])


def test_the_clock_of_the_browser_decides_nothing(come: Come, shop: Shop) -> None:
    day = 86_400_000
    shop.early = f"""const Real = Date;
        window.Date = class extends Real {{
          constructor(...given) {{
            if (given.length) super(...given); else super(Real.now() + 400 * {day});
          }}
          static now() {{ return Real.now() + 400 * {day}; }}
        }};"""
    page = come(timezone_id="UTC")
    open_chat(page)
    say(page, "What day is it?")
    expect(page.get_by_role("status")).to_contain_text("We have your message")
    log = page.get_by_role("log")
    shown = log.inner_text()
    page.reload()
    expect(log).to_contain_text("What day is it?")
    assert log.inner_text() == shown


def test_it_speaks_the_language_of_the_page_or_the_one_it_is_told(come: Come, shop: Shop) -> None:
    shop.options = 'data-language="de" data-accent="#ffd400" data-position="left"'
    page = come()
    page.get_by_role("button", name="Chat öffnen").click()
    expect(page.get_by_role("dialog", name="Chat mit uns")).to_be_visible()
    assert axe.troubles(page) == []
    page.evaluate("User360.configure({ language: 'en', title: 'Ask us' })")
    expect(page.get_by_role("dialog", name="Ask us")).to_be_visible()
    expect(page.get_by_role("textbox", name="Your message")).to_be_visible()


def test_a_chat_that_is_switched_off_says_so(come: Come, site: Site) -> None:
    vault = site.platform.vault
    site.change(lambda c: settings.change(c, vault, "web", {"active": False}))
    page = come()
    open_chat(page)
    expect(page.get_by_role("status")).to_have_text("The chat is closed.")


def test_a_server_that_starts_anew_is_found_again(browser: Browser, tmp_path: Path) -> None:
    with Site.running(tmp_path / "data") as site, shops.running(site.url) as shop:
        shops.switch_on(site)
        port = int(site.url.rpartition(":")[2])
        page = browser.new_context(reduced_motion="reduce").new_page()
        page.goto(shop.url)
        open_chat(page)
        say(page, "Before")
        expect(page.get_by_role("status")).to_contain_text("We have your message")
    say(page, "While it was away")
    expect(page.get_by_text("Will be sent", exact=True)).to_be_visible()
    with Site.running(tmp_path / "data", port) as again:
        answers(again, "I am back")
        expect(page.get_by_role("log")).to_contain_text("I am back")
        expect(page.get_by_text("Will be sent", exact=True)).to_have_count(0)
        until(lambda: sorted(messages(again)) == ["Before", "I am back", "While it was away"])
        expect(page.get_by_text("While it was away", exact=True)).to_have_count(1)
        page.context.close()
