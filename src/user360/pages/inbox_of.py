"""The conversations of one person, on all channels, past and present."""

from __future__ import annotations

from user360.conversations import reading
from user360.conversations.reading import Wanted
from user360.doors import gate
from user360.pages import inbox_view
from user360.pages.render import Asked
from user360.storage.ledger import Connection

AT_ONCE = 50


async def conversations(request: Asked, number: int) -> list[inbox_view.Row]:
    """The conversations of somebody that one may see, the newest first."""
    platform, actor = gate.platform_of(request), gate.actor_of(request)
    dialect = platform.ledger.dialect

    def ask(connection: Connection) -> list[inbox_view.Row]:
        records = reading.tree(connection, dialect, [number])
        wanted = Wanted(scope=inbox_view.scope_of(actor), records=records)
        found = reading.page(connection, dialect, actor.workspace.id, wanted, AT_ONCE)
        person = inbox_view.living(connection, dialect, actor.workspace, [number]).get(number)
        return [
            inbox_view.row(platform, actor.workspace, each, person) for each in found.conversations
        ]

    return await gate.read(platform, ask)
