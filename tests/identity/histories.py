"""Random histories of calls, carried out by the product and by the reference side by side."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any

import msgspec

from tests.identity.reference import Expected, World
from user360 import clock, ids
from user360.identity import people
from user360.identity import store as identity_store
from user360.ingest.call import Call, Event, Outcome, Session, Verb
from user360.platform import Platform
from user360.records import settle

START = clock.to_us(datetime(2026, 1, 1, tzinfo=UTC))
SYSTEM = ("USER_CREATE", "USER_UPDATE", "USER_DELETE", "USER_MERGE", "USER_UNMERGE")
_worlds = itertools.count()

Step = dict[str, Any]

WORDS = "abc"
MADE = {
    "write": 3,
    "capture": 4,
    "identify": 5,
    "record": 2,
    "tag": 3,
    "event": 3,
    "merge": 3,
    "alias": 2,
    "undo": 5,
    "delete": 1,
    "replace": 1,
    "again": 2,
}
NAMES = {  # who a step can be about, each way as likely
    "write": (("user",),),
    "capture": (("place",),),
    "identify": (("place", "user"), ("record", "user")),
    "record": (("record",),),
    "tag": (("user",), ("place",), ("record",)),
    "event": (("user",), ("place",), ("place", "user")),
    "merge": (("user", "record"),),
    "alias": (("user", "previous"),),
    "undo": (("merge",),),
    "delete": (("user",), ("record",)),
    "replace": (("user",), ("record",)),
    "again": (("call",),),
}
MANY = {"user": 3, "place": 4, "record": 10, "previous": 7, "merge": 12, "call": 60}
SAYING = ("write", "capture", "identify", "record", "replace")


def history(seed: int, length: int, pairs: bool) -> list[list[Step]]:
    """Some commits of some steps each. A longer history of the same seed begins with a shorter.

    With `pairs` country and timezone are written too, and nothing is replaced.
    """
    chance = Random(seed)
    batches: list[list[Step]] = [[]]
    for _ in range(length):
        if chance.random() < 0.4:
            batches.append([])
        batches[-1].append(_step(chance, pairs))
    return batches


def _step(chance: Random, pairs: bool) -> Step:
    kinds = [kind for kind in MADE if not (pairs and kind == "replace")]
    kind = chance.choices(kinds, [MADE[kind] for kind in kinds])[0]
    step: Step = {"kind": kind, "at": chance.randint(1, 30), "by": chance.choice("abz")}
    for name in chance.choice(NAMES[kind]):
        step[name] = chance.randrange(MANY[name])
    if kind in SAYING:
        step["properties"] = _properties(chance, pairs)
        step["auto"] = _found(chance) if pairs else {}
    if kind == "tag":
        step["add"] = chance.sample(WORDS, chance.randint(0, 2))
        step["remove"] = chance.sample(WORDS, chance.randint(0, 1))
    return step


def _properties(chance: Random, pairs: bool) -> dict[str, Any]:
    word = chance.choice(WORDS)
    several = chance.sample(WORDS, chance.randint(1, 3))
    given = {
        "firstName": word,
        "city": word,
        "score": chance.randint(0, 3),
        "likes": several,
        "tags": several[:2],
    }
    said = {n: v if chance.random() < 0.85 else None for n, v in given.items()}
    kept = {n: v for n, v in said.items() if chance.random() < 0.35}
    return kept | (_found(chance) if pairs and chance.random() < 0.3 else {})


def _found(chance: Random) -> dict[str, Any]:
    """What is captured of where somebody is: both, one or nothing."""
    given = {"country": chance.choice(["IN", "DE"]), "timezone": chance.choice(["T1", "T2"])}
    return {n: v for n, v in given.items() if chance.random() < 0.6}


class Pair:
    """The product and the reference, given the same calls."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.workspace = platform.default
        self.world = World()
        self.prefix = f"w{next(_worlds)}-"
        self.first = self.workspace.next_record
        self.sent: list[Call] = []
        self.numbers: list[int] = []  # the product's numbers of the reference's merges

    def number(self, record: int) -> int:
        """The product's number of a record of the reference: both count in order of making."""
        return ids.record_number(self.workspace.id, self.first + record)

    def commit(self, batch: Sequence[Step]) -> list[tuple[Outcome, Expected]]:
        """Carry out steps in one commit; what the product answers beside what it should."""
        calls: list[Call] = []
        expected: list[Expected] = []
        numbers = list(self.numbers)
        for step in batch:
            call = self.call(step, len(numbers))
            if call is not None:
                calls.append(self._outward(call, numbers))
                expected.append(self.world.apply(call))
                self.sent.append(call)
        outcomes = self.platform.settle(calls)
        made = (o.merge for o in outcomes if o.status == "merged" or o.created)
        self.numbers += [number for number in made if number is not None]
        return list(zip(outcomes, expected, strict=True))

    def _outward(self, call: Call, numbers: Sequence[int]) -> Call:
        """The call with the product's own numbers for records and merges."""
        changed: dict[str, Any] = {}
        if call.record is not None:
            changed["record"] = self.number(call.record)
        if call.other is not None:
            changed["other"] = self.number(call.other)
        if call.merge is not None:
            changed["merge"] = numbers[call.merge]
        return msgspec.structs.replace(call, **changed)

    def call(self, step: Step, merges: int) -> Call | None:
        """The call of a step, in the reference's numbers; None when it can be done to nothing."""
        kind = step["kind"]
        if kind == "again":
            calls = [c for c in self.sent if c.verb is Verb.WRITE]
            return calls[step["call"] % len(calls)] if calls else None
        known: dict[str, Any] = {}
        if "user" in step:
            known["user_id"] = self.user(step["user"])
        if "place" in step:
            known["session"] = self.place(step["place"])
        if "record" in step:
            if not self.world.users:
                return None
            known["record"] = step["record"] % len(self.world.users)
        known |= self.of_kind(kind, step, known, merges)
        if kind == "undo" and not merges:
            return None
        return Call(
            workspace=self.workspace.id,
            source="api",
            ref="test",
            at=known.pop("at", START + step["at"]),
            message_id=f"{step['by']}{len(self.sent)}",
            properties=step.get("properties", {}),
            auto=step.get("auto", {}),
            add_tags=tuple(step.get("add", ())),
            remove_tags=tuple(step.get("remove", ())),
            **known,
        )

    def of_kind(self, kind: str, step: Step, known: dict[str, Any], merges: int) -> dict[str, Any]:
        if kind == "identify" and "record" in known:
            return {"at": self.after(step, known["record"])}
        if kind == "event":
            return {"event": Event("Seen", {"n": 1}, f"{self.prefix}{len(self.sent)}")}
        if kind == "replace":
            return {"if_exists": "replace"}
        if kind == "delete":
            return {"verb": Verb.DELETE}
        if kind == "undo" and merges:
            return {"verb": Verb.UNMERGE, "merge": step["merge"] % merges}
        if kind == "merge":
            other = known.pop("record")
            return {"verb": Verb.MERGE, "other": other, "at": self.after(step, other)}
        if kind == "alias":
            previous = step["previous"]
            name = self.user(previous) if previous < 3 else self.place(previous - 3).id
            session = self.world.of_session(("web", name))
            before = session if previous >= 3 else self.world.of_user(name)
            at = START + step["at"] if before is None else self.after(step, before)
            return {"verb": Verb.ALIAS, "previous": name, "channel": "web", "at": at}
        return {}

    def after(self, step: Step, record: int) -> int:
        """The step's time, but no earlier than the merges that made the one to be merged."""
        return max(START + step["at"], self.world.latest_merge_in(self.world.top(record)))

    def user(self, n: int) -> str:
        return f"{self.prefix}u{n}"

    def place(self, n: int) -> Session:
        return Session("web", f"{self.prefix}s{n}")

    # What the product says

    def in_ledger(self) -> dict[int, dict[str, Any]]:
        """Every living record of this history by the ledger: userId, properties, sessions."""
        numbers = [self.number(r) for r in range(len(self.world.users))]
        dialect = self.platform.ledger.dialect
        with self.platform.ledger.read() as connection:
            forest = people.grove(connection, dialect, numbers)
            sessions = identity_store.sessions_of(connection, dialect, numbers)
        tops = {n: people.root_of(forest, n) for n in numbers}
        told: dict[int, dict[str, Any]] = {
            n: {
                "userId": forest[n].user_id,
                "properties": {name: c.value for name, c in settle.view(forest, n).items()},
                "sessions": sorted((s[0], s[1]) for s in sessions if tops[s[2]] == n),
                "records": sorted(m for m, top in tops.items() if top == n),
            }
            for n in {top for top in tops.values() if top is not None}
        }
        return _with_sorted_tags(told)

    def in_warehouse(self) -> dict[int, dict[str, Any]]:
        """Every living record of this history by the warehouse: userId, properties, events."""
        warehouse = self.platform.wait()
        schema, least = f"w{self.workspace.id}", self.number(0)
        declared = [p for p in self.workspace.catalogue if p.name != "userId"]
        rows = warehouse.query(
            f"SELECT id, user_id, {', '.join(p.column for p in declared)}"
            f" FROM {schema}.records WHERE id >= ?",
            [least],
        ).rows
        told: dict[int, dict[str, Any]] = {}
        for number, user, *values in rows:
            assert number not in told, "a record stands in the warehouse twice"
            known = {p.name: v for p, v in zip(declared, values, strict=True) if v is not None}
            told[number] = {"userId": user, "properties": known, "events": set()}
        events = warehouse.query(
            "SELECT coalesce(m.survivor_id, e.record_id), e.id"
            f" FROM {schema}.events e LEFT JOIN {schema}.merged m ON m.record_id = e.record_id"
            f" WHERE e.record_id >= ? AND e.name NOT IN {SYSTEM}",
            [least],
        ).rows
        assert len({event for _, event in events}) == len(events), "an event is stored twice"
        for number, event in events:
            told[number]["events"].add(event)
        return _with_sorted_tags(told)

    # What it should say

    def expected(self, *parts: str) -> dict[int, dict[str, Any]]:
        """Every living record by the reference, with these parts of it."""
        world = self.world
        tell: dict[str, Callable[[int], Any]] = {
            "userId": lambda top: world.users[top],
            "properties": world.properties,
            "sessions": lambda top: sorted(
                place for place, record in world.sessions.items() if world.top(record) == top
            ),
            "records": lambda top: [self.number(r) for r in world.person(top)],
            "events": world.timeline,
        }
        return {self.number(t): {part: tell[part](t) for part in parts} for t in world.living()}


def _with_sorted_tags(told: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    for one in told.values():
        if "tags" in one["properties"]:
            one["properties"]["tags"] = sorted(one["properties"]["tags"])
    return told
