from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import msgspec
import pyarrow as pa
import pytest
import sqlalchemy as sa

from user360.clock import StillClock
from user360.errors import Conflict, Invalid
from user360.events import store as event_store
from user360.identity import store as identity_store
from user360.ingest import bulk
from user360.ingest.call import Call, Event
from user360.platform import Platform
from user360.records import settle
from user360.records import store as record_store
from user360.records.properties import Catalogue, Property, Type
from user360.storage.warehouse import Rows

AT = 1_790_000_000_000_000
DECLARED = [
    Property(101, "plan", Type.STRING),
    Property(102, "spent", Type.NUMBER),
    Property(103, "seenAt", Type.DATETIME),
    Property(104, "wakes", Type.TIME),
]
PEOPLE: list[dict[str, Any]] = [
    {
        "user_id": "asha",
        "plan": 'pro "x"',
        "spent": 12.0,
        "dob": datetime.date(1990, 2, 28),
        "seenAt": datetime.datetime(2026, 1, 2, 3, 4, 5),
        "wakes": datetime.time(6, 30),
        "tags": ["b", "a", "b"],
        "emailOptin": True,
    },
    {"user_id": "Bjørn", "plan": "", "spent": None, "tags": [], "emailOptin": False},
    {"user_id": None, "plan": "free", "spent": 0.5},
]
KEPT: dict[str, Any] = {
    "plan": 'pro "x"',
    "spent": 12,
    "dob": "1990-02-28",
    "seenAt": "2026-01-02T03:04:05.000Z",
    "wakes": "06:30:00",
    "tags": ["b", "a"],
    "emailOptin": True,
}
DONE: list[dict[str, Any]] = [
    {"user_id": "asha", "name": "Purchase", "at": AT, "id": "e1", "properties": '{"amount": 5}'},
    {"user_id": "Bjørn", "name": "Purchase", "at": AT + 1, "id": "e2", "properties": '{"a":"x"}'},
    {"user_id": "Bjørn", "name": "Seen", "at": AT + 2, "id": None, "properties": None},
]
PEOPLE_SCHEMA = pa.schema(
    [
        ("user_id", pa.string()),
        ("plan", pa.string()),
        ("spent", pa.float64()),
        ("dob", pa.date32()),
        ("seenAt", pa.timestamp("us")),
        ("wakes", pa.time64("us")),
        ("tags", pa.list_(pa.string())),
        ("emailOptin", pa.bool_()),
    ]
)
DONE_SCHEMA = pa.schema(
    [
        ("user_id", pa.string()),
        ("name", pa.string()),
        ("at", pa.int64()),
        ("id", pa.string()),
        ("properties", pa.string()),
    ]
)


def people(rows: list[dict[str, Any]]) -> list[pa.RecordBatch]:
    return [pa.RecordBatch.from_pylist(rows, schema=PEOPLE_SCHEMA)]


def done(rows: list[dict[str, Any]]) -> list[pa.RecordBatch]:
    return [pa.RecordBatch.from_pylist(rows, schema=DONE_SCHEMA)]


@pytest.fixture
def platform(clock: StillClock) -> Iterator[Platform]:
    with Platform.temporary(clock=clock) as running:
        declare(running)
        yield running


def declare(platform: Platform) -> None:
    def job(connection: sa.Connection) -> None:
        for declared in DECLARED:
            record_store.save_property(connection, platform.default.id, declared, 0)
        platform.default.catalogue = Catalogue(DECLARED)

    platform.write(job)


def ask(platform: Platform, sql: str) -> Rows:
    return platform.wait().query(sql)


def cells_of(platform: Platform, user_id: str) -> dict[str, settle.Cell]:
    with platform.ledger.read() as connection:
        query = sa.text("SELECT id FROM records WHERE user_id = :user_id")
        number = connection.execute(query, {"user_id": user_id}).scalar_one()
        forest = identity_store.load_forest(connection, platform.ledger.dialect, [number], [])
    return settle.view(forest, number)


def called(platform: Platform, user_id: str, **how: Any) -> Call:
    number = platform.default.id
    return Call(
        workspace=number, source="csv", ref="bulk", at=AT, message_id="m", user_id=user_id, **how
    )


def test_loaded_people_are_as_if_they_had_been_called_in(platform: Platform) -> None:
    bulk.load(platform, platform.default, people(PEOPLE[:1]), [])
    (outcome,) = platform.settle([called(platform, "twin", properties=KEPT)])
    assert outcome.problem is None
    loaded, twin = cells_of(platform, "asha"), cells_of(platform, "twin")
    assert {n: c.value for n, c in loaded.items()} == {n: c.value for n, c in twin.items()} == KEPT
    assert {(c.source, c.ref) for c in loaded.values()} == {("csv", "bulk")}
    columns = "p101, p102, p12, p103, p104, p16, p13"
    both = ask(platform, f"SELECT {columns} FROM w1.records ORDER BY id").rows
    assert both[0] == both[1]
    created = ask(platform, "SELECT properties FROM w1.events WHERE name = 'USER_CREATE'").rows
    states = [msgspec.json.decode(text) for (text,) in created]
    assert [{**s, "id": 0, "userId": 0} for s in states] == [{"id": 0, "userId": 0, **KEPT}] * 2


