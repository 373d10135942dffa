"""What records have of each property: how many have it, and which values are common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from user360.records import shape
from user360.records.properties import Catalogue, Property, Type
from user360.storage.warehouse import Warehouse, schema_of

# So many of the newest records are looked at for a first impression of all properties.
LATEST = 2_000
FEW = 3
COMMON = 12
LONGEST = 60  # of a text that is shown as an example


class Held(msgspec.Struct, frozen=True):
    """How many records there are, and how many of them have each property, by its name."""

    records: int
    of: Mapping[str, int]


class Values(msgspec.Struct, frozen=True):
    """The most common values of one property with how many records have each; about how many
    different ones there are.
    """

    common: list[tuple[Any, int]]
    different: int


def held(warehouse: Warehouse, workspace: int, catalogue: Catalogue) -> Held:
    """Count all properties in one pass over their columns; an empty list counts as none."""
    counts = ", ".join(_count(declared) for declared in catalogue)
    query = f"SELECT count(*), {counts} FROM {schema_of(workspace)}.records"
    total, *found = warehouse.query(query).rows[0]
    return Held(total, {p.name: count for p, count in zip(catalogue, found, strict=True)})


def _count(declared: Property) -> str:
    if declared.type is Type.LIST:
        return f"count(*) FILTER (len({declared.column}) > 0)"
    return f"count({declared.column})"


def examples(warehouse: Warehouse, workspace: int, catalogue: Catalogue) -> dict[str, list[Any]]:
    """A few values of each property, as the newest records have them."""
    columns = ", ".join(p.column for p in catalogue)
    values = ", ".join(_few(declared) for declared in catalogue)
    rows = warehouse.query(
        f"SELECT {values} FROM (SELECT {columns} FROM {schema_of(workspace)}.records"
        f" ORDER BY id DESC LIMIT {LATEST})"
    ).rows
    return {
        p.name: [shape.plain(value) for value in found or ()]
        for p, found in zip(catalogue, rows[0], strict=True)
    }


def _few(declared: Property) -> str:
    column = declared.column
    if declared.type is Type.LIST:
        return f"list_sort(list_distinct(flatten(list({column}))))[1:{FEW}]"
    return f"approx_top_k({column}, {FEW})"


def values(warehouse: Warehouse, workspace: int, declared: Property) -> Values:
    """The most common values of one property, the most common first.

    Which they are is estimated, for grouping a million different ones takes too long for a page;
    how many records have each is counted.
    """
    column = declared.column
    value = f"unnest({column})" if declared.type is Type.LIST else column
    rows = warehouse.query(
        f"WITH found AS (SELECT {value} AS value FROM {schema_of(workspace)}.records"
        f" WHERE {column} IS NOT NULL),"
        f" told AS (SELECT approx_top_k(value, {COMMON}) AS common,"
        " approx_count_distinct(value) AS different FROM found)"
        " SELECT value, count(*), any_value(told.different)"
        " FROM found JOIN (SELECT unnest(common) AS value FROM told) USING (value), told"
        " GROUP BY value ORDER BY count(*) DESC, value"
    ).rows
    different = 0 if not rows else len(rows) if len(rows) < COMMON else max(rows[0][2], COMMON)
    return Values([(shape.plain(value), count) for value, count, _ in rows], different)
