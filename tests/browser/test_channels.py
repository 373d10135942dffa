"""Channels as an admin sets them up, and messages that could not be brought."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import axe
from tests.browser.site import Site, Visit
from user360.channels import deliveries, settings
from user360.channels.bringing import Permanent
from user360.channels.declared import WhatsApp
from user360.channels.outbox import Outbox
from user360.conversations.talk import Said
from user360.ingest.call import Call, Outcome, Session

HOSTILE = "<img src=x onerror=alert(1)> refused it"


def test_whatsapp_is_set_up_and_its_secrets_stay_secret(site: Site, visit: Visit) -> None:
    page = visit("admin")
    page.goto("/settings")
    page.get_by_role("link", name="Channels").click()
    page.get_by_role("link", name="WhatsApp").click()
    expect(page.get_by_text("/channels/whatsapp/webhook?workspace=default")).to_be_visible()
    page.get_by_label("Phone number ID").fill("+49 151")
    page.get_by_label("Access token", exact=True).fill("very-secret-token")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("digits alone")).to_be_visible()
    expect(page.get_by_label("Phone number ID")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Phone number ID").fill("1023456")
    page.get_by_label("Who begins with a customer").select_option("a bot that is told by webhook")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").get_by_text("Saved")).to_be_visible()
    token = page.get_by_label("Access token", exact=True)
    expect(token).to_have_value("")
    expect(token).to_have_attribute("placeholder", "It is set; empty keeps it")
    assert "very-secret-token" not in page.content()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").get_by_text("Saved")).to_be_visible()
    whole = settings.whole(site.platform, site.platform.default, "whatsapp", WhatsApp)
    assert (whole.access_token, whole.phone_number_id) == ("very-secret-token", "1023456")
    page.get_by_label("Forget the access token").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Forget the access token")).to_have_count(0)


def test_a_form_that_was_saved_too_early_says_what_is_missing(visit: Visit) -> None:
    page = visit("admin")
    page.goto("/settings/channels/whatsapp")
    missing = page.get_by_role("note").filter(has_text="before this is set")
    expect(missing).to_have_count(0)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").get_by_text("something is missing yet")).to_be_visible()
    expect(missing).to_contain_text(
        "Nothing can be sent before this is set: Phone number ID, Access"
    )
    expect(missing).to_contain_text("Nothing can be heard before this is set: App secret, Verify")
    page.get_by_label("Phone number ID").fill("1023456")
    for label in ("Access token", "App secret", "Verify token"):
        page.get_by_label(label, exact=True).fill("a-secret")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").get_by_text("Saved", exact=True)).to_be_visible()
    expect(missing).to_have_count(0)
    page.goto("/settings/channels/email")
    page.get_by_role("button", name="Save").click()
    expect(missing).to_contain_text("set: Address, Server under Sending (SMTP).")
    assert axe.troubles(page) == []


def test_a_signing_key_is_made_and_shown_once(site: Site, visit: Visit) -> None:
    page = visit("admin")
    page.goto("/settings/channels/web")
    expect(page.get_by_text('data-workspace="default"')).to_be_visible()
    page.get_by_role("button", name="Make a signing key").click()
    expect(page.get_by_role("heading", name="The new signing key")).to_be_focused()
    made = settings.secrets(site.platform, site.platform.default, "web")["signingKey"]
    expect(page.get_by_text(made)).to_be_visible()
    page.reload()
    expect(page.get_by_text(made)).to_have_count(0)


def test_mail_is_told_where_it_is_wrong(visit: Visit) -> None:
    page = visit("admin")
    page.goto("/settings/channels/email")
    page.get_by_label("Address", exact=True).fill("nobody")
    page.get_by_role("group", name="Sending (SMTP)").get_by_label("Port").fill("many")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("This must be a whole number")).to_be_visible()
    page.get_by_role("group", name="Sending (SMTP)").get_by_label("Port").fill("587")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("address must be an e-mail address")).to_be_visible()


def test_any_channel_is_added_and_switched_off(visit: Visit) -> None:
    page = visit("admin")
    page.goto("/settings/channels")
    page.get_by_role("button", name="Add a channel").click()
    page.get_by_label("Name").fill("a name")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("letters, digits, - and _").first).to_be_visible()
    page.get_by_label("Name").fill("telegram")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_label("Customers are heard and answered here").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").get_by_text("Saved")).to_be_visible()
    page.goto("/settings/channels")
    row = page.get_by_role("row").filter(has_text="telegram")
    expect(row).to_contain_text("switched off")


class Refusing:
    """Brings nothing, and says why."""

    def send(self, *_: Any) -> str:
        raise Permanent(HOSTILE)


def failed(site: Site) -> None:
    """An answer that could not be brought."""
    site.change(lambda c: settings.change(c, site.platform.vault, "email", {"active": True}))
    now = site.platform.now()

    def call(said: Said, **more: Any) -> Call:
        return Call(
            workspace=site.platform.default.id,
            source="conversation",
            ref="key:1",
            at=now,
            message_id=str(now),
            said=said,
            **more,
        )

    def settle(made: Call) -> Outcome:
        return site.platform.settle([made])[0]

    hello = settle(call(Said(sender="customer", text="Hi"), session=Session("email", "t1")))
    settle(call(Said(sender="agent", text="Hello"), conversation=hello.conversation))
    box = Outbox(site.platform, {"email": lambda _: Refusing()})
    with site.platform.ledger.read() as connection:
        waiting = deliveries.listed(connection, site.platform.default.id, failed=False)
    for delivery in waiting:
        box.bring(delivery)


def test_what_could_not_be_brought_says_why_and_is_tried_again(site: Site, visit: Visit) -> None:
    failed(site)
    page = visit("admin")
    page.goto("/settings/channels")
    row = page.get_by_role("row").filter(has_text=HOSTILE)
    expect(row).to_contain_text("E-mail")
    row.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("status").get_by_text("It is tried once more")).to_be_visible()
    expect(row).to_have_count(0)


@pytest.mark.parametrize("role", ["editor", "agent", "reader"])
def test_only_admins_set_channels(visit: Visit, role: str) -> None:
    page = visit(role)
    page.goto("/settings")
    expect(page.get_by_role("link", name="Channels")).to_have_count(0)
    page.goto("/settings/channels/whatsapp")
    expect(page.get_by_role("heading", name="Not allowed")).to_be_visible()


def test_everybody_can_use_them(site: Site, visit: Visit) -> None:
    failed(site)
    page = visit(
        "admin",
    )
    for path in ("", "/web", "/whatsapp", "/email", "/api"):
        page.goto(f"/settings/channels{path}")
        assert axe.troubles(page) == []
        page.set_viewport_size({"width": 360, "height": 740})
        assert not axe.too_wide(page)
        page.set_viewport_size({"width": 1280, "height": 800})
