"""People with awkward values around awkward moments, and a warehouse that holds them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import msgspec
import pyarrow as pa

from tests.segments.world import Happening, Person, World
from user360.clock import to_us
from user360.records.properties import Catalogue, Property, Type
from user360.segments.compiler import compile as compiler
from user360.segments.compiler.compile import Frame
from user360.segments.following import together
from user360.segments.language import tree
from user360.segments.language.nodes import Node

STATIC = 7  # the one static segment there is
MERGED, FOLDED, FEW = "w1", "folded", "few"  # schemas
COLUMNS = {
    "records": "id",
    "events": "record_id",
    "members": "record_id",
    "merged": "survivor_id",
}
MEMBERS = {"segment_id": pa.int64(), "record_id": pa.int64()}
PAIRS = {"record_id": pa.int64(), "survivor_id": pa.int64()}

CATALOGUE = Catalogue(
    [
        Property(101, "points", Type.NUMBER),
        Property(102, "plan", Type.STRING),
        Property(103, "lastVisit", Type.DATETIME),
        Property(104, "wakesAt", Type.TIME),
        Property(105, "site", Type.URL),
    ]
)
TYPES = {p.name: p.type.value for p in CATALOGUE} | dict.fromkeys(
    ("createdAt", "updatedAt"), "datetime"
)
ASKED = {
    "string": ["plan", "country"],
    "number": ["points"],
    "datetime": ["lastVisit", "createdAt", "updatedAt"],
    "date": ["dob"],
    "time": ["wakesAt"],
    "url": ["site"],
    "boolean": ["emailOptin"],
    "list": ["tags"],
    "email": ["email"],
    "phone": ["phone"],
}

TEXTS = [
    "a_b", "aXb", "100%", "%", "_", "É", "é", "ÉCOLE", "İstanbul", "istanbul", "ISTANBUL",
    "O'Brien", 'say "hi"', "back\\slash", "\\", "\\%", "5", "05", "5.0", "true", "null", "NULL",
    "ß", "SS", "ΣΑΣ", "σας", "σασ", "日本", "🤦🏼‍♂️", "in", "IN", "In", "a b", "'; --", "$1", "?",
    "[x]", "{x}",
]  # fmt: skip
NUMBERS = [0, -1, 5, 5.5, 12.5, 0.1, 0.3, -0.25, 999_999_999_999_999, 1e300, -1e-300]
TIMES = ["00:00:00", "00:00:01", "09:30:00", "12:00:00", "23:59:59"]
SITES = ["http://a.example/x", "https://a.example/X", "https://a.example/x?q=%27"]
EMAILS = ["ann@example.com", "bob@mail.example.com", "o'brien@example.org"]
PHONES = ["+919876543210", "+14155552671", "+4930123456"]
EVENTS = ["Purchase", "purchase", "O'Brien's", "Sign Up"]
ODD_KEYS = ['say "hi"', "*", "back\\slash", "it's", "0", "$", "a~/b", "[0]", "é"]
JUNK_MOMENTS = ["today", "2026-13-01", "20260101", "2026-01-01 (BC)", "2026-02-30T10:00:00Z", "", 5]

# Beside the plain ones: the hours where clocks change, leap days, the ends of months and years.
WORLDS = [
    (zone, datetime.fromisoformat(now))
    for zone, now in [
        ("UTC", "2026-11-22T05:40:00Z"),
        ("Europe/Berlin", "2026-03-29T00:59:59.999999Z"),
        ("Europe/Berlin", "2026-03-29T01:00:00Z"),
        ("Europe/Berlin", "2026-03-30T12:30:00Z"),
        ("Europe/Berlin", "2026-10-25T00:30:00Z"),
        ("Europe/Berlin", "2026-10-25T01:30:00.000001Z"),
        ("America/New_York", "2026-03-08T07:15:00Z"),
        ("America/New_York", "2026-11-01T06:15:00Z"),
        ("America/New_York", "2027-01-01T04:59:59.999Z"),
        ("Asia/Kolkata", "2028-02-28T18:30:00Z"),
        ("Asia/Kolkata", "2027-02-28T10:00:00Z"),
        ("Asia/Kolkata", "2028-02-29T10:00:00Z"),
        ("America/Sao_Paulo", "2018-11-04T12:00:00Z"),
        ("America/Sao_Paulo", "2018-02-18T02:30:00Z"),
        ("America/Havana", "2026-11-01T05:30:00Z"),
        ("Australia/Lord_Howe", "2026-04-04T15:15:00Z"),
        ("Pacific/Kiritimati", "2026-05-31T10:00:00Z"),
        ("UTC", "2026-03-31T00:00:00Z"),
    ]
]


def world(zone: str, now: datetime) -> World:
    """The world of the reference, with the properties there are."""
    return World(now, ZoneInfo(zone), TYPES)


@cache
def moments(world: World) -> list[datetime]:
    """The instants at which answers change: now, days, hours, months from it, and their sides."""
    here = world.now.astimezone(world.zone)
    midnights = [
        datetime.combine(here.date() + timedelta(days=n), time(), world.zone)
        for n in (-31, -30, -7, -2, -1, 0, 1, 2, 7, 8)
    ]
    same_time = [
        (here.replace(tzinfo=None, fold=0) + timedelta(days=n)).replace(tzinfo=world.zone)
        for n in (-31, -30, -28, -7, -2, -1, 1, 2, 7, 30)
    ]
    shifted = [
        world.now + timedelta(hours=n, minutes=m)
        for n in (-48, -24, -2, -1, 0, 1, 2, 24)
        for m in (-30, -1, 0, 1)
    ]
    exact = [each.astimezone(UTC) for each in (*midnights, *same_time, *shifted)]
    tick = timedelta(microseconds=1)
    return [side for each in exact for side in (each - tick, each, each + tick)]


@cache
def days(world: World) -> list[str]:
    """Days around today, birthdays, leap days, and the first and last there are."""
    today = world.now.astimezone(world.zone).date()
    near = [today + timedelta(days=n) for n in (-31, -30, -28, -7, -2, -1, 0, 1, 2, 7, 30, 31)]
    born = [date(1990 + n % 3, day.month, min(day.day, 28)) for n, day in enumerate(near)]
    fixed = ["2000-02-29", "1999-02-28", "1996-03-01", "1970-12-31", "0001-01-01", "9999-12-31"]
    return [each.isoformat() for each in (*near, *born)] + fixed


def stored(moment: datetime) -> str:
    """A moment as a property keeps it: UTC, milliseconds."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@cache
