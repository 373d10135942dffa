"""The SQL of scheduled imports: what is wanted when, and what became of each file."""

from __future__ import annotations

from typing import Any

import msgspec

from user360.imports.schedules.schedule import Calendar, Entry, Place, Schedule
from user360.storage.ledger import Connection, text

LOOK = "import-look"
COLUMNS = "id, workspace_id, name, place, calendar, options, active, actor, created_at, next_at"
ENTRY = 'id, "at", status, reason, file, version, job_id'
# How many looks that brought nothing are kept of a schedule, beside all its files.
IDLE = 1_000


def all_of(connection: Connection, workspace: int) -> list[Schedule]:
    """The schedules of a workspace, by name."""
    query = text(f"SELECT {COLUMNS} FROM schedules WHERE workspace_id = :workspace ORDER BY name")
    return [_schedule(row) for row in connection.execute(query, {"workspace": workspace})]


def one(connection: Connection, schedule: int, workspace: int | None = None) -> Schedule | None:
    """A schedule by its number, of this workspace if one is named."""
    query = text(
        f"SELECT {COLUMNS} FROM schedules WHERE id = :id"
        " AND (:workspace IS NULL OR workspace_id = :workspace)"
    )
    row = connection.execute(query, {"id": schedule, "workspace": workspace}).one_or_none()
    return None if row is None else _schedule(row)


def named(connection: Connection, workspace: int, name: str) -> int | None:
    """The number of the schedule of this name."""
    query = text("SELECT id FROM schedules WHERE workspace_id = :workspace AND name = :name")
    found: int | None = connection.execute(
        query, {"workspace": workspace, "name": name}
    ).scalar_one_or_none()
    return found


def add(connection: Connection, schedule: Schedule) -> int:
    """Keep a new schedule; its number, whatever it carried before."""
    query = text(
        "INSERT INTO schedules (workspace_id, name, place, calendar, options, active, actor,"
        " created_at, next_at) VALUES (:workspace, :name, :place, :calendar, :options, :active,"
        " :actor, :created_at, :next_at) RETURNING id"
    )
    return int(connection.execute(query, _values(schedule)).scalar_one())


def save(connection: Connection, schedule: Schedule) -> None:
    """Keep what was changed of a schedule."""
    query = text(
        "UPDATE schedules SET name = :name, place = :place, calendar = :calendar,"
        " options = :options, active = :active, next_at = :next_at WHERE id = :id"
    )
    connection.execute(query, _values(schedule))


def set_next(connection: Connection, schedule: int, at: int | None) -> None:
    """Say when files are looked for next."""
    query = text("UPDATE schedules SET next_at = :at WHERE id = :id")
    connection.execute(query, {"id": schedule, "at": at})


def remove(connection: Connection, schedule: int) -> None:
    """Forget a schedule and its entries; what it imported stays."""
    connection.execute(
        text("DELETE FROM schedule_entries WHERE schedule_id = :id"), {"id": schedule}
    )
    connection.execute(text("DELETE FROM schedules WHERE id = :id"), {"id": schedule})


def due(connection: Connection, now: int) -> list[Schedule]:
    """The active schedules whose time has come."""
    query = text(
        f"SELECT {COLUMNS} FROM schedules WHERE active AND next_at <= :now ORDER BY next_at"
    )
    return [_schedule(row) for row in connection.execute(query, {"now": now})]


def next_at(connection: Connection) -> int | None:
    """When the first of all active schedules is due."""
    query = text("SELECT min(next_at) FROM schedules WHERE active")
    found: int | None = connection.execute(query).scalar_one()
    return found


def looking(connection: Connection, schedule: int) -> str | None:
    """The id of the look of a schedule that is not finished, if there is one."""
    query = text(
        "SELECT id, params FROM jobs WHERE kind = :kind AND status IN ('queued', 'running')"
    )
    for row in connection.execute(query, {"kind": LOOK}):
        if msgspec.json.decode(row.params).get("schedule") == schedule:
            return str(row.id)
    return None


def forget_looks(connection: Connection, before: int) -> None:
    """Remove the jobs of finished looks; what they brought stands in the entries."""
    query = text(
        "DELETE FROM jobs WHERE kind = :kind AND finished_at < :before"
        " AND status NOT IN ('queued', 'running')"
    )
    connection.execute(query, {"kind": LOOK, "before": before})


