"""Conditions on events, as a sub-select of the people whose events fit.

Events are counted by the record they were written to first, and folded onto living people by the
map of merges after, so that a scan of millions of events never joins the map.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import msgspec
from sqlglot import exp
from sqlglot.expressions import Expr

from user360.records.properties import Type
from user360.segments.compiler import newest
from user360.segments.language import comparisons, operands, operators, periods, sql
from user360.segments.language.comparisons import Operand, Subject
from user360.segments.language.nodes import Compared, EventTest, PathTest
from user360.segments.language.operators import Json, Operator, Takes
from user360.segments.language.periods import During, When


class Source(msgspec.Struct, frozen=True):
    """Where events are: the relation of events, the map of merges or None when it is empty.

    `ordered` is the relation of those events that tell how far back they are (`Warehouse`: `back`),
    or None; `few` says that they are so few that planning costs more than going through all.
    """

    schema: str
    events: str
    merged: str | None
    ordered: str | None = None
    few: bool = False


class _Having(msgspec.Struct, frozen=True):
    """What must hold of the totals over somebody's events: all the tests, or not all of them."""

    tests: tuple[Compared, ...] = ()
    inverted: bool = False

    def over(self, totals: Sequence[Expr]) -> Expr:
        """The test of these totals, one for each."""
        held = sql.all_of(
            operators.TOTALS[test.op].comparison(this=total, expression=sql.number(test.value))
            for test, total in zip(self.tests, totals, strict=True)
        )
        return exp.Not(this=exp.Paren(this=held)) if self.inverted else held


def people(node: EventTest, source: Source, when: When) -> tuple[Expr, bool]:
    """The sub-select of record ids, and whether it holds those the condition is true of.

    Where somebody without any such event fits too, it holds the others: those who do not fit.
    `node.occurred` is left to the caller.
    """
    tests, idle_fit = _tests(node)
    asked = _newest(node, source, when, _least(tests, idle_fit))
    if asked is not None:
        return _by_order(asked), not idle_fit
    if _is_any(tests, idle_fit):
        return _records(node, source, when, _Having()), not idle_fit
    return _records(node, source, when, _Having(tests, idle_fit)), not idle_fit


class Totals(Protocol):
    """Columns in which stands, for each person, what the events that fit a condition come to."""

    def count(self, node: EventTest) -> Expr:
        """How many there are."""

    def sum(self, node: EventTest) -> Expr:
        """What the numbers within them come to; NULL where there are none."""


def by_totals(node: EventTest, totals: Totals) -> tuple[Expr, bool]:
    """The test that says the same as being among `people`, and whether those fit."""
    tests, idle_fit = _tests(node)
    done = exp.GT(this=totals.count(node), expression=sql.number(0))
    if _is_any(tests, idle_fit):
        return done, not idle_fit
    asked = [totals.sum(node) if test.path else totals.count(node) for test in tests]
    return sql.all_of([done, _Having(tests, idle_fit).over(asked)]), not idle_fit


def total(node: EventTest, when: When, rounded: bool) -> Expr:
    """Over all of somebody's events, how many fit; with `node.sum` what is in those that do."""
    fit = sql.all_of(_plain(node.event, node.during, when))
    if node.where:
        # In this order, for what an event holds is read for few of them.
        held = sql.all_of([where(test, when) for test in node.where])
        fit = exp.Case(ifs=[exp.If(this=fit, true=held)])
    if node.sum is None:
        return exp.Filter(this=exp.Count(this=exp.Star()), expression=exp.Where(this=fit))
    number = sql.JsonNumber(this=sql.column("properties"), expressions=_keys(node.sum.keys))
    return sql.ExactSum(this=exp.Case(ifs=[exp.If(this=fit, true=number)]), rounded=rounded)


def folded_total(node: EventTest, name: str) -> Expr:
    """The same over somebody's records, where a column `name` of `e` holds it for each."""
    return _again(node.sum or Compared("gte", 0), name)


def _tests(node: EventTest) -> tuple[tuple[Compared, ...], bool]:
    """What is asked of the totals, and whether somebody without any such event fits."""
    tests = tuple(test for test in (node.count, node.sum) if test is not None)
    return tests, bool(tests) and all(_fits_none(test) for test in tests)


def _fits_none(test: Compared) -> bool:
    """Whether having no event fits; it never does for `gt` and `gte`, as the rule has it."""
    total = operators.TOTALS[test.op]
    return total.idle and total.fits(0, test.value)


