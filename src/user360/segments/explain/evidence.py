"""What decided the single conditions of a tree: a value, events, steps, being in a segment."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlglot import exp
from sqlglot.expressions import Expr

from user360 import clock
from user360.records.properties import Type
from user360.segments.compiler import compile as compiler
from user360.segments.compiler import events_sql
from user360.segments.compiler.few import People
from user360.segments.explain import timelines
from user360.segments.language import nodes, operators, periods, reading, sql
from user360.segments.language.nodes import Compared, PathTest
from user360.segments.language.periods import During, When
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
    events = _by_leaf(leaves, people)
    reached = _reached(leaves, truths, events, people)
    found: list[Decided] = []
    for i, (leaf, truth) in enumerate(zip(leaves, truths, strict=True)):
        match leaf:
            case nodes.PropertyTest():
                found.append(values[leaf.property])
            case nodes.Membership():
                found.append(of_segment(leaf, truth, segments, since))
            case nodes.Sequence():
                steps = zip(reached[i], events[i], strict=True)
                found.append(tuple(OfStep(*step) for step in steps))
            case _:
                found.append(events[i][0])
    return found


def _by_leaf(leaves: Sequence[nodes.Node], people: People) -> dict[int, list[OfEvents]]:
    """The events of each single condition that asks about some, by its place."""
    asked = [(i, each) for i, leaf in enumerate(leaves) for each in _counted(leaf)]
    found: dict[int, list[OfEvents]] = {}
    for (i, _), events in zip(asked, _events([each for _, each in asked], people), strict=True):
        found.setdefault(i, []).append(events)
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
    row = iter(_totals(asked, people))
    found = []
    for each in asked:
        count, newest, total = next(row), next(row), next(row)
        window = periods.of(each.during, _when(people))
        events = tuple(Happened(name, at, record) for at, _, name, record in newest or ())
        found.append(
            OfEvents(
                name=each.event,
                asked=_asked(each),
                count=count,
                sum=None if each.sum is None else _number(float(total)),
                since=window.start,
                until=window.end,
                events=events,
            )
        )
    return found


def _totals(asked: Sequence[_Counted], people: People) -> tuple[Any, ...]:
    """The number of events, the newest of them and their sum, for each in turn, in one pass."""
    columns = []
    for each in asked:
        fits = compiler.to_sql(_fits(each, people))
        total = sql.number(0) if each.sum is None else _sum(each.sum, _fits(each, people))
        columns += [
            f"count(*) FILTER (WHERE {fits})",
            f'max(row(epoch_us("at"), seq, id, record_id), {MOST_EVENTS}) FILTER (WHERE {fits})',
            compiler.to_sql(total),
        ]
    relation = f"{people.frame.schema}.{people.frame.events}"
    return people.query(f"SELECT {', '.join(columns)} FROM {relation}").rows[0]


def _fits(each: _Counted, people: People) -> Expr:
    """What is counted, as the compiler asks for it."""
    return events_sql.fits(each.event, each.where, each.during, _when(people))


def _sum(test: Compared, fits: Expr) -> Expr:
    keys = [sql.text(key) for key in test.keys]
    number = sql.JsonNumber(this=sql.column("properties"), expressions=keys)
    counted = exp.Case(ifs=[exp.If(this=fits, true=number)])
    return sql.ExactSum(this=counted, rounded=True)


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


def _reached(
    leaves: Sequence[nodes.Node],
    truths: Sequence[bool],
    events: Mapping[int, Sequence[OfEvents]],
    people: People,
) -> dict[int, list[bool]]:
    """Whether each step of each sequence was reached, by the place of the sequence.

    All are when it was completed. Otherwise the last was not, the first is as soon as there is an
    event for it, and what is between, where there are events, is compiled as a sequence of its own.
    """
    reached: dict[int, list[bool]] = {}
    asked: list[tuple[int, nodes.Sequence]] = []
    for i, leaf in enumerate(leaves):
        if isinstance(leaf, nodes.Sequence):
            done, count = truths[i] == leaf.completed, len(leaf.steps)
            reached[i] = [done] * count if done else [events[i][0].count > 0]
            if not done:
                found = itertools.takewhile(lambda each: each.count > 0, events[i])
                asked += [
                    (i, msgspec.structs.replace(leaf, steps=leaf.steps[:n], completed=True))
                    for n in range(2, min(count, len(list(found)) + 1))
                ]
    held = timelines.truths([(each, people.frame.now) for _, each in asked], people)
    for (i, _), truth in zip(asked, held, strict=True):
        reached[i].append(truth)
    for i, steps in reached.items():
        steps += [False] * (len(events[i]) - len(steps))
    return reached
