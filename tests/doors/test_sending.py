"""Files on their way out: which bytes are meant, and what is let go when nobody wants them."""

from __future__ import annotations

import asyncio
import gc
import itertools
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from user360.doors.sending import Steps, of_file, span
from user360.errors import Unsatisfiable


@given(st.integers(1, 50), st.data())
def test_stretches_one_after_another_are_the_whole_file(size: int, data: st.DataObject) -> None:
    cuts = sorted({0, size, *data.draw(st.lists(st.integers(0, size)))})
    content = bytes(range(size))
    parts = []
    for first, end in itertools.pairwise(cuts):
        wanted = span(f"bytes={first}-{end - 1}", size)
        assert wanted.headers()["Content-Length"] == str(end - first)
        parts.append(content[wanted.first : wanted.end])
    assert b"".join(parts) == content


@given(st.text(st.sampled_from("bytes=0123456789-, "), max_size=20), st.integers(0, 99))
def test_whatever_is_asked_for_lies_in_the_file_or_is_refused(header: str, size: int) -> None:
    try:
        wanted = span(header, size)
    except Unsatisfiable:
        return
    assert 0 <= wanted.first <= wanted.end <= size == wanted.size


def test_a_file_is_read_from_where_it_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    assert b"".join(of_file(tmp_path / "file", span("bytes=3-6", 10))) == b"3456"


class Held:
    """Three pieces, and whether they are still held on to."""

    def __init__(self) -> None:
        self.open = False

    def pieces(self) -> Generator[bytes, None, None]:
        self.open = True
        try:
            yield from (b"a", b"b", b"c")
        finally:
            self.open = False


def test_steps_are_all_pieces_and_then_let_go() -> None:
    held = Held()

    async def read() -> list[bytes]:
        steps = Steps(held.pieces())
        await asyncio.to_thread(steps.begin)
        return [piece async for piece in steps]

    assert asyncio.run(read()) == [b"a", b"b", b"c"]
    assert not held.open


def test_what_was_begun_and_never_sent_is_let_go() -> None:
    held = Held()
    steps = Steps(held.pieces())
    steps.begin()
    assert held.open
    del steps
    gc.collect()
    assert not held.open


def test_what_is_wrong_at_first_is_known_before_anything_is_sent() -> None:
    def pieces() -> Generator[bytes, None, None]:
        raise Unsatisfiable
        yield b""

    with pytest.raises(Unsatisfiable):
        Steps(pieces()).begin()
