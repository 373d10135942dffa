"""The imports' SQL: what a job keeps part by part, and the people a file names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa

from user360.imports.plan import Plan
from user360.storage.ledger import Connection, Dialect, array, run, text

PLAN = "plan"
# How many imports are looked through for what a column became the last time.
REMEMBERED = 20
PEOPLE_AT_ONCE = 1_000


def save_part(connection: Connection, job: str, name: str, part: int, body: bytes) -> None:
    """Keep something of a job, compressed; what stood there before is replaced."""
    run(
        connection,
        "INSERT INTO job_parts (job_id, name, part, body) VALUES (:job, :name, :part, :body)"
        " ON CONFLICT (job_id, name, part) DO UPDATE SET body = excluded.body",
        {"job": job, "name": name, "part": part, "body": _packed(body)},
    )


def drop_part(connection: Connection, job: str, name: str, number: int) -> None:
    """Forget one part of a job."""
    query = text("DELETE FROM job_parts WHERE job_id = :job AND name = :name AND part = :part")
    connection.execute(query, {"job": job, "name": name, "part": number})


def part(connection: Connection, job: str, name: str, number: int = 0) -> bytes | None:
    """One part of a job; None when there is none."""
    query = text("SELECT body FROM job_parts WHERE job_id = :job AND name = :name AND part = :part")
    given = {"job": job, "name": name, "part": number}
    body = connection.execute(query, given).scalar_one_or_none()
    return None if body is None else _unpacked(body)


def part_numbers(connection: Connection, job: str, name: str) -> list[int]:
    """The numbers of a job's parts of one name, in order."""
    query = text("SELECT part FROM job_parts WHERE job_id = :job AND name = :name ORDER BY part")
    return list(connection.execute(query, {"job": job, "name": name}).scalars())


def parts(connection: Connection, job: str, name: str) -> Iterator[tuple[int, bytes]]:
    """A job's parts of one name in order, one in memory at a time."""
    for number in part_numbers(connection, job, name):
        body = part(connection, job, name, number)
        if body is not None:
            yield number, body


def remembered(connection: Connection, workspace: int) -> dict[str, str]:
    """What each column became when a file with such a column was imported last: property names."""
    query = text(
        "SELECT p.body FROM jobs j JOIN job_parts p"
        " ON p.job_id = j.id AND p.name = :name AND p.part = 0"
        " WHERE j.workspace_id = :workspace AND j.kind = 'import'"
        " ORDER BY j.created_at DESC LIMIT :most"
    )
    given = {"name": PLAN, "workspace": workspace, "most": REMEMBERED}
    found: dict[str, str] = {}
    for body in reversed(connection.execute(query, given).scalars().all()):
        found |= msgspec.json.decode(_unpacked(body), type=Kept).mapping
    return found


class Kept(msgspec.Struct, frozen=True):
    """The plan of an import, and what is worth remembering of it: column -> property."""

    plan: Plan
    mapping: dict[str, str]


def keep_plan(connection: Connection, job: str, plan: Plan) -> None:
    """Keep the plan of an import, once for all its rows."""
    save_part(connection, job, PLAN, 0, msgspec.json.encode(Kept(plan, plan.mapping)))


def plan_of(connection: Connection, job: str) -> Plan | None:
    """The plan of an import; None while it has none."""
    body = part(connection, job, PLAN)
    return None if body is None else msgspec.json.decode(body, type=Kept).plan


class Held(NamedTuple):
    """Who holds a userId. `cells` is the JSON text of a record that stands alone.

    It is empty for one that was merged away, or that others were merged into.
    """

    record: int
    cells: str


def holders(
    connection: Connection, dialect: Dialect, workspace: int, user_ids: Sequence[str]
) -> dict[str, Held]:
    """Who holds these userIds; unknown ones are left out.

    The answer comes in few long rows: at each row the driver lets busy threads go first.
    """
    found: dict[str, Held] = {}
    alone = (
        "CASE WHEN r.merged_into IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM records c WHERE c.merged_into = r.id)"
        " THEN r.cells ELSE '' END"
    )
    lines = ", ".join(dialect.lines(column) for column in ("r.id", "r.user_id", alone))
    query = (
        f"SELECT {lines} FROM records r WHERE r.workspace_id = :workspace"
        f" AND r.user_id IN {dialect.values('user_ids')}"
    )
    for start in range(0, len(user_ids), PEOPLE_AT_ONCE):
        asked = sorted(user_ids[start : start + PEOPLE_AT_ONCE])
        ((numbers, names, cells),) = run(
            connection, query, {"workspace": workspace, "user_ids": array(asked)}
        )
        if names is not None:
            rows = zip(numbers.split("\n"), names.split("\n"), cells.split("\n"), strict=True)
            found.update((name, Held(int(number), held)) for number, name, held in rows)
    return found


def known(
    connection: Connection, dialect: Dialect, workspace: int, user_ids: Collection[str]
) -> set[str]:
    """Those of these userIds that a record holds."""
    query = (
        f"SELECT {dialect.lines('r.user_id')} FROM records r WHERE r.workspace_id = :workspace"
        f" AND r.user_id IN {dialect.values('user_ids')}"
    )
    given: dict[str, Any] = {"workspace": workspace, "user_ids": array(sorted(user_ids))}
    ((names,),) = run(connection, query, given)
    return set() if names is None else set(names.split("\n"))


class Made(NamedTuple):
    """A record that an import made: `merged` away or into, with so many sessions."""

    record: int
    user_id: str | None
    cells: str
    merged: bool
    sessions: bool


def made(connection: Connection, dialect: Dialect, numbers: Sequence[int]) -> Iterator[Made]:
    """Those of these records that still are there."""
    merged = (
        "(r.merged_into IS NOT NULL OR EXISTS (SELECT 1 FROM records c WHERE c.merged_into = r.id))"
    )
    sessions = "EXISTS (SELECT 1 FROM sessions s WHERE s.record_id = r.id)"
    columns = ("r.id", "coalesce(r.user_id, '')", "r.cells", merged, sessions)
    lines = ", ".join(dialect.lines(column) for column in columns)
    query = f"SELECT {lines} FROM records r WHERE r.id IN {dialect.values('numbers')}"
    for start in range(0, len(numbers), PEOPLE_AT_ONCE):
        given = {"numbers": array(numbers[start : start + PEOPLE_AT_ONCE])}
        (found,) = run(connection, query, given)
        if found[0] is not None:
            for number, name, *rest in zip(*(t.split("\n") for t in found), strict=True):
                yield Made(int(number), name or None, rest[0], rest[1] == "1", rest[2] == "1")


def has_members(connection: Connection, segment: int) -> bool:
    """Whether anybody is in a static segment."""
    query = text("SELECT count(*) FROM segment_members WHERE segment_id = :segment LIMIT 1")
    return bool(connection.execute(query, {"segment": segment}).scalar_one())


def _packed(body: bytes) -> bytes:
    packed: bytes = _codec().compress(body, asbytes=True)
    return len(body).to_bytes(8, "little") + packed


def _unpacked(body: bytes) -> bytes:
    size = int.from_bytes(body[:8], "little")
    return bytes(_codec().decompress(memoryview(body)[8:], size))


def _codec() -> pa.Codec:
    return pa.Codec("zstd", compression_level=1)