def _is_any(tests: tuple[Compared, ...], idle_fit: bool) -> bool:
    """Whether having any event decides, so that nothing need be counted."""
    if not tests:
        return True
    if len(tests) > 1 or tests[0].path:
        return False
    decided = _NONE if idle_fit else _ANY
    return (tests[0].op, tests[0].value) in decided


_ANY = (("gte", 0), ("gte", 1), ("gt", 0), ("isNot", 0))
_NONE = (("is", 0), ("lt", 1), ("lte", 0))

# What a number compared with asks at least for, of those who fit and of those who do not.
_FROM = {"gte": 0, "gt": 1}
_UP_TO = {"lt": 0, "lte": 1}

_RECORD = sql.column("record_id")
_PERSON = sql.call("coalesce", sql.column("survivor_id", "m"), sql.column("record_id", "e"))


def _least(tests: Sequence[Compared], idle_fit: bool) -> int | None:
    """From how many events on somebody is in the sub-select, where nothing else decides."""
    if _is_any(tuple(tests), idle_fit):
        return 1
    if len(tests) > 1 or tests[0].path:
        return None
    more = (_UP_TO if idle_fit else _FROM).get(tests[0].op)
    return None if more is None else int(tests[0].value) + more


def _newest(node: EventTest, source: Source, when: When, least: int | None) -> newest.Asked | None:
    """The question for the newest events, where their order answers it."""
    window = periods.of(node.during, when)
    over = window.end is not None and window.end <= when.now
    if source.ordered is None or least is None or node.where or over:
        return None
    merged = None if source.merged is None else sql.relation(source.schema, source.merged)
    events = sql.relation(source.schema, source.events)
    ordered = sql.relation(source.schema, source.ordered)
    return newest.Asked(events, ordered, merged, node.event, least, window)


def _by_order(asked: newest.Asked) -> Expr:
    """The people who have so many events; `count` groups whoever their order says nothing of."""
    having = _Having((Compared("gte", asked.least),))
    merged = asked.merged
    if merged is None:
        return newest.records(asked, lambda scan: scan, lambda scan: _counted(scan, having))
    return newest.records(
        asked,
        lambda scan: fold(scan, merged.copy()),
        lambda scan: _counted_through(merged.copy(), scan, having),
    )


def _records(node: EventTest, source: Source, when: When, having: _Having) -> Expr:
    """The people who have events that fit, and as many as wanted."""
    scan = _scan(node, source, when)
    if source.merged is None:
        return _counted(scan, having)
    return _counted_through(sql.relation(source.schema, source.merged), scan, having)


def _counted(scan: exp.Select, having: _Having) -> Expr:
    """By record, where every record is a person."""
    scan.set("expressions", [_RECORD.copy()])
    if having.tests:
        totals = [_total(test, rounded=True) for test in having.tests]
        scan.set("group", exp.Group(expressions=[_RECORD.copy()]))
        scan.set("having", exp.Having(this=having.over(totals)))
    return scan


def _counted_through(merged: Expr, scan: exp.Select, having: _Having) -> Expr:
    """By record first, and then by the person that the map of merges names."""
    names = [f"n{i}" for i in range(len(having.tests))]
    totals: list[Expr] = [
        exp.Alias(this=_total(test, rounded=False), alias=sql.name(name))
        for test, name in zip(having.tests, names, strict=True)
    ]
    scan.set("expressions", [_RECORD.copy(), *totals])
    scan.set("group", exp.Group(expressions=[_RECORD.copy()]))
    folded = fold(scan, merged)
    if having.tests:
        totals = [_again(test, name) for test, name in zip(having.tests, names, strict=True)]
        folded.set("group", exp.Group(expressions=[_PERSON.copy()]))
        folded.set("having", exp.Having(this=having.over(totals)))
    return folded


def _scan(node: EventTest, source: Source, when: When) -> exp.Select:
    return scan(node.event, node.where, node.during, source, when)


def scan(
    event: str,
    tests: Iterable[PathTest],
    during: During | None,
    source: Source,
    when: When,
) -> exp.Select:
    """The events of a name, in the period, that fit; plain comparisons, so that zones prune.

    What is selected of them is left open.
    """
    events = exp.From(this=sql.relation(source.schema, source.events))
    return exp.Select(from_=events, where=exp.Where(this=fits(event, tests, during, when)))


