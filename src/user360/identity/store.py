"""The identity slice's SQL: records by userId, session and number, their trees, and merges.

What is written of them stands in `saving`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from user360 import ids
from user360.identity import resolve
from user360.records import settle
from user360.storage.ledger import Connection, Dialect, array, run, run_together, text

Row = tuple[Any, ...]
PERSON = (
    "r.id",
    "r.user_id",
    "r.merged_into",
    "(SELECT count(*) FROM records c WHERE c.merged_into = r.id)",
)
CELLS = ("r.cells", "r.created_at", "r.updated_at", "r.merge_id", "r.merged_at")


def load_users(
    connection: Connection,
    dialect: Dialect,
    workspace: int,
    user_ids: Collection[str],
    known: resolve.Known,
    held: dict[int, Row] | None = None,
) -> None:
    """Take the records that hold these userIds into `known`; whole into `held`, if that is given.

    `held` is for `load_forest`: who is going to be written is read once.
    """
    if not user_ids:
        return
    query = (
        f"SELECT {dialect.together(*PERSON, *(() if held is None else CELLS))} FROM records r"
        f" WHERE r.workspace_id = :workspace AND r.user_id IN {dialect.values('user_ids')}"
    )
    given = {"workspace": workspace, "user_ids": array(list(user_ids))}
    for number, user_id, survivor, merges, *own in run_together(connection, query, given):
        known.people[number] = resolve.Person(number, user_id, survivor, merges)
        known.by_user[user_id] = number
        if held is not None:
            cells, created, updated, merge, merged_at = own
            held[number] = (number, user_id, cells, created, updated, survivor, merge, merged_at)


def load_sessions(
    connection: Connection,
    dialect: Dialect,
    workspace: int,
    sessions: Collection[resolve.Session],
    known: resolve.Known,
) -> None:
    """Take the sessions, and the records they are mapped to, into `known`."""
    if not sessions:
        return
    query = (
        f"SELECT s.channel, s.session_id, {', '.join(PERSON)}"
        f" FROM {dialect.rows('sessions', 'channel', 'session_id')} AS asked"
        # Crossed, so that the asked ones lead: the other way round every session there is is read.
        " CROSS JOIN sessions s JOIN records r ON r.id = s.record_id"
        " WHERE s.workspace_id = :workspace"
        " AND s.channel = asked.channel AND s.session_id = asked.session_id"
    )
    given = {"workspace": workspace, "sessions": array(list(sessions))}
    for channel, session_id, *person in run(connection, query, given):
        known.people[person[0]] = resolve.Person(*person)
        known.by_session[channel, session_id] = person[0]


def load_merges(
    connection: Connection,
    dialect: Dialect,
    workspace: int,
    merges: Collection[int],
    known: resolve.Known,
) -> set[int]:
    """Take these merges into `known`; returns the records they are about."""
    if not merges:
        return set()
    query = text(
        "SELECT id, survivor_id, merged_id, undone_at IS NOT NULL FROM merges"
        f" WHERE workspace_id = :workspace AND id IN {dialect.values('merges')}"
    )
    given = {"workspace": workspace, "merges": array(list(merges))}
    for number, survivor, merged, undone in connection.execute(query, given):
        known.merges[number] = resolve.Merge(number, survivor, merged, bool(undone))
    return {n for m in known.merges.values() for n in (m.survivor, m.merged)}


def load_people(
    connection: Connection,
    dialect: Dialect,
    workspace: int,
    numbers: Iterable[int],
    known: resolve.Known,
) -> None:
    """Take these records into `known`, and every record they were merged into."""
    query = (
        f"SELECT {', '.join(PERSON)} FROM records r"
        f" WHERE r.workspace_id = :workspace AND r.id IN {dialect.values('numbers')}"
    )
    missing = set(numbers) - known.people.keys()
    missing |= _survivors(known)
    while missing:
        given = {"workspace": workspace, "numbers": array(list(missing))}
        rows = run(connection, query, given)
        known.people.update((row[0], resolve.Person(*row)) for row in rows)
        missing = _survivors(known) if rows else set()
    _measure(connection, dialect, known)


def _measure(connection: Connection, dialect: Dialect, known: resolve.Known) -> None:
    """Count everything below those who are, or may be by an undoing, at the top of a tree."""
    tops = {p.id for p in known.people.values() if p.merges and p.merged_into is None}
    tops |= {m.merged for m in known.merges.values() if m.merged in known.people}
    if not tops:
        return
    query = text(
        "WITH RECURSIVE below (top, id) AS ("
        f"SELECT value, value FROM {dialect.values('tops')} AS asked"
        " UNION ALL SELECT below.top, r.id FROM below JOIN records r ON r.merged_into = below.id)"
        " SELECT top, count(*) - 1 FROM below GROUP BY top"
    )
    for top, count in connection.execute(query, {"tops": array(list(tops))}):
        known.people[top].below = count


def _survivors(known: resolve.Known) -> set[int]:
    into = {p.merged_into for p in known.people.values() if p.merged_into is not None}
    return into - known.people.keys()


def roots_of(connection: Connection, dialect: Dialect, numbers: Collection[int]) -> set[int]:
    """The living records behind these numbers; deleted ones are left out."""
    query = text(f"SELECT id, merged_into FROM records WHERE id IN {dialect.values('numbers')}")
    roots: set[int] = set()
    level = set(numbers)
    while level:
        rows = connection.execute(query, {"numbers": array(list(level))}).all()
        roots |= {number for number, survivor in rows if survivor is None}
        level = {survivor for _, survivor in rows if survivor is not None}
    return roots


def of_session(connection: Connection, workspace: int, channel: str, session_id: str) -> int | None:
    """The record a session is mapped to, merged away or not."""
    query = text(
        "SELECT record_id FROM sessions WHERE workspace_id = :workspace"
        " AND channel = :channel AND session_id = :session_id"
    )
    given = {"workspace": workspace, "channel": channel, "session_id": session_id}
    return connection.execute(query, given).scalar_one_or_none()


def of_user(connection: Connection, workspace: int, user_id: str) -> int | None:
    """The record that holds a userId, merged away or not."""
    query = text("SELECT id FROM records WHERE workspace_id = :workspace AND user_id = :user_id")
    given = {"workspace": workspace, "user_id": user_id}
    return connection.execute(query, given).scalar_one_or_none()


def living(connection: Connection, workspace: int, after: int, most: int) -> list[int]:
    """The next living records of a workspace, by number."""
    query = text(
        "SELECT id FROM records WHERE id > :after AND id < :end AND merged_into IS NULL"
        " ORDER BY id LIMIT :most"
    )
    end = ids.record_number(workspace + 1, 0)
    given = {"after": after, "end": end, "most": most}
    return list(connection.execute(query, given).scalars())


def there(connection: Connection, dialect: Dialect, numbers: Collection[int]) -> dict[int, bool]:
    """Those of these records that were not deleted, and whether they live, not merged away."""
    query = text(
        f"SELECT id, merged_into IS NULL FROM records WHERE id IN {dialect.values('numbers')}"
    )
    rows = connection.execute(query, {"numbers": array(list(numbers))}) if numbers else ()
    return {number: bool(living) for number, living in rows}


def survivors_among(connection: Connection, first: int, last: int) -> set[int]:
    """The records between two numbers that others were merged into."""
    query = text(
        "SELECT DISTINCT merged_into FROM records WHERE merged_into BETWEEN :first AND :last"
    )
    return set(connection.execute(query, {"first": first, "last": last}).scalars())


def merged_map(connection: Connection, workspace: int) -> list[tuple[int, int]]:
    """Every merged-away record of a workspace with the living one it shows in."""
    query = text(
        "SELECT id, merged_into FROM records"
        " WHERE workspace_id = :workspace AND merged_into IS NOT NULL"
    )
    rows = connection.execute(query, {"workspace": workspace})
    parents: dict[int, int] = {row.id: row.merged_into for row in rows}
    found = []
    for number, survivor in parents.items():
        root = survivor
        while root in parents:
            root = parents[root]
        found.append((number, root))
    return found


OWN = "id, user_id, cells, created_at, updated_at, merged_into, merge_id, merged_at"


def load_forest(
    connection: Connection,
    dialect: Dialect,
    numbers: Collection[int],
    trees: Collection[int],
    held: Mapping[int, Row] | None = None,
) -> dict[int, settle.Own]:
    """The records `numbers` with their cells; for those also in `trees`, all merged below them.

    Those in `held` are there already: by number, as `load_users` read them from this snapshot.
    """
    forest: dict[int, settle.Own] = {}
    edges: list[tuple[int, settle.Edge]] = []
    here = held or {}
    missing = [number for number in numbers if number not in here]
    for number in numbers:
        if number in here:
            _plant(forest, edges, here[number])
    if missing:
        query = f"SELECT {OWN} FROM records WHERE id IN {dialect.values('numbers')}"
        for row in run(connection, query, {"numbers": array(missing)}):
            _plant(forest, edges, row)
    if trees:
        for row in connection.execute(_below(dialect), {"numbers": array(list(trees))}):
            if row[0] not in forest:
                _plant(forest, edges, row)
    for survivor, edge in sorted(set(edges)):
        if survivor in forest:
            forest[survivor].edges.append(edge)
    return forest


def _below(dialect: Dialect) -> sa.TextClause:
    """Everything merged below the given records: one question however deep it goes."""
    return text(
        "WITH RECURSIVE below (number) AS ("
        f"SELECT id FROM records WHERE merged_into IN {dialect.values('numbers')}"
        " UNION SELECT r.id FROM below JOIN records r ON r.merged_into = below.number)"
        f" SELECT {OWN} FROM records WHERE id IN (SELECT number FROM below)"
    )


def _plant(
    forest: dict[int, settle.Own], edges: list[tuple[int, settle.Edge]], row: Sequence[Any]
) -> None:
    number, user_id, cells, created, updated, survivor, merge, merged_at = row
    forest[number] = settle.Own(
        number, user_id, settle.decode_cells(cells), created, updated, survivor, merge, merged_at
    )
    if survivor is not None:
        edges.append((survivor, settle.Edge(merged_at, number, merge)))


def sessions_of(connection: Connection, dialect: Dialect, numbers: Collection[int]) -> list[Any]:
    """The sessions mapped to these records: rows of channel, session_id, record_id, mapped_at."""
    query = (
        "SELECT channel, session_id, record_id, mapped_at FROM sessions"
        f" WHERE record_id IN {dialect.values('numbers')} ORDER BY mapped_at, channel, session_id"
    )
    return list(connection.execute(text(query), {"numbers": array(list(numbers))}))


def merges_of(connection: Connection, dialect: Dialect, numbers: Collection[int]) -> list[Any]:
    """All merges, undone ones too, in which these records survived or disappeared."""
    query = (
        "SELECT id, survivor_id, merged_id, at, merged_at, source, ref, reason, took, undone_at,"
        f" undone_by FROM merges WHERE survivor_id IN {dialect.values('numbers')}"
        f" OR merged_id IN {dialect.values('numbers')} ORDER BY at, id"
    )
    return list(connection.execute(text(query), {"numbers": array(list(numbers))}))