def pools(world: World) -> dict[str, list[Any]]:
    """The values that a property of each type may have."""
    return {
        "string": TEXTS,
        "number": NUMBERS,
        "datetime": sorted({stored(each) for each in moments(world)}),
        "date": days(world),
        "time": TIMES,
        "url": SITES,
        "boolean": [True, False],
        "list": [["vip"], ["VIP", "new"], ["a_b", "vip"], ["'", '"'], ["5"]],
        "email": EMAILS,
        "phone": PHONES,
    }


@cache
def written(world: World) -> list[Any]:
    """Moments as events write them: with an offset, by the wall's clock, as a day, or not."""
    found: list[Any] = [*JUNK_MOMENTS, *days(world)[:12]]
    for moment in moments(world)[::2]:
        here = moment.astimezone(world.zone)
        found.append(moment.isoformat().replace("+00:00", "Z"))
        found.append(here.isoformat())
        found.append(here.replace(tzinfo=None).isoformat(" "))
    return found


def population(world: World, seed: int, size: int = 60) -> list[Person]:
    """People with values and events drawn from the pools."""
    random = Random(seed)
    choices, texts = pools(world), written(world)
    at, people = moments(world), []
    for number in range(1, size + 1):
        properties = {
            name: random.choice(choices[kind])
            for kind, names in ASKED.items()
            for name in names
            if random.random() < 0.8 or name in ("createdAt", "updatedAt")
        }
        events = happenings(random, at, texts)
        segments = frozenset([STATIC] if random.random() < 0.5 else [])
        people.append(Person(number, properties, events, segments))
    return people


def happenings(random: Random, at: list[datetime], texts: list[Any]) -> list[Happening]:
    """Events as they arrive: late ones, and some at the very time of the one before."""
    events: list[Happening] = []
    for _ in range(random.choice([0, 0, 1, 2, 3, 6, 12])):
        together = bool(events) and random.random() < 0.3
        moment = events[-1].at if together else random.choice(at)
        name = random.choice(EVENTS[:2] * 3 + EVENTS)
        events.append(Happening(name, moment, held(random, texts)))
    return events


