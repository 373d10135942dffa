"""One change of what a workspace is: its declarations, segments, settings, keys.

A change runs in the writer's transaction. It writes a line of the audit, and where readers of the
warehouse have to see it, an entry of the log.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from user360.access import audit
from user360.access.workspaces import Workspace
from user360.events import event
from user360.events import store as event_store
from user360.storage.ledger import Connection, Dialect


class Change:
    """What a job that changes a workspace is given.

    `now` is in microseconds, `actor` names the caller in the audit, `take` gives the next
    position of the log. What is changed in memory is changed last, after all that may fail.
    """

    def __init__(
        self,
        connection: Connection,
        dialect: Dialect,
        workspace: Workspace,
        *,
        now: int,
        actor: str,
        take: Callable[[], int],
    ) -> None:
        self.connection = connection
        self.dialect = dialect
        self.workspace = workspace
        self.now = now
        self.actor = actor
        self.take = take

    def audit(self, action: str, target: str, /, **detail: Any) -> None:
        """Write a line of the audit; neither `target` nor `detail` holds a person's data."""
        where = (self.connection, self.workspace.id, self.now, self.actor)
        audit.note(*where, action, target, **detail)

    def tell(self, name: str, /, **properties: Any) -> int:
        """Append an internal entry to the log, so that readers can wait for it; its position."""
        seq = self.take()
        entry = event.Entry(
            seq,
            event.INTERNAL,
            0,
            name,
            self.now,
            self.now,
            f"s{seq}",
            "api",
            "",
            self.actor,
            properties,
        )
        event_store.append(self.connection, self.workspace.id, [entry])
        return seq
