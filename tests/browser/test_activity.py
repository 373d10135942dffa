"""Activity as a person reads it: names in place of numbers, by whom, about what, page by page."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser import axe
from tests.browser.site import Site, Visit
from tests.people import HOSTILE, segment
from user360.access.change import Change
from user360.records import declare
from user360.records.properties import Type


@pytest.fixture
def busy(site: Site) -> Site:
    """A workspace in which an editor and a key made things."""
    number = site.member("editor")
    segment(site.platform, HOSTILE, {"property": "city", "op": "known"})

    def by_editor(change: Change) -> None:
        change.actor = f"member:{number}"
        for i in range(60):
            declare.declare(change, f"field{i}", Type.STRING)

    site.change(by_editor)
    return site


def test_one_reads_who_did_what(busy: Site, visit: Visit) -> None:
    page = visit("admin")
    page.goto("/activity")
    expect(page.get_by_text("Editor added the property field59 (type: string)")).to_be_visible()
    expect(page.get_by_role("link", name="field59")).to_be_visible()
    expect(page.get_by_text("field9 ")).to_have_count(0)
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_text("Editor added the property field9 ")).to_be_visible()
    expect(page.get_by_text("The key first invited Editor (role: editor)")).to_be_visible()
    page.get_by_label("What").select_option("Segments")
    expect(page.get_by_text(f"The key first made the segment {HOSTILE}")).to_be_visible()
    expect(page.get_by_text("field")).to_have_count(0)
    expect(page).to_have_url(f"{busy.url}/activity?who=&what=segment")
    page.get_by_label("Who").select_option("Editor")
    expect(page.get_by_text("Nothing of that kind")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("link", name=HOSTILE)).to_be_visible()


def test_who_may_not_see_it_is_not_led_to_it(visit: Visit) -> None:
    page = visit("agent")
    page.goto("/properties")
    expect(page.get_by_role("link", name="Properties")).to_be_visible()
    expect(page.get_by_role("link", name="Activity")).to_have_count(0)
    page.goto("/activity")
    expect(page.get_by_role("heading", name="Not allowed")).to_be_visible()


@pytest.mark.usefixtures("busy")
def test_everybody_can_use_the_page(visit: Visit) -> None:
    page = visit("admin", viewport=axe.NARROW)
    page.goto("/activity")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert axe.troubles(page) == []
    assert axe.too_wide(page) == 0
