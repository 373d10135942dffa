"""Columns as Arrow arrays, and the different values among them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from user360.imports.files import columns
from user360.records import values
from user360.records.properties import Type


@pytest.mark.parametrize(
    "given",
    [
        ["a", None, "b", "a"],
        [1, 2, None, 1],
        [1.5, None, 2.0],
        [True, False, None, True],
        [["a"], [], None, ["a"], ["a", "b"]],
        [1, "1", True, 1.0, None, ["1"], {"a": 1}],
        [None, None],
    ],
)
def test_distinct_values_stand_for_all(given: list[Any]) -> None:
    column = columns.typed(given)
    found, places = columns.distinct(column)
    again = [None if place is None else found[place] for place in places.to_pylist()]
    assert repr(again) == repr(column.to_pylist())
    assert len({repr(v) for v in found}) == len(found)


@pytest.mark.parametrize("kind", list(Type))
def test_nothing_nested_is_a_value(kind: Type) -> None:
    import datetime

    for nested in ({"a": 1}, [1, 2], [["a"]], [None], {}):
        given = columns.typed([nested]).to_pylist()[0]
        with pytest.raises(values.BadValue):
            values.parse(kind, given, datetime.UTC)


def test_numbers_beyond_64_bits_are_decimals() -> None:
    assert columns.typed([10**20]).type == pa.float64()
    assert columns.typed([10**20, 1]).to_pylist() == [1e20, 1]


@given(st.lists(st.none() | st.text("'=+a1", max_size=4), max_size=8))
@settings(max_examples=200)
def test_formulas_are_restored_cell_by_cell(given: list[str | None]) -> None:
    from user360.exports.harmless import restored

    assert columns.texts(given).to_pylist() == [v if v is None else restored(v) for v in given]
