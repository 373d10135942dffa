"""The erasure's SQL: chunks of the log, and whatever else of the ledger may name somebody."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from user360.storage.ledger import Connection, Dialect, array, text


class Chunk(NamedTuple):
    """One chunk of the log: the positions it spans, whose it is, what it holds."""

    first: int
    last: int
    workspace: int
    body: bytes


def chunks(connection: Connection, after: int, until: int, most: int) -> list[Chunk]:
    """The next chunks that begin after one position and not after another; at most about `most`
    bytes of them.
    """
    query = text(
        "SELECT first, last, workspace_id, body FROM log"
        " WHERE first > :after AND first <= :until ORDER BY first"
    )
    found: list[Chunk] = []
    size = 0
    given = {"after": after, "until": until}
    rows = connection.execute(query.execution_options(yield_per=16), given)
    for row in rows:
        found.append(Chunk(*row))
        size += len(row[3])
        if size >= most:
            break
    rows.close()
    return found


def rewrite(connection: Connection, first: int, body: bytes) -> None:
    """Put other entries in the place of a chunk's; its positions stay."""
    query = text("UPDATE log SET body = :body WHERE first = :first")
    connection.execute(query, {"first": first, "body": body})


def present(connection: Connection, dialect: Dialect, records: Collection[int]) -> set[int]:
    """Those of these records that are there, merged ones too."""
    query = text(f"SELECT id FROM records WHERE id IN {dialect.values('records')}")
    return set(connection.execute(query, {"records": array(list(records))}).scalars())


def users(connection: Connection, workspace: int) -> Iterator[tuple[int, str]]:
    """Every record of a workspace that has a userId, by its number, merged ones too."""
    query = text(
        "SELECT id, user_id FROM records WHERE workspace_id = :workspace AND user_id IS NOT NULL"
    )
    yield from connection.execute(
        query.execution_options(yield_per=10_000), {"workspace": workspace}
    )


def unidentified_sessions(connection: Connection, workspace: int) -> Iterator[tuple[int, str, str]]:
    """The sessions of people without a userId: record, channel and id of each."""
    query = text(
        "SELECT s.record_id, s.channel, s.session_id FROM sessions s"
        " JOIN records r ON r.id = s.record_id"
        " WHERE s.workspace_id = :workspace AND r.user_id IS NULL AND r.merged_into IS NULL"
    )
    yield from connection.execute(
        query.execution_options(yield_per=10_000), {"workspace": workspace}
    )


def count_less(connection: Connection, workspace: int, names: Mapping[str, int]) -> None:
    """Take events out of what their definitions counted."""
    query = text(
        "UPDATE definitions SET volume = volume - :count"
        " WHERE workspace_id = :workspace AND name = :name"
    )
    rows = [{"workspace": workspace, "name": n, "count": count} for n, count in names.items()]
    if rows:
        connection.execute(query, rows)


def listed(connection: Connection, dialect: Dialect, records: Collection[int]) -> int:
    """In how many lists these records are, counted for each."""
    query = text(
        f"SELECT count(*) FROM segment_members WHERE record_id IN {dialect.values('records')}"
    )
    return int(connection.execute(query, {"records": array(list(records))}).scalar_one())


# What may name somebody in passing: the table, what tells its rows apart, the columns looked at.
BESIDE: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "audit": ("id", ("target", "detail")),
    "jobs": ("id", ("params", "progress", "result")),
    "rejections": ("rowid", ("name", "path", "message")),
    "canned_answers": ("id", ("name", "text")),
    "flows": ("workspace_id || ':' || name", ("text",)),
}


def rows_beside(connection: Connection, table: str, workspace: int) -> list[Any]:
    """The rows of a workspace: what tells each apart, then the columns `BESIDE` names."""
    key, columns = BESIDE[table]
    kinds = " AND kind <> 'erasure'" if table == "jobs" else ""
    query = f"SELECT {key}, {', '.join(columns)} FROM {table} WHERE workspace_id = :workspace"
    return list(connection.execute(text(query + kinds), {"workspace": workspace}))


def rewrite_beside(
    connection: Connection, table: str, changed: Iterable[tuple[Any, dict[str, str]]]
) -> None:
    """Replace columns of rows: what tells each apart, and its columns anew."""
    key, columns = BESIDE[table]
    for row, values in changed:
        given = {c: values[c] for c in columns if c in values}
        listed = ", ".join(f"{c} = :{c}" for c in given)
        query = text(f"UPDATE {table} SET {listed} WHERE {key} = :row")
        connection.execute(query, {**given, "row": row})


