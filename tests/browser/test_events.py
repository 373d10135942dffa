"""The event hub as a person meets it: what happens, one event, what arrives and what is refused."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser import axe
from tests.browser.site import KEY, Site, Visit
from tests.people import HOSTILE


def send(site: Site, name: str, user: str = "asha", **properties: Any) -> httpx.Response:
    body = {"userId": user, "name": name, "properties": properties}
    return httpx.post(f"{site.url}/api/v1/events", json=body, headers={"x-api-key": KEY})


@pytest.fixture
def busy(site: Site) -> Site:
    for i in range(3):
        send(site, "Page Viewed", path=f"/{i}")
    send(site, "A/B shown", note=HOSTILE)
    return site


def test_an_empty_hub_says_what_to_do(visit: Visit) -> None:
    page = visit("editor")
    page.goto("/events")
    expect(page.get_by_text("No event has come in yet")).to_be_visible()
    page.get_by_role("button", name="Define an event").click()
    page.get_by_role("button", name="Define", exact=True).click()
    expect(page.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Name").fill("Trial Started")
    page.get_by_role("button", name="Define", exact=True).click()
    expect(page.get_by_role("row", name="Trial Started")).to_contain_text("never")


@pytest.mark.usefixtures("busy")
def test_each_event_shows_its_volume_and_its_days(visit: Visit) -> None:
    page = visit("reader")
    page.goto("/events")
    row = page.get_by_role("row", name="Page Viewed")
    expect(row.get_by_role("img", name="3 events from")).to_be_visible()
    expect(row.get_by_role("checkbox", name="Take in Page Viewed")).to_be_disabled()
    page.get_by_role("link", name="90 days").click()
    expect(page.get_by_role("columnheader", name="In 90 days")).to_be_visible()
    page.get_by_role("link", name="A/B shown").click()
    expect(page.get_by_role("heading", name="A/B shown")).to_be_visible()
    expect(page.get_by_text(HOSTILE).first).to_be_visible()
    expect(page.get_by_role("row", name="note")).to_contain_text("string")
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    page.get_by_role("link", name="asha").click()
    expect(page).to_have_url(f"{page.url.split('/users')[0]}/users/r1")


def test_an_event_is_described_and_dropped(busy: Site, visit: Visit) -> None:
    page = visit("editor")
    page.goto("/events/of/A%2FB%20shown")
    page.get_by_label("Description").fill("Which of two pages they saw")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved")).to_be_visible()
    page.get_by_role("checkbox", name="Take in A/B shown").uncheck()
    expect(page.get_by_text("A/B shown is dropped from now on")).to_be_visible()
    assert send(busy, "A/B shown").json()["counts"] == {"dropped": 1}
    page.goto("/events")
    expect(page.get_by_text("Which of two pages they saw")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Take in A/B shown")).not_to_be_checked()


def test_what_arrives_is_seen_as_it_arrives(busy: Site, visit: Visit) -> None:
    page = visit("reader")
    page.goto("/events/live")
    expect(page.get_by_role("row", name="Page Viewed")).to_have_count(3)
    expect(page.get_by_text("Nothing was refused or dropped.")).to_be_visible()
    send(busy, "Order Completed", amount=12)
    expect(page.get_by_role("row", name="Order Completed")).to_contain_text("amount 12")
    assert send(busy, "Order Completed", user="").status_code == 400
    expect(page.get_by_role("row", name="userId")).to_contain_text("Order Completed")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused")).to_be_visible()
    send(busy, "Order Completed", amount=13)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("amount 13")).to_be_visible()
    page.get_by_label("Only events named").select_option("Page Viewed")
    expect(page.get_by_role("row", name="Order Completed 12")).to_have_count(0)
    expect(page).to_have_url(f"{busy.url}/events/live?name=Page+Viewed")


@pytest.mark.usefixtures("busy")
def test_everybody_can_use_the_pages(visit: Visit) -> None:
    page = visit("admin", viewport=axe.NARROW)
    for path in ("/events", "/events/live", "/events/of/Page%20Viewed"):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert axe.troubles(page) == []
        assert axe.too_wide(page) == 0
