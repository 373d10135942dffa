"""Webhooks as an admin sets them up: made, shown once, switched off, removed."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser import axe
from tests.browser.site import Site, Visit
from user360.conversations import hooks


def held(site: Site) -> list[hooks.Hook]:
    platform = site.platform
    with platform.ledger.read() as connection:
        return hooks.listed(connection, platform.vault, platform.default.id)


def test_a_webhook_is_made_switched_off_and_removed(site: Site, visit: Visit) -> None:
    page = visit("admin")
    page.goto("/settings/channels")
    page.get_by_role("button", name="Add a webhook").click()
    page.get_by_label("Address").fill("bot.example")
    page.get_by_role("button", name="Add the webhook").click()
    expect(page.get_by_label("Address")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Address").fill("https://bot.example/webhook")
    page.get_by_role("textbox", name="Channels").fill("web, api")
    page.get_by_label("Authorization").fill("Bearer very-secret")
    page.get_by_role("button", name="Add the webhook").click()
    expect(page.get_by_role("heading", name="The secret of webhook 1")).to_be_focused()
    (made,) = held(site)
    assert (made.url, made.channels) == ("https://bot.example/webhook", ("web", "api"))
    assert made.sealed.authorization == "Bearer very-secret"
    expect(page.get_by_text(made.sealed.key)).to_be_visible()
    page.reload()
    expect(page.get_by_role("row", name="https://bot.example/webhook")).to_contain_text("web, api")
    assert made.sealed.key not in page.content()
    assert "very-secret" not in page.content()
    page.get_by_role("button", name="Switch off webhook 1").click()
    on_again = page.get_by_role("button", name="Switch on webhook 1")
    expect(on_again).to_be_visible()
    assert not held(site)[0].active
    on_again.click()
    expect(page.get_by_role("button", name="Switch off webhook 1")).to_be_visible()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove webhook 1").click()
    expect(page.get_by_text("None yet.")).to_be_visible()
    assert held(site) == []


def test_botpress_has_its_address_and_everybody_can_use_it(site: Site, visit: Visit) -> None:
    page = visit(
        "admin",
    )
    page.goto("/settings/channels")
    page.get_by_role("button", name="Add a webhook").click()
    assert axe.troubles(page) == []
    page.get_by_label("Address").fill("https://webhook.botpress.cloud/abc")
    page.get_by_label("In the words of").select_option("Botpress")
    page.get_by_role("button", name="Add the webhook").click()
    expect(page.get_by_text("Response Endpoint URL")).to_be_visible()
    expect(page.get_by_text(f"{site.url}/")).to_be_visible()
    assert axe.troubles(page) == []
    page.set_viewport_size(axe.NARROW)
    assert axe.too_wide(page) == 0
