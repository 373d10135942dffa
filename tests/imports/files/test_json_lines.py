"""JSON lines keep their types; a line that is no object is told and the others are in."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from user360.errors import Invalid
from user360.imports.files import open_file


def test_values_keep_their_types(opening: Any, everything: Any) -> None:
    rows = [
        {"t": "x", "n": 1, "f": 1.5, "b": True, "l": ["a", "b"], "e": []},
        {"t": "", "n": 2**40, "f": -0.25, "b": False, "l": [], "e": None},
    ]
    data = "\n".join(map(json.dumps, rows)).encode()
    found = everything(opening(data, "x.jsonl"))
    assert found.rows == [list(row.values()) for row in rows]
    assert found.lines == [1, 2]


def test_mixed_and_nested_values_are_kept_apart(opening: Any, everything: Any) -> None:
    data = b'{"a": 1}\n{"a": "1"}\n{"a": true}\n{"a": {"x": 1}}\n{"a": [1]}\n{"a": 1e400}\n'
    found = everything(opening(data, "x.jsonl"))
    assert found.rows == [[1], ["1"], [True], [[['{"x":1}']]], [[["[1]"]]]]
    assert found.codes == [(6, "notJson")]


def test_keys_that_come_late_are_columns_too(opening: Any, everything: Any) -> None:
    rows = b"".join(b'{"a": %d}\n' % n for n in range(60_000)) + b'{"b": "x"}\n'
    opened = opening(rows, "x.jsonl")
    assert (opened.headers, opened.count) == (("a", "b"), 60_001)
    assert everything(opened).rows[-1] == [None, "x"]
    beginning = opening(rows * 3, "x.jsonl", whole=False)
    assert (beginning.headers, beginning.count) == (("a", "b"), None)


def test_bad_lines_are_told(opening: Any, everything: Any) -> None:
    data = b'{"a": "\xc3\xa9"}\n[1]\nnonsense\n{"a": \n\n{"a": "\xff"}\n{"a": "' + b"x" * 9_000_000
    data += b'"}\n' + b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n" + b'{"a": 2}\n'
    found = everything(opening(data, "x.jsonl"))
    assert found.codes == [
        (2, "notJson"),
        (3, "notJson"),
        (4, "notJson"),
        (6, "encoding"),
        (7, "rowTooLong"),
        (8, "notJson"),
    ]
    assert found.rows == [["é"], [2]]
    assert found.lines == [1, 9]


def test_a_packed_file_that_is_cut_is_read_as_far_as_it_goes(opening: Any, everything: Any) -> None:
    rows = b"".join(b'{"a": %d}\n' % (n * 7919 % 10_007) for n in range(30_000))
    packed = gzip.compress(rows)
    found = everything(opening(packed[: len(packed) // 2], "x.jsonl.gz"))
    assert len(found.rows) > 5_000
    assert found.bad[-1].code == "cutOff"


def test_lines_without_a_key_are_refused(opening: Any) -> None:
    with pytest.raises(Invalid, match="No line"):
        opening(b"{}\n{}\n", "x.jsonl")


values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=3), max_size=3),
)


@given(rows=st.lists(st.fixed_dictionaries({"a": values, "b": values}), min_size=1, max_size=10))
@settings(max_examples=150)
def test_what_was_written_is_read_back_in_batches_of_any_size(
    tmp_path_factory: Any, rows: list[dict[str, Any]]
) -> None:
    path: Path = tmp_path_factory.getbasetemp() / "lines"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    opened = open_file(path, "lines.jsonl")
    for size in (1, 3, 100):
        found = [row for b in opened.batches(size) for row in b.rows.to_pylist()]
        assert found == rows
        assert [[type(row[k]) for k in "ab"] for row in found] == [
            [type(row[k]) for k in "ab"] for row in rows
        ]