def test_people_without_a_user_id_and_without_values_are_loaded_too(platform: Platform) -> None:
    told = bulk.load(platform, platform.default, people(PEOPLE), [])
    assert told == bulk.Loaded(records=3, events=0, duplicates=0)
    rows = ask(platform, "SELECT user_id, p101, p102, p13 FROM w1.records ORDER BY id").rows
    assert rows == [
        ("asha", 'pro "x"', 12.0, True),
        ("Bjørn", None, None, False),
        (None, "free", 0.5, None),
    ]


def test_loaded_events_stand_where_calls_put_them(platform: Platform) -> None:
    bulk.load(platform, platform.default, people(PEOPLE[:1]), done(DONE))
    rows = ask(
        platform,
        'SELECT r.user_id, e.name, epoch_us(e."at"), e.properties FROM w1.events e'
        " JOIN w1.records r ON r.id = e.record_id WHERE name <> 'USER_CREATE' ORDER BY seq",
    ).rows
    assert rows == [
        ("asha", "Purchase", AT, '{"amount": 5}'),
        ("Bjørn", "Purchase", AT + 1, '{"a":"x"}'),
        ("Bjørn", "Seen", AT + 2, "{}"),
    ]
    again = called(platform, "asha", event=Event("Purchase", {"amount": 5}, id="e1"))
    assert platform.settle([again])[0].status == "duplicate"


def test_definitions_know_what_was_loaded(platform: Platform) -> None:
    bulk.load(platform, platform.default, [], done(DONE))
    platform.settle([called(platform, "x", event=Event("Purchase", {"a": 1, "b": []}, id="e9"))])
    with platform.ledger.read() as connection:
        stored = event_store.load_definitions(connection, platform.default.id)
    assert stored["Purchase"].volume == 3
    assert stored["Purchase"].properties == {
        "amount": ["number"],
        "a": ["string", "number"],
        "b": ["list"],
    }
    assert (stored["Seen"].first_seen, stored["Seen"].volume) == (AT + 2, 1)


def test_loading_again_stores_nothing_twice(platform: Platform) -> None:
    first = bulk.load(platform, platform.default, [], done(DONE[:2] + DONE[:1]))
    assert (first.events, first.duplicates) == (2, 1)
    new = {**DONE[0], "id": "e3"}
    second = bulk.load(platform, platform.default, [], done([*DONE[:2], new]))
    assert (second.events, second.duplicates) == (1, 2)
    assert ask(platform, "SELECT id FROM w1.events WHERE name = 'Purchase' ORDER BY id").rows == [
        ("e1",),
        ("e2",),
        ("e3",),
    ]
    with platform.ledger.read() as connection:
        stored = event_store.load_definitions(connection, platform.default.id)
    assert stored["Purchase"].volume == 3


def test_a_user_id_that_exists_is_refused_by_its_row_and_not_by_its_name(
    platform: Platform,
) -> None:
    platform.settle([called(platform, "asha")])
    with pytest.raises(Conflict) as caught:
        bulk.load(platform, platform.default, people([PEOPLE[1], PEOPLE[0], PEOPLE[1]]), [])
    assert [f.path for f in caught.value.faults] == ["records.1.user_id", "records.2.user_id"]
    assert "asha" not in str(caught.value.faults)
    told = bulk.load(platform, platform.default, people(PEOPLE[1:]), [])
    assert told.records == 2
    assert ask(platform, "SELECT count(*) FROM w1.records").rows == [(3,)]


def test_columns_that_are_no_properties_are_all_named(platform: Platform) -> None:
    batch = pa.RecordBatch.from_pylist([{"user_id": "a", "nope": 1, "createdAt": 2, "plan": "x"}])
    with pytest.raises(Invalid) as caught:
        bulk.load(platform, platform.default, [batch], [])
    assert [f.path for f in caught.value.faults] == ["nope", "createdAt"]


@pytest.mark.parametrize("properties", ["[1]", "{", "5"])
def test_properties_that_are_no_object_are_refused(platform: Platform, properties: str) -> None:
    with pytest.raises(Invalid, match="JSON objects"):
        bulk.load(platform, platform.default, [], done([{**DONE[0], "properties": properties}]))
    assert ask(platform, "SELECT count(*) FROM w1.events").rows == [(0,)]


def test_the_server_goes_on_between_transactions(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "EVENTS_AT_ONCE", 10)
    answered: list[str] = []

    def told(_what: str, count: int) -> None:
        (outcome,) = platform.settle([called(platform, f"live{count}")])
        answered.append(outcome.status)

    many = [{**DONE[0], "id": f"n{n}", "user_id": f"u{n % 7}"} for n in range(45)]
    bulk.load(platform, platform.default, [], done(many), told)
    assert answered == ["created"] * 5
    rows = ask(platform, "SELECT count(*), count(DISTINCT seq) FROM w1.events").rows
    assert rows == [(45 + 7 + 5, 45 + 7 + 5)]


def test_after_a_large_load_every_event_is_in_its_place(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "ORDERED_FROM", 3)
    bulk.load(platform, platform.default, people(PEOPLE), done(DONE[:2]))
    assert ask(platform, "SELECT max(back) FROM w1.events").rows == [(0,)]
    more = [{**DONE[0], "id": f"more{n}", "at": AT - n} for n in range(1, 4)]
    bulk.load(platform, platform.default, [], done(more))
    rows = ask(platform, "SELECT id, back FROM w1.events WHERE name = 'Purchase' ORDER BY 1").rows
    assert rows == [("e1", 1), ("e2", 1), ("more1", 2), ("more2", 3), ("more3", 4)]
