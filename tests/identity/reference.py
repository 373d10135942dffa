"""What should have become of people: slow, obvious, and made without a look at the product.

The world keeps every write, every merge and every undoing for ever, and works everything out anew
from that history each time it is asked, by replaying it in the order of event time. There are no
settled cells and no trees of edges: a merge, when the replay comes to it, lets the survivor take
from the merged what it lacks, and from then on a write to the merged one is one to the survivor.

Records are called by their place in the order they were made: 0, 1, 2, ...

Where the specification leaves a choice it is the one `records/settle.py` states: a write dated
like a merge belongs before it. Two things are not claimed here and have stories of their own: the
pair of country and timezone once one of them was cleared, and the order of tags in their list.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from user360.ingest.call import Call

PAIR = ("country", "timezone")
Place = tuple[str, str]
Held = dict[str, tuple[Any, str]]  # property -> value and the source it came from


class Write(msgspec.Struct):
    """One thing a call said of one record: `kind` is replace, set, add or remove."""

    record: int
    at: int
    by: str
    turn: int
    kind: str
    name: str
    value: Any
    source: str


class Merge(msgspec.Struct):
    at: int
    survivor: int
    merged: int
    undone: bool = False


class Expected(msgspec.Struct):
    """What a call must answer: `record` is the living one it ended at."""

    status: str
    record: int | None = None
    merge: int | None = None


class World:
    """All that was ever said, in the order it came in."""

    def __init__(self) -> None:
        self.users: list[str | None] = []
        self.deleted: set[int] = set()
        self.writes: list[Write] = []
        self.merges: list[Merge] = []
        self.sessions: dict[Place, int] = {}
        self.events: dict[str, int] = {}  # event id -> the record it was written to
        self.stored: set[str] = set()

    # Who is who

    def top(self, record: int) -> int:
        """The living record in which this one shows."""
        for merge in self.merges:
            if merge.merged == record and not merge.undone:
                return self.top(merge.survivor)
        return record

    def alive(self, record: int) -> bool:
        return 0 <= record < len(self.users) and self.top(record) not in self.deleted

    def living(self) -> list[int]:
        return [r for r in range(len(self.users)) if self.alive(r) and self.top(r) == r]

    def person(self, top: int) -> list[int]:
        """All records that are one person now."""
        return [r for r in range(len(self.users)) if self.top(r) == top]

    def of_user(self, user: str | None) -> int | None:
        found = [r for r, name in enumerate(self.users) if name == user and self.alive(r)]
        assert user is None or len(found) <= 1
        return found[0] if user is not None and found else None

    def of_session(self, place: Place) -> int | None:
        record = self.sessions.get(place)
        return record if record is not None and self.alive(record) else None

    def make(self, user: str | None) -> int:
        self.users.append(user)
        return len(self.users) - 1

    def latest_merge_in(self, top: int) -> int:
        """The time of the latest merge that made this person, 0 when there was none."""
        inside = self.person(top)
        return max((m.at for m in self.merges if m.merged in inside and not m.undone), default=0)

    # What a call does

    def apply(self, call: Call) -> Expected:
        """Carry out one call, and say what it must answer."""
        if call.event is not None and call.event.id in self.stored:
            return Expected("duplicate")
        expected, target = getattr(self, f"_{call.verb.value}")(call)
        if target is None:
            return expected
        self._note(call, target)
        if call.event is not None and call.event.id is not None:
            self.stored.add(call.event.id)
            self.events[call.event.id] = target
        return expected

    def _write(self, call: Call) -> tuple[Expected, int | None]:
        if call.record is not None:
            if not self.alive(call.record):
                return Expected("failed"), None
            return self._named(call, call.record)
        place = (call.session.channel, call.session.id) if call.session else None
        if place is None:
            found = self.of_user(call.user_id)
            status = "created" if found is None else "unchanged"
            target = self.make(call.user_id) if found is None else found
            return Expected(status, self.top(target)), target
        if call.user_id is None:
            return self._in_session(place)
        return self._identify(place, call.user_id, call.at)

    def _named(self, call: Call, record: int) -> tuple[Expected, int | None]:
        top, there = self.top(record), self.of_user(call.user_id)
        if call.user_id in (None, self.users[top]):
            return Expected("unchanged", top), record
        if self.users[top] is not None:
            return Expected("failed"), None
        if there is not None:
            return self._join(top, there, call.at), there
        self.users[top] = call.user_id
        return Expected("assigned", top), top

    def _in_session(self, place: Place) -> tuple[Expected, int]:
        found = self.of_session(place)
        if found is not None:
            return Expected("unchanged", self.top(found)), found
        self.sessions[place] = made = self.make(None)
        return Expected("created", made), made

    def _identify(self, place: Place, user: str, at: int) -> tuple[Expected, int]:
        """The table of the specification, a line a row."""
        mapped, there = self.of_session(place), self.of_user(user)
        mine = None if mapped is None else self.top(mapped)
        known = mine is not None and self.users[mine] is not None
        if mine is not None and there is not None and self.top(there) == mine:
            return Expected("unchanged", mine), there
        if mine is not None and not known and there is None:
            self.users[mine] = user
            return Expected("assigned", mine), mine
        if mine is not None and not known and there is not None:
            return self._join(mine, there, at), there
        status = "created" if there is None else "switched"
        target = self.make(user) if there is None else there
        self.sessions[place] = target
        return Expected(status, self.top(target)), target

    def _join(self, merged: int, into: int, at: int) -> Expected:
        self.merges.append(Merge(at, self.top(into), merged))
        return Expected("merged", self.top(into), len(self.merges) - 1)

    def _delete(self, call: Call) -> tuple[Expected, int | None]:
        found = call.record if call.user_id is None else self.of_user(call.user_id)
        if found is None or not self.alive(found):
            return Expected("failed"), None
        top = self.top(found)
        self.deleted.add(top)
        return Expected("deleted", top), None

    def _merge(self, call: Call) -> tuple[Expected, int | None]:
        into, other = self.of_user(call.user_id), call.other
        assert other is not None
        if into is None or not self.alive(other) or self.top(into) == self.top(other):
            return Expected("failed"), None
        return self._join(self.top(other), into, call.at), None

    def _alias(self, call: Call) -> tuple[Expected, int | None]:
        there, before = self.of_user(call.user_id), self.of_user(call.previous)
        if before is None:
            before = self.of_session((call.channel, call.previous or ""))
        mine = None if before is None else self.top(before)
        if there is None and mine is not None and self.users[mine] is None:
            self.users[mine] = call.user_id
            return Expected("assigned", mine), mine
        target = self.make(call.user_id) if there is None else there
        if mine is None or mine == self.top(target):
            return Expected("created" if there is None else "unchanged", self.top(target)), target
        return self._join(mine, target, call.at), target

    def _unmerge(self, call: Call) -> tuple[Expected, int | None]:
        assert call.merge is not None
        merge = self.merges[call.merge]
        if merge.undone or not self.alive(merge.merged):
            return Expected("failed"), None
        merge.undone = True
        return Expected("unmerged", self.top(merge.survivor), call.merge), None

    def _note(self, call: Call, record: int) -> None:
        """Keep what the call says of the record."""
        said: list[tuple[str, str, Any, str]] = []
        if call.if_exists == "replace":
            said.append(("replace", "", None, call.source))
        said += [("set", name, value, call.source) for name, value in call.properties.items()]
        said += [
            ("set", n, value, "auto") for n, value in call.auto.items() if n not in call.properties
        ]
        said += [("add", "tags", tag, call.source) for tag in call.add_tags]
        said += [("remove", "tags", tag, call.source) for tag in call.remove_tags]
        for turn, (kind, name, value, source) in enumerate(said):
            write = Write(record, call.at, call.message_id, turn, kind, name, value, source)
            self.writes.append(write)

    # What has become of it

    def properties(self, top: int) -> dict[str, Any]:
        """What is known of a living person; tags sorted."""
        person = self.person(top)
        holds: dict[int, Held] = {record: {} for record in person}
        for _, step in sorted(self._history(person), key=lambda pair: pair[0]):
            if isinstance(step, Write):
                for record in self._reached(step.record, step.at):
                    _say(holds[record], step)
            else:
                _take(holds[step.survivor], holds[step.merged])
        known = {name: value for name, (value, _) in holds[top].items() if value is not None}
        if "tags" in known:
            known["tags"] = sorted(known["tags"])
        return known

    def _history(self, person: list[int]) -> Iterator[tuple[Any, Write | Merge]]:
        """Every step with its time; of one time, writes before merges and inner merges first."""
        for write in self.writes:
            if write.record in person:
                yield (write.at, 0, write.by, write.turn), write
        for merge in self.merges:
            if merge.merged in person and not merge.undone and merge.survivor in person:
                yield (merge.at, 1, -self._depth(merge.merged), merge.merged), merge

    def _depth(self, record: int) -> int:
        above = [m.survivor for m in self.merges if m.merged == record and not m.undone]
        return 1 + self._depth(above[0]) if above else 0

    def _reached(self, record: int, at: int) -> Iterator[int]:
        """The records to which a write at this time is one: itself, and whom it was merged into."""
        yield record
        for merge in self.merges:
            if merge.merged == record and not merge.undone and merge.at < at:
                yield from self._reached(merge.survivor, at)

    def timeline(self, top: int) -> set[str]:
        """The ids of all events of a living person."""
        return {event for event, record in self.events.items() if self.top(record) == top}


def _say(holds: Held, write: Write) -> None:
    tags = list(holds.get("tags", (None, ""))[0] or [])
    if write.kind == "replace":
        holds.clear()
    elif write.kind == "set":
        holds[write.name] = (write.value, write.source)
    elif write.kind == "add" and write.value not in tags:
        holds["tags"] = ([*tags, write.value], write.source)
    elif write.kind == "remove":
        holds["tags"] = ([t for t in tags if t != write.value] or None, write.source)


def _take(survivor: Held, merged: Held) -> None:
    """One merge: single values stay, lists are united, the auto-captured pair is not mixed."""

    def value(holds: Held, name: str) -> Any:
        return holds[name][0] if name in holds else None

    has_either = any(value(survivor, name) is not None for name in PAIR)
    for name, (given, source) in merged.items():
        if given is None or (name in PAIR and source == "auto" and has_either):
            continue
        held = value(survivor, name)
        if held is None:
            survivor[name] = (given, source)
        elif isinstance(held, list):
            survivor[name] = ([*held, *(v for v in given if v not in held)], survivor[name][1])
