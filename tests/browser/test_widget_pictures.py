"""Pictures in the chat: drawn on a page that lets in no pictures, and links where that fails."""

from __future__ import annotations

import struct
import zlib
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser import axe
from tests.browser.chat import Come, open_chat, say

WIDTH, HEIGHT = 600, 200


def png() -> bytes:
    """A red picture, three times as wide as it is high."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    rows = (b"\0" + b"\xff\0\0" * WIDTH) * HEIGHT
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def send(page: Page, name: str, kind: str, content: bytes) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Attach a file").click()
    given: Any = [{"name": name, "mimeType": kind, "buffer": content}]
    chooser.value.set_files(given)
    expect(page.get_by_role("button", name=f"Remove: {name}")).to_be_visible()
    say(page, f"Here is {name}")


def drawn(page: Page, name: str) -> list[int]:
    """How large a picture was drawn, and its colour in the middle."""
    picture = page.get_by_role("img", name=name)
    found: list[int] = picture.evaluate(
        """(made) => [made.width, made.height,
            ...made.getContext('2d').getImageData(made.width / 2, made.height / 2, 1, 1).data]"""
    )
    return found


def test_a_picture_is_drawn_small_and_keeps_its_room(come: Come) -> None:
    page = come()
    open_chat(page)
    with page.expect_response("**/channels/web/files/**"):
        send(page, "vase.png", "image/png", png())
    picture = page.get_by_role("img", name="vase.png")
    expect(picture).to_have_attribute("width", "480")
    assert drawn(page, "vase.png") == [480, 160, 255, 0, 0, 255]
    box = picture.bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (240, 150)
    expect(page.get_by_role("link", name="vase.png (1 KB)")).to_have_attribute("target", "_blank")
    assert axe.troubles(page) == []
    page.reload()
    expect(picture).to_have_attribute("width", "480")


def test_it_keeps_its_room_before_it_has_come(come: Come) -> None:
    page = come()
    open_chat(page)
    held: list[Any] = []
    page.route("**/channels/web/files/**", lambda route: held.append(route))
    with page.expect_request("**/channels/web/files/**"):
        send(page, "vase.png", "image/png", png())
    picture = page.get_by_role("img", name="vase.png")
    before = picture.bounding_box()
    held[0].continue_()
    expect(picture).to_have_attribute("width", "480")
    assert picture.bounding_box() == before


def test_what_only_says_to_be_a_picture_is_a_link(come: Come) -> None:
    page = come()
    open_chat(page)
    script = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    page.on("dialog", lambda dialog: dialog.dismiss())
    send(page, "evil.png", "image/png", script)
    expect(page.get_by_role("link", name="evil.png (1 KB)")).to_be_visible()
    expect(page.get_by_role("img", name="evil.png")).to_have_count(0)
    send(page, "drawing.tiff", "image/tiff", png())
    expect(page.get_by_role("link", name="drawing.tiff (1 KB)")).to_be_visible()
    expect(page.get_by_role("img", name="drawing.tiff")).to_have_count(0)


def test_on_a_small_phone_it_fits(come: Come) -> None:
    page = come(viewport=axe.NARROW)
    open_chat(page)
    send(page, "vase.png", "image/png", png())
    expect(page.get_by_role("img", name="vase.png")).to_have_attribute("width", "480")
    assert axe.too_wide(page) == 0
    assert axe.troubles(page) == []
