"""Who has so many events since a time, read off the order in which events are kept.

Events that were put in order say which they are, counted back from the newest of their record and
name (`back`): whoever's third newest is not older than the time has three since then. So nothing
is grouped, but for the few whose events are not all in order yet (`back` is 0), who have events
beyond the period, or who were merged.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from sqlglot import exp
from sqlglot.expressions import Expr

from user360.segments.language import comparisons, sql
from user360.segments.language.periods import Window

_RECORD = sql.column("record_id")
_WAITING = "waiting"


class Asked(msgspec.Struct, frozen=True):
    """At least `least` events (from 1) of a name in a window that reaches beyond now.

    `events` is the relation of all events, `ordered` of those with a place alone, and `merged` the
    map of merges, None when it is empty.
    """

    events: Expr
    ordered: Expr
    merged: Expr | None
    name: str
    least: int
    window: Window

    def scan(self, *tests: Expr) -> exp.Select:
        """The records of the events of this name for which these tests hold."""
        return self._scan(self.events, tests)

    def place(self, back: int, *tests: Expr) -> exp.Select:
        """The same of the events that are so many back, from 1.

        Read where events have a place and nowhere else: looking through a view that holds them
        costs an engine's planner a tenth of a short question.
        """
        return self._scan(self.ordered, (_back(back), *tests))

    def waiting(self, *tests: Expr) -> exp.Select:
        """The same of the events that have no place yet."""
        return self.scan(_back(0), *tests)

    def _scan(self, events: Expr, tests: tuple[Expr, ...]) -> exp.Select:
        named = exp.EQ(this=sql.column("name"), expression=sql.text(self.name))
        return exp.Select(
            expressions=[_RECORD.copy()],
            from_=exp.From(this=events.copy()),
            where=exp.Where(this=sql.all_of([named, *tests])),
        )

    def within(self) -> list[Expr]:
        """The test of the window, where it has a bound."""
        if self.window == Window():
            return []
        return [comparisons.in_window(sql.column("at"), self.window)]


Fold = Callable[[exp.Select], Expr]  # a select of records folded onto living people
Count = Callable[[exp.Select], Expr]  # the people among the events of a scan who have enough


def records(asked: Asked, fold: Fold, count: Count) -> Expr:
    """The sub-select of people; some stand in it more than once."""
    if asked.least == 1:
        return _any(asked, fold)
    return _union(
        [fold(_in_order(asked)), count(_among(asked.scan(*asked.within()), _rest(asked)))]
    )


def _any(asked: Asked, fold: Fold) -> Expr:
    parts = [
        asked.place(1, *asked.within()),
        asked.waiting(*asked.within()),
    ]
    if (late := _late(asked)) is not None:
        parts.append(_among(asked.scan(*asked.within()), late))
    return _union([fold(part) for part in parts])


def _in_order(asked: Asked) -> exp.Select:
    """Those whose event so many back is in the window, and nothing of theirs beyond it."""
    tests: list[Expr] = []
    if asked.window.start is not None:
        tests.append(comparisons.in_window(sql.column("at"), Window(start=asked.window.start)))
    if (late := _late(asked)) is not None:
        tests.append(exp.Not(this=sql.within(_RECORD.copy(), late)))
    return asked.place(asked.least, *tests)


def _rest(asked: Asked) -> Expr:
    """The records that have to be counted; somebody merged is counted with all records."""
    parts: list[Expr] = [asked.waiting()]
    if (late := _late(asked)) is not None:
        parts.append(late)
    if asked.merged is not None:
        for column in ("record_id", "survivor_id"):
            source = exp.From(this=asked.merged.copy())
            parts.append(exp.Select(expressions=[sql.column(column)], from_=source))
    return _union(parts)


def _late(asked: Asked) -> exp.Select | None:
    """The records with events beyond the window: almost none, and zone maps tell so."""
    if asked.window.end is None:
        return None
    return asked.scan(comparisons.in_window(sql.column("at"), Window(start=asked.window.end)))


def _among(scan: exp.Select, records: Expr) -> exp.Select:
    """The scan for these records only.

    Joined rather than looked up with IN, and named before the events, because so engines guess
    right how few they are.
    """
    source = exp.Subquery(
        this=records,
        alias=exp.TableAlias(this=sql.name("r"), columns=[sql.name(_WAITING)]),
    )
    once = exp.Select(
        expressions=[sql.column(_WAITING)],
        from_=exp.From(this=source),
        group=exp.Group(expressions=[sql.column(_WAITING)]),
    )
    few = exp.Subquery(this=once, alias=exp.TableAlias(this=sql.name("w")))
    same = exp.EQ(this=_RECORD.copy(), expression=sql.column(_WAITING, "w"))
    events = scan.args["from_"].this
    scan.set("from_", exp.From(this=few))
    scan.set("joins", [exp.Join(this=events, kind="INNER", on=same)])
    return scan


def _back(place: int) -> Expr:
    return exp.EQ(this=sql.column("back"), expression=sql.number(place))


def _union(parts: list[Expr]) -> Expr:
    joined = parts[0]
    for part in parts[1:]:
        joined = exp.Union(this=joined, expression=part, distinct=False)
    return joined
