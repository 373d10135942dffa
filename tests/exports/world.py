"""A workspace with a property of every type, people in it, and files read by other libraries."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import python_calamine
from hypothesis import strategies as st

from user360.access.workspaces import Workspace
from user360.exports import making
from user360.exports.asked import Asked
from user360.exports.harmless import restored
from user360.identity import people
from user360.ingest.call import Call, Event, Session
from user360.platform import Platform
from user360.records import declare, listing, values
from user360.records.properties import Type
from user360.storage.ledger import Connection

NUMBERS = itertools.count(1)
People = Sequence[Mapping[str, Any]]

# Texts that files, spreadsheets and engines have trouble with.
AWKWARD = st.sampled_from(
    [
        "=1+1", "-5", "+5", "'", "''=x", "'-", "@a", '"', '""', ",", ";", "a;b", "[", '["a"]', "[]",
        "null", "NULL", "true", "1e5", "9.19E+11", "007", "0x1", "1,5", "nan", "a\\", "\\n", "\\",
        "<r>x</r>", "&amp;", "_x0041_", "_x_x0041_x0042_", "\ufffe\uffff", "\u2028", "É", "日本",
        "2026-11-22", "#REF!", "{}", "a\u00a0b", "😀", "%s", "$1", "http://x.org", "x" * 255,
    ]
)  # fmt: skip
TEXTS = AWKWARD | st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=12)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "firstName": TEXTS,
    "a_text": TEXTS,
    "a_number": st.integers(-(10**14), 10**14)
    | st.sampled_from([0, 0.1, -0.5, 1e20, 1e-7, -1e300, 123456789.012345, 1e15, 999999999999999]),
    "a_boolean": st.booleans(),
    "a_date": st.dates().map(str),
    "a_datetime": st.datetimes(
        min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)
    ).map(str),
    "a_time": st.times().map(lambda time: f"{time:%H:%M:%S}"),
    "a_list": st.lists(TEXTS, max_size=4),
    "a_url": st.sampled_from(["http://x.org/?a=1,2;3", 'https://x.org/"quoted"', "http://x.org/é"]),
    "email": st.sampled_from(["+asha@example.com", "=a@example.com", "é@example.org", "a@b.co"]),
    "phone": st.sampled_from(["+919876543210", "+6834002", "+14155550100"]),
    "tags": st.lists(TEXTS, max_size=3),
}
# Who is called like a number that a spreadsheet has rounded (9.19E+11) is not let in from a file.
ROUNDED = re.compile(r"[0-9.,+-]+[eE]\+?[0-9]+")
USER_IDS = st.none() | TEXTS.filter(
    lambda text: len(text.strip()) > 2 and not ROUNDED.fullmatch(text.strip())
)


@st.composite
def person(draw: st.DrawFn) -> dict[str, Any]:
    """A record's properties, and a userId or none."""
    names = draw(st.sets(st.sampled_from(sorted(VALUES)), min_size=1, max_size=6))
    return {"userId": draw(USER_IDS), **{name: draw(VALUES[name]) for name in sorted(names)}}


def workspace(platform: Platform) -> Workspace:
    """A new workspace with a custom property of every type."""
    made = platform.add_workspace(f"files{next(NUMBERS)}")

    def make(connection: Connection) -> None:
        change = platform.change(connection, made, "test")
        for kind in Type:
            if kind not in (Type.EMAIL, Type.PHONE):
                declare.declare(change, f"a_{'text' if kind is Type.STRING else kind}", kind)

    platform.write(make)
    return made


def call(platform: Platform, into: Workspace, **given: Any) -> Call:
    now = platform.now()
    told: dict[str, Any] = {"source": "api", "ref": "test", "at": now, "message_id": f"{now:020d}"}
    return Call(workspace=into.id, **{**told, **given})


