"""Which values of a property somebody who writes a condition may have in mind."""

from __future__ import annotations

from user360.records.properties import Property, Type
from user360.storage.warehouse import Warehouse, schema_of

# So many of the newest records are looked at, however many there are.
NEWEST = 100_000
MOST = 50


def values(
    warehouse: Warehouse, workspace: int, declared: Property, typed: str = ""
) -> list[tuple[str, int]]:
    """The most common texts of a property, or in a list, with `typed` in them but for case.

    Of the newest records only; each with how many of those have it, the most common first.
    """
    column = declared.column
    value = f"unnest({column})" if declared.type is Type.LIST else column
    rows = warehouse.query(
        f"SELECT value, count(*) FROM (SELECT {value} AS value FROM"
        f" (SELECT {column} FROM {schema_of(workspace)}.records ORDER BY id DESC LIMIT {NEWEST}))"
        " WHERE value IS NOT NULL AND contains(lower(value), lower(?))"
        f" GROUP BY value ORDER BY count(*) DESC, value LIMIT {MOST}",
        [typed],
    ).rows
    return [(text, count) for text, count in rows]
