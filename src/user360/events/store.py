"""The events slice's SQL: the log, the ids that were ever stored, definitions, rejections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa

from user360.events import chunk, definitions, event
from user360.storage.ledger import Connection, Dialect, array, run, text


def append(connection: Connection, workspace: int, entries: Sequence[event.Entry]) -> None:
    """Add entries, in the order of their positions, as one chunk of the log."""
    if not entries:
        return
    run(
        connection,
        "INSERT INTO log (first, last, workspace_id, body)"
        " VALUES (:first, :last, :workspace, :body)",
        {
            "first": entries[0].seq,
            "last": entries[-1].seq,
            "workspace": workspace,
            "body": chunk.pack(entries),
        },
    )


def last_position(connection: Connection) -> int:
    """The position of the newest entry, 0 when there is none."""
    found = connection.execute(text("SELECT coalesce(max(last), 0) FROM log"))
    return int(found.scalar_one())


def append_columns(
    connection: Connection, workspace: int, first: int, entries: pa.RecordBatch
) -> None:
    """Add entries that already are columns of `chunk.SCHEMA`, numbered from `first` on."""
    connection.execute(
        text(
            "INSERT INTO log (first, last, workspace_id, body)"
            " VALUES (:first, :last, :workspace, :body)"
        ),
        {
            "first": first,
            "last": first + entries.num_rows - 1,
            "workspace": workspace,
            "body": chunk.pack_columns(entries),
        },
    )


class Stretch(NamedTuple):
    """A piece of the log: its chunks by workspace, where it ends, how many entries it holds."""

    chunks: dict[int, list[bytes]]
    last: int
    size: int


def stretch(connection: Connection, after: int, most: int) -> Stretch:
    """The log beyond position `after`, whole chunks up to about `most` entries.

    This is the only way the log is read; where its older part is kept is nobody else's business.
    What a chunk holds is read with `chunk.unpack`.
    """
    query = text(
        "SELECT workspace_id, first, last, body FROM log WHERE first > :after ORDER BY first"
    )
    found: dict[int, list[bytes]] = {}
    end, size = after, 0
    rows = connection.execute(query.execution_options(yield_per=4), {"after": after})
    for workspace, first, last, body in rows:
        found.setdefault(workspace, []).append(body)
        end, size = last, size + last - first + 1
        if size >= most:
            break
    rows.close()
    return Stretch(found, end, size)


def remembered(connection: Connection, dialect: Dialect, digests: Collection[str]) -> set[str]:
    """Those of these event-id digests that were stored before."""
    query = f"SELECT digest FROM event_ids WHERE digest IN {dialect.values('digests')}"
    return {digest for (digest,) in run(connection, query, {"digests": array(list(digests))})}


def remember(connection: Connection, dialect: Dialect, digests: Collection[str]) -> None:
    """Remember digests for ever."""
    if digests:
        # Sorted, so that neighbours in the tree are written together.
        run(
            connection,
            f"INSERT INTO event_ids (digest) SELECT value FROM {dialect.values('digests')}",
            {"digests": array(sorted(digests))},
        )


def load_definitions(connection: Connection, workspace: int) -> dict[str, definitions.Definition]:
    """Every definition of a workspace, by name."""
    query = text(
        "SELECT name, description, active, first_seen, last_seen, volume, properties"
        " FROM definitions WHERE workspace_id = :workspace ORDER BY name"
    )
    return {
        name: definitions.Definition(
            name, description, bool(active), first, last, volume, msgspec.json.decode(properties)
        )
        for name, description, active, first, last, volume, properties in connection.execute(
            query, {"workspace": workspace}
        )
    }


def save_seen(connection: Connection, workspace: int, seen: Iterable[definitions.Seen]) -> None:
    """Add what a batch saw to the definitions, making those that are new."""
    rows = [
        {
            "workspace": workspace,
            "name": s.definition.name,
            "first": s.first,
            "last": s.last,
            "count": s.count,
            "properties": msgspec.json.encode(s.definition.properties).decode(),
        }
        for s in seen
    ]
    if rows:
        connection.execute(
            text(
                "INSERT INTO definitions (workspace_id, name, first_seen, last_seen, volume,"
                " properties) VALUES (:workspace, :name, :first, :last, :count, :properties)"
                " ON CONFLICT (workspace_id, name) DO UPDATE SET"
                " first_seen = CASE WHEN definitions.first_seen < excluded.first_seen"
                " THEN definitions.first_seen ELSE excluded.first_seen END,"
                " last_seen = CASE WHEN definitions.last_seen > excluded.last_seen"
                " THEN definitions.last_seen ELSE excluded.last_seen END,"
                " volume = definitions.volume + excluded.volume, properties = excluded.properties"
            ),
            rows,
        )


def save_definition(
    connection: Connection, workspace: int, definition: definitions.Definition
) -> None:
    """Make a definition, or change the description and activity of one."""
    connection.execute(
        text(
            "INSERT INTO definitions (workspace_id, name, description, active)"
            " VALUES (:workspace, :name, :description, :active) ON CONFLICT (workspace_id, name)"
            " DO UPDATE SET description = excluded.description, active = excluded.active"
        ),
        {
            "workspace": workspace,
            "name": definition.name,
            "description": definition.description,
            "active": definition.active,
        },
    )


class Rejection(msgspec.Struct, frozen=True):
    """Why something was not kept: through which door, under which name, where and why.

    It carries no value of the rejected call: what was refused may be personal.
    """

    source: str
    name: str
    code: str
    path: str
    message: str


MOST_REJECTIONS = 1_000


def _by_reason(counts: dict[Rejection, int]) -> dict[Rejection, int]:
    found: Counter[Rejection] = Counter()
    for r, count in counts.items():
        found[Rejection(r.source, "", r.code, "", r.message)] += count
    return found


def save_rejections(
    connection: Connection, workspace: int, counts: dict[Rejection, int], now: int
) -> None:
    """Add to the counts of what was refused or dropped.

    Names and paths are the sender's to choose, so only so many are told apart in a workspace; what
    comes on top is counted by its reason alone.
    """
    if not counts:
        return
    query = text("SELECT count(*) FROM rejections WHERE workspace_id = :workspace")
    held = connection.execute(query, {"workspace": workspace}).scalar_one()
    if held + len(counts) > MOST_REJECTIONS:
        counts = _by_reason(counts)
    rows = [
        {
            "workspace": workspace,
            "source": r.source,
            "name": r.name,
            "code": r.code,
            "path": r.path,
            "message": r.message,
            "count": count,
            "now": now,
        }
        for r, count in counts.items()
    ]
    connection.execute(
        text(
            "INSERT INTO rejections (workspace_id, source, name, code, path, message, count,"
            " first_at, last_at) VALUES (:workspace, :source, :name, :code, :path, :message,"
            " :count, :now, :now) ON CONFLICT (workspace_id, source, name, code, path)"
            " DO UPDATE SET count = rejections.count + excluded.count, message = excluded.message,"
            " last_at = excluded.last_at"
        ),
        rows,
    )


def rejections(connection: Connection, workspace: int) -> list[dict[str, Any]]:
    """All counted rejections of a workspace, the newest first."""
    query = text(
        "SELECT source, name, code, path, message, count, first_at, last_at FROM rejections"
        " WHERE workspace_id = :workspace ORDER BY last_at DESC, count DESC"
    )
    return [dict(row) for row in connection.execute(query, {"workspace": workspace}).mappings()]
