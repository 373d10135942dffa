"""Files said in the inbox and in the chat: from an agent to the customer, and back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import axe
from tests.browser.chat import Come, open_chat, say
from tests.browser.site import Site, Visit
from tests.browser.talks import Talks
from user360.conversations import attachments

PDF = b"%PDF-1.7 what is owed"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360f8cfc0f01f00050101ff6f7f2f0a0000000049454e44ae426082"
)
HOSTILE = '../../<img src=x onerror=alert(1)>\u202efdp."x".pdf'


def pick(page: Page, button: str, *files: dict[str, Any]) -> None:
    """Choose files as the button that asks for them."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=button).click()
    chooser.value.set_files(list(files))  # type: ignore[arg-type]


def file(name: str, kind: str = "application/pdf", content: bytes = PDF) -> dict[str, Any]:
    return {"name": name, "mimeType": kind, "buffer": content}


@pytest.fixture
def customer(come: Come, site: Site) -> Page:
    """A customer who has said hello, and an agent who is there."""
    Talks(site).there()
    page = come()
    open_chat(page)
    say(page, "Hello")
    expect(page.get_by_role("log", name="Messages")).to_contain_text("Hello")
    return page


def agent_of(visit: Visit) -> Page:
    page = visit("agent")
    page.goto("/inbox")
    page.get_by_role("link", name=re.compile("Visitor")).click()
    expect(page.get_by_role("log", name="Messages")).to_contain_text("Hello")
    return page


def taken(page: Page, link: str | re.Pattern[str]) -> tuple[str, bytes]:
    """A file that is downloaded by a link: its name and what is in it."""
    with page.expect_download() as coming:
        page.get_by_role("link", name=link).click()
    return coming.value.suggested_filename, coming.value.path().read_bytes()


def test_a_file_of_an_agent_reaches_the_customer(customer: Page, visit: Visit) -> None:
    page = agent_of(visit)
    pick(page, "Attach", file("invoice.pdf"), file("seal.png", "image/png", PNG))
    waiting = page.get_by_role("list", name="Files to send")
    expect(waiting.get_by_text("invoice.pdf", exact=True)).to_be_visible()
    expect(waiting.get_by_text("seal.png", exact=True)).to_be_visible()
    page.get_by_label("Message", exact=True).fill("Here it is")
    page.keyboard.press("Enter")
    expect(waiting.get_by_role("listitem")).to_have_count(0)
    log = page.get_by_role("log", name="Messages")
    expect(log.get_by_role("link", name=re.compile("invoice.pdf"))).to_be_visible()
    expect(log.get_by_role("img", name="seal.png")).to_be_visible()
    assert taken(page, re.compile("invoice.pdf")) == ("invoice.pdf", PDF)
    assert taken(customer, re.compile("invoice.pdf")) == ("invoice.pdf", PDF)
    assert taken(customer, re.compile("seal.png")) == ("seal.png", PNG)
    assert axe.troubles(page) == []


def test_a_file_of_the_customer_reaches_the_agent(customer: Page, visit: Visit) -> None:
    page = agent_of(visit)
    with customer.expect_response("**/channels/web/files"):
        pick(customer, "Attach a file", file("bill.pdf"))
    expect(customer.get_by_role("button", name="Remove: bill.pdf")).to_be_visible()
    say(customer, "My bill")
    log = page.get_by_role("log", name="Messages")
    expect(log.get_by_role("link", name=re.compile("bill.pdf"))).to_be_visible()
    assert taken(page, re.compile("bill.pdf")) == ("bill.pdf", PDF)


def test_a_file_alone_is_said_and_one_left_out_is_not(customer: Page, visit: Visit) -> None:
    page = agent_of(visit)
    pick(page, "Attach", file("wrong.pdf"), file("right.pdf"))
    page.get_by_role("button", name="Leave out wrong.pdf").click()
    expect(page.get_by_text("right.pdf", exact=True)).to_be_visible()
    page.get_by_role("button", name="Send").click()
    expect(customer.get_by_role("link", name=re.compile("right.pdf"))).to_be_visible()
    expect(customer.get_by_role("link", name=re.compile("wrong.pdf"))).to_have_count(0)


def test_a_hostile_name_is_a_name_on_either_side(customer: Page, visit: Visit) -> None:
    page = agent_of(visit)
    pick(page, "Attach", file(HOSTILE))
    shown = page.get_by_role("list", name="Files to send").get_by_role("listitem")
    expect(shown).to_contain_text("<img src=x onerror=alert(1)>")
    expect(shown).not_to_contain_text("uploading")
    page.get_by_label("Message", exact=True).fill("Look")
    page.keyboard.press("Enter")
    with customer.expect_response("**/channels/web/files"):
        pick(customer, "Attach a file", file(HOSTILE))
    say(customer, "You look")
    for side in (page, customer):
        log = side.get_by_role("log", name="Messages")
        links = log.get_by_role("link", name=re.compile(re.escape("<img src=x onerror=alert(1)>")))
        expect(links).to_have_count(2)
        expect(log.get_by_role("img", name="x")).to_have_count(0)
        with side.expect_download() as coming:
            links.first.click()
        name = coming.value.suggested_filename
        assert "/" not in name
        assert "\u202e" not in name
        assert coming.value.path().read_bytes() == PDF


def test_what_cannot_be_taken_in_is_said_and_the_message_stays(
    customer: Page, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "LARGEST", 1_000)
    page = agent_of(visit)
    page.get_by_label("Message", exact=True).fill("With this")
    pick(page, "Attach", file("film.mp4", "video/mp4", b"x" * 1_001))
    page.get_by_role("button", name="Send").click()
    waiting = page.get_by_role("list", name="Files to send")
    expect(waiting).to_contain_text("film.mp4: A file may have at most 1,000 bytes here")
    expect(page.get_by_label("Message", exact=True)).to_have_value("With this")
    page.get_by_role("button", name="Leave out film.mp4").click()
    page.get_by_role("button", name="Send").click()
    expect(customer.get_by_role("log", name="Messages")).to_contain_text("With this")


def test_what_is_sent_while_a_file_is_on_its_way_takes_it_along(
    customer: Page, visit: Visit
) -> None:
    page = agent_of(visit)
    held: list[Route] = []
    page.route("**/api/v1/attachments", lambda route: held.append(route))
    pick(page, "Attach", file("late.pdf"))
    page.get_by_label("Message", exact=True).fill("With this")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Send")).to_have_attribute("aria-busy", "true")
    expect(page.get_by_role("log", name="Messages")).not_to_contain_text("With this")
    held[0].continue_()
    expect(customer.get_by_role("log", name="Messages")).to_contain_text("With this")
    expect(customer.get_by_role("link", name=re.compile("late.pdf"))).to_be_visible()