def write(platform: Platform, into: Workspace, those: People) -> None:
    """Write people; those that cannot be are left out."""
    calls = []
    for each in those:
        properties = {name: value for name, value in each.items() if name != "userId"}
        visit = Session("web", f"visit-{next(NUMBERS)}")
        named = {"user_id": each["userId"]} if each["userId"] else {"session": visit}
        calls.append(call(platform, into, properties=properties, **named))
    platform.settle(calls)


def shown(platform: Platform, of: Workspace) -> list[dict[str, Any]]:
    """Every record as the product shows it, in the order they were made."""
    with platform.ledger.read() as connection:
        numbers = listing.numbers(connection, of.id, 0, 100_000)
        return people.many(connection, platform.ledger.dialect, of, numbers)


def expected(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What a file of these records holds: userId and the known properties."""
    return [
        {**({"userId": r["userId"]} if r["userId"] else {}), **r["properties"]} for r in records
    ]


def file(
    platform: Platform, of: Workspace, asked: Asked, reached: Callable[[int], None] | None = None
) -> bytes:
    """The bytes of a file that shows all that is committed."""
    tell = reached or (lambda _rows: None)
    last = platform.committer.position.last
    with making.begun(platform, of, asked, tell, last) as made:
        return b"".join(made.parts)


def rows(kind: str, content: bytes, of: Workspace) -> list[dict[str, Any]]:
    """A file's rows as `values.parse` makes them of its cells; what has no value is left out."""
    told = READERS[kind](content)
    read = [
        {name: _value(of, name, cell) for name, cell in row.items() if cell not in (None, "")}
        for row in told
    ]
    return [{name: value for name, value in row.items() if value is not None} for row in read]


def _value(of: Workspace, name: str, cell: Any) -> Any:
    declared = of.catalogue.by_name.get(name)
    return cell if declared is None else values.parse(declared.type, cell, UTC)


def _csv(content: bytes) -> list[dict[str, Any]]:
    read = csv.DictReader(io.StringIO(content.decode(), newline=""), strict=True)
    return [{name: restored(cell) for name, cell in row.items()} for row in read]


def _jsonl(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.split(b"\n") if line]


def _xlsx(content: bytes) -> list[dict[str, Any]]:
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    found: list[dict[str, Any]] = []
    for name in book.sheet_names:
        header, *told = book.get_sheet_by_name(name).to_python()
        found += [
            {
                str(column): restored(cell) if isinstance(cell, str) else cell
                for column, cell in zip(header, row, strict=True)
            }
            for row in told
        ]
    return found


def _parquet(content: bytes) -> list[dict[str, Any]]:
    table = pq.read_table(io.BytesIO(content))
    return [
        {name: _plain(value, table.schema.field(name).type) for name, value in row.items()}
        for row in table.to_pylist()
    ]


def _plain(value: Any, kind: pa.DataType) -> Any:
    if value is not None and (pa.types.is_temporal(kind)):
        return value.isoformat()
    return value


def _packed(content: bytes) -> list[dict[str, Any]]:
    return _jsonl(gzip.decompress(content))


READERS: dict[str, Callable[[bytes], list[dict[str, Any]]]] = {
    "csv": _csv,
    "jsonl": _jsonl,
    "xlsx": _xlsx,
    "parquet": _parquet,
    "jsonl.gz": _packed,
}


def declare_many(platform: Platform, into: Workspace, count: int) -> None:
    """Declare texts `q0`, `q1` and so on."""

    def make(connection: Connection) -> None:
        change = platform.change(connection, into, "test")
        settings = msgspec.structs.replace(into.settings, property_limit=2 * count)
        into.apply(settings)
        for n in range(count):
            declare.declare(change, f"q{n}", Type.STRING)

    platform.write(make)


def happen(
    platform: Platform, into: Workspace, user_id: str, name: str, properties: Any, number: str
) -> None:
    """Let an event happen to a user."""
    event = Event(name, properties, number)
    (outcome,) = platform.settle([call(platform, into, user_id=user_id, event=event)])
    assert outcome.problem is None
