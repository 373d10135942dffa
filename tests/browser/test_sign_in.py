"""Coming in: the first member, signing in and out, wrong passwords, an invitation."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from tests.browser.site import KEY, Site
from tests.signed_in import PASSWORD


def stranger(browser: Browser, site: Site) -> Page:
    page = browser.new_context(base_url=site.url).new_page()
    page.set_default_timeout(30_000)
    return page


def test_the_first_visit_leads_through_making_the_first_member(
    browser: Browser, site: Site
) -> None:
    page = stranger(browser, site)
    page.goto("/")
    expect(page.get_by_role("heading", name="Make the first member")).to_be_visible()
    page.get_by_label("Admin key").fill("not the key")
    page.get_by_role("button", name="Make me a member").click()
    expect(page.get_by_label("Admin key")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Admin key").fill(KEY)
    page.get_by_label("Your name").fill("Asha")
    page.get_by_label("E-mail").fill("asha@")
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Make me a member").click()
    expect(page.get_by_label("E-mail")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("A password has 10 to 200 characters")).to_be_visible()
    page.get_by_label("E-mail").fill("Asha@Example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make me a member").click()
    expect(page.get_by_role("heading", name="Users")).to_be_visible()
    page.context.close()


def test_only_who_knows_the_password_comes_in_and_goes_on_where_they_wanted(
    browser: Browser, site: Site
) -> None:
    site.member("admin")
    page = stranger(browser, site)
    page.goto("/segments?archived=true")
    page.get_by_label("E-mail").fill("admin@example.com")
    page.get_by_label("Password").fill("something else")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("E-mail and password do not go together")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{site.url}/segments?archived=true")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto("/segments")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.context.close()
