"""The demo's shop: what a customer tells its bot stands in the inbox of its agent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import axe
from tests.browser.chat import open_chat, say
from tests.browser.site import Site
from user360 import demo, demo_inbox
from user360.flows.attendant import Attendant
from user360.platform import Platform
from user360.settings import Settings

PASSWORD = "for this test only"
KNOWN = 150  # a customer whom the bot can know


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """The demo as it is served, without the purchases of its customers."""
    directory = tmp_path / "demo"
    key = demo.directory(directory)
    with Platform.open(directory, Settings(admin_key=key)) as platform:
        demo.member(platform)
        demo_inbox.load(platform, PASSWORD)
    with Site.running(directory) as running:
        attendant = Attendant(running.platform)
        attendant.start()
        try:
            yield running
        finally:
            attendant.close()


def agent_of(browser: Browser, site: Site) -> Page:
    page = browser.new_page(base_url=site.url, reduced_motion="reduce")
    page.goto("/sign-in")
    page.get_by_label("E-mail").fill(demo_inbox.AGENT)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    return page


def test_from_hello_in_the_shop_to_the_agents_answer(browser: Browser, site: Site) -> None:
    shop = browser.new_page(base_url=site.url, reduced_motion="reduce")
    shop.goto("/demo/shop")
    expect(shop.get_by_role("heading", name="New in the shop")).to_be_visible()
    assert axe.troubles(shop) == []
    agent = agent_of(browser, site)
    mine = agent.get_by_role("list", name="Mine")
    open_chat(shop)
    log = shop.get_by_role("log", name="Messages")
    say(shop, "Hi")
    expect(log).to_contain_text("What is your e-mail address?")
    say(shop, "no address")
    expect(log.get_by_text(re.compile("e-mail"))).not_to_have_count(1)  # asked again, with why
    say(shop, demo_inbox.email(KNOWN))
    expect(log).to_contain_text("What can we do for you?")
    say(shop, "Where is my record?")
    row = mine.get_by_role("link", name=re.compile("Where is my record"))
    row.click()
    said = agent.get_by_role("log", name="Messages")
    expect(said.get_by_text("What can we do for you?")).to_be_visible()
    customer = agent.get_by_role("complementary", name="Customer")
    expect(customer.get_by_text(demo_inbox.email(KNOWN)).first).to_be_visible()
    expect(customer.get_by_text("Unidentified")).to_have_count(0)
    agent.get_by_label("Message", exact=True).fill("On its way, it comes tomorrow.")
    agent.keyboard.press("Enter")
    expect(log).to_contain_text("On its way, it comes tomorrow.")
    shop.close()
    agent.close()
