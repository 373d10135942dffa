"""However somebody is asked about a segment, the answer is the same.

Random writes, merges, undoings, deletions and passing time; then the members that were kept up to
date step by step, the condition asked of everybody, and of each person alone must agree, and what
was told on the way must lead to the same members.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.stories.segments import Segments
from user360 import ids
from user360.clock import StillClock, to_us
from user360.ingest.call import Event, Verb
from user360.platform import Platform
from user360.segments import conditions, define
from user360.segments.compiler import few, questions

ROUNDS = int(os.environ.get("USER360_AGREEMENTS", "15"))
START = to_us(datetime(2026, 3, 28, 22, 50, tzinfo=UTC))  # the clocks change in Berlin that night
USERS = ("asha", "rao", "li", "zoë")
SECONDS = 1_000_000


def last(amount: int, unit: str) -> dict[str, Any]:
    return {"last": {"amount": amount, "unit": unit}}


def moved(op: str, amount: int, unit: str) -> dict[str, Any]:
    values = [{"amount": amount, "unit": unit}]
    return {"property": "updatedAt", "op": op, "values": values}


CONDITIONS: list[dict[str, Any]] = [
    {"property": "city", "op": "is", "values": ["Pune"]},
    {"property": "city", "op": "isNot", "values": ["Pune"]},
    {"event": "Ordered"},
    {"event": "Ordered", "occurred": False},
    {"event": "Ordered", "count": {"op": "gte", "value": 2}, "during": last(2, "days")},
    {"event": "Ordered", "count": {"op": "lt", "value": 2}, "during": last(90, "minutes")},
    {"event": "Ordered", "sum": {"path": "amount", "op": "gte", "value": 10}},
    {"event": "Ordered", "during": {"period": "today"}},
    {"event": "Left", "during": {"period": "yesterday"}, "occurred": False},
    {"event": "Ordered", "during": {"period": "thisWeek"}},
    {"event": "Ordered", "during": last(10, "minutes")},
    moved("inLast", 5, "minutes"),
    moved("inLast", 3, "hours"),
    moved("wasExactly", 1, "days"),
    {"property": "createdAt", "op": "isToday"},
    {
        "sequence": [{"event": "Ordered"}, {"event": "Left"}],
        "within": {"amount": 5, "unit": "hours"},
        "completed": True,
    },
    {
        "sequence": [{"event": "Left"}, {"event": "Ordered"}],
        "within": {"amount": 1, "unit": "days"},
        "completed": False,
        "during": last(3, "days"),
    },
    {"all": [{"segment": "0"}, {"segment": "4", "in": False}]},
    {"any": [{"segment": "7"}, {"not": {"segment": "13"}}]},
]
Step = tuple[str, Any]


@st.composite
def steps(draw: st.DrawFn) -> Step:
    """Something that happens."""
    user = st.sampled_from(USERS)
    kind = draw(st.sampled_from(("did", "did", "did", "is", "passes", "passes", "other")))
    if kind == "did":
        name = draw(st.sampled_from(("Ordered", "Left")))
        ago = draw(st.sampled_from((0, 0, 1, 60, 570, 5_100, 85_800)))
        return "did", (draw(user), name, ago, draw(st.sampled_from((3, 7, "7"))))
    if kind == "is":
        return "is", (draw(user), draw(st.sampled_from(("Pune", "Delhi", "pune"))))
    if kind == "passes":
        return "passes", draw(st.sampled_from((1, 60, 240, 300, 300, 600, 600, 7_200, 86_400)))
    return draw(
        st.one_of(
            st.tuples(st.just("merge"), st.tuples(user, user)),
            st.tuples(st.just("undo"), st.integers(0, 3)),
            st.tuples(st.just("delete"), user),
            st.tuples(st.just("looks"), st.none()),
        )
    )


class Life:
    """What happens to a shop whose segments are all kept."""

    def __init__(self, shop: Segments) -> None:
        self.shop = shop
        self.merges: list[int] = []
        self.segments: list[int] = []
        for i, condition in enumerate(CONDITIONS):
            self.segments.append(self._make(f"s{i}", condition))

    def _make(self, name: str, condition: dict[str, Any]) -> int:
        named = self._numbered(condition)
        return int(self.shop.change(lambda c: define.create(c, name, "", named)).id)

    def _numbered(self, given: Any) -> Any:
        """The condition with the numbers of the segments it names by their place."""
        if isinstance(given, dict):
            return {
                key: self.segments[int(value)] if key == "segment" else self._numbered(value)
                for key, value in given.items()
            }
        return [self._numbered(each) for each in given] if isinstance(given, list) else given

    def step(self, step: Step) -> None:
        kind, what = step
        getattr(self, f"_{kind}")(what)

    def _did(self, what: tuple[str, str, int, Any]) -> None:
        user, name, ago, amount = what
        at = self.shop.platform.clock.now() - ago * SECONDS
        self.shop.send(user_id=user, event=Event(name, {"amount": amount}), at=at)

    def _is(self, what: tuple[str, str]) -> None:
        user, city = what
        at = self.shop.platform.clock.now()
        self.shop.send(user_id=user, properties={"city": city}, at=at)

    def _passes(self, seconds: int) -> None:
        clock = self.shop.platform.clock
        assert isinstance(clock, StillClock)
        clock.move(seconds=seconds)

    def _merge(self, what: tuple[str, str]) -> None:
        survivor, other = (self.shop.person(user) for user in what)
        if survivor is None or other is None or survivor["id"] == other["id"]:
            return
        number = ids.parse_record_id(self.shop.workspace.id, other["id"])
        merge = self.shop.merge(what[0], number).merge
        if merge is not None:
            self.merges.append(merge)

    def _undo(self, place: int) -> None:
        if place < len(self.merges):
            self.shop.settle(self.shop.call(verb=Verb.UNMERGE, merge=self.merges[place]))

    def _delete(self, user: str) -> None:
        self.shop.settle(self.shop.call(verb=Verb.DELETE, user_id=user))

    def _looks(self, _: None) -> None:
        self.shop.platform.keeper.settle()

    def kept(self, segment: int) -> set[int]:
        """The stored members, whoever was merged away standing for the survivor."""
        rows = self.shop._ask(
            "SELECT DISTINCT coalesce(g.survivor_id, m.record_id) FROM {schema}.members m"
            " LEFT JOIN {schema}.merged g ON g.record_id = m.record_id WHERE segment_id = ?",
            segment,
        )
        return {number for (number,) in rows}

    def asked_of_all(self, segment: int) -> set[int]:
        workspace = self.shop.workspace
        node = conditions.node_of(workspace.segments[segment], workspace)
        now = self.shop.platform.clock.now()
        return set(questions.numbers(self.shop.platform.wait(), workspace, node, now))

    def asked_of_each(self, segment: int, everybody: set[int]) -> set[int]:
        workspace, now = self.shop.workspace, self.shop.platform.clock.now()
        node = conditions.node_of(workspace.segments[segment], workspace)
        warehouse = self.shop.platform.wait()
        found = set()
        for number in everybody:
            with few.people(warehouse, workspace, [number], None, now) as person:
                sql = questions.compiler.to_sql(
                    questions.compiler.select_ids(node, person.frame), warehouse.dialect
                )
                found |= {row[0] for row in person.query(sql).rows}
        return found

    def told(self, segment: int) -> set[int]:
        """The rows that what was told of leads to: nobody enters or leaves twice."""
        rows = self.shop._ask(
            "SELECT record_id, entered FROM {schema}.changes WHERE segment_id = ? ORDER BY seq",
            segment,
        )
        inside: set[int] = set()
        for number, entered in rows:
            assert (number in inside) != entered, "told twice"
            (inside.add if entered else inside.remove)(number)
        return inside

    def rows(self, segment: int) -> set[int]:
        asked = "SELECT record_id FROM {schema}.members WHERE segment_id = ?"
        return {number for (number,) in self.shop._ask(asked, segment)}

    def end(self) -> None:
        """Let the keeper forget this shop, or it would follow those of all examples."""
        for segment in self.segments:
            self.shop.change(lambda change, number=segment: define.delete(change, number, True))

    def everybody(self) -> set[int]:
        return {number for (number,) in self.shop._ask("SELECT id FROM {schema}.records")}


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform.temporary(clock=StillClock(START)) as platform:
        yield platform


@settings(
    max_examples=ROUNDS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    zone=st.sampled_from(("UTC", "Europe/Berlin", "Asia/Kolkata")),
    happens=st.lists(steps(), min_size=4, max_size=24),
)
def test_all_ways_of_asking_agree(platform: Platform, zone: str, happens: list[Step]) -> None:
    assert isinstance(platform.clock, StillClock)
    platform.clock.at = START
    shop = Segments(platform)
    shop.choose(time_zone=zone)
    life = Life(shop)
    platform.keeper.settle()
    for step in happens:
        life.step(step)
    platform.keeper.settle()
    try:
        agree(life)
    finally:
        life.end()


def agree(life: Life) -> None:
    everybody = life.everybody()
    for place, segment in enumerate(life.segments):
        of_all = life.asked_of_all(segment)
        assert life.kept(segment) == of_all, f"kept, condition {place}"
        assert life.asked_of_each(segment, everybody) == of_all, f"one by one, condition {place}"
        assert life.told(segment) == life.rows(segment), f"told, condition {place}"
        fresh = life.shop.fresh(segment)
        assert fresh is not None
        assert (fresh.error, fresh.size) == (None, len(of_all)), f"size, condition {place}"