def versions(connection: Connection, schedule: int) -> set[tuple[str, str]]:
    """The files that need not be taken again, each with its version.

    A file that was taken for an import that never came to be, because the process died between the
    two, is not among them.
    """
    query = text(
        "SELECT e.file, e.version FROM schedule_entries e LEFT JOIN jobs j ON j.id = e.job_id"
        " WHERE e.schedule_id = :id AND e.version IS NOT NULL"
        " AND (e.job_id IS NULL OR j.id IS NOT NULL)"
    )
    return {(row.file, row.version) for row in connection.execute(query, {"id": schedule})}


def take(
    connection: Connection, schedule: int, now: int, file: str, version: str, job: str
) -> None:
    """Note that a file is being taken for an import, before it is; it replaces a lost try."""
    connection.execute(
        text(
            "DELETE FROM schedule_entries WHERE schedule_id = :id AND file = :file"
            " AND version = :version AND job_id IS NOT NULL"
        ),
        {"id": schedule, "file": file, "version": version},
    )
    enter(
        connection,
        schedule,
        Entry(id=0, at=now, status="taken", file=file, version=version, job=job),
    )


def refuse(connection: Connection, job: str, reason: str, again: bool) -> None:
    """Note that what was taken for an import is none; with `again` it is taken at the next look."""
    kept = "NULL" if again else "version"
    query = text(
        f"UPDATE schedule_entries SET status = 'failed', reason = :reason, version = {kept},"
        " job_id = NULL WHERE job_id = :job"
    )
    connection.execute(query, {"job": job, "reason": reason})


def try_again(connection: Connection, schedule: int) -> None:
    """Have files that could not be imported taken at the next look."""
    query = text(
        "UPDATE schedule_entries SET version = NULL WHERE schedule_id = :id AND status = 'failed'"
    )
    connection.execute(query, {"id": schedule})


def enter(connection: Connection, schedule: int, entry: Entry) -> None:
    """Note what a look brought. The same as at the last look only changes when that was."""
    if entry.file is None and _again(connection, schedule, entry):
        return
    query = text(
        'INSERT INTO schedule_entries (schedule_id, "at", file, version, job_id, status, reason)'
        " VALUES (:schedule, :at, :file, :version, :job, :status, :reason)"
    )
    connection.execute(query, {"schedule": schedule, **msgspec.structs.asdict(entry)})
    oldest = text(
        "DELETE FROM schedule_entries WHERE schedule_id = :id AND file IS NULL AND id <= ("
        " SELECT id FROM schedule_entries WHERE schedule_id = :id AND file IS NULL"
        " ORDER BY id DESC LIMIT 1 OFFSET :kept)"
    )
    connection.execute(oldest, {"id": schedule, "kept": IDLE})


def _again(connection: Connection, schedule: int, entry: Entry) -> bool:
    query = text(
        'UPDATE schedule_entries SET "at" = :at WHERE id = (SELECT max(id) FROM schedule_entries'
        " WHERE schedule_id = :schedule) AND file IS NULL AND status = :status AND reason = :reason"
    )
    given = {"schedule": schedule, "at": entry.at, "status": entry.status, "reason": entry.reason}
    return bool(connection.execute(query, given).rowcount)


def entries(
    connection: Connection, schedule: int, before: int | None, limit: int
) -> list[tuple[Entry, str | None]]:
    """The newest entries first, each with the status of its import."""
    query = text(
        'SELECT e.id, e."at", e.status, e.reason, e.file, e.version, e.job_id, j.status AS became'
        " FROM schedule_entries e LEFT JOIN jobs j ON j.id = e.job_id"
        " WHERE e.schedule_id = :id AND (:before IS NULL OR e.id < :before)"
        " ORDER BY e.id DESC LIMIT :limit"
    )
    given = {"id": schedule, "before": before, "limit": limit}
    return [
        (
            Entry(
                id=row.id,
                at=row.at,
                status=row.status,
                reason=row.reason,
                file=row.file,
                version=row.version,
                job=row.job_id,
            ),
            row.became,
        )
        for row in connection.execute(query, given)
    ]


def _schedule(row: Any) -> Schedule:
    return Schedule(
        id=row.id,
        workspace=row.workspace_id,
        name=row.name,
        place=msgspec.json.decode(row.place, type=Place),
        calendar=msgspec.json.decode(row.calendar, type=Calendar),
        options=msgspec.json.decode(row.options),
        active=bool(row.active),
        actor=row.actor,
        created_at=row.created_at,
        next_at=row.next_at,
    )


def _values(schedule: Schedule) -> dict[str, Any]:
    kept = msgspec.structs.asdict(schedule)
    texts = {n: msgspec.json.encode(kept[n]).decode() for n in ("place", "calendar", "options")}
    return kept | texts
