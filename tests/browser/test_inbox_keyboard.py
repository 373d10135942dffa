"""The inbox without a mouse: from signing in to a chat that is resolved, by keys alone."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests import signed_in
from tests.browser.site import Site, Visit
from tests.browser.talks import Talks
from user360.conversations import canned

MOST = 60  # steps that anything on the page is away at most


def tab_to(page: Page, wanted: Locator, key: str = "Tab") -> None:
    """Press Tab until something has the focus; everything on the way shows that it has it."""
    for _ in range(MOST):
        page.keyboard.press(key)
        if wanted.evaluate("e => e === document.activeElement"):
            assert shows_focus(page), wanted
            return
    raise AssertionError(f"{wanted} was not reached by {key}")


def shows_focus(page: Page) -> bool:
    """Whether what has the focus looks so."""
    shown: bool = page.evaluate(
        """() => {
            const of = getComputedStyle(document.activeElement);
            return (of.outlineStyle !== "none" && parseFloat(of.outlineWidth) > 0)
                || of.boxShadow !== "none";
        }"""
    )
    return shown


def focused_in(place: Locator) -> bool:
    inside: bool = place.evaluate("e => e.contains(document.activeElement)")
    return inside


def test_from_signing_in_to_a_resolved_chat(site: Site, visit: Visit) -> None:
    talks = Talks(site)
    her = talks.there()
    colleague = talks.there("editor")
    site.change(lambda c: canned.make(c, "Greeting", "Hello {{{user.firstName|there}}}!"))
    public = talks.says("s", "Where is my parcel?", properties={"firstName": "Asha"})
    talks.does(public, "assign", assignee=her)
    page = visit("agent")
    page.context.clear_cookies()
    page.goto("/sign-in")
    tab_to(page, page.get_by_label("E-mail"))
    page.keyboard.type("agent@example.com")
    tab_to(page, page.get_by_label("Password", exact=True))
    page.keyboard.type(signed_in.PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()

    tab_to(page, page.get_by_role("link", name=re.compile("Asha")))
    page.keyboard.press("Enter")
    message = page.get_by_label("Message", exact=True)
    expect(message).to_be_focused()  # what was opened is answered at once
    log = page.get_by_role("log", name="Messages")
    page.keyboard.type("One moment")
    page.keyboard.press("Enter")
    expect(log.get_by_text("One moment")).to_be_visible()
    expect(message).to_be_focused()

    tab_to(page, page.get_by_role("radio", name="Reply"), "Shift+Tab")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Note")).to_be_checked()
    page.keyboard.press("Tab")
    expect(message).to_be_focused()
    page.keyboard.type("She has waited long")
    page.keyboard.press("Enter")
    expect(log.get_by_text("only agents see it")).to_be_visible()
    tab_to(page, page.get_by_role("radio", name="Note"), "Shift+Tab")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Tab")

    page.keyboard.type("/")
    search = page.get_by_label("Search canned answers")
    expect(search).to_be_focused()
    page.keyboard.press("Escape")
    expect(message).to_be_focused()
    page.keyboard.press("Backspace")
    page.keyboard.type("/")
    expect(search).to_be_focused()
    expect(page.get_by_role("button", name="Greeting")).to_be_visible()
    page.keyboard.press("Enter")
    expect(message).to_have_value("Hello Asha!")
    expect(message).to_be_focused()
    page.keyboard.press("Enter")
    expect(log.get_by_text("Hello Asha!")).to_be_visible()

    transfer = page.get_by_role("button", name="Transfer").first
    tab_to(page, transfer, "Shift+Tab")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Transfer the conversation")
    expect(dialog).to_be_visible()
    for _ in range(6):
        page.keyboard.press("Tab")
        # The browser's own bar may have the focus between; the page beneath may not.
        assert focused_in(dialog) or page.evaluate("document.activeElement === document.body")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(transfer).to_be_focused()

    resolve = page.get_by_role("button", name="Resolve").first
    tab_to(page, resolve)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Resolve the chat")
    tab_to(page, dialog.get_by_label("How it ended"))
    page.keyboard.type("answered")
    page.keyboard.press("Tab")
    page.keyboard.type("parcel")
    page.keyboard.press("Enter")
    reopen = page.get_by_role("button", name="Reopen")
    expect(reopen).to_be_focused()  # what can be done next, where the last was done
    held = talks.held(public)
    assert (held.state, held.reason, held.tags) == ("resolved", "answered", ("parcel",))
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Resolve").first).to_be_visible()

    tab_to(page, page.get_by_role("button", name="Transfer").first)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Transfer the conversation")
    tab_to(page, dialog.get_by_label("To whom"))
    page.keyboard.type("Edit")
    expect(dialog.get_by_label("To whom")).to_have_value(f"member:{colleague}")
    tab_to(page, dialog.get_by_role("button", name="Transfer"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("log")).to_have_count(0)  # it is not hers any more
    assert talks.held(public).assignee == colleague


def test_back_to_the_list_and_on_to_the_next_one(site: Site, visit: Visit) -> None:
    talks = Talks(site)
    talks.there()
    talks.says("a", "First", properties={"firstName": "Asha"})
    talks.says("b", "Second", properties={"firstName": "Ravi"})
    page = visit("agent")
    page.goto("/inbox?list=active")
    asha = page.get_by_role("list", name="All active").get_by_role("link", name=re.compile("Asha"))
    tab_to(page, asha)
    page.keyboard.press("Enter")
    expect(page.get_by_role("log").get_by_text("First")).to_be_visible()
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(asha).to_be_focused()
    tab_to(page, page.get_by_role("link", name=re.compile("Ravi")), "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log").get_by_text("Second")).to_be_visible()
    customer = page.get_by_role("button", name="View contact")
    tab_to(page, customer)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Contact of Ravi")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(customer).to_be_focused()
    tab_to(page, page.get_by_role("button", name="Filters"), "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Channel", exact=True)).to_be_visible()
