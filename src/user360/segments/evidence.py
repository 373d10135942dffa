"""What decided the single conditions of a tree: a value, events, steps, being in a segment."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlglot import exp
from sqlglot.expressions import Expr

from user360 import clock
from user360.records.properties import Type
from user360.segments import compile as compiler
from user360.segments import events_sql, nodes, operators, periods, reading, sql, timelines
from user360.segments.few import People
from user360.segments.nodes import Compared, PathTest
from user360.segments.periods import During, When
from user360.segments.store import Segment

MOST_EVENTS = 10


class Happened(msgspec.Struct, frozen=True):
    """One event: its id, when (microseconds), the record it was written to."""

    id: str
    at: int
    record: int


class OfProperty(msgspec.Struct, frozen=True):
    """The value of a property as the API shows it; None where it is unknown."""

    name: str
    type: str
    value: Any


class OfEvents(msgspec.Struct, frozen=True):
    """The events that fit: how many, what they add up to, the newest of them.

    `asked` says what they were compared with; they were looked for from `since`, included, to
    `until`, not included, in microseconds. None: open on that side.
    """

    name: str
    asked: str
    count: int
    sum: float | None
    since: int | None
    until: int | None
    events: tuple[Happened, ...]


class OfStep(msgspec.Struct, frozen=True):
    """One step: whether all up to it were done in order and in time, and the events that fit it."""

    reached: bool
    events: OfEvents


class OfSegment(msgspec.Struct, frozen=True):
    """A segment: whether somebody is in it, and since when as far as that is stored."""

    number: int
    name: str | None
    kind: str
    inside: bool
    since: int | None


Decided = OfProperty | OfEvents | tuple[OfStep, ...] | OfSegment


class _Counted(msgspec.Struct, frozen=True):
    """Events of a name that are to be counted and shown."""

    event: str
    where: tuple[PathTest, ...]
    during: During | None
    count: Compared | None = None
    sum: Compared | None = None
    occurred: bool = True


def of_leaves(
    leaves: Sequence[nodes.Node],
    truths: Sequence[bool],
    people: People,
    segments: Mapping[int, Segment],
    since: Mapping[int, int],
) -> list[Decided]:
    """What decided each single condition for the one person that `people` holds.

    `segments` are those of the workspace by number, `since` is what `entered` answers.
    """
    values = _values([each for each in leaves if isinstance(each, nodes.PropertyTest)], people)
    events = iter(_events([asked for each in leaves for asked in _counted(each)], people))
    reached = iter(_reached(leaves, people))
    found: list[Decided] = []
    for leaf, truth in zip(leaves, truths, strict=True):
        match leaf:
            case nodes.PropertyTest():
                found.append(values[leaf.property])
            case nodes.EventTest():
                found.append(next(events))
            case nodes.Sequence():
                steps = (OfStep(next(reached), next(events)) for _ in leaf.steps)
                found.append(tuple(steps))
            case nodes.Membership():
                found.append(of_segment(leaf, truth, segments, since))
            case _:
                raise AssertionError(leaf)
    return found


def of_segment(
    node: nodes.Membership,
    truth: bool,
    segments: Mapping[int, Segment],
    since: Mapping[int, int],
) -> OfSegment:
    """What is known of a segment that a condition names, where the condition is `truth`."""
    segment, inside = segments.get(node.segment), truth == node.inside
    return OfSegment(
        number=node.segment,
        name=None if segment is None else segment.name,
        kind="static" if segment is None else segment.kind,
        inside=inside,
        since=since.get(node.segment) if inside else None,
    )


def entered(people: People) -> dict[int, int]:
    """Since when the one person is a stored member of which segment."""
    rows = people.query(
        "SELECT segment_id, epoch_us(min(since)) FROM"
        f" {people.frame.schema}.members GROUP BY segment_id"
    ).rows
    return {segment: at for segment, at in rows}  # noqa: C416 - rows are no pairs to the types


def _values(tests: Sequence[nodes.PropertyTest], people: People) -> dict[str, OfProperty]:
    frame = people.frame
    found = {each.property: reading.property_of(each.property, frame.catalogue) for each in tests}
    named = {name: each for name, each in found.items() if each is not None}
    if not named:
        return {}
    columns = ", ".join(compiler.column_of(each) for each in named.values())
    row = people.query(f"SELECT {columns} FROM {frame.schema}.records").rows[0]
    return {
        name: OfProperty(name, each.type.value, shown(each.type, value))
        for (name, each), value in zip(named.items(), row, strict=True)
    }


def shown(kind: Type, value: Any) -> Any:
    """A value of the warehouse as the API shows it."""
    return None if value is None else _SHOWN.get(kind, _same)(value)


def _same(value: Any) -> Any:
    return value


def _number(value: float) -> int | float:
    return int(value) if value.is_integer() and abs(value) < 1e15 else value


def _moment(value: datetime.datetime) -> str:
    return clock.to_iso(clock.to_us(value.replace(tzinfo=datetime.UTC)))


_SHOWN: Mapping[Type, Callable[[Any], Any]] = {
    Type.NUMBER: _number,
    Type.DATE: datetime.date.isoformat,
    Type.DATETIME: _moment,
    Type.TIME: datetime.time.isoformat,
}


def _counted(leaf: nodes.Node) -> Iterable[_Counted]:
    if isinstance(leaf, nodes.EventTest):
        more = (leaf.count, leaf.sum, leaf.occurred)
        return [_Counted(leaf.event, leaf.where, leaf.during, *more)]
    if isinstance(leaf, nodes.Sequence):
        return [_Counted(step.event, step.where, leaf.during) for step in leaf.steps]
    return []


def _events(asked: Sequence[_Counted], people: People) -> list[OfEvents]:
    if not asked:
        return []
    totals = _totals(asked, people)
    newest = _newest(asked, people)
    found = []
    for i, each in enumerate(asked):
        count, added = totals[2 * i], totals[2 * i + 1]
        window = periods.of(each.during, _when(people))
        said = _asked(each)
        total = None if each.sum is None else _number(float(added))
        found.append(
            OfEvents(each.event, said, count, total, window.start, window.end, tuple(newest[i]))
        )
    return found


def _totals(asked: Sequence[_Counted], people: People) -> tuple[Any, ...]:
    """The number of events and their sum, for each in turn, in one statement."""
    columns: list[Expr] = []
    for each in asked:
        columns.append(_total(each, exp.Count(this=exp.Star()), people))
        columns.append(sql.number(0) if each.sum is None else _total(each, _sum(each.sum), people))
    return people.query(compiler.to_sql(exp.Select(expressions=columns))).rows[0]


def _total(each: _Counted, total: Expr, people: People) -> Expr:
    scan = _scan(each, people)
    scan.set("expressions", [total])
    return exp.Subquery(this=scan)


def _sum(test: Compared) -> Expr:
    keys = [sql.text(key) for key in test.keys]
    number = sql.JsonNumber(this=sql.column("properties"), expressions=keys)
    return sql.ExactSum(this=number, rounded=True)


def _newest(asked: Sequence[_Counted], people: People) -> list[list[Happened]]:
    """The newest few events for each, in one statement."""
    parts = []
    for i, each in enumerate(asked):
        scan = _scan(each, people)
        scan.set("expressions", [sql.column(name) for name in ("id", "at", "seq", "record_id")])
        text = compiler.to_sql(scan)
        parts.append(
            f"(SELECT {i} AS i, * FROM ({text}) AS f{i}"
            f' ORDER BY "at" DESC, seq DESC LIMIT {MOST_EVENTS})'
        )
    rows = people.query(
        f'SELECT i, id, epoch_us("at"), record_id FROM ({" UNION ALL ".join(parts)}) AS found'
        ' ORDER BY i, "at" DESC, seq DESC'
    ).rows
    found: list[list[Happened]] = [[] for _ in asked]
    for i, event_id, at, record in rows:
        found[i].append(Happened(event_id, at, record))
    return found


def _scan(each: _Counted, people: People) -> exp.Select:
    source = events_sql.Source(people.frame.schema, people.frame.events, None)
    return events_sql.scan(each.event, each.where, each.during, source, _when(people))


def _when(people: People) -> When:
    return When(people.frame.now, people.frame.zone)


def _asked(each: _Counted) -> str:
    """What was asked of the events: `at least 3 times, adding up to more than 100`."""
    said = []
    if each.count is not None:
        times = "time" if each.count.value == 1 else "times"
        said.append(f"{operators.TOTALS[each.count.op].label} {each.count.value} {times}")
    if each.sum is not None:
        said.append(f"adding up to {operators.TOTALS[each.sum.op].label} {each.sum.value}")
    if not said:
        return "at least once" if each.occurred else "never"
    return f"{'' if each.occurred else 'not '}{', '.join(said)}"


def _reached(leaves: Sequence[nodes.Node], people: People) -> list[bool]:
    """Whether each step of each sequence was reached: what is asked up to it, compiled."""
    asked: list[nodes.Node] = []
    for leaf in leaves:
        if isinstance(leaf, nodes.Sequence):
            first = leaf.steps[0]
            asked.append(nodes.EventTest(first.event, where=first.where, during=leaf.during))
            asked += [
                msgspec.structs.replace(leaf, steps=leaf.steps[:count], completed=True)
                for count in range(2, len(leaf.steps) + 1)
            ]
    return timelines.truths([(each, people.frame.now) for each in asked], people)
