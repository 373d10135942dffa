"""A dry run: every row goes the way it would go, and nothing is written.

Who was made by a row before is remembered beside, for the ledger does not know of them. Of two rows
that change one record each is compared with the record as it is now.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence

from user360.access.workspaces import Workspace
from user360.imports import singly, sorting
from user360.imports.apply import Summary
from user360.imports.piece import row_of
from user360.imports.plan import Plan
from user360.imports.rows import Ready
from user360.imports.singly import Told
from user360.imports.sorting import Way
from user360.ingest.batch import Batch, Position
from user360.jobs.work import Work
from user360.records.properties import Catalogue, Property
from user360.storage.ledger import Connection
from user360.storage.scratch import Names

# Rows that are looked at closely together.
AT_ONCE = 1_000
_UNDECLARED = 1 << 40  # numbers of properties that are declared only once the import is real


@contextlib.contextmanager
def opened(work: Work, plan: Plan) -> Iterator[Trial]:
    """A dry run of this plan; what it remembers is gone afterwards."""
    with Names(work.directory / "seen") as seen:
        yield Trial(work, plan, seen)


class Trial:
    """Tells of one batch after another what would become of its rows."""

    def __init__(self, work: Work, plan: Plan, seen: Names) -> None:
        self.work, self.plan, self.seen = work, plan, seen

    def of(self, ready: Ready) -> Summary:
        """What the rows of a batch would come to."""
        platform = self.work.platform
        with platform.ledger.read() as connection:
            where = (connection, platform.ledger.dialect, self.work.workspace.id)
            found = sorting.sort(*where, ready, self.plan)
            told = self._singly(connection, ready, found.ways)
        by_way = Counter(found.ways)
        counts = Counter(t.status for t in told) + self._new(ready, found.ways)
        return Summary(
            total=len(found.ways) + len(ready.failed) + len(ready.empty),
            new=counts["new"],
            conflicting=by_way[Way.SAME] + counts["same"] + counts["changed"],
            changed=counts["changed"],
            failed=len(ready.failed) + counts["failed"],
            empty=len(ready.empty),
            skipped=by_way[Way.SKIP] + counts["skipped"],
            changes=dict(singly.changes_of(told)),
        )

    def _new(self, ready: Ready, ways: Sequence[Way]) -> Counter[str]:
        """What becomes of those whom nobody knows: by now a row before may have made them."""
        rows = [row for row, way in enumerate(ways) if way is Way.NEW]
        named = [user_id for row in rows if (user_id := ready.user_ids[row]) is not None]
        erased = self.work.workspace.erased.among(named)
        lacking = {ready.user_ids[row] for row in rows if row in ready.required} - {None}
        known = self.seen.add({*named} - erased - lacking) if named else set()
        counts: Counter[str] = Counter()
        for row in rows:
            user_id = ready.user_ids[row]
            if user_id in erased or (row in ready.required and user_id not in known):
                counts["failed"] += 1
            else:
                counts[self._again if user_id in known else "new"] += 1
        return counts

    @property
    def _again(self) -> str:
        """What a second row for somebody counts as."""
        return "skipped" if self.plan.on_conflict == "skip" else "same"

    def _singly(self, connection: Connection, ready: Ready, ways: Sequence[Way]) -> list[Told]:
        rows = [row_of(ready, row) for row, way in enumerate(ways) if way is Way.SINGLY]
        told: list[Told] = []
        workspace = self._shadow(connection) if rows else self.work.workspace
        for start in range(0, len(rows), AT_ONCE):
            part = rows[start : start + AT_ONCE]
            calls = singly.calls(part, self.plan, workspace.id, self.work.job.id)
            dialect, now = self.work.platform.ledger.dialect, self.work.platform.now()
            batch = Batch(connection, dialect, workspace, calls, Position(0), now)
            told += singly.tried(batch, self.plan)
        made = [r.user_id for r, t in zip(rows, told, strict=True) if t.status == "new"]
        known = self.seen.add({name for name in made if name is not None}) if made else set()
        for row, each in zip(rows, told, strict=True):
            if each.status == "new" and row.user_id in known:
                each.status = self._again
        return told

    def _shadow(self, connection: Connection) -> Workspace:
        """The workspace as it is now, to be changed by nobody else, with what would be declared."""
        own = self.work.workspace
        shadow = Workspace(own.id, own.name, own.settings, own.created_at)
        shadow.load(connection)
        shadow.erased = own.erased
        wanted = [
            Property(_UNDECLARED + number, column.property, column.type)
            for number, column in enumerate(self.plan.wanted)
        ]
        shadow.catalogue = Catalogue([*shadow.catalogue.custom, *wanted])
        return shadow
