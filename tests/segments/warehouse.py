"""A warehouse in memory that holds such people, and what the compiler finds in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time
from random import Random
from typing import Any

import duckdb
import msgspec
import pyarrow as pa

from tests.segments.people import CATALOGUE, STATIC, TYPES
from tests.segments.world import Happening, Person, World
from user360.clock import to_us
from user360.segments.compiler import compile as compiler
from user360.segments.compiler.compile import Frame
from user360.segments.following import together
from user360.segments.language import tree
from user360.segments.language.nodes import Node
from user360.storage.warehouse import ORDERED

MERGED, FOLDED, FEW = "w1", "folded", "few"  # schemas
COLUMNS = {
    "records": "id",
    "events": "record_id",
    "members": "record_id",
    "merged": "survivor_id",
}
MEMBERS = {"segment_id": pa.int64(), "record_id": pa.int64()}
PAIRS = {"record_id": pa.int64(), "survivor_id": pa.int64()}


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
        self,
        given: dict[str, Any],
        world: World,
        mapped: bool = True,
        ordered: bool = False,
        few: bool = False,
    ) -> set[int]:
        """The records for which the compiler says the condition holds.

        Where `ordered`, the order in which most events are kept may be used; with `few` all of
        them are gone through, as if they were few.
        """
        place = ORDERED if ordered else None
        frame = msgspec.structs.replace(frame_of(world, mapped), ordered=place, few=few)
        return self.select(given, world, frame)

    def few_ids(self, given: dict[str, Any], world: World) -> set[int]:
        """The same of those who were set apart."""
        frame = msgspec.structs.replace(frame_of(world, mapped=True), schema=FEW, few=True)
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
        # Some of those without a place are sorted already, and some have just come.
        self.connection.execute(
            f"CREATE OR REPLACE TABLE {schema}.{ORDERED} AS"
            f" SELECT * FROM {schema}.events WHERE back > 0 OR seq % 2 = 0"
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
