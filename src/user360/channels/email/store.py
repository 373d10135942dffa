"""The SQL of mails: which conversation a mail belongs to, what was mailed in a thread."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import msgspec

from user360.channels.email.addresses import CHANNEL
from user360.storage.ledger import Connection, Dialect, array, run

MOST_MAILS = 60


class Kept(NamedTuple):
    """A mail of a thread: who said it, its id, and what else the channel told of it."""

    message: int
    sender: str
    external: str
    detail: dict[str, Any]


def named(
    connection: Connection, dialect: Dialect, workspace: int, externals: Collection[str]
) -> dict[str, tuple[int, str]]:
    """The mails of these ids that are kept: the conversation and the session of each."""
    query = (
        "SELECT m.external, c.id, c.session_id FROM messages m"
        " JOIN conversations c ON c.id = m.conversation_id WHERE m.workspace_id = :workspace"
        f" AND m.external IN {dialect.values('externals')} AND c.channel = :channel"
        " ORDER BY m.id DESC"
    )
    given = {"workspace": workspace, "externals": array(list(externals)), "channel": CHANNEL}
    return {row[0]: (row[1], row[2]) for row in run(connection, query, given)}


def thread(connection: Connection, workspace: int, session: str) -> list[Kept]:
    """The first mail of a thread, then its newest ones, each in its order; no notes."""
    query = (
        "SELECT m.id, m.sender, m.external, m.detail FROM conversations c"
        " JOIN messages m ON m.conversation_id = c.id WHERE c.workspace_id = :workspace"
        " AND c.channel = :channel AND c.session_id = :session AND m.sender <> 'note'"
    )
    given = {"workspace": workspace, "channel": CHANNEL, "session": session, "most": MOST_MAILS}
    rows = [
        *run(connection, f"{query} ORDER BY m.id LIMIT 1", given),
        *reversed(run(connection, f"{query} ORDER BY m.id DESC LIMIT :most", given)),
    ]
    found = [Kept(m, sender, id_ or "", msgspec.json.decode(d)) for m, sender, id_, d in rows]
    return found if len(found) < 2 or found[0].message != found[1].message else found[1:]
