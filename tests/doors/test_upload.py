"""A form comes in piece by piece: what is in it arrives whole, what is no form is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from user360.conversations.attachments import clean_name
from user360.doors import upload
from user360.doors.upload import Received
from user360.errors import Malformed, Problem, StorageFailed, TooLarge

TEXTS = ("options",)


class Sent:
    """A request whose body comes in pieces of a certain size."""

    def __init__(self, body: bytes, headers: dict[str, str], piece: int) -> None:
        self.body = body
        self.headers = headers
        self.piece = piece

    async def stream(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self.body), self.piece):
            yield self.body[start : start + self.piece]
        yield b""


def form(piece: int = 7, headers: dict[str, str] | None = None, **parts: Any) -> Sent:
    request = httpx.Request("POST", "http://here", files=parts)
    told = {"content-type": request.headers["content-type"], **(headers or {})}
    return Sent(request.read(), told, piece)


def received(sent: Any, target: Path) -> Received:
    return asyncio.run(upload.receive(sent, target, TEXTS))


@settings(max_examples=30, deadline=None)
@given(content=st.binary(max_size=300), piece=st.integers(1, 200))
def test_a_file_arrives_as_it_was_sent_however_it_is_cut(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, piece: int
) -> None:
    target = tmp_path_factory.mktemp("in") / "upload"
    sent = form(piece, file=("a.csv", content), options=(None, '{"userId": null}'))
    assert received(sent, target) == Received(
        "a.csv", len(content), {"options": b'{"userId": null}'}, "text/csv"
    )
    assert target.read_bytes() == content


def test_a_large_file_goes_through_in_pieces(tmp_path: Path) -> None:
    content = bytes(range(256)) * 20_000
    sent = form(65_536, options=(None, "{}"), file=("a.csv", content))
    assert received(sent, tmp_path / "upload").size == len(content)
    assert (tmp_path / "upload").read_bytes() == content


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        ({"options": (None, "{}")}, "file"),
        ({"file": ("a", b"x"), "other": (None, "x")}, "other"),
    ],
)
def test_a_part_too_few_or_too_many_is_named(
    tmp_path: Path, parts: dict[str, Any], path: str
) -> None:
    with pytest.raises(Malformed) as caught:
        received(form(**parts), tmp_path / "upload")
    assert [fault.path for fault in caught.value.faults] == [path]


def test_a_part_that_comes_twice_is_refused(tmp_path: Path) -> None:
    twice = [("file", ("a.csv", b"1")), ("file", ("b.csv", b"2"))]
    request = httpx.Request("POST", "http://here", files=twice)
    sent = Sent(request.read(), {"content-type": request.headers["content-type"]}, 50)
    with pytest.raises(Malformed, match="once"):
        received(sent, tmp_path / "upload")


def test_a_form_that_ends_too_early_is_refused(tmp_path: Path) -> None:
    sent = form(file=("a.csv", b"userId\nasha\n"))
    sent.body = sent.body[:-20]
    with pytest.raises(Malformed, match="cannot be read"):
        received(sent, tmp_path / "upload")


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/csv"},
        {"content-type": "multipart/form-data"},
        {"content-type": "multipart/form-data; boundary=" + "x" * 300},
        {"content-encoding": "gzip"},
        {"content-type": ""},
    ],
)
def test_what_is_no_form_is_told_what_is_expected(tmp_path: Path, headers: dict[str, str]) -> None:
    with pytest.raises(Malformed, match="form"):
        received(form(headers=headers, file=("a.csv", b"x")), tmp_path / "upload")


def test_a_file_for_which_there_is_no_room_is_refused_before_it_is_read(tmp_path: Path) -> None:
    sent = form(headers={"content-length": str(10**18)}, file=("a.csv", b"x"))
    with pytest.raises(StorageFailed, match="no room"):
        received(sent, tmp_path / "upload")
    assert not (tmp_path / "upload").exists()


def test_a_part_beside_the_file_is_bounded(tmp_path: Path) -> None:
    sent = form(65_536, file=("a.csv", b"x"), options=(None, "x" * (upload.MOST_TEXT + 1)))
    with pytest.raises(TooLarge, match="options"):
        received(sent, tmp_path / "upload")


def test_a_disk_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "upload").write_text("already there")
    with pytest.raises(StorageFailed, match="cannot be kept"):
        received(form(file=("a.csv", b"x")), tmp_path / "upload")


@settings(max_examples=50, deadline=None)
@given(body=st.binary(max_size=200))
def test_whatever_comes_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, body: bytes
) -> None:
    sent = Sent(body, {"content-type": "multipart/form-data; boundary=b"}, 50)
    with pytest.raises(Problem):
        received(sent, tmp_path_factory.mktemp("in") / "upload")


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("people.csv", "people.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\asha\\people.csv", "people.csv"),
        ("a\x00b\x1b[31m.csv", "ab[31m.csv"),
        ("..", ".."),
        ("", ""),
        ("x" * 500 + ".csv", ("x" * 500 + ".csv")[-200:]),
    ],
)
def test_a_name_is_for_showing(sent: str, shown: str) -> None:
    assert clean_name(sent) == shown


def test_a_file_that_is_larger_than_it_may_be_is_refused_while_it_comes(tmp_path: Path) -> None:
    sent = form(7, file=("a.bin", b"x" * 100))
    with pytest.raises(TooLarge, match="at most 99 bytes"):
        asyncio.run(upload.receive(sent, tmp_path / "upload", (), largest=99))  # type: ignore[arg-type]
    kept = asyncio.run(upload.receive(sent, tmp_path / "other", (), largest=100))  # type: ignore[arg-type]
    assert kept.size == 100
