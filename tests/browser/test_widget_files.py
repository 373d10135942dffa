"""Files in the chat on a page: they go with what is said, once, and none that could be run."""

from __future__ import annotations

from playwright.sync_api import Route, expect

from tests.browser.chat import Come, messages, open_chat, say
from tests.browser.site import Site


def test_what_is_sent_while_a_file_is_on_its_way_goes_with_it(come: Come) -> None:
    page = come()
    open_chat(page)
    held: list[Route] = []
    page.route("**/channels/web/files", lambda route: held.append(route))
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Attach a file").click()
    given = {"name": "bill.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 bill"}
    with page.expect_request("**/channels/web/files"):
        chooser.value.set_files([given])  # type: ignore[list-item]
    say(page, "My bill")
    log = page.get_by_role("log", name="Messages")
    expect(log).not_to_contain_text("My bill")
    held[0].continue_()
    expect(log).to_contain_text("My bill")
    expect(page.get_by_role("link", name="bill.pdf (1 KB)")).to_be_visible()


def test_a_file_outlives_a_lost_network_and_is_sent_once(come: Come, site: Site) -> None:
    page = come()
    open_chat(page)
    lost: list[Route] = []

    def lose_twice(route: Route) -> None:
        if len(lost) < 2:
            lost.append(route)
            route.abort("internetdisconnected")
        else:
            route.continue_()

    page.route("**/channels/web/files", lose_twice)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Attach a file").click()
    given = {"name": "bill.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 bill"}
    chooser.value.set_files([given])  # type: ignore[list-item]
    say(page, "My bill")
    expect(page.get_by_role("link", name="bill.pdf (1 KB)")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("We have your message")
    assert len(lost) == 2
    expect(page.get_by_role("alert")).to_have_count(0)
    assert messages(site) == ["My bill"]


def test_a_file_is_sent_and_one_that_could_be_run_is_not(come: Come) -> None:
    page = come()
    open_chat(page)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Attach a file").click()
    given = {"name": "bill <b>.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 bill"}
    chooser.value.set_files([given])  # type: ignore[list-item]
    expect(page.get_by_role("button", name="Remove: bill <b>.pdf")).to_be_visible()
    say(page, "My bill")
    link = page.get_by_role("link", name="bill <b>.pdf (1 KB)")
    with page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename == "bill _b_.pdf"
    assert download.value.path().read_bytes() == b"%PDF-1.7 bill"
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Attach a file").click()
    chooser.value.set_files([{**given, "name": "game.EXE"}])  # type: ignore[list-item]
    expect(page.get_by_role("alert")).to_contain_text("Files that can be run are not taken in")
