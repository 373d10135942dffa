"""The records slice's SQL in the ledger: declarations, and records read for showing."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
import sqlalchemy as sa

from user360.records import columns, settle
from user360.records.properties import FIRST_CUSTOM_ID, Catalogue, Property, Type
from user360.storage.ledger import Connection, Dialect, array, run

PLAIN = (
    "SELECT r.id, r.user_id, r.cells, r.created_at, r.updated_at FROM records r"
    " WHERE r.id = :number AND r.merged_into IS NULL"
    " AND NOT EXISTS (SELECT 1 FROM records m WHERE m.merged_into = r.id)"
)


def plain(connection: Connection, number: int) -> settle.Own | None:
    """A living record that nothing was merged into, in one question; None for any other."""
    rows = run(connection, PLAIN, {"number": number})
    if not rows:
        return None
    found, user_id, cells, created, updated = rows[0]
    return settle.Own(found, user_id, settle.decode_cells(cells), created, updated)


def alone(
    connection: Connection, dialect: Dialect, numbers: Collection[int]
) -> columns.Alone | None:
    """Those of these records that live and that nothing was merged into; None for nobody.

    They come in one step, however many: at each row the driver lets busy threads go first.
    """
    fields = ("r.id", "coalesce(r.user_id, '')", "r.created_at", "r.updated_at", "r.cells")
    lines = ", ".join(dialect.lines(field) for field in fields)
    query = (
        f"SELECT {lines} FROM records r WHERE r.id IN {dialect.values('numbers')}"
        " AND r.merged_into IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM records m WHERE m.merged_into = r.id)"
    )
    (found,) = run(connection, query, {"numbers": array(sorted(numbers))})
    return None if found[0] is None else columns.Alone(*(text.split("\n") for text in found))


def values_of(
    connection: Connection, dialect: Dialect, first: int, last: int, name: str
) -> dict[int, Any]:
    """What records between two numbers hold of one property, None for nothing: of those alone that
    live, that nothing was merged into, and whose cells need no settling.
    """
    value = f"coalesce({dialect.at('r.cells', 'path')}, 'null')"
    query = (
        f"SELECT {dialect.lines('r.id')}, {dialect.lines(value)} FROM records r"
        " WHERE r.id BETWEEN :first AND :last AND r.merged_into IS NULL"
        " AND r.cells NOT LIKE '%/%' AND r.cells NOT LIKE :cover"
        " AND NOT EXISTS (SELECT 1 FROM records m WHERE m.merged_into = r.id)"
    )
    given = {"first": first, "last": last, "path": f"$.{name}[0]", "cover": f'%"{settle.COVER}"%'}
    (found,) = run(connection, query, given)
    if found[0] is None:
        return {}
    numbers, values = (text.split("\n") for text in found)
    held = msgspec.json.decode(f"[{','.join(values)}]")
    return dict(zip(map(int, numbers), held, strict=True))


def load_catalogue(connection: Connection, workspace: int) -> Catalogue:
    """The declarations in force."""
    query = sa.text(
        "SELECT id, name, type, description, searchable, required, retyped FROM properties"
        " WHERE workspace_id = :workspace AND deleted_at IS NULL ORDER BY id"
    )
    rows = connection.execute(query, {"workspace": workspace})
    return Catalogue(_property(*row) for row in rows)


def _property(
    n: int, name: str, kind: str, description: str, searchable: int, required: int, retyped: int
) -> Property:
    return Property(
        n,
        name,
        Type(kind),
        description,
        bool(searchable),
        bool(required),
        retyped=bool(retyped),
    )


def next_property(connection: Connection, workspace: int) -> int:
    """The number the next custom property gets; numbers of deleted ones are not used again."""
    query = sa.text("SELECT max(id) FROM properties WHERE workspace_id = :workspace")
    highest = connection.execute(query, {"workspace": workspace}).scalar_one()
    return FIRST_CUSTOM_ID if highest is None else int(highest) + 1


def save_property(connection: Connection, workspace: int, kept: Property, now: int) -> None:
    """Declare a property, or change what can be changed of one."""
    given: dict[str, Any] = {
        "workspace": workspace,
        "id": kept.id,
        "name": kept.name,
        "type": kept.type.value,
        "description": kept.description,
        "searchable": kept.searchable,
        "required": kept.required,
        "retyped": kept.retyped,
        "now": now,
    }
    connection.execute(
        sa.text(
            "INSERT INTO properties (workspace_id, id, name, type, description, searchable,"
            " required, retyped, created_at) VALUES (:workspace, :id, :name, :type, :description,"
            " :searchable, :required, :retyped, :now) ON CONFLICT (workspace_id, id) DO UPDATE SET"
            " type = excluded.type, description = excluded.description,"
            " searchable = excluded.searchable, required = excluded.required,"
            " retyped = excluded.retyped"
        ),
        given,
    )


def delete_property(connection: Connection, workspace: int, number: int, now: int | None) -> None:
    """Take a declaration back, or with `now` None give it back; the values stay where they are."""
    connection.execute(
        sa.text(
            "UPDATE properties SET deleted_at = :now WHERE workspace_id = :workspace AND id = :id"
        ),
        {"workspace": workspace, "id": number, "now": now},
    )


def deleted_properties(connection: Connection, workspace: int) -> list[Property]:
    """Declarations taken back, the latest first."""
    query = sa.text(
        "SELECT id, name, type, description, searchable, required, retyped FROM properties"
        " WHERE workspace_id = :workspace AND deleted_at IS NOT NULL ORDER BY deleted_at DESC"
    )
    rows = connection.execute(query, {"workspace": workspace})
    return [_property(*row) for row in rows]
