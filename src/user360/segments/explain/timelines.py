"""When the truth of single conditions changes, if nothing happens but that time goes on.

A condition can change only where an edge passes one of the person's moments. These times are
gone through in order and the compiled condition is asked at each, many in one statement, until
it answers otherwise. Where events can only fall out of the window and the condition can only turn
by having fewer, the first time that turns it is found by narrowing down instead.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import islice

import msgspec
from sqlglot import exp
from sqlglot.expressions import Expr

from user360.segments.compiler import compile as compiler
from user360.segments.compiler import events_sql, shared
from user360.segments.compiler.compile import Frame
from user360.segments.compiler.few import People
from user360.segments.compiler.shared import Names, Ready, Worked
from user360.segments.explain import crossings, moments
from user360.segments.explain.crossings import Passing
from user360.segments.language import nodes, sql
from user360.segments.language.nodes import Node
from user360.segments.language.periods import When

# What asking once costs, about, and what may be spent on one tree before the rest is left open.
_PRICES = {nodes.EventTest: 25, nodes.Sequence: 100}
_BUDGET = 10_000
_FIRST_ASKED, _MOST_ASKED = 3, 32
# Between two times so many are asked about at once; fewer where each of them costs more.
_PROBES, _FEW_PROBES = 6, 2
# In one statement; an engine takes longer to plan many together than one after the other.
_COLUMNS = 16
_DIALECT = "duckdb"


class Flip(msgspec.Struct, frozen=True):
    """When the truth changes, in microseconds: `at`, or never (None).

    `sought` is set where the search was given up: nothing changes up to then.
    """

    at: int | None = None
    sought: int | None = None


class Budget:
    """What is left to be spent on asking, for all conditions of a tree together."""

    def __init__(self) -> None:
        self.left = _BUDGET

    def spend(self, leaf: Node, times: int) -> None:
        self.left -= times * _PRICES.get(type(leaf), 1)


# Yields times to be asked about and is sent the truth at each; returns the next change.
Seeking = Generator[list[int], list[bool], Flip]


class Timeline:
    """One condition along the time: its `flips` so far, whether there may be more, and `sought`."""

    def __init__(
        self,
        leaf: Node,
        truth: bool,
        passings: Sequence[Passing],
        frame: Frame,
        fewer: int,
        budget: Budget,
    ) -> None:
        self.leaf = leaf
        self.frame = frame
        self.flips: list[int] = []
        self.open = bool(passings)
        self.sought: int | None = None
        self._truth, self._reached = truth, frame.now
        self._passings = passings
        self._fewer = fewer
        self._budget = budget
        self._probes = _FEW_PROBES if isinstance(leaf, nodes.Sequence) else _PROBES

    def seek(self) -> Seeking:
        """Look for the next change."""
        falling = self._falling()
        flip = yield from (self._stepped() if falling is None else self._narrowed(falling))
        if flip.at is None:
            self.open, self.sought = False, flip.sought
        else:
            self.flips.append(flip.at)
            self._truth, self._reached = not self._truth, flip.at
        return flip

    def _times(self) -> Iterator[int]:
        """The times at which the truth can change; those that bring events where only more can."""
        zone = self.frame.zone
        if self._fewer and (self._fewer > 0) != self._truth:
            starts, ends = _joined(self._passings[::2]), _joined(self._passings[1::2])
            return crossings.gains([starts], [ends], zone, self._reached)
        return crossings.times(self._passings, zone, self._reached)

    def _stepped(self) -> Seeking:
        """One time after the other."""
        times, size, sought = self._times(), _FIRST_ASKED, self._reached
        while batch := list(islice(times, size)):
            if self._budget.left <= 0:
                return Flip(sought=sought)
            self._budget.spend(self.leaf, len(batch))
            answers = yield batch
            for at, answer in zip(batch, answers, strict=True):
                if answer != self._truth:
                    return Flip(at)
            sought, size = batch[-1], min(size * 4, _MOST_ASKED)
        return Flip()

    def _narrowed(self, falling: Passing) -> Seeking:
        """Between what still holds and what holds no more, until nothing is left between.

        It is begun where about as many events are left as are likely to decide.
        """
        last = len(falling.moments) - 1
        same, other = -1, last + 1
        likely = int(getattr(getattr(self.leaf, "count", None), "value", 1))
        probes = sorted({min(max(last - likely + n, 0), last) for n in (0, 1)})
        times: dict[int, int] = {}
        while probes:
            if self._budget.left <= 0:
                return Flip(sought=times.get(same, self._reached))
            self._budget.spend(self.leaf, len(probes))
            for i in probes:
                found = crossings.leaves(
                    falling, self.frame.zone, self._reached, None, falling.moments[i]
                )
                times[i] = crossings.LAST if found is None else found
            answers = yield [times[i] for i in probes]
            unlike = [i for i, held in zip(probes, answers, strict=True) if held != self._truth]
            other = min([other, *unlike])
            same = max([same, *(i for i in probes if i < other)])
            probes = _between(same, other, self._probes)
        return Flip(None if other > last else times[other])

    def _falling(self) -> Passing | None:
        """The beginning of the window with the events within it, if they alone can decide."""
        if not self._fewer or (self._fewer > 0) != self._truth:
            return None
        when = When(self._reached, self.frame.zone)
        starts, ends = self._passings[::2], self._passings[1::2]
        if any((each.edge(when) or 0) <= each.moments[-1] for each in ends):
            return None  # some events are yet to enter
        # Of a sequence the first step is the first to leave: the others lie after it.
        edge, moments = starts[0].edge, starts[0].moments
        within = moments[bisect_left(moments, edge(when) or 0) :]
        return Passing(edge, within) if within else None


def _joined(passings: Sequence[Passing]) -> Passing:
    """What the same edge of one window passes of all the steps."""
    moments = sorted({moment for each in passings for moment in each.moments})
    return Passing(passings[0].edge, moments, passings[0].is_date)


def _between(same: int, other: int, probes: int) -> list[int]:
    """Some places between two, evenly spread; all, where there are few."""
    gap = other - same - 1
    if gap <= probes:
        return list(range(same + 1, other))
    return [same + 1 + gap * (k + 1) // (probes + 1) for k in range(probes)]


def timelines(leaves: Sequence[Node], truths: Sequence[bool], people: People) -> list[Timeline]:
    """The single conditions of a tree for the one person that `people` holds, from now on."""
    found, budget = moments.passings(leaves, people), Budget()
    return [
        Timeline(leaf, truth, held, people.frame, fewer(leaf, people) if held else 0, budget)
        for leaf, truth, held in zip(leaves, truths, found, strict=True)
    ]


def fewer(leaf: Node, people: People) -> int:
    """1 where having fewer events in the window can only make a condition false, -1 only true.

    0 where neither is certain.
    """
    during = getattr(leaf, "during", None)
    if during is None or during.kind != "last" or moments.by_clock(leaf):
        return 0
    if isinstance(leaf, nodes.Sequence):
        return 1 if leaf.completed else -1
    if not isinstance(leaf, nodes.EventTest):
        return 0
    ways = {_WAYS.get(test.op, 0) for test in (leaf.count, leaf.sum) if test is not None} or {1}
    if len(ways) > 1 or (leaf.sum is not None and _any_below_zero(leaf, people)):
        return 0
    return ways.pop() * (1 if leaf.occurred else -1)


_WAYS = {"gt": 1, "gte": 1, "lt": -1, "lte": -1}


def _any_below_zero(leaf: nodes.EventTest, people: People) -> bool:
    frame = people.frame
    test = nodes.PathTest(leaf.sum.path if leaf.sum else "", "lt", (0.0,))
    select = exp.Select(
        expressions=[exp.Count(this=exp.Star())],
        from_=exp.From(this=sql.relation(frame.schema, frame.events)),
        where=exp.Where(this=events_sql.where(test, When(frame.now, frame.zone))),
    )
    return bool(people.query(compiler.to_sql(select)).rows[0][0])


def advance(found: Iterable[Timeline], people: People) -> None:
    """Look for the next change of each of these, asking about all of them together."""
    going: list[tuple[Timeline, Seeking, list[int]]] = []
    for each in found:
        seeking = each.seek()
        _go_on(going, each, seeking, None)
    while going:
        answers = iter(
            truths([(each.leaf, at) for each, _, times in going for at in times], people)
        )
        before, going = going, []
        for each, seeking, times in before:
            _go_on(going, each, seeking, [next(answers) for _ in times])


def _go_on(
    going: list[tuple[Timeline, Seeking, list[int]]],
    each: Timeline,
    seeking: Seeking,
    answers: list[bool] | None,
) -> None:
    try:
        times = next(seeking) if answers is None else seeking.send(answers)
    except StopIteration:
        return
    going.append((each, seeking, times))


def truths(asked: Sequence[tuple[Node, int]], people: People) -> list[bool]:
    """Whether each condition holds of the one person at its time, by the compiler's SQL."""
    found: list[bool] = []
    for first in range(0, len(asked), _COLUMNS):
        sql = _together(asked[first : first + _COLUMNS], people.frame)
        found += [bool(held) for held in people.query(sql).rows[0]]
    return found


def _together(asked: Iterable[tuple[Node, int]], frame: Frame) -> str:
    """One statement for these conditions, each at its time."""
    ready: dict[tuple[Worked, int], Ready] = {}
    columns = []
    for node, at in asked:
        there = msgspec.structs.replace(frame, now=at, few=True)

        def name(worked: Worked, there: Frame = there) -> str:
            key = (worked, there.now)
            if key not in ready:
                text = shared.worked(worked, there, _DIALECT)
                ready[key] = Ready.of(worked, f"e{len(ready)}", text, _DIALECT)
            return ready[key].name

        there = msgspec.structs.replace(there, shared=Names(name))
        columns.append(compiler.to_sql(whether(compiler.condition(node, there)), _DIALECT))
    return shared.statement(columns, ready.values(), frame)


def whether(test: Expr) -> Expr:
    """The test as a column: unknown is false."""
    return exp.Is(this=exp.Paren(this=test), expression=sql.true())
