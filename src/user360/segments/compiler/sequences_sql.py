"""Sequences of events, as a sub-select of the people who completed them.

Every step is one scan. Within a time, the steps are first thinned from the last to the first: an
event stays when its person did the following step in the same stretch of time or the next. Then
they are chained from the first to the last: an event takes from the latest of the step before it
when the chain began. Later is better whatever follows, so one beginning an event is enough. With
no limit the earliest end of a chain is all there is to know of a person.

Of few events all are looked through at once, each with when the latest chain before it began.

Events of one person are ordered by time, then by arrival, whatever record they were written to.
"""

from __future__ import annotations

import msgspec
from sqlglot import exp
from sqlglot.expressions import Expr

from user360 import clock
from user360.segments.compiler import events_sql
from user360.segments.compiler.events_sql import Source
from user360.segments.language import periods, sql
from user360.segments.language.nodes import Sequence, Step
from user360.segments.language.periods import Span, When

# No two events lie further apart than this.
_EVER = 11_000 * 366 * 24 * 3600 * clock.SECOND
_SHORTEST_STRETCH = 3600 * clock.SECOND
# Keys of stretches lie so far apart. Where numbers of records are higher still two keys may fall
# together, and an event is kept that thinning might have left out.
_APART = 1 << 33

_STEP, _CHAIN = "step%d", "chain"
_AT, _SEQ, _KEY = sql.column("at"), sql.column("seq"), sql.column("key")
_PERSON, _START, _TURN = sql.column("person"), sql.column("start"), sql.column("turn")
_PERSON_OF_E = sql.column("person", "e")


class _Asked(msgspec.Struct, frozen=True):
    """A sequence with what it is asked of."""

    node: Sequence
    source: Source
    when: When


def people(node: Sequence, source: Source, when: When) -> Expr:
    """The sub-select of the ids of people who did the steps; `node.completed` is the caller's."""
    asked = _Asked(node, source, when)
    longest = periods.longest(node.within) if node.within else _EVER
    within = None if longest >= _EVER else node.within
    if source.few:
        return _at_once(asked, within, longest)
    return _whenever(asked) if within is None else _within(asked, within, longest)


def _at_once(asked: _Asked, within: Span | None, longest: int) -> Expr:
    """All steps in one pass over the events.

    Of the chains that an event may go on with the latest before it is enough, and none is left out
    on the way that was begun too early: it can only be too early at the end.
    """
    *steps, last = (sql.column(_STEP % i) for i in range(1, len(asked.node.steps) + 1))
    found, start = _told_apart(asked), _AT
    for i, step in enumerate(steps):
        reached = exp.Case(ifs=[exp.If(this=step.copy(), true=start.copy())])
        rest = [*steps[i + 1 :], last]
        begun = sql.alias(sql.last_before(reached, _PERSON, [_AT, _SEQ]), "start")
        found = _from(sql.subquery(found, "e"), _PERSON, _AT, _SEQ, *rest, begun)
        start = _START
    in_time = [sql.is_not_null(_START.copy())]
    if within is not None:
        in_time = [_coarsely(longest), _exactly(within, asked.when)]
    done = _from(sql.subquery(found, "e"), _PERSON)
    done.set("where", exp.Where(this=sql.all_of([last, *in_time])))
    return done


def _told_apart(asked: _Asked) -> exp.Select:
    """The events of all steps, each with its living person and which of the steps it is."""
    node, when = asked.node, asked.when
    scan = events_sql.named({step.event for step in node.steps}, node.during, asked.source, when)
    steps = [
        sql.alias(events_sql.fits(step.event, step.where, None, when), _STEP % i)
        for i, step in enumerate(node.steps, 1)
    ]
    scan.set("expressions", [_AT.copy(), _SEQ.copy(), *steps])
    return _with_people(scan, asked.source)


def _whenever(asked: _Asked) -> Expr:
    """Each step some time after the one before: by the earliest place at which it can end."""
    first, *between, last = (_placed(asked, step) for step in asked.node.steps)
    ends = _earliest(_from(first, _PERSON_OF_E))
    for step in between:
        ends = _earliest(_after(step, ends))
    return _after(last, ends)


def _placed(asked: _Asked, step: Step) -> Expr:
    """The events of a step, each with its place in the order of all."""
    place = sql.alias(sql.Place(this=_AT.copy(), seq=_SEQ.copy()), "place")
    return sql.subquery(_from(sql.subquery(_events(asked, step), "s"), _PERSON, place), "e")


def _earliest(select: exp.Select) -> exp.Select:
    """The earliest place for each person among what is selected from `e`."""
    earliest = sql.alias(exp.Min(this=sql.column("place", "e")), "place")
    select.set("expressions", [_PERSON_OF_E.copy(), earliest])
    select.set("group", exp.Group(expressions=[_PERSON_OF_E.copy()]))
    return select


def _after(step: Expr, ends: exp.Select) -> exp.Select:
    """The people with an event of a step after their chain has ended."""
    same = exp.EQ(this=_PERSON_OF_E.copy(), expression=sql.column("person", "d"))
    later = exp.GT(this=sql.column("place", "e"), expression=sql.column("place", "d"))
    select = _from(step, _PERSON_OF_E)
    on = sql.all_of([same, later])
    select.set("joins", [exp.Join(this=sql.subquery(ends, "d"), on=on)])
    return select


