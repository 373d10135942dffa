"""A shop with segments: who is in them, and what was told of it."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.stories.shop import Shop
from user360.segments import define
from user360.storage.ledger import Connection


class Segments(Shop):
    """A shop with segments: who is in them, and what was told of it."""

    def make(self, name: str, condition: dict[str, Any] | None, **how: Any) -> int:
        """A segment that is filled."""
        made = self.change(lambda change: define.create(change, name, "", condition, **how))
        self.platform.keeper.settle()
        return int(made.id)

    def change(self, job: Any) -> Any:
        def run(connection: Connection) -> Any:
            return job(self.platform.change(connection, self.workspace, "shop"))

        return self.platform.write(run)

    def ordered(self, user: str, at: int | None = None) -> Any:
        now = self.platform.clock.now()
        return self.send(user_id=user, event="Ordered", at=now if at is None else at)

    def members(self, segment: int) -> set[str | None]:
        """The userIds of the stored members, merged-away ones standing for their survivors."""
        self.platform.keeper.settle()
        rows = self._ask(
            "SELECT DISTINCT r.user_id FROM {schema}.members m"
            " LEFT JOIN {schema}.merged g ON g.record_id = m.record_id"
            " LEFT JOIN {schema}.records r ON r.id = coalesce(g.survivor_id, m.record_id)"
            " WHERE m.segment_id = ?",
            segment,
        )
        return {user for (user,) in rows}

    def moves(self, segment: int) -> list[tuple[str, str]]:
        """What was told of a segment, in order: the event and the userId."""
        self.platform.keeper.settle()
        rows = self._ask(
            "SELECT e.name, r.user_id, e.properties FROM {schema}.events e"
            " LEFT JOIN {schema}.records r ON r.id = e.record_id"
            " WHERE e.name IN ('SEGMENT_ENTER', 'SEGMENT_EXIT') ORDER BY e.seq"
        )
        told = [(n, u, msgspec.json.decode(said)["segmentId"]) for n, u, said in rows]
        return [(name.removeprefix("SEGMENT_"), user) for name, user, of in told if of == segment]

    def journey(self, user: str) -> list[tuple[str, str, str]]:
        """Everything told of a user: the day, `enters` or `leaves`, and the segment's name."""
        self.platform.keeper.settle()
        rows = self._ask(
            "SELECT strftime(e.at, '%Y-%m-%d'), e.name, e.properties FROM {schema}.events e"
            " LEFT JOIN {schema}.merged g ON g.record_id = e.record_id"
            " JOIN {schema}.records r ON r.id = coalesce(g.survivor_id, e.record_id)"
            " WHERE e.name IN ('SEGMENT_ENTER', 'SEGMENT_EXIT') AND r.user_id = ?"
            " ORDER BY e.seq",
            user,
        )
        words = {"SEGMENT_ENTER": "enters", "SEGMENT_EXIT": "leaves"}
        return [(day, words[n], msgspec.json.decode(said)["segment"]) for day, n, said in rows]

    def sizes(self, segment: int) -> list[int]:
        self.platform.keeper.settle()
        asked = "SELECT size FROM {schema}.sizes WHERE segment_id = ? ORDER BY seq"
        return [size for (size,) in self._ask(asked, segment)]

    def fresh(self, segment: int) -> Any:
        return self.platform.keeper.freshness(self.workspace.id, segment)
