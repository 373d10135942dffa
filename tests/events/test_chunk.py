from __future__ import annotations

from collections.abc import Callable

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from user360.events import chunk, event

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
moments = st.integers(0, 4_000_000_000_000_000)
entries = st.builds(
    event.Entry,
    seq=st.integers(1, 1 << 62),
    kind=st.sampled_from([event.CUSTOM, event.SYSTEM, event.INTERNAL]),
    record=st.integers(0, 1 << 62),
    name=text,
    at=moments,
    received=moments,
    id=text,
    source=text,
    channel=text,
    ref=text,
    properties=st.dictionaries(text, st.integers(-(1 << 53), 1 << 53) | text | st.none()),
)


def rows(table: pa.Table) -> list[tuple[object, ...]]:
    """A table's rows as plain values, times as microseconds, properties as what they say."""
    plain = table.set_column(4, "at", table["at"].cast(pa.int64()))
    plain = plain.set_column(5, "received", table["received"].cast(pa.int64()))
    return [
        (*list(row.values())[:-1], msgspec.json.decode(row["properties"]))
        for row in plain.to_pylist()
    ]


@given(st.lists(entries, max_size=8), st.integers(1, 40))
def test_whatever_is_packed_comes_back(some: list[event.Entry], times: int) -> None:
    many = some * times
    body = chunk.pack(many)
    assert (body[:1] == chunk.COLUMNS) == (len(many) >= chunk.MANY)
    assert rows(chunk.unpack([body])) == [msgspec.structs.astuple(e) for e in many]


def entry(seq: int) -> event.Entry:
    return event.Entry(seq, 0, 1, "Purchase", seq, seq, f"e{seq}", "api", "", "key:1", {"n": seq})


def test_chunks_of_both_kinds_become_one_table() -> None:
    few = [entry(n) for n in range(3)]
    many = [entry(n) for n in range(3, 3 + chunk.MANY)]
    table = chunk.unpack([chunk.pack(few), chunk.pack(many), chunk.pack(few)])
    assert sorted(table["seq"].to_pylist()) == sorted([0, 1, 2, 0, 1, 2, *(e.seq for e in many)])
    assert table.schema == chunk.SCHEMA


def test_no_chunks_are_an_empty_table() -> None:
    assert chunk.unpack([]).num_rows == 0
    assert chunk.unpack([]).schema == chunk.SCHEMA


def test_many_entries_take_a_fraction_of_their_rows() -> None:
    many = [entry(n) for n in range(1_000)]
    assert len(chunk.pack(many)) * 3 < len(event.encode(many))


@pytest.mark.parametrize("size", [3, 100])
@pytest.mark.parametrize("spoil", [lambda b: b[: len(b) // 2], lambda b: b[:40] + b"\0" * 30])
def test_a_damaged_chunk_is_refused(spoil: Callable[[bytes], bytes], size: int) -> None:
    body = chunk.pack([entry(n) for n in range(size)])
    with pytest.raises(ValueError, match="no chunk"):
        chunk.unpack([spoil(body)])
