"""The chat on a page of another origin, as a customer uses it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import shop as shops
from tests.browser.conftest import PATIENCE
from tests.browser.shop import Shop
from tests.browser.site import Site
from user360.conversations.talk import Said
from user360.ingest.call import Call

Come = Callable[..., Page]


@pytest.fixture
def shop(site: Site) -> Iterator[Shop]:
    with shops.running(site.url) as shop:
        yield shop


@pytest.fixture
def come(browser: Browser, shop: Shop) -> Iterator[Come]:
    """A way to come to the shop: in a browser of one's own, or (`beside`) in another tab."""
    contexts, wrong = [], []

    def visit(beside: Page | None = None, **how: Any) -> Page:
        context = beside.context if beside else browser.new_context(reduced_motion="reduce", **how)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if _serious(said) else None)
        page.goto(shop.url)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert wrong == []


def _serious(said: Any) -> bool:
    """A lost connection is told by the page; it is logged as well."""
    return said.type == "error" and "Failed to load resource" not in said.text


def answers(site: Site, text: str, sender: str = "agent", **known: Any) -> None:
    """Somebody answers in the first conversation there is."""
    platform = site.platform
    at = platform.now()
    outcome = platform.settle(
        [
            Call(
                workspace=platform.default.id,
                source="conversation",
                ref="key:1",
                at=at,
                message_id=str(at),
                conversation=(platform.default.id << 40) | 1,
                said=Said(sender=sender, text=text, **known),
            )
        ]
    )[0]
    assert outcome.problem is None


def open_chat(page: Page) -> None:
    page.get_by_role("button", name="Open the chat").click()


def say(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Your message").fill(text)
    page.get_by_role("button", name="Send").click()


def said(page: Page) -> list[str]:
    """Everything in the log as it is read out."""
    return page.get_by_role("log").all_inner_texts()


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