def named(names: Iterable[str], during: During | None, source: Source, when: When) -> exp.Select:
    """The events of any of these names, in the period. What is selected of them is left open."""
    is_one = exp.In(this=sql.column("name"), expressions=[sql.text(name) for name in sorted(names)])
    events = exp.From(this=sql.relation(source.schema, source.events))
    held = sql.all_of([is_one, *_in_period(during, when)])
    return exp.Select(from_=events, where=exp.Where(this=held))


def fits(event: str, tests: Iterable[PathTest], during: During | None, when: When) -> Expr:
    """The test of an event: its name, the period, and what it holds. NULL means no."""
    return sql.all_of([*_plain(event, during, when), *(where(test, when) for test in tests)])


def _plain(event: str, during: During | None, when: When) -> list[Expr]:
    """The tests of name and time."""
    is_named = exp.EQ(this=sql.column("name"), expression=sql.text(event))
    return [is_named, *_in_period(during, when)]


def _in_period(during: During | None, when: When) -> list[Expr]:
    window = periods.of(during, when)
    if window == periods.Window():
        return []
    return [comparisons.in_window(sql.column("at"), window)]


def fold(scan: exp.Select, merged: Expr) -> exp.Select:
    """The living people of a select over records: one merged away stands for its survivor."""
    merged.set("alias", exp.TableAlias(this=sql.name("m")))
    on = exp.EQ(this=sql.column("record_id", "m"), expression=sql.column("record_id", "e"))
    return exp.Select(
        expressions=[_PERSON.copy()],
        from_=exp.From(this=exp.Subquery(this=scan, alias=exp.TableAlias(this=sql.name("e")))),
        joins=[exp.Join(this=merged, side="LEFT", on=on)],
    )


def _total(test: Compared, rounded: bool) -> Expr:
    if not test.path:
        return exp.Count(this=exp.Star())
    number = sql.JsonNumber(this=sql.column("properties"), expressions=_keys(test.keys))
    return sql.ExactSum(this=number, rounded=rounded)


def _again(test: Compared, name: str) -> Expr:
    """The total of the totals of several records of one person."""
    each = sql.column(name, "e")
    return sql.ExactSum(this=each, rounded=True) if test.path else exp.Sum(this=each)


def where(test: PathTest, when: When) -> Expr:
    """The condition on one value within an event, over its column `properties`. Never NULL where
    the operator is negative; otherwise NULL means no.
    """
    rows = operators.in_events(test.op)
    asked = [(row, tuple(v for v in test.values if operands.fits(row, v))) for row in rows]
    tests = [
        _holds(row, test, values, when)
        for row, values in asked
        if values or row.takes in (Takes.NOTHING, Takes.AHEAD)
    ]
    held = sql.any_of(tests)
    return sql.is_not_true(held) if rows[0].negative else held


def _holds(row: Operator, test: PathTest, values: tuple[Operand, ...], when: When) -> Expr:
    held = row.comparison(subject(test, row.event or Json.ANY), values, when)
    if row.event is Json.TEXT:
        # Asked last, because it reads the JSON once more and few events get here.
        return sql.all_of([held, _Part(test.keys)(sql.JsonIsText)])
    return held


def subject(test: PathTest, kind: Json) -> Subject:
    """The value that a condition looks at within an event, read as this sort of JSON."""
    return _READ[kind](_Part(test.keys))


class _Part(msgspec.Struct, frozen=True):
    """A place within the properties of an event, to be read as this or that."""

    keys: list[str]

    def __call__(self, kind: type[sql.JsonPart]) -> Expr:
        return kind(this=sql.column("properties"), expressions=_keys(self.keys))


def _keys(keys: Iterable[str]) -> list[Expr]:
    return [sql.text(key) for key in keys]


_READ: dict[Json, Callable[[_Part], Subject]] = {
    Json.ANY: lambda part: Subject(Type.STRING, part(sql.JsonValue)),
    Json.TEXT: lambda part: Subject(Type.STRING, part(sql.JsonText)),
    Json.NUMBER: lambda part: Subject(Type.NUMBER, part(sql.JsonNumber)),
    Json.BOOLEAN: lambda part: Subject(Type.BOOLEAN, part(sql.JsonFlag)),
    Json.TEXTS: lambda part: Subject(Type.LIST, part(sql.JsonTexts)),
    Json.MOMENT: lambda part: Subject(Type.DATETIME, part(sql.JsonInstant), part(sql.JsonWall)),
}