def delete_beside(connection: Connection, table: str, rows: Iterable[Any]) -> None:
    """Remove rows by what tells them apart."""
    key, _ = BESIDE[table]
    given = [{"row": row} for row in rows]
    if given:
        connection.execute(text(f"DELETE FROM {table} WHERE {key} = :row"), given)


def parts(connection: Connection, workspace: int) -> list[tuple[str, str, int]]:
    """What the imports of a workspace keep of rows: job, name and number of each part."""
    query = text(
        "SELECT p.job_id, p.name, p.part FROM job_parts p JOIN jobs j ON j.id = p.job_id"
        " WHERE j.workspace_id = :workspace AND p.name IN ('failed', 'undo')"
        " ORDER BY p.job_id, p.name, p.part"
    )
    return [tuple(row) for row in connection.execute(query, {"workspace": workspace})]


def part(connection: Connection, job: str, name: str, number: int) -> bytes | None:
    """What one part holds; None when it is gone."""
    query = text("SELECT body FROM job_parts WHERE job_id = :job AND name = :name AND part = :part")
    given = {"job": job, "name": name, "part": number}
    found: bytes | None = connection.execute(query, given).scalar_one_or_none()
    return found


def keep_part(connection: Connection, job: str, name: str, number: int, body: bytes) -> None:
    """Keep a part, in the place of the one that was there."""
    query = text(
        "INSERT INTO job_parts (job_id, name, part, body) VALUES (:job, :name, :part, :body)"
        " ON CONFLICT (job_id, name, part) DO UPDATE SET body = excluded.body"
    )
    connection.execute(query, {"job": job, "name": name, "part": number, "body": body})


def remove_part(connection: Connection, job: str, name: str) -> None:
    """Remove a part."""
    query = text("DELETE FROM job_parts WHERE job_id = :job AND name = :name")
    connection.execute(query, {"job": job, "name": name})


def versions(connection: Connection, workspace: int) -> list[Any]:
    """Every version of every segment, deleted ones too, as rows of segment_id, version, name,
    description and condition; 0 as version stands for the segment itself.
    """
    query = text(
        "SELECT id AS segment_id, 0 AS version, name, description, condition FROM segments"
        " WHERE workspace_id = :workspace UNION ALL"
        " SELECT v.segment_id, v.version, v.name, v.description, v.condition"
        " FROM segment_versions v JOIN segments s ON s.id = v.segment_id"
        " WHERE s.workspace_id = :workspace"
    )
    return list(connection.execute(query, {"workspace": workspace}))


def rewrite_version(
    connection: Connection, segment: int, version: int, texts: Mapping[str, str | None]
) -> None:
    """Put other words into a version of a segment; version 0 is the segment itself."""
    table, where = (
        ("segment_versions", "segment_id = :segment AND version = :version")
        if version
        else ("segments", "id = :segment")
    )
    query = text(
        f"UPDATE {table} SET name = :name, description = :description, condition = :condition"
        f" WHERE {where}"
    )
    connection.execute(query, {"segment": segment, "version": version, **texts})


class Asked(NamedTuple):
    """A job that was asked for before an erasure."""

    id: str
    kind: str
    status: str


def jobs_before(connection: Connection, workspace: int, at: int) -> list[Asked]:
    """The jobs of a workspace that were asked for up to a moment, no erasures."""
    query = text(
        "SELECT id, kind, status FROM jobs"
        " WHERE workspace_id = :workspace AND created_at <= :at AND kind <> 'erasure'"
    )
    rows = connection.execute(query, {"workspace": workspace, "at": at})
    return [Asked(*row) for row in rows]


def waiting(connection: Connection, name: str) -> list[Any]:
    """The erasures of all workspaces that still keep a part of this name: rows of id, workspace_id,
    created_at and body.
    """
    query = text(
        "SELECT j.id, j.workspace_id, j.created_at, p.body FROM job_parts p"
        " JOIN jobs j ON j.id = p.job_id WHERE j.kind = 'erasure' AND p.name = :name"
        " ORDER BY j.created_at"
    )
    return list(connection.execute(query, {"name": name}))


def imports(connection: Connection, workspace: int, refs: Collection[str]) -> list[Any]:
    """The jobs that values say they came by: rows of id, kind and created_at."""
    named = {ref.rpartition(":")[2] for ref in refs}
    query = text(
        "SELECT id, kind, created_at FROM jobs WHERE workspace_id = :workspace ORDER BY created_at"
    )
    rows = connection.execute(query, {"workspace": workspace})
    return [row for row in rows if row.id in named]


def backups(connection: Connection) -> list[int]:
    """When backups of the whole directory were made."""
    query = text("SELECT at FROM audit WHERE action = 'backup' ORDER BY at")
    return list(connection.execute(query).scalars())
