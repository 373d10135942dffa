"""Deeds with very many people go on as jobs, while one does other things."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
from playwright.sync_api import expect

from tests.browser import axe
from tests.browser.site import Visit
from user360.ingest.call import Call, Outcome
from user360.jobs.work import Work
from user360.many import jobs


@pytest.mark.usefixtures("people")
def test_very_many_are_deleted_while_one_does_other_things(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "AT_ONCE", 10)
    monkeypatch.setattr(jobs, "PIECE", 20)
    go_on = slowed(monkeypatch)
    page = visit()
    page.goto("/users")
    page.get_by_label("Choose everybody on this page").check()
    page.get_by_role("button", name="Choose all 60 that match").click()
    page.get_by_role("button", name="Tag", exact=True).click()
    dialog = page.get_by_role("dialog", name="Tag")
    dialog.get_by_label("Tags to add").fill("x" * 300)
    dialog.get_by_role("button", name="Change the tags").click()
    expect(dialog.get_by_text("a tag is text of 1 to 255 characters")).to_be_visible()
    dialog.get_by_label("Tags to add").fill("vip")
    dialog.get_by_role("button", name="Change the tags").click()
    expect(page.get_by_text("60 users are being tagged")).to_be_visible()
    expect(page.get_by_role("progressbar", name="Tagging 60 users")).to_be_visible()
    assert axe.troubles(page) == []
    go_on.set()
    expect(page.get_by_text("60 users tagged")).to_be_visible()
    page.get_by_role("link", name="Load the page again").click()
    expect(page.get_by_role("row", name="First58 Rao")).to_contain_text("old vip")
    go_on.clear()
    page.get_by_label("Choose everybody on this page").check()
    page.get_by_role("button", name="Choose all 60 that match").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete 60 users").click()
    expect(page.get_by_text("20 done")).to_be_visible()
    page.once("dialog", lambda asked: asked.accept())
    page.get_by_role("button", name="Cancel: Deleting 60 users").click()
    expect(page.get_by_role("button", name="Cancel: Deleting 60 users")).to_be_disabled()
    go_on.set()
    expect(page.get_by_text("of 60 users; it was cancelled")).to_be_visible()
    page.set_viewport_size({"width": 360, "height": 740})
    assert axe.too_wide(page) == 0
    other = visit("reader")
    other.goto("/users")
    expect(other.get_by_text("it was cancelled")).to_be_visible()
    assert axe.troubles(other) == []


def slowed(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Jobs wait after their first piece until this is set."""
    go_on, settle_calls = threading.Event(), Work.settle

    def slowly(work: Work, calls: Sequence[Call]) -> list[Outcome]:
        if work.progress:
            go_on.wait(30)
        return settle_calls(work, calls)

    monkeypatch.setattr(Work, "settle", slowly)
    return go_on
