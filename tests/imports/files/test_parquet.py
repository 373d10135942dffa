"""Parquet of any type comes as what properties can be read from."""

from __future__ import annotations

import datetime
import decimal
import io
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from user360.errors import Invalid

DAY = datetime.date(2020, 1, 2)
MOMENT = datetime.datetime(2020, 1, 2, 3, 4, 5)


def written(columns: Mapping[str, Any], **options: Any) -> bytes:
    data = io.BytesIO()
    table = pa.Table.from_arrays(list(map(pa.array, columns.values())), list(columns))
    pq.write_table(table, data, **options)
    return data.getvalue()


@pytest.mark.parametrize(
    ("values", "kind", "read"),
    [
        (["a", "", None], pa.string(), ["a", "", None]),
        (["a", None], pa.large_string(), ["a", None]),
        (["a", "a", None], pa.dictionary(pa.int8(), pa.string()), ["a", "a", None]),
        ([1, None], pa.int8(), [1, None]),
        ([2**64 - 1, 1], pa.uint64(), [float(2**64 - 1), 1.0]),
        ([0.1, None], pa.float32(), [0.1, None]),
        ([0.1, None], pa.float64(), [0.1, None]),
        ([True, None], pa.bool_(), [True, None]),
        ([DAY], pa.date32(), ["2020-01-02"]),
        ([DAY], pa.date64(), ["2020-01-02"]),
        ([MOMENT], pa.timestamp("s"), ["2020-01-02T03:04:05"]),
        ([MOMENT], pa.timestamp("ns"), ["2020-01-02T03:04:05.000000"]),
        ([MOMENT], pa.timestamp("ms", "Asia/Kolkata"), ["2020-01-02T03:04:05.000000Z"]),
        ([datetime.time(1, 2, 3)], pa.time64("us"), ["01:02:03"]),
        ([decimal.Decimal("1.50")], pa.decimal128(9, 2), ["1.50"]),
        ([["a", "b"], [], None], pa.list_(pa.string()), [["a", "b"], [], None]),
        ([["a"], None], pa.large_list(pa.large_string()), [["a"], None]),
        ([None, None], pa.null(), [None, None]),
    ],
)
def test_a_column_of_any_type_is_read(
    opening: Any, everything: Any, values: list[Any], kind: pa.DataType, read: list[Any]
) -> None:
    found = everything(opening(written({"a": pa.array(values, kind)}), "x.parquet"))
    expected = read if kind != pa.timestamp("s") else [read[0] + ".000000"]
    assert [row[0] for row in found.rows] == expected


@pytest.mark.parametrize(
    "column",
    [
        pa.array([{"a": 1}, None]),
        pa.array([[1, 2], None]),
        pa.array([[["a"]], None]),
        pa.array([[("k", "v")], None], pa.map_(pa.string(), pa.string())),
        pa.array([b"\xff", None]),
    ],
)
def test_what_is_nested_is_no_value_of_any_type(
    opening: Any, everything: Any, column: pa.Array
) -> None:
    found = everything(opening(written({"a": column, "b": pa.array(["x", "y"])}), "x.parquet"))
    assert isinstance(found.rows[0][0][0][0], str)
    assert found.rows[1] == [None, "y"]


def test_reading_goes_on_in_the_middle(opening: Any, everything: Any) -> None:
    data = written({"n": range(1000), "t": ["x"] * 1000}, row_group_size=130)
    opened = opening(data, "x.parquet")
    assert opened.count == 1000
    for skip in (0, 1, 129, 130, 131, 999, 1000, 2000):
        found = everything(opened, 77, skip)
        assert [row[0] for row in found.rows] == list(range(skip, 1000))
        assert found.lines == list(range(skip + 2, 1002))


def test_columns_of_one_name_are_told_apart(opening: Any, everything: Any) -> None:
    table = pa.Table.from_arrays([pa.array(["x"]), pa.array([1])], ["a", "a"])
    data = io.BytesIO()
    pq.write_table(table, data)
    opened = opening(data.getvalue(), "x.parquet")
    assert opened.headers == ("a", "a (2)")
    assert everything(opened).rows == [["x", 1]]
    assert next(opened.batches(columns={"a (2)"})).rows.to_pydict() == {"a (2)": [1]}


def test_a_damaged_column_ends_with_a_reason(opening: Any, everything: Any) -> None:
    rows = [f"text {n}" for n in range(4000)]
    options: dict[str, Any] = {"row_group_size": 1000, "compression": "gzip"}
    data = bytearray(written({"t": rows}, use_dictionary=False, **options))
    middle = len(data) // 2
    data[middle : middle + 200] = b"\xaa" * 200
    found = everything(opening(bytes(data), "x.parquet"))
    assert 1000 <= len(found.rows) < 4000
    assert found.codes == [(len(found.rows) + 2, "damaged")]


def test_a_text_that_is_not_utf8_costs_its_row(opening: Any, everything: Any) -> None:
    def spoil(data: bytes) -> bytes:
        assert data.count(b"spoiled") == 1
        return data.replace(b"spoiled", b"sp\xffiled")

    texts = pa.array(["fine", "spoiled", "fine too", None])
    options: dict[str, Any] = {"compression": "none", "write_statistics": False}
    data = spoil(written({"t": texts, "n": range(4)}, use_dictionary=False, **options))
    found = everything(opening(data, "x.parquet"))
    assert found.rows == [["fine", 0], ["fine too", 2], [None, 3]]
    assert (found.lines, found.codes) == ([2, 4, 5], [(3, "encoding")])
    lists = pa.array([["fine"], ["spoiled"], [], None])
    data = spoil(written({"t": lists}, use_dictionary=False, **options))
    assert everything(opening(data, "x.parquet")).codes == [(3, "encoding")]
    structs = pa.array([{"a": "spoiled"}, {"a": "fine"}])
    data = spoil(written({"t": structs}, use_dictionary=False, **options))
    assert len(everything(opening(data, "x.parquet")).rows) == 2, "nested values are none anyway"


def test_a_value_that_fills_the_memory_is_refused(
    opening: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("user360.imports.files.parquet.LARGEST_VALUE", 1 << 10)
    with pytest.raises(Invalid, match="column t unpacks"):
        opening(written({"t": ["x" * 1_000_000]}, use_dictionary=False), "x.parquet")
