"""The state of one batch on its way through the steps: what came, what is known, what to write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from user360 import errors, ids
from user360.access.workspaces import Workspace
from user360.conversations.floor import Told
from user360.events import definitions, event
from user360.events.store import Rejection
from user360.identity import resolve
from user360.identity import store as identity_store
from user360.ingest.call import Call, Outcome
from user360.records import settle
from user360.records.properties import Property
from user360.storage.ledger import Connection, Dialect

if TYPE_CHECKING:
    from user360.ingest.talks import Talks


class Work(msgspec.Struct, gc=False):
    """One call with what the steps have found out about it so far."""

    call: Call
    values: dict[str, Any] = msgspec.field(default_factory=dict)
    auto: dict[str, Any] = msgspec.field(default_factory=dict)
    add_tags: Sequence[str] = ()
    remove_tags: Sequence[str] = ()
    new: dict[str, Property] | None = None  # by lower-case name: to be declared if nothing is wrong
    required: list[str] = msgspec.field(default_factory=list)
    digest: str | None = None
    decision: resolve.Decision | None = None
    writes: bool = False  # whether it touches any record's cells
    said: str | None = None  # the digest of its message's id
    told: Sequence[Told] = ()  # what became of its conversation
    conversation: int | None = None
    message: int | None = None
    outcome: Outcome | None = None

    @property
    def brings(self) -> bool:
        """Whether the call itself has something to write to a record."""
        return bool(self.values or self.auto or self.add_tags or self.remove_tags)

    @property
    def channel(self) -> str:
        call = self.call
        return call.channel or (call.session.channel if call.session else "")


class Position:
    """The position of the newest log entry; one counter for the whole ledger."""

    def __init__(self, last: int) -> None:
        self.last = last

    def take(self) -> int:
        self.last += 1
        return self.last


class Batch:
    """Calls of one workspace that are settled together, in their order."""

    def __init__(
        self,
        connection: Connection,
        dialect: Dialect,
        workspace: Workspace,
        calls: Sequence[Call],
        position: Position,
        now: int,
    ) -> None:
        self.connection = connection
        self.dialect = dialect
        self.workspace = workspace
        self.position = position
        self.now = now
        self.work = [Work(call) for call in calls]
        self.known = resolve.Known(self.new_number, workspace.settings.merge_limit)
        self.held: dict[int, identity_store.Row] = {}  # read already of those to be written
        self.forest: dict[int, settle.Own] = {}
        self.places: dict[int, tuple[object, ...]] = {}  # as they were found
        self.dirty: set[int] = set()
        self.dead: set[int] = set()
        self.files: list[tuple[int, str]] = []  # said with the dead: to be removed once it is kept
        self.mapped: dict[resolve.Session, int] = {}
        self.merges: dict[int, dict[str, Any]] = {}
        self.undone: dict[int, str] = {}
        self.entries: list[event.Entry] = []
        self.seen: dict[str, definitions.Seen] = {}
        self.digests: set[str] = set()
        self.rejections: Counter[Rejection] = Counter()
        self.hints = 5
        self.talks: Talks | None = None
        self.counters = workspace.counters

    def new_number(self) -> int:
        number = ids.record_number(self.workspace.id, self.workspace.next_record)
        self.workspace.next_record += 1
        return number

    def pending(self) -> list[Work]:
        """The work that has no outcome yet."""
        return [w for w in self.work if w.outcome is None]

    def fail(self, work: Work, problem: errors.Problem) -> None:
        """Let one call fail alone, with its reason, and count it."""
        problem = problem.under(work.call.path)
        work.outcome = Outcome(status="failed", problem=problem)
        name = work.call.event.name if work.call.event else work.call.verb.value
        for fault in problem.faults or (errors.Fault("", problem.code, problem.detail),):
            self.reject(work, name, fault)

    def reject(self, work: Work, name: object, fault: errors.Fault) -> None:
        """Count something refused or dropped. Positions in lists are left out of the path."""
        parts = [p for p in fault.path.split(".") if not p.isdigit()]
        rejection = Rejection(
            work.call.source, str(name)[:200], fault.code, ".".join(parts)[:200], fault.message
        )
        self.rejections[rejection] += 1

    def note(
        self, work: Work, kind: int, record: int, name: str, properties: Any, seq: int | None = None
    ) -> event.Entry:
        """Add an entry to what this batch appends to the log."""
        call = work.call
        seq = self.position.take() if seq is None else seq
        own_id = call.event.id if kind == event.CUSTOM and call.event else None
        entry = event.Entry(
            seq,
            kind,
            record,
            name,
            call.at,
            self.now,
            own_id or (ids.new_id() if kind == event.CUSTOM else f"s{seq}"),
            call.source,
            work.channel,
            call.ref,
            properties,
        )
        self.entries.append(entry)
        return entry
