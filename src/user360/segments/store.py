"""The segments slice's SQL in the ledger: definitions and stored members."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from user360.storage.ledger import Connection, Dialect, array, text

STATIC, DYNAMIC = "static", "dynamic"
HIGHEST = 1 << 62  # beyond it no ledger counts


class Segment(msgspec.Struct, frozen=True):
    """A segment's definition; `condition` is the tree as JSON text, None for a static one.

    `version` counts its definitions from 1. `filled` is the version that its stored members belong
    to, 0 when there are none yet; while it is another one than `version` they are filled anew, and
    `announce` says whether those who enter and leave by that are told of.
    """

    id: int
    name: str
    description: str
    kind: str
    condition: str | None
    created_at: int
    updated_at: int
    used_at: int
    archived_at: int | None
    version: int
    announce: bool
    filled: int


class Version(msgspec.Struct, frozen=True):
    """A segment's definition as it was from `at` on; `actor` made it, empty when not known."""

    version: int
    name: str
    description: str
    condition: str | None
    at: int
    actor: str


COLUMNS = (
    "id, name, description, kind, condition, created_at, updated_at, used_at, archived_at,"
    " version, announce, filled"
)
VERSION = 'version, name, description, condition, "at", actor'


def all_segments(connection: Connection, workspace: int) -> list[Segment]:
    """Every segment of a workspace, by name."""
    query = text(
        f"SELECT {COLUMNS} FROM segments WHERE workspace_id = :workspace"
        " AND deleted_at IS NULL ORDER BY lower(name), id"
    )
    return [_segment(row) for row in connection.execute(query, {"workspace": workspace})]


def one(connection: Connection, workspace: int, number: int) -> Segment | None:
    """A segment of a workspace; None when there is none of this number."""
    query = text(
        f"SELECT {COLUMNS} FROM segments WHERE workspace_id = :workspace AND id = :id"
        " AND deleted_at IS NULL"
    )
    row = connection.execute(query, {"workspace": workspace, "id": number}).one_or_none()
    return None if row is None else _segment(row)


def _segment(row: Any) -> Segment:
    found = Segment(*row)
    return msgspec.structs.replace(found, announce=bool(found.announce))


def named(connection: Connection, workspace: int, name: str) -> Segment | None:
    """The segment of this name, without regard to case."""
    return next(
        (s for s in all_segments(connection, workspace) if s.name.lower() == name.lower()), None
    )


def insert(connection: Connection, workspace: int, **given: Any) -> int:
    """Make a segment; returns its number, which is never given again."""
    query = text(
        "INSERT INTO segments (workspace_id, name, description, kind, condition, announce,"
        " created_at, updated_at, used_at) VALUES (:workspace, :name, :description, :kind,"
        " :condition, :announce, :now, :now, :now) RETURNING id"
    )
    return int(connection.execute(query, {"workspace": workspace, **given}).scalar_one())


def update(connection: Connection, segment: Segment) -> None:
    """Keep a changed definition."""
    connection.execute(
        text(
            "UPDATE segments SET name = :name, description = :description, condition = :condition,"
            " updated_at = :updated_at, used_at = :used_at, archived_at = :archived_at,"
            " version = :version, announce = :announce, filled = :filled WHERE id = :id"
        ),
        msgspec.structs.asdict(segment),
    )


def filled(connection: Connection, number: int, version: int) -> bool:
    """Note that the stored members are those of `version`; False when it is no longer in force."""
    query = text(
        "UPDATE segments SET filled = version, announce = false"
        " WHERE id = :id AND version = :version AND deleted_at IS NULL"
    )
    return connection.execute(query, {"id": number, "version": version}).rowcount == 1


def keep_version(connection: Connection, segment: Segment, at: int, actor: str) -> None:
    """Keep the definition of a segment as its newest version."""
    connection.execute(
        text(
            f"INSERT INTO segment_versions (segment_id, {VERSION}) VALUES"
            " (:id, :version, :name, :description, :condition, :at, :actor)"
        ),
        {**msgspec.structs.asdict(segment), "at": at, "actor": actor},
    )


def versions(connection: Connection, number: int) -> list[Version]:
    """All versions of a segment, the newest first."""
    query = text(
        f"SELECT {VERSION} FROM segment_versions WHERE segment_id = :id ORDER BY version DESC"
    )
    return [Version(*row) for row in connection.execute(query, {"id": number})]


def version(connection: Connection, number: int, wanted: int) -> Version | None:
    """One version of a segment."""
    query = text(
        f"SELECT {VERSION} FROM segment_versions WHERE segment_id = :id AND version = :wanted"
    )
    row = connection.execute(query, {"id": number, "wanted": wanted}).one_or_none()
    return None if row is None else Version(*row)


def delete(connection: Connection, number: int, now: int) -> None:
    """Delete a segment with its stored members; its name may be used again."""
    given = {"id": number, "now": now}
    connection.execute(text("UPDATE segments SET deleted_at = :now WHERE id = :id"), given)
    connection.execute(text("DELETE FROM segment_members WHERE segment_id = :id"), given)


def add_members(
    connection: Connection, dialect: Dialect, number: int, records: Collection[int], now: int
) -> list[int]:
    """Add records to a static segment; returns those that were new in it."""
    query = text(
        "INSERT INTO segment_members (segment_id, record_id, since)"
        f" SELECT :segment, value, :now FROM {dialect.values('records')} AS given WHERE true"
        " ON CONFLICT DO NOTHING RETURNING record_id"
    )
    given = {"segment": number, "records": array(list(records)), "now": now}
    return list(connection.execute(query, given).scalars())


def held_by(
    connection: Connection, dialect: Dialect, number: int, roots: Collection[int]
) -> list[tuple[int, int]]:
    """Which of these living records are in a static segment: pairs of one and of the record, it or
    one merged into it, that is listed.
    """
    query = text(
        "WITH RECURSIVE below (root, number) AS ("
        f"SELECT value, value FROM {dialect.values('roots')} AS given"
        " UNION SELECT b.root, r.id FROM below b JOIN records r ON r.merged_into = b.number)"
        " SELECT b.root, m.record_id FROM below b"
        " JOIN segment_members m ON m.segment_id = :segment AND m.record_id = b.number"
    )
    rows = connection.execute(query, {"segment": number, "roots": array(list(roots))})
    return [(root, record) for root, record in rows]


def remove_members(
    connection: Connection, dialect: Dialect, number: int, records: Collection[int]
) -> list[int]:
    """Take records out of a static segment; returns those that were in it."""
    query = text(
        "DELETE FROM segment_members WHERE segment_id = :segment"
        f" AND record_id IN {dialect.values('records')} RETURNING record_id"
    )
    given = {"segment": number, "records": array(list(records))}
    return list(connection.execute(query, given).scalars())


def all_members(connection: Connection, workspace: int) -> list[tuple[int, int]]:
    """The stored membership of a whole workspace: pairs of segment and record."""
    query = text(
        "SELECT m.segment_id, m.record_id FROM segment_members m"
        " JOIN segments s ON s.id = m.segment_id AND s.workspace_id = :workspace"
    )
    return [(s, r) for s, r in connection.execute(query, {"workspace": workspace})]