def held(random: Random, texts: list[Any]) -> dict[str, Any]:
    """The properties of an event: every JSON type in every place."""
    anything = [
        5,
        "5",
        5.0,
        0,
        -1,
        2.5,
        0.1,
        0.2,
        None,
        True,
        False,
        "",
        [],
        [5],
        {"sku": "5"},
        1e15,
    ]
    given = {
        "amount": random.choice(anything),
        "flag": random.choice([True, False, None, "true", 1, 0]),
        "at": random.choice(texts),
        "item": {"sku": random.choice([*TEXTS, *anything]), "tags": random.choice(
            [["vip"], ["5", 5, None], [], [["vip"]], "vip", None, ["é", "a_b", "'", '"', "\\"], [1]]
        )},
    }  # fmt: skip
    for key in random.sample(ODD_KEYS, 3):
        given[key] = random.choice(["hit", {"sku": "hit"}, 5, ["hit"]])
    return {key: value for key, value in given.items() if random.random() < 0.85}


def columns(found: duckdb.DuckDBPyConnection) -> list[str]:
    return [described[0] for described in found.description or ()]


class Warehouse:
    """One in-memory warehouse, filled anew for each population.

    In the schema `w1` some of what people did lies under records that were merged into theirs; in
    `folded` everything lies under living people, and nobody was merged.
    """

    def __init__(self) -> None:
        self.connection = duckdb.connect(config={"threads": 1})
        for schema in (MERGED, FOLDED, FEW):
            self.connection.execute(f"CREATE SCHEMA {schema}")

    def fill(self, people: Iterable[Person], random: Random) -> None:
        """Store people; some of what is theirs under records that were merged into theirs."""
        people = list(people)
        ids = {p.number: [p.number] for p in people}
        for number in [n for n in ids if n % 3 == 0]:
            ids[number] += [1000 + number, 2000 + number]
        merged = [(away, into) for into, (_, *others) in ids.items() for away in others]
        happened = [(person.number, event) for person in people for event in person.events]
        events = [(seq, number, event) for seq, (number, event) in enumerate(happened)]
        random.shuffle(events)
        members = [(n, person.number) for person in people for n in sorted(person.segments)]
        for schema, moved in ((MERGED, ids), (FOLDED, {})):
            self._store(schema, "records", _records(people))
            self._store(schema, "events", _events([
                (seq, random.choice(moved.get(number, [number])), event)
                for seq, number, event in events
            ]))  # fmt: skip
            self._put_in_order(schema, random.choice([0, 0.2, 0.9]))
            self._store(schema, "members", _table(MEMBERS, [
                (segment, random.choice(moved.get(number, [number]))) for segment, number in members
            ]))  # fmt: skip
        self._store(MERGED, "merged", _table(PAIRS, merged))
        self._store(FOLDED, "merged", _table(PAIRS, []))

    def set_apart(self, numbers: Iterable[int]) -> None:
        """Copy a few people, with all that was merged into them, to a schema of their own."""
        few = ", ".join(map(str, numbers))
        away = f"SELECT record_id FROM {MERGED}.merged WHERE survivor_id IN ({few})"
        for name, column in COLUMNS.items():
            among = f"{column} IN ({few}) OR {column} IN ({away})"
            self.connection.execute(
                f"CREATE OR REPLACE TABLE {FEW}.{name} AS"
                f" SELECT * FROM {MERGED}.{name} WHERE {among}"
            )

    def ids(
        self, given: dict[str, Any], world: World, mapped: bool = True, ordered: bool = False
    ) -> set[int]:
        """The records for which the compiler says the condition holds.

        Where `ordered`, the order in which most events are kept may be used.
        """
        frame = frame_of(world, mapped)
        if ordered:
            frame = msgspec.structs.replace(frame, ordered=True)
        return self.select(given, world, frame)

    def few_ids(self, given: dict[str, Any], world: World) -> set[int]:
        """The same of those who were set apart."""
        frame = msgspec.structs.replace(frame_of(world, mapped=True), schema=FEW)
        return self.select(given, world, frame)

    def together(
        self, trees: Sequence[dict[str, Any]], world: World, mapped: bool = True
    ) -> list[set[int]]:
        """The records for which each condition holds, asked in one statement that was made ready
        some time before.
        """
        frame = frame_of(world, mapped)
        before = msgspec.structs.replace(frame, now=frame.now - 5_000_003)
        asked = together.Together("duckdb")
        parts = [asked.part(parsed(tree, world), before) for tree in trees]
        asked.statement(parts, before)
        sql, names = asked.statement(parts, frame)
        found = self.connection.execute(sql)
        rows = [dict(zip(columns(found), row, strict=True)) for row in found.fetchall()]
        assert len(rows) == len({row["id"] for row in rows})
        return [{row["id"] for row in rows if row[name]} for name in names]

    def truths(self, given: dict[str, Any], world: World) -> dict[int, bool | None]:
        """The condition as a column, beside every record."""
        frame = frame_of(world, mapped=True)
        held = compiler.to_sql(compiler.condition(parsed(given, world), frame))
        rows = self.connection.execute(f"SELECT id, {held} FROM {frame.schema}.records")
        return dict(rows.fetchall())

    def select(self, given: dict[str, Any], world: World, frame: Frame) -> set[int]:
        """The records that are selected in a frame."""
        selected = compiler.to_sql(compiler.select_ids(parsed(given, world), frame))
        rows = self.connection.execute(selected).fetchall()
        assert len(rows) == len(set(rows))
        return {number for (number,) in rows}

    def _put_in_order(self, schema: str, fresh: float) -> None:
        """Number all but a part of the events, counted back from the newest of record and name."""
        newest = 'PARTITION BY record_id, name, fresh ORDER BY "at" DESC, seq DESC'
        self.connection.execute(
            f"CREATE OR REPLACE TABLE {schema}.events AS"
            f" SELECT * EXCLUDE (fresh), if(fresh, 0, row_number() OVER ({newest})) AS back"
            f" FROM (SELECT *, hash(seq) % 100 < {100 * fresh} AS fresh FROM {schema}.events)"
        )

    def _store(self, schema: str, name: str, table: pa.Table) -> None:
        self.connection.register("given", table)
        self.connection.execute(f"CREATE OR REPLACE TABLE {schema}.{name} AS SELECT * FROM given")
        self.connection.unregister("given")


