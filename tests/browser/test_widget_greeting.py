"""The chat greets whoever opens it, on a page of another origin, and says nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import axe
from tests.browser.chat import Come, messages, open_chat, say, until
from tests.browser.shop import Shop
from tests.browser.site import Site
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
def test_a_flow_greets_and_says_the_same_once_in_its_place(site: Site, come: Come) -> None:
    page = come()
    open_chat(page)
    expect(page.get_by_role("log")).to_contain_text("This is the shop.")
    assert lines(page) == ["Hello there!", "This is the shop."]
    say(page, "Hi")
    expect(page.get_by_role("log")).to_contain_text("What can we do?")
    said = ["Hi", "Hello there!", "This is the shop.", "What can we do?"]
    until(lambda: lines(page) == said)
    assert messages(site) == said
    page.reload()
    expect(page.get_by_role("log")).to_contain_text("What can we do?")
    assert lines(page) == said


@pytest.mark.usefixtures("flow")
def test_a_page_has_the_last_word(shop: Shop, come: Come) -> None:
    shop.options = 'data-greeting="Welcome!"'
    page = come()
    with page.expect_response("**/channels/web/start"):
        open_chat(page)
    expect(page.get_by_role("log")).to_contain_text("Welcome!")
    assert lines(page) == ["Welcome!"]


@pytest.mark.usefixtures("flow")
def test_after_a_reset_the_next_one_is_greeted(come: Come) -> None:
    page = come()
    open_chat(page)
    say(page, "Hi")
    expect(page.get_by_role("log")).to_contain_text("What can we do?")
    page.evaluate("() => User360.reset()")
    open_chat(page)
    expect(page.get_by_role("log")).to_contain_text("This is the shop.")
    assert lines(page) == ["Hello there!", "This is the shop."]
