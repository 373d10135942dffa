"""Who is signed in on a page with the chat: believed when it is signed, left when it is not."""

from __future__ import annotations

import secrets
import time
from typing import Any

import jwt
import pytest
from playwright.sync_api import expect

from tests.browser.chat import Come, messages, open_chat, person, say
from tests.browser.shop import Shop
from tests.browser.site import Site
from user360.channels import settings


def signed(key: str, user: str, **more: Any) -> str:
    """Who is signed in, as the server of the shop would say it."""
    now = int(time.time())
    return jwt.encode({"sub": user, "iat": now, "exp": now + 300, **more}, key)


@pytest.fixture
def key(site: Site) -> str:
    """The signing key of the workspace."""
    key = secrets.token_urlsafe(32)
    vault = site.platform.vault
    site.change(lambda c: settings.change(c, vault, "web", {"signingKey": key}))
    return key


def test_who_is_signed_in_is_known(come: Come, site: Site, shop: Shop, key: str) -> None:
    token = signed(key, "asha@example.com", properties={"firstName": "Asha", "phone": "bad"})
    shop.options = f'data-identity="{token}"'
    page = come()
    with page.expect_console_message(lambda said: "phone" in said.text):
        open_chat(page)
    say(page, "Where is my parcel?")
    expect(page.get_by_role("status")).to_contain_text("We have your message")
    assert person(site)["userId"] == "asha@example.com"


def test_an_identity_that_cannot_be_believed_is_told_and_left(
    come: Come, site: Site, shop: Shop, key: str
) -> None:
    old = signed(key, "asha@example.com", iat=1_700_000_000, exp=1_700_000_300)
    for token, reason in (
        (signed("x" * 32, "asha@example.com"), "The identity was signed with another key"),
        (old, "The identity has expired"),
        ("asha@example.com", "The identity is no JSON Web Token"),
    ):
        shop.options = f'data-identity="{token}"'
        page = come()
        with page.expect_console_message(lambda said, why=reason: why in said.text):
            open_chat(page)
        say(page, "Hello")
        expect(page.get_by_role("status")).to_contain_text("We have your message")
    assert person(site)["userId"] is None


def test_who_signs_in_after_somebody_else_sees_nothing_of_theirs(
    come: Come, site: Site, shop: Shop, key: str
) -> None:
    shop.options = f'data-identity="{signed(key, "asha@example.com")}"'
    first = come()
    open_chat(first)
    say(first, "This is for nobody else")
    expect(first.get_by_role("status")).to_contain_text("We have your message")
    shop.options = f'data-identity="{signed(key, "ravi@example.com")}"'
    second = come(beside=first)
    with second.expect_response("**/channels/web/start"):
        open_chat(second)
    say(second, "I am Ravi")
    expect(second.get_by_role("status")).to_contain_text("We have your message")
    expect(second.get_by_text("This is for nobody else")).to_have_count(0)
    expect(first.get_by_text("I am Ravi")).to_have_count(0)
    assert messages(site) == ["This is for nobody else"]


def test_signing_in_and_out_by_the_page(come: Come, site: Site, shop: Shop, key: str) -> None:
    token = signed(key, "asha@example.com")
    shop.early = (
        "(window.User360 = window.User360 || []).push((chat) => chat.set({ city: 'Pune' }));"
    )
    vault = site.platform.vault
    site.change(lambda c: settings.change(c, vault, "web", {"pageProperties": True}))
    page = come()
    page.evaluate("User360.open()")
    say(page, "Hello")
    expect(page.get_by_role("status")).to_contain_text("We have your message")
    assert (person(site)["userId"], person(site)["properties"]["city"]) == (None, "Pune")
    page.evaluate("(token) => User360.identify(() => Promise.resolve(token))", token)
    assert person(site)["userId"] == "asha@example.com"
    expect(page.get_by_role("log")).to_contain_text("Hello")
    page.evaluate("User360.reset()")
    expect(page.get_by_role("dialog")).to_be_hidden()
    open_chat(page)
    expect(page.get_by_text("Hello", exact=True)).to_have_count(0)
