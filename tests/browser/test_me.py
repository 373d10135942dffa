"""Oneself: the name, the password, and the sessions that can be ended."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from tests.browser import axe
from tests.browser.site import Site, Visit
from tests.signed_in import PASSWORD


def sign_in(browser: Browser, site: Site, password: str = PASSWORD) -> Page:
    """Come in elsewhere, in a browser of one's own."""
    page = browser.new_context(base_url=site.url).new_page()
    page.set_default_timeout(10_000)
    page.goto("/sign-in")
    page.get_by_label("E-mail").fill("reader@example.com")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    return page


def test_a_session_elsewhere_is_seen_and_ended(site: Site, visit: Visit, browser: Browser) -> None:
    page = visit("reader")
    elsewhere = sign_in(browser, site)
    expect(elsewhere.get_by_role("heading", name="Users")).to_be_visible()
    page.goto("/me")
    expect(page.get_by_role("row", name="a test")).to_contain_text("here")
    page.get_by_role("button", name="End the session of Chrome").click()
    expect(page.get_by_text("That session has ended")).to_be_visible()
    expect(page.get_by_role("row", name="Chrome")).to_have_count(0)
    elsewhere.goto("/me")
    expect(elsewhere.get_by_role("heading", name="Sign in")).to_be_visible()
    elsewhere.context.close()
    again = sign_in(browser, site)
    expect(again.get_by_role("heading", name="Users")).to_be_visible()
    page.reload()
    page.get_by_role("button", name="End all others").click()
    expect(page.get_by_text("You are signed in here alone")).to_be_visible()
    again.goto("/users")
    expect(again.get_by_role("heading", name="Sign in")).to_be_visible()
    again.context.close()


def test_another_password_takes_the_old_one(site: Site, visit: Visit, browser: Browser) -> None:
    page = visit("reader")
    elsewhere = sign_in(browser, site)
    page.goto("/me")
    page.get_by_label("The one you have").fill("not this")
    page.get_by_label("The new one").fill("a much better one")
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_text("This is not your password")).to_be_visible()
    page.get_by_label("The one you have").fill(PASSWORD)
    page.get_by_label("The new one").fill("short")
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_text("A password has 10 to 200 characters")).to_be_visible()
    page.get_by_label("The new one").fill("a much better one")
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_text("Your password is changed")).to_be_visible()
    elsewhere.goto("/users")
    expect(elsewhere.get_by_role("heading", name="Sign in")).to_be_visible()
    elsewhere.context.close()
    new = sign_in(browser, site, "a much better one")
    expect(new.get_by_role("heading", name="Users")).to_be_visible()
    new.context.close()


def test_the_name_and_the_theme(visit: Visit) -> None:
    page = visit("reader", color_scheme="light")
    page.goto("/me")
    page.get_by_label("Name", exact=True).fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("A name has 1 to 200 characters")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("<b>Meera</b>")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="<b>Meera</b>")).to_be_visible()
    expect(page.get_by_label("As this computer has it")).to_be_checked()
    page.get_by_label("Dark", exact=True).check()
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.get_by_role("button", name="Dark or light").click()
    expect(page.get_by_label("Light", exact=True)).to_be_checked()


def test_everybody_can_use_the_page(visit: Visit) -> None:
    page = visit("admin", viewport=axe.NARROW)
    page.goto("/me")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert axe.troubles(page) == []
    assert axe.too_wide(page) == 0
