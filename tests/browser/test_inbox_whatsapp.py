"""Answering on WhatsApp in the inbox: freely for a day, then by templates; when access fails."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser import axe
from tests.browser.site import Site, Visit
from tests.browser.talks import Talks
from tests.browser.test_inbox import opened
from tests.channels.meta import ACCOUNT, NUMBER_ID, TOKEN, Meta
from user360.channels import deliveries, settings
from user360.channels.outbox import Outbox
from user360.channels.senders import outbox
from user360.clock import SECOND

DAYS = 24 * 60 * 60 * SECOND
UPDATE = {
    "name": "order_update",
    "language": "en",
    "body": "Hello {{1}}, your order is on its way.",
    "footer": "The shop",
    "buttons": ["Where is it?"],
}
HELLO = {"name": "hello_again", "language": "en", "body": "Are you still there?"}
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def talks(site: Site) -> Talks:
    set_up(site, phoneNumberId=NUMBER_ID, templates=[UPDATE, HELLO])
    return Talks(site)


@pytest.fixture
def graph() -> Iterator[Meta]:
    with Meta() as stand_in:
        yield stand_in


def set_up(site: Site, **given: object) -> None:
    site.change(lambda c: settings.change(c, site.platform.vault, "whatsapp", dict(given)))


def bring(site: Site) -> None:
    """What waits is tried once, as the server does by itself."""
    box: Outbox = outbox(site.platform)
    with site.platform.ledger.read() as connection:
        waiting = deliveries.listed(connection, site.platform.default.id, failed=False)
    for each in reversed(waiting):
        box.bring(each)
    box.close()


def test_within_a_day_it_says_until_when(visit: Visit, talks: Talks) -> None:
    talks.there()
    public = talks.says("4915100000001", "Hello", "whatsapp", properties={"firstName": "Asha"})
    page = visit("agent")
    opened(page, public, "Asha")
    expect(page.get_by_text(re.compile("Free text until .* then templates only"))).to_be_visible()
    page.get_by_label("Message", exact=True).fill("Hello Asha")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log").get_by_text("Hello Asha")).to_be_visible()
    expect(page.get_by_role("button", name="Template")).to_be_visible()


def test_after_a_day_a_template_is_chosen_filled_and_sent(visit: Visit, talks: Talks) -> None:
    talks.there()
    at = talks.site.platform.now() - 2 * DAYS
    session, known = "4915100000001", {"firstName": f"Asha {HOSTILE}"}
    public = talks.says(session, "Hello", "whatsapp", properties=known, at=at)
    page = visit("agent")
    opened(page, public, "Asha")
    expect(page.get_by_text("WhatsApp takes only templates since")).to_be_visible()
    expect(page.get_by_role("radio", name="Reply")).to_be_disabled()
    expect(page.get_by_role("radio", name="Note")).to_be_checked()
    assert axe.troubles(page) == []
    page.get_by_role("button", name="Answer by a template").click()
    dialog = page.get_by_role("dialog", name="Answer by a template")
    dialog.get_by_label("Template").select_option("order_update (en)")
    place = dialog.get_by_label("What stands for {{1}}")
    expect(dialog.get_by_text("Hello {{1}}, your order")).to_be_visible()
    dialog.get_by_role("button", name="Send").click()
    expect(place).to_have_attribute("aria-invalid", "true")
    place.fill("{{{user.firstName|there}}}")
    said = f"Hello Asha {HOSTILE}, your order is on its way."
    expect(dialog.get_by_text(said)).to_be_visible()
    expect(dialog.get_by_role("list", name="Choices offered")).to_contain_text("Where is it?")
    assert axe.troubles(page) == []
    dialog.get_by_role("button", name="Send").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("log").get_by_text(said)).to_have_count(1)
    talks.says(session, "Here I am", "whatsapp")
    expect(page.get_by_role("radio", name="Reply")).to_be_enabled()
    expect(page.get_by_text(re.compile("Free text until"))).to_be_visible()


def test_a_refused_token_is_seen_where_answers_wait(
    site: Site, visit: Visit, talks: Talks, graph: Meta
) -> None:
    talks.there()
    set_up(site, apiBase=graph.base, accessToken="of yesterday")
    public = talks.says("4915100000001", "Hello", "whatsapp", properties={"firstName": "Asha"})
    page = visit("agent")
    opened(page, public, "Asha")
    page.get_by_label("Message", exact=True).fill("Hello Asha")
    page.keyboard.press("Enter")
    expect(page.get_by_text("on its way")).to_be_visible()
    bring(site)
    expect(page.get_by_text("The access token has expired")).to_be_visible()
    assert axe.troubles(page) == []
    admin = visit("admin")
    admin.goto("/settings/channels/whatsapp")
    expect(admin.get_by_role("alert")).to_contain_text("The access token has expired")
    admin.get_by_label("Access token", exact=True).fill(TOKEN)
    admin.get_by_role("button", name="Save").click()
    expect(admin.get_by_role("status").get_by_text("Saved")).to_be_visible()
    expect(admin.get_by_text("The access token has expired")).to_have_count(0)
    bring(site)
    expect(page.get_by_role("log").get_by_text("sent", exact=True)).to_be_visible()
    expect(page.get_by_text("The access token has expired")).to_have_count(0)


def test_templates_are_put_in_fetched_and_taken_away(
    site: Site, visit: Visit, talks: Talks, graph: Meta
) -> None:
    del talks
    page = visit("admin")
    page.goto("/settings/channels/whatsapp")
    table = page.get_by_role("region", name="Templates").get_by_role("table")
    expect(table.get_by_role("row")).to_have_count(3)
    page.get_by_text("Add a template").click()
    page.get_by_label("Name").fill("order_late")
    page.get_by_label("Language", exact=True).fill("en")
    page.get_by_label("Body").fill("Sorry, {{2}}")
    page.get_by_role("button", name="Add the template").click()
    expect(page.get_by_label("Body")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Body").fill("Sorry, {{1}}")
    page.get_by_role("button", name="Add the template").click()
    expect(table.get_by_role("row", name=re.compile("order_late"))).to_be_visible()
    table.get_by_role("button", name="Remove hello_again (en)").click()
    expect(table.get_by_role("row", name=re.compile("hello_again"))).to_have_count(0)
    assert axe.troubles(page) == []
    assert not axe.too_wide(page)
    body = {"type": "BODY", "text": "Approved"}
    header = {"type": "HEADER", "format": "VIDEO"}
    told = {"language": "en", "status": "APPROVED"}
    graph.templates = [
        {"name": "fine", "components": [body], **told},
        {"name": "film", "components": [header, body], **told},
    ]
    set_up(site, apiBase=graph.base, accessToken=TOKEN, businessAccountId=ACCOUNT)
    page.reload()
    page.get_by_role("button", name="Fetch from Meta").click()
    expect(table.get_by_role("row")).to_have_count(2)
    expect(page.get_by_text("Its header is a file")).to_be_visible()