def parsed(given: dict[str, Any], world: World) -> Node:
    """The tree of a condition that may name the static segment and the dynamic ones there are."""
    return tree.parse(given, CATALOGUE, segments=(STATIC, *world.segments))


def frame_of(world: World, mapped: bool) -> Frame:
    """The frame of the compiler for a world; without a map everything lies under living people."""
    return Frame(
        MERGED if mapped else FOLDED,
        CATALOGUE,
        world.zone,
        to_us(world.now),
        mapped,
        segments={number: parsed(given, world) for number, given in world.segments.items()},
    )


_ARROW = {
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "datetime": pa.timestamp("us"),
    "time": pa.time64("us"),
    "list": pa.list_(pa.string()),
}
_READ: dict[str, Callable[[Any], Any]] = {
    "number": float,
    "date": date.fromisoformat,
    "datetime": lambda text: datetime.fromisoformat(text).replace(tzinfo=None),
    "time": time.fromisoformat,
}


def _records(people: list[Person]) -> pa.Table:
    columns: dict[str, pa.DataType] = {"id": pa.int64()}
    columns |= dict.fromkeys(("created_at", "updated_at"), pa.timestamp("us"))
    columns |= {p.column: _ARROW.get(p.type.value, pa.string()) for p in CATALOGUE}
    names = ["createdAt", "updatedAt", *(p.name for p in CATALOGUE)]
    return _table(
        columns, [(person.number, *(_kept(person, name) for name in names)) for person in people]
    )


def _kept(person: Person, name: str) -> Any:
    value = person.properties.get(name)
    return value if value is None else _READ.get(TYPES[name], lambda same: same)(value)


def _events(events: list[tuple[int, int, Happening]]) -> pa.Table:
    columns = {"seq": pa.int64(), "record_id": pa.int64(), "name": pa.string()}
    columns |= {"at": pa.timestamp("us"), "properties": pa.string()}
    rows = [
        (seq, number, event.name, event.at.replace(tzinfo=None), json.dumps(event.properties))
        for seq, number, event in events
    ]
    return _table(columns, rows)


def _table(columns: dict[str, pa.DataType], rows: list[tuple[Any, ...]]) -> pa.Table:
    by_column = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    arrays = [pa.array(c, kind) for c, kind in zip(by_column, columns.values(), strict=True)]
    return pa.table(arrays, names=list(columns))
