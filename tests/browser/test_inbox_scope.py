"""What a supervisor sees of the inbox: her groups' conversations everywhere, nothing else."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import Site, Visit
from tests.browser.talks import Talks
from user360.conversations import managing

HERS, THEIRS = "Returns", "Sales"


class Shop(Talks):
    """Two groups: the supervisor and an agent in one of them, an editor in the other.

    `waits` is in her group, `free` in none, `taken` is her agent's; `other` and `sold` are others'.
    """

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.hers = site.change(lambda c: managing.make_group(c, HERS))
        self.theirs = site.change(lambda c: managing.make_group(c, THEIRS))
        site.change(lambda c: managing.set_inbox(c, {"assignment": "manual"}))
        self.her = self.there("supervisor", groups=[self.hers])
        agent = self.there("agent", groups=[self.hers])
        editor = self.there("editor", groups=[self.theirs])
        self.waits = self.begun("Wanda", group=self.hers)
        self.free = self.begun("Fred")
        self.taken = self.begun("Hema", assignee=agent)
        self.other = self.begun("Olga", group=self.theirs)
        self.sold = self.begun("Sven", group=self.theirs, assignee=editor)

    def begun(self, name: str, **to: int) -> str:
        public = self.says(name, f"{name}: where is my parcel?", properties={"firstName": name})
        if to:
            self.does(public, "assign", **to)
        return public


@pytest.fixture
def shop(site: Site) -> Shop:
    return Shop(site)


def listed(page: Page, *names: str) -> None:
    """These stand in the list of all active ones, and nobody else does."""
    rows = page.get_by_role("list", name="All active")
    for name in names:
        expect(rows.get_by_role("link", name=re.compile(name))).to_have_count(1)
    expect(rows.get_by_role("listitem")).to_have_count(len(names))


@pytest.mark.usefixtures("shop")
def test_lists_searches_and_reports_hold_what_is_her_groups(visit: Visit) -> None:
    page = visit("supervisor")
    page.goto("/inbox?list=active")
    listed(page, "Wanda", "Fred", "Hema")
    expect(page.get_by_role("link", name="All active 3")).to_be_visible()
    page.get_by_label("Search conversations").fill("parcel")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Show all of the list")).to_be_visible()
    listed(page, "Wanda", "Fred", "Hema")
    page.get_by_label("Search conversations").fill("Olga")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing in this list is like that")).to_be_visible()
    page.goto("/inbox/reports?by=group")
    expect(page.get_by_role("img", name="3 in all")).to_be_visible()
    expect(page.get_by_text(THEIRS)).to_have_count(0)
    expect(page.get_by_text("Olga")).to_have_count(0)


def test_what_is_others_is_not_there_by_its_address(shop: Shop, visit: Visit) -> None:
    page = visit("supervisor")
    for public in (shop.other, shop.sold):
        page.goto(f"/inbox/{public}")
        expect(page.get_by_text("is not yours to see")).to_be_visible()
        expect(page.get_by_text("where is my parcel")).to_have_count(0)
    page.goto(f"/inbox/{shop.taken}")
    log = page.get_by_role("log", name="Messages")
    expect(log.get_by_text("Hema: where is my parcel?")).to_be_visible()
    page.get_by_role("button", name="Transfer").first.click()
    dialog = page.get_by_role("dialog", name="Transfer the conversation")
    dialog.get_by_label("To whom").select_option(f"member:{shop.her}")
    dialog.get_by_role("button", name="Transfer").click()
    expect(page.get_by_text("with you")).to_be_visible()
    assert shop.held(shop.taken).assignee == shop.her


def test_one_that_moves_comes_and_goes_as_it_is_hers(shop: Shop, visit: Visit) -> None:
    page = visit("supervisor")
    page.goto("/inbox?list=active")
    listed(page, "Wanda", "Fred", "Hema")
    shop.does(shop.other, "assign", group=shop.hers)
    listed(page, "Wanda", "Fred", "Hema", "Olga")
    expect(page.get_by_role("link", name="All active 4")).to_be_visible()
    shop.does(shop.free, "assign", group=shop.theirs)
    listed(page, "Wanda", "Hema", "Olga")
    shop.says("Sven", "Sven: nothing for her")
    page.get_by_role("link", name=re.compile("Olga")).click()
    expect(page.get_by_role("log").get_by_text("Olga: where is my parcel?")).to_be_visible()
    shop.says("Olga", "Are you there?")
    expect(page.get_by_role("log").get_by_text("Are you there?")).to_be_visible()
    shop.does(shop.other, "assign", group=shop.theirs)
    expect(page.get_by_role("log")).to_have_count(0)
    listed(page, "Wanda", "Hema")
    expect(page.get_by_text("nothing for her")).to_have_count(0)


def test_she_sees_by_the_groups_she_is_in_now(shop: Shop, visit: Visit) -> None:
    page = visit("supervisor")
    page.goto(f"/inbox/{shop.waits}?list=active")
    expect(page.get_by_role("log").get_by_text("Wanda: where")).to_be_visible()
    given = {"groups": [shop.theirs]}
    shop.site.change(lambda c: managing.set_agent(c, shop.her, **given))
    shop.says("Wanda", "Wanda: not for her any more")
    shop.says("Olga", "Olga: for her from now on")
    listed(page, "Fred", "Hema", "Olga", "Sven")
    expect(page.get_by_text("not for her any more")).to_have_count(0)
