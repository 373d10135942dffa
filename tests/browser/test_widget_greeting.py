"""The chat greets whoever opens it, on a page of another origin, and says nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import axe
from tests.browser.chat import Come, conversation_of, messages, open_chat, say
from tests.browser.shop import Shop
from tests.browser.site import Site
from tests.waiting import until
from user360.channels import settings
from user360.flows import managing
from user360.flows.attendant import Attendant

FLOW = """
start: hello
nodes:
  hello:
    message: Hello {{{user.firstName|there}}}!
    next: more
  more:
    message: This is the shop.
    next: ask
  ask:
    prompt: {kind: text, ask: 'What can we do?', variable: wish}
    next: agents
  agents:
    handOver: {}
"""


CHOICE = """
start: ask
nodes:
  ask:
    prompt: {kind: choice, ask: 'What is it?', choices: [A record, A player], variable: it}
    next: thanks
  thanks:
    message: So you look for {{{flow.it}}}.
    next: agents
  agents:
    handOver: {}
"""


def put(site: Site, **given: Any) -> None:
    site.change(lambda c: settings.change(c, site.platform.vault, "web", given))


@pytest.fixture
def flow(site: Site) -> Iterator[None]:
    site.change(lambda c: managing.put(c, site.platform.vault, "shop", FLOW))
    put(site, bot="flow:shop")
    attendant = Attendant(site.platform)
    attendant.start()
    yield
    attendant.close()


def lines(page: Page) -> list[str]:
    """What stands in the log, from top to bottom, without times and who says it."""
    wanted = ("Hello there!", "This is the shop.", "What can we do?", "Hi", "Welcome!")
    text = page.get_by_role("log").inner_text().splitlines()
    return [line for line in text if line in wanted]


def test_the_channels_greeting_is_shown_read_out_and_kept_nowhere(site: Site, come: Come) -> None:
    put(site, greeting="Welcome!")
    before = site.platform.committer.position.last
    page = come()
    open_chat(page)
    log = page.get_by_role("log", name="Messages")
    expect(log).to_contain_text("Assistant said: Welcome!")
    expect(log).not_to_have_attribute("aria-live", "off")  # so it is read out, politely
    assert site.platform.committer.position.last == before
    assert axe.troubles(page) == []
    say(page, "Hi")
    expect(page.get_by_role("status")).to_contain_text("We have your message")
    assert lines(page) == ["Welcome!", "Hi"]
    assert messages(site) == ["Hi"]


@pytest.mark.usefixtures("flow")
def test_a_flow_greets_and_its_question_is_answered_by_the_first_words(
    site: Site, come: Come
) -> None:
    page = come()
    open_chat(page)
    expect(page.get_by_role("log")).to_contain_text("What can we do?")
    assert lines(page) == ["Hello there!", "This is the shop.", "What can we do?"]
    say(page, "Hi")
    expect(page.get_by_role("status")).to_contain_text("We have your message")
    said = ["Hello there!", "This is the shop.", "What can we do?", "Hi"]
    until(lambda: lines(page) == said)
    assert messages(site) == said
    assert conversation_of(site).state == "open"
    page.reload()
    expect(page.get_by_role("log")).to_contain_text("Hi")
    assert lines(page) == said


@pytest.mark.usefixtures("flow")
def test_who_writes_before_the_greeting_has_come_has_answered_nothing(
    site: Site, come: Come
) -> None:
    page = come()
    held: list[Route] = []
    page.route("**/channels/web/start", lambda route: held.append(route))
    with page.expect_request("**/channels/web/start"):
        open_chat(page)
    say(page, "Hi")
    expect(page.get_by_text("Sending", exact=True)).to_be_visible()
    held[0].continue_()
    page.unroute("**/channels/web/start")
    said = ["Hi", "Hello there!", "This is the shop.", "What can we do?"]
    until(lambda: lines(page) == said)
    until(lambda: messages(site) == said)
    say(page, "Records")
    expect(page.get_by_role("status")).to_contain_text("We have your message")


def test_what_can_be_chosen_is_shown_with_the_greeting(site: Site, come: Come) -> None:
    site.change(lambda c: managing.put(c, site.platform.vault, "choice", CHOICE))
    put(site, bot="flow:choice")
    attendant = Attendant(site.platform)
    attendant.start()
    try:
        page = come()
        open_chat(page)
        choices = page.get_by_role("group", name="Choose an answer")
        expect(choices.get_by_role("button")).to_have_text(["A record", "A player"])
        assert axe.troubles(page) == []
        choices.get_by_role("button", name="A player").click()
        expect(page.get_by_role("log")).to_contain_text("So you look for A player.")
        expect(choices).to_have_count(0)
        until(lambda: len(messages(site)) == 3)
        assert messages(site) == ["What is it?", "A player", "So you look for A player."]
    finally:
        attendant.close()


@pytest.mark.usefixtures("flow")
def test_a_page_has_the_last_word(shop: Shop, come: Come) -> None:
    shop.options = 'data-greeting="Welcome!"'
    page = come()
    with page.expect_response("**/channels/web/start"):
        open_chat(page)
    expect(page.get_by_role("log")).to_contain_text("Welcome!")
    assert lines(page) == ["Welcome!"]
    say(page, "Hi")
    said = ["Welcome!", "Hi", "Hello there!", "This is the shop.", "What can we do?"]
    until(lambda: lines(page) == said)


@pytest.mark.usefixtures("flow")
def test_after_a_reset_the_next_one_is_greeted(come: Come) -> None:
    page = come()
    open_chat(page)
    expect(page.get_by_role("log")).to_contain_text("What can we do?")
    say(page, "Hi")
    expect(page.get_by_role("status")).to_contain_text("We have your message")
    page.evaluate("() => User360.reset()")
    open_chat(page)
    expect(page.get_by_role("log")).to_contain_text("What can we do?")
    assert lines(page) == ["Hello there!", "This is the shop.", "What can we do?"]
