"""What the keeper knows of one dynamic segment, and what it was told to look at."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from pyroaring import BitMap64

from user360.clock import SECOND
from user360.events import event
from user360.segments.compiler import compile as compiler
from user360.segments.compiler import few
from user360.segments.compiler.compile import Frame
from user360.segments.following import clock
from user360.segments.following.texts import Current
from user360.segments.following.together import Part, Together
from user360.segments.language import reading
from user360.segments.language.nodes import Membership, Node, PropertyTest
from user360.segments.language.periods import When
from user360.segments.store import Segment
from user360.storage.warehouse import Changes

# How long after a failure a segment is tried again, at first and at most.
FIRST_RETRY, LAST_RETRY = SECOND, 60 * SECOND
# More pending events than this, and everybody is asked instead of those they are of.
MOST_PENDING = 500_000
REGROUPING = frozenset((event.USER_CREATE, event.USER_MERGE, event.USER_UNMERGE))


class Freshness(msgspec.Struct, frozen=True):
    """How true the stored members of a segment are.

    `position` of the log and time `as_of` are those its members were last right at; `lag` is in
    microseconds, 0 when nothing is waiting to be looked at. At `next_boundary` at the latest the
    clock makes somebody's answer due again, None when it never does. `error` says why it cannot
    be evaluated, and `retry_at` when that is tried again; until then it keeps its last members.
    """

    position: int
    as_of: int
    lag: int
    size: int
    next_boundary: int | None = None
    error: str | None = None
    retry_at: int | None = None


class Kept:
    """One dynamic segment: its members, whose time comes when, how its last evaluation went.

    `members` are the stored rows: somebody merged away since stays in them for the survivor.
    `whole` says that everybody has to be asked.
    """

    def __init__(self, segment: Segment, members: BitMap64) -> None:
        self.segment = segment
        self.members = members
        self.size = -1  # not counted yet
        self.whole = True
        self.as_of = self.position = 0
        self.error: str | None = None
        self.retry_at = 0
        self.node: Node | None = None
        self.windows: list[clock.Moving | clock.Returning] = []
        self.names: frozenset[str] = frozenset()  # of the events that it asks about
        self.held: frozenset[str] = frozenset()  # of those that it looks into
        self.columns: frozenset[str] = frozenset()  # of records that it looks at
        self.static: frozenset[int] = frozenset()
        self.nests = False  # whether it asks about dynamic segments
        self.read = False  # what it means by the declarations in force
        self.until = 0  # how far ahead the clock was looked into
        # The windows with the moments that their edges pass until then.
        self.reach: list[tuple[clock.Moving | clock.Returning, list[clock.Passing]]] = []
        self._due: list[tuple[int, int]] = []
        self._of_records = False
        self._failures = 0
        self._meant: object = None
        self._select: Current | None = None
        self._part: tuple[Together, Part] | None = None

    @property
    def filling(self) -> bool:
        """Whether its members are those of another definition, or of none yet."""
        return self.segment.filled != self.segment.version

    @property
    def silent(self) -> bool:
        """Whether what changes now is told to nobody."""
        return self.filling and not self.segment.announce

    def define(self, segment: Segment, declared: bool) -> None:
        """Take the definition in force; with `declared`, what it names may have changed as well."""
        edited = segment.version != self.segment.version
        self.segment = segment
        self.whole = self.whole or edited
        if edited or declared:
            self.read = False
            self.retry_at = 0

    def understand(self, given: Frame, node: Node) -> None:
        """Read what the definition means; where that is another thing now, everybody is asked.

        Raises `InvalidCondition` when a segment within it cannot be understood.
        """
        leaves = list(clock.leaves(node, given.segments))
        columns = [
            (leaf.property, found.column, found.type) if found else None
            for leaf in leaves
            if isinstance(leaf, PropertyTest)
            for found in (reading.property_of(leaf.property, given.catalogue),)
        ]
        meant = (node, leaves, columns, given.zone.key)
        self.whole = self.whole or meant != self._meant
        self.node, self._meant = node, meant
        self._select = self._part = None
        self.windows = clock.windows_of(node, given)
        self.names = frozenset(clock.events_named(node, given.segments))
        self.held = frozenset(clock.events_held(node, given.segments))
        self.columns = few.columns_of(leaves, given.catalogue)
        self.static = frozenset(leaf.segment for leaf in leaves if isinstance(leaf, Membership))
        self.nests = any(leaf not in leaves for leaf in clock.leaves(node, {}))
        self._of_records = bool(columns)
        self.read = True

    def select(self, given: Frame, dialect: str) -> str:
        """SQL that selects the ids of those the condition is true of, as of `given.now`."""
        if self._select is None:
            node = self.node
            self._select = Current(
                lambda frame: compiler.to_sql(compiler.select_ids(node, frame), dialect),
                self.windows,
            )
        return self._select.at(given)

    def part(self, together: Together, given: Frame) -> Part:
        """The condition as one of those that are asked together.

        Raises `InvalidCondition` where it cannot be compiled.
        """
        if self._part is None or self._part[0] is not together:
            assert self.node is not None
            self._part = (together, together.part(self.node, given))
        return self._part[1]

    def asks_about(self, touched: Touched) -> bool:
        """Whether what was touched can change an answer."""
        return (
            touched.regrouped
            or bool(touched.dead)  # some are fewer now
            or (self._of_records and bool(touched.records))
            or not self.names.isdisjoint(touched.names)
            or not self.static.isdisjoint(touched.segments)
        )

    def take_due(self, now: int) -> set[int]:
        """The records whose time has come; they are forgotten here."""
        found = set()
        while self._due and self._due[0][0] <= now:
            found.add(heapq.heappop(self._due)[1])
        return found

    def add_due(self, times: Iterable[tuple[int, int]]) -> None:
        """Note when whose answer may change."""
        for each in times:
            heapq.heappush(self._due, each)

    def look_ahead(self, times: Collection[tuple[int, int]], given: Frame, until: int) -> None:
        """Note all that the clock brings from `given.now` up to `until`."""
        self._due = sorted(times)
        self.until = until
        self.reach = [(each, clock.reach(each, given, until)) for each in self.windows]

    def take_in(self, entered: Collection[int], rows: Collection[int]) -> None:
        """Those who entered, and the stored rows that went, are kept in the ledger now."""
        self.members |= BitMap64(entered)
        self.members -= BitMap64(rows)

    def failed(self, reason: str, now: int) -> None:
        """Keep the last members, say why, try again later: everybody, for much may have passed."""
        self.error = reason
        self.whole = True
        self.read = False
        self.retry_at = now + min(FIRST_RETRY << min(self._failures, 10), LAST_RETRY)
        self._failures += 1

    def succeeded(self, now: int, position: int, size: int) -> None:
        """Its members are right at `position`, as of `now`."""
        self.error = None
        self._failures = 0
        self.whole = False
        self.as_of, self.position, self.size = now, position, size

    def freshness(self, lag: int) -> Freshness:
        """How true its members are."""
        boundary = self._due[0][0] if self._due else (self.until if self.windows else None)
        retry = self.retry_at if self.error else None
        size = max(self.size, 0)
        return Freshness(self.position, self.as_of, lag, size, boundary, self.error, retry)


class Touched:
    """What was projected since somebody last looked: whose answers may have changed."""

    def __init__(self) -> None:
        self.position = 0
        self.records: set[int] = set()  # with new values, merged, given back
        self.dead: set[int] = set()
        self.segments: dict[int, set[int]] = {}  # static segments, and who moved in them
        self.events: list[pa.Table] = []
        self.names: set[str] = set()
        self.regrouped = False  # people appeared, or were merged or parted
        self.everybody = False
        self._pending = 0

    def __bool__(self) -> bool:
        return bool(self.records or self.dead or self.segments or self.events or self.everybody)

    def add(self, change: Changes, dynamic: Collection[int]) -> None:
        """Take in what a round of the projector brought to the workspace."""
        self.records |= set(change.touched)
        self.dead |= set(change.dead)
        self.regrouped = self.regrouped or not REGROUPING.isdisjoint(change.told)
        for move in change.moves:
            if move.segment not in dynamic:
                moved = self.segments.setdefault(move.segment, set())
                moved.update(move.entered.to_pylist(), move.left.to_pylist())
        if change.events is not None and change.events.num_rows:
            self._pending += change.events.num_rows
            self.events.append(change.events.select(["record_id", "name", "at"]))
            self.names |= set(pc.unique(change.events["name"]).to_pylist())
        if self._pending > MOST_PENDING:
            self.everybody = True
            self.events = []

    def crossing(self, kept: Kept, when: When) -> list[clock.Moving | clock.Returning]:
        """The windows of a segment whose edges may pass moments that came in just now."""
        return [
            window
            for window, passings in kept.reach
            if any(self._may_pass(window, *each.ahead(when)) for each in passings)
        ]

    def _may_pass(self, window: clock.Moving | clock.Returning, low: int, high: int) -> bool:
        if isinstance(window, clock.Returning) or window.event is None:
            return bool(self.records) or self.regrouped
        return self._within(window.event, low, high)

    def _within(self, name: str, low: int, high: int) -> bool:
        """Whether an event of this name came in whose time lies there."""
        first, after = (pa.scalar(us, pa.timestamp("us")) for us in (low, high))
        for events in self.events:
            fit = pc.and_(pc.greater_equal(events["at"], first), pc.less(events["at"], after))
            if pc.any(pc.and_(fit, pc.equal(events["name"], name))).as_py():
                return True
        return False

    def people(self, names: Collection[str]) -> set[int]:
        """The records to ask about, as those with events of these names and with other changes."""
        found = set(self.records)
        for moved in self.segments.values():
            found |= moved
        wanted = pa.array(sorted(names), pa.string())
        for events in self.events:
            fit = events.filter(pc.is_in(events["name"], wanted))
            found |= set(pc.unique(fit["record_id"]).to_pylist())
        return found - self.dead