def _within(asked: _Asked, within: Span, longest: int) -> Expr:
    """All steps in a time, which is at most `longest` microseconds."""
    first, *_, final = asked.node.steps
    last = len(asked.node.steps)
    named = [(_STEP % last, _keyed(asked, final, longest))]
    for i in range(last - 1, 1, -1):
        thinned = _near(_keyed(asked, asked.node.steps[i - 1], longest), _STEP % (i + 1), -_APART)
        named.append((_STEP % i, thinned))
    chain = _near(_keyed(asked, first, longest), _STEP % 2, -_APART)
    chain.append("expressions", sql.alias(_AT, "start"))
    coarse = _coarsely(longest)
    for i in range(2, last):
        chain = _chained(sql.subquery(chain, "d"), _all(_STEP % i), coarse)
    named.append((_CHAIN, chain))
    ends = _near(_all(_STEP % last), _CHAIN, _APART)
    found = _chained(sql.named(_CHAIN), ends, sql.all_of([coarse, _exactly(within, asked.when)]))
    found.set("expressions", [_PERSON.copy()])
    found.set("with_", sql.with_(named))
    return found


def _coarsely(longest: int) -> Expr:
    """The chain may have begun in time, without asking the calendar."""
    earliest = sql.Ago(this=_AT.copy(), amount=longest, unit="microseconds")
    return exp.GTE(this=_START.copy(), expression=earliest)


def _exactly(within: Span, when: When) -> Expr:
    """The chain began at most so long before its last event, reckoned as `periods.last` does."""
    zone = sql.text(when.zone.key)
    earliest = sql.Ago(this=_AT.copy(), amount=within.amount, unit=within.unit, zone=zone)
    return exp.GTE(this=_START.copy(), expression=earliest)


def _keyed(asked: _Asked, step: Step, longest: int) -> exp.Select:
    """The events of a step, each with the key of its person and stretch of time."""
    length = sql.number(max(longest, _SHORTEST_STRETCH))
    stretch = exp.Mul(
        this=sql.Stretch(this=_AT.copy(), length=length), expression=sql.number(_APART)
    )
    key = sql.alias(exp.Add(this=stretch, expression=_PERSON.copy()), "key")
    return _from(sql.subquery(_events(asked, step), "e"), _PERSON, _AT, _SEQ, key)


def _near(select: exp.Select, others: str, apart: int) -> exp.Select:
    """What is selected, where the person has one of `others` in the same stretch or next to it."""
    beside = exp.Add(this=_KEY.copy(), expression=sql.number(apart))
    keys = sql.union_all(
        [_from(sql.named(others), _KEY), _from(sql.named(others), sql.alias(beside, "key"))]
    )
    select.set("where", exp.Where(this=sql.within(_KEY.copy(), keys)))
    return select


def _chained(chain: Expr, step: exp.Select, in_time: Expr) -> exp.Select:
    """The events of a step that go on with a chain which began in time."""
    null = sql.alias(exp.Cast(this=exp.Null(), to=sql.TIMESTAMP.copy()), "start")
    before = _from(chain, _PERSON, _AT, _SEQ, _KEY, _START, _tagged(1))
    after = _from(sql.subquery(step, "e"), _PERSON, _AT, _SEQ, _KEY, null, _tagged(2))
    # An event that is both comes after itself backwards, so that it cannot follow itself.
    order = [_AT, _SEQ, exp.Ordered(this=_TURN.copy(), desc=True)]
    start = sql.alias(sql.last_before(_START, _PERSON, order), "start")
    both = sql.subquery(sql.union_all([before, after]), "both")
    met = _from(both, _PERSON, _AT, _SEQ, _KEY, start, _TURN)
    chained = _from(sql.subquery(met, "met"), _PERSON, _AT, _SEQ, _KEY, _START)
    is_step = exp.EQ(this=_TURN.copy(), expression=sql.number(2))
    chained.set("where", exp.Where(this=sql.all_of([is_step, in_time.copy()])))
    return chained


def _tagged(turn: int) -> Expr:
    return sql.alias(sql.number(turn), "turn")


def _all(relation: str) -> exp.Select:
    return _from(sql.named(relation), _PERSON, _AT, _SEQ, _KEY)


def _from(relation: Expr, *columns: Expr) -> exp.Select:
    return exp.Select(
        expressions=[column.copy() for column in columns], from_=exp.From(this=relation)
    )


def _events(asked: _Asked, step: Step) -> exp.Select:
    """The events of a step, each with the living person it counts for."""
    source = asked.source
    scan = events_sql.scan(step.event, step.where, asked.node.during, source, asked.when)
    scan.set("expressions", [_AT.copy(), _SEQ.copy()])
    return _with_people(scan, source)


def _with_people(scan: exp.Select, source: Source) -> exp.Select:
    """What is selected of events, with the living people they count for in front."""
    selected, record = scan.expressions, sql.column("record_id")
    if source.merged is None:
        scan.set("expressions", [sql.alias(record, "person"), *selected])
        return scan
    scan.set("expressions", [record, *selected])
    folded = events_sql.fold(scan, sql.relation(source.schema, source.merged))
    (person,) = folded.expressions
    names = [sql.column(each.alias_or_name) for each in selected]
    folded.set("expressions", [sql.alias(person, "person"), *names])
    return folded
