"""What a file holds is what the product knows, whatever that is and whatever kind of file."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exports import world
from user360.errors import Invalid
from user360.exports import cells
from user360.exports.asked import Asked
from user360.exports.columns import Column, Kind
from user360.exports.formats import xlsx
from user360.exports.harmless import harmless
from user360.platform import Platform
from user360.records import values

KINDS = ("csv", "jsonl", "xlsx", "parquet", "jsonl.gz")


def asked(kind: str, **given: Any) -> Asked:
    return Asked(format=kind.removesuffix(".gz"), gzip=kind.endswith(".gz"), **given)


@settings(max_examples=10)
@given(st.lists(world.person(), min_size=1, max_size=12))
def test_every_file_gives_back_what_is_known(
    platform: Platform, those: list[dict[str, Any]]
) -> None:
    village = world.workspace(platform)
    world.write(platform, village, those)
    known = world.expected(world.shown(platform, village))
    for kind in KINDS:
        content = world.file(platform, village, asked(kind))
        assert world.rows(kind, content, village) == known, kind


@settings(max_examples=300)
@given(st.lists(world.TEXTS, min_size=1, max_size=30))
def test_the_engine_makes_texts_harmless_as_the_product_does(
    platform: Platform, texts: list[str]
) -> None:
    column = Column("c", "v.value", Kind.TEXT)
    told = platform.projector.warehouse.query(
        f"SELECT {cells.harmless(column)} FROM (SELECT unnest(?::VARCHAR[]) AS value) AS v", [texts]
    )
    assert [row[0] for row in told.rows] == [harmless(text) for text in texts]


@settings(max_examples=100)
@given(st.lists(st.lists(world.TEXTS.filter(bool), min_size=1, max_size=4), min_size=1, max_size=8))
def test_the_engine_writes_lists_as_the_product_does(
    platform: Platform, lists: list[list[str]]
) -> None:
    column = Column("c", "v.value", Kind.LIST)
    told = platform.projector.warehouse.query(
        f"SELECT {cells.text(column)} FROM (SELECT unnest(?::VARCHAR[][]) AS value) AS v", [lists]
    )
    for (text,), given_list in zip(told.rows, lists, strict=True):
        assert values._items(text) == values._items(values.text_of(given_list)) == given_list


@pytest.fixture(scope="module")
def village(platform: Platform) -> Any:
    made = world.workspace(platform)
    people = [
        {"userId": f"user-{n}", "firstName": f"Name {n}", "tags": ["even", "old"][: 2 - n % 2]}
        for n in range(40)
    ]
    world.write(platform, made, people)
    return made


def test_columns_come_in_the_order_they_are_chosen(platform: Platform, village: Any) -> None:
    chosen = ["tags", "userId", "recordId", "profileComplete", "createdAt", "id", "updatedAt"]
    content = world.file(platform, village, asked("csv", columns=chosen)).decode()
    header, first, *_ = content.splitlines()
    assert header == ",".join(chosen)
    record = world.shown(platform, village)[0]
    assert first == (
        f"even;old,user-0,{record['id']},{record['profileComplete']},{record['createdAt']},"
        f"{record['id']},{record['updatedAt']}"
    )


def test_the_columns_unasked_are_what_another_workspace_takes_in(
    platform: Platform, village: Any
) -> None:
    header = world.file(platform, village, asked("csv")).decode().partition("\n")[0]
    assert header.split(",") == list(village.catalogue.by_name)


def test_a_single_column_keeps_rows_without_a_value(platform: Platform, village: Any) -> None:
    content = world.file(platform, village, asked("csv", columns=["city"]))
    assert content == b"city\n" + b'""\n' * 40


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_makes_a_file_without_rows(platform: Platform, kind: str) -> None:
    empty = world.workspace(platform)
    content = world.file(platform, empty, asked(kind))
    assert world.rows(kind, content, empty) == []


def test_rows_come_by_number_however_often_they_were_written(
    platform: Platform, village: Any
) -> None:
    for n in (7, 3, 21):
        world.write(platform, village, [{"userId": f"user-{n}", "city": "Pune"}])
    content = world.file(platform, village, asked("jsonl", columns=["userId"]))
    told = [json.loads(line)["userId"] for line in content.splitlines()]
    assert told == [f"user-{n}" for n in range(40)]


def test_the_same_rows_are_the_same_bytes(platform: Platform, village: Any) -> None:
    for kind in KINDS:
        first = world.file(platform, village, asked(kind))
        assert world.file(platform, village, asked(kind)) == first


def test_rows_beyond_a_sheet_go_on_on_the_next(
    platform: Platform, village: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx, "ROWS", 15)
    content = world.file(platform, village, asked("xlsx", columns=["userId"]))
    told = world.rows("xlsx", content, village)
    assert [row["userId"] for row in told] == [f"user-{n}" for n in range(40)]
    assert content.count(b"xl/worksheets/sheet3.xml") > 0 == content.count(b"sheet4.xml")


def test_another_reader_of_sheets_sees_the_same(platform: Platform, village: Any) -> None:
    content = world.file(platform, village, asked("xlsx", columns=["userId", "tags", "phone"]))
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    header, *rows = book.worksheets[0].iter_rows(values_only=True)
    book.close()
    assert header == ("userId", "tags", "phone")
    assert rows[:2] == [("user-0", "even;old", None), ("user-1", "even", None)]
    assert len(rows) == 40


def test_a_sheet_that_is_just_full_has_none_after_it(
    platform: Platform, village: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx, "ROWS", 20)
    content = world.file(platform, village, asked("xlsx", columns=["userId"]))
    assert len(world.rows("xlsx", content, village)) == 40
    assert content.count(b"sheet3.xml") == 0


def test_more_columns_than_are_written_at_once_are_all_there(platform: Platform) -> None:
    wide = world.workspace(platform)
    world.declare_many(platform, wide, 120)
    given_values = {f"q{n}": f"=value {n}" for n in range(0, 120, 7)}
    world.write(platform, wide, [{"userId": "wide", **given_values}])
    known = world.expected(world.shown(platform, wide))
    for kind in KINDS:
        content = world.file(platform, wide, asked(kind))
        assert world.rows(kind, content, wide) == known


def test_events_come_in_the_order_they_were_written(platform: Platform) -> None:
    made = world.workspace(platform)
    properties = {"amount": 12.5, "note": '=1, "2"; 3', "nested": {"list": [1, None]}}
    world.write(platform, made, [{"userId": "asha", "city": "Pune"}])
    world.happen(platform, made, "asha", "Order Completed", properties, "order-1")
    for kind in KINDS:
        content = world.file(platform, made, asked(kind, what="events"))
        created, ordered = world.READERS[kind](content)
        assert created["name"] == "USER_CREATE"
        told = ordered["properties"]
        assert (json.loads(told) if isinstance(told, str) else told) == properties
        plain = {k: ordered[k] for k in ("id", "name", "userId", "recordId", "source")}
        assert plain == {
            "id": "order-1",
            "name": "Order Completed",
            "userId": "asha",
            "recordId": "r1",
            "source": "api",
        }
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}", ordered["timestamp"])


def test_records_that_are_named_are_those_in_the_file(platform: Platform) -> None:
    made = world.workspace(platform)
    world.write(platform, made, [{"userId": name} for name in ("asha", "ravi", "meera")])
    for chosen, names in [(["r3", "r1", "r999"], ["asha", "meera"]), ([], [])]:
        content = world.file(platform, made, asked("csv", columns=["userId"], records=chosen))
        assert [row["userId"] for row in world.READERS["csv"](content)] == names
    with pytest.raises(Invalid, match="no record"):
        world.file(platform, made, asked("csv", records=["asha"]))
