"""What an agent writes stays what she means it to be while the conversation changes under it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.site import Site, Visit
from tests.browser.talks import Talks
from tests.browser.test_inbox import opened
from tests.waiting import until
from user360.conversations import reading


@pytest.fixture
def talks(site: Site) -> Talks:
    talks = Talks(site)
    talks.there()
    return talks


def test_a_note_stays_a_note_and_looks_like_one(site: Site, visit: Visit, talks: Talks) -> None:
    public = talks.says("a", "It is late", "web", properties={"firstName": "Asha"})
    page = visit("agent")
    opened(page, public, "Asha")
    message, note = page.get_by_label("Message", exact=True), page.get_by_role("radio", name="Note")
    note.check()
    message.fill("She was rude")
    for tag in ("vip", "late"):
        talks.does(public, "edit", add_tags=(tag,))
        tags = page.get_by_role("list", name="Tags of the conversation")
        expect(tags.get_by_text(tag)).to_be_visible()
        expect(note).to_be_checked()
        expect(page.get_by_role("button", name="Add the note")).to_be_visible()
        expect(message).to_have_attribute("placeholder", "Only agents see this")
    page.get_by_role("button", name="Add the note").click()
    expect(page.get_by_role("log").get_by_text("She was rude")).to_be_visible()

    def kept() -> list[str]:
        with site.platform.ledger.read() as connection:
            found = reading.messages(connection, talks.number(public), limit=50)
        return [each.sender for each in found]

    until(lambda: kept() == ["customer", "note"])
    page.get_by_role("radio", name="Reply").check()
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    expect(message).to_have_attribute("placeholder", "Write to Asha")
