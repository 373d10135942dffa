"""An import comes to what the same rows come to one by one, and undoing it to what never was.

Two workspaces live through the same history. In one the rows come as a file, in the other as
single calls, or not at all.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.imports.importer import Importer
from user360.clock import SECOND
from user360.imports import engine, piece
from user360.imports import store as import_store
from user360.ingest import doctor
from user360.ingest.call import Call, Event, Outcome, Session
from user360.platform import Platform
from user360.records import declare
from user360.records.properties import Type

HEADER = ["userId", "city", "country", "timezone", "orders", "tags", "email"]
USERS = ["a", "b", "c", "d"]
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "city": st.sampled_from(["Pune", "Goa", ' "Rome" ', "Köln"]),
    "country": st.sampled_from(["India", "Peru"]),
    "timezone": st.sampled_from(["Asia/Kolkata", "America/Lima"]),
    "orders": st.sampled_from(["1", "2.50", "-0"]),
    "tags": st.sampled_from(["x", "x;y", "z;x"]),
    "email": st.sampled_from(["a@example.com", "B@Example.com"]),
}
GOOD = st.fixed_dictionaries({}, optional=VALUES)
numbers = itertools.count()


@st.composite
def rows(draw: st.DrawFn) -> list[list[str]]:
    found = []
    for _ in range(draw(st.integers(0, 8))):
        cells = draw(GOOD)
        if draw(st.integers(0, 9)) == 0:
            cells["orders"] = "many"
        user_id = draw(st.sampled_from([*USERS, *USERS, "e", "", "null"]))
        found.append([user_id, *(cells.get(name, "") for name in HEADER[1:])])
    return found


options = st.fixed_dictionaries(
    {
        "onConflict": st.sampled_from(["update", "replace", "skip"]),
        "mergeTags": st.booleans(),
        "tags": st.lists(st.sampled_from(["x", "all"]), unique=True),
    }
)


def written(values: dict[str, str]) -> dict[str, Any]:
    """Cells of a file as a call gives them."""
    return {name: value for name, value in values.items() if value}


@st.composite
def steps(draw: st.DrawFn, most: int) -> list[dict[str, Any]]:
    """Calls of a history: writes, clearings, tags, sessions that are identified, events.

    Each says something: one that says nothing leaves no trace in somebody who is there already.
    """
    found: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(0, most))):
        user, channel = draw(st.sampled_from(USERS)), draw(st.sampled_from(["s1", "s2"]))
        properties = written(draw(GOOD)) or {"city": "Bonn"}
        kind = draw(st.integers(0, 6))
        if kind == 0:
            found.append({"session": Session("web", channel), "properties": properties})
        elif kind == 1:
            found.append({"session": Session("web", channel), "user_id": user})
        elif kind == 2:
            found.append({"user_id": user, "properties": dict.fromkeys(properties)})
        elif kind == 3:
            found.append({"user_id": user, "add_tags": ("own", "x"), "remove_tags": ("y",)})
        elif kind == 4:
            found.append({"user_id": user, "event": Event("Seen", {}, None)})
        elif kind == 5:
            found.append({"user_id": user, "properties": properties, "if_exists": "replace"})
        else:
            found.append({"user_id": user, "properties": properties})
    return found


class World:
    """One workspace and its history, by a clock that is the same in every world."""

    def __init__(self, platform: Platform, folder: Path) -> None:
        self.platform = platform
        self.workspace = platform.add_workspace(f"w{next(numbers)}")
        self.importer = Importer(platform, folder, self.workspace)
        platform.write(
            lambda c: declare.declare(
                platform.change(c, self.workspace, "key:1"), "orders", Type.NUMBER
            )
        )

    def call(self, at: int, place: int = 0, source: str = "api", **given: Any) -> Call:
        return Call(
            workspace=self.workspace.id,
            source=source,
            ref="key:1",
            at=at,
            message_id=f"{place:010d}",
            **given,
        )

    def live(self, history: list[dict[str, Any]], at: int) -> None:
        calls = [self.call(at + place * SECOND, **told) for place, told in enumerate(history)]
        self.platform.settle(calls)

    def people(self) -> list[dict[str, Any]]:
        """All records, those without a userId in any order."""
        shown = self.importer.people()
        named = [{"userId": u, **p} for u, p in shown.items() if not u.startswith("#")]
        others = [p for u, p in shown.items() if u.startswith("#")]
        order = [json.dumps(p, sort_keys=True) for p in (*named, *others)]
        return [json.loads(text) for text in sorted(order)]


def one_by_one(world: World, table: list[list[str]], at: int, wanted: dict[str, Any]) -> list[str]:
    """The rows of a file as single calls of the bulk door; what became of each."""
    if wanted["mergeTags"] and wanted["onConflict"] != "update":
        return [_one(world, row, at, place, wanted) for place, row in enumerate(table)]
    asked = [_asked(world, row, at, place, wanted) for place, row in enumerate(table)]
    outcomes = iter(world.platform.settle([call for call in asked if call is not None]))
    return ["empty" if call is None else _became(next(outcomes)) for call in asked]


def _asked(
    world: World, row: list[str], at: int, place: int, wanted: dict[str, Any], **more: Any
) -> Call | None:
    if not any(row):
        return None
    user_id, given = row[0] or None, written(dict(zip(HEADER[1:], row[1:], strict=True)))
    own = given.pop("tags", "").split(";") if wanted["mergeTags"] else []
    tags = dict.fromkeys(tag for tag in (*own, *wanted["tags"]) if tag)
    told = {"properties": given, "add_tags": tuple(tags), "if_exists": wanted["onConflict"]}
    return world.call(at, place, "csv", user_id=user_id, complete=True, **(told | more))


def _became(outcome: Outcome) -> str:
    if outcome.problem is not None:
        return "failed"
    if outcome.status == "skipped":
        return "skipped"
    return "new" if outcome.created else "conflicting"


def _one(world: World, row: list[str], at: int, place: int, wanted: dict[str, Any]) -> str:
    """A row whose tags are united although the rest is replaced or left as it is."""
    held = world.importer.people().get(row[0], {}).get("tags", [])
    call = _asked(world, row, at, place, wanted)
    if call is None:
        return "empty"
    if wanted["onConflict"] == "replace":
        call.add_tags = tuple(dict.fromkeys([*held, *call.add_tags]))
    (outcome,) = world.platform.settle([call])
    if outcome.status != "skipped":
        return _became(outcome)
    more = _asked(world, row, at, place, wanted, properties={}, if_exists="update")
    (outcome,) = world.platform.settle([] if more is None else [more])
    return "conflicting" if outcome.changed else "skipped"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


quick = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quick
@given(
    before=steps(8),
    table=rows(),
    wanted=options,
    sizes=st.tuples(st.integers(1, 4), st.sampled_from([1.0, 9.0, 99.0])),
)
def test_a_file_comes_to_what_its_rows_come_to_one_by_one(
    platform: Platform,
    folder: Path,
    before: list[dict[str, Any]],
    table: list[list[str]],
    wanted: dict[str, Any],
    sizes: tuple[int, float],
) -> None:
    bulk, single = World(platform, folder), World(platform, folder)
    start = platform.clock.now() - 1_000 * SECOND
    for world in (bulk, single):
        world.live(before, start)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "ROWS", sizes[0])
        patch.setattr(piece, "BUDGET", sizes[1])
        done = bulk.importer.run([HEADER, *table], **wanted)
    with platform.ledger.read() as connection:
        assert bulk.importer.last is not None
        plan = import_store.plan_of(connection, bulk.importer.last.id)
    assert plan is not None
    became = one_by_one(single, table, plan.at, wanted)
    assert bulk.people() == single.people()
    for name in ("new", "conflicting", "failed", "empty", "skipped"):
        assert getattr(done, name) == became.count(name), name
    assert done.total == len(table)
    event(f"changed {min(done.changed, 3)}")


@quick
@given(before=steps(6), table=rows(), after=steps(6), wanted=options)
def test_undoing_an_import_is_as_if_it_had_never_been(
    platform: Platform,
    folder: Path,
    before: list[dict[str, Any]],
    table: list[list[str]],
    after: list[dict[str, Any]],
    wanted: dict[str, Any],
) -> None:
    with_it, without = World(platform, folder), World(platform, folder)
    start = platform.clock.now() - 1_000 * SECOND
    for world in (with_it, without):
        world.live(before, start)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "ROWS", 3)
        patch.setattr(piece, "BUDGET", 9.0)
        with_it.importer.run([HEADER, *table], **wanted)
    for world in (with_it, without):
        world.live(after, platform.clock.now() + SECOND)
    shown = with_it.importer.preview()
    done = with_it.importer.undo(patience=2)
    assert sorted_tags(with_it.people()) == sorted_tags(without.people())
    assert (shown.removed, shown.spared) == (done.removed, done.spared)
    event(f"removed {min(done.removed, 2)}, spared {min(sum(done.spared.values()), 2)}")


def sorted_tags(people: list[dict[str, Any]]) -> list[str]:
    """Where a tag that was first added by the import stands in the list is not known any more."""
    told = [p | {"tags": sorted(p["tags"])} if "tags" in p else p for p in people]
    return sorted(json.dumps(p, sort_keys=True) for p in told)


def test_after_all_of_it_ledger_and_warehouse_agree(platform: Platform) -> None:
    platform.wait()
    assert doctor.examine(platform).findings == []
