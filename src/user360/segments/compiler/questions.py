"""Which people, how many, in what order: the questions asked of the warehouse.

All of them are the same compiled condition with another frame round it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from user360.access.workspaces import Workspace
from user360.errors import Fault, Invalid, Problem
from user360.records.properties import Catalogue, Type
from user360.segments import conditions
from user360.segments.compiler import compile as compiler
from user360.segments.language.nodes import Node
from user360.storage.warehouse import ORDERED, Warehouse, schema_of

TEXT = (Type.STRING, Type.EMAIL, Type.PHONE, Type.URL)
READ_ONLY = {"createdAt": "created_at", "updatedAt": "updated_at"}


class By(msgspec.Struct, frozen=True):
    """One part of an order: a property, or createdAt or updatedAt."""

    by: str
    desc: bool = False


class Page(msgspec.Struct, frozen=True):
    """How many records hold in all, the numbers of some, and where the next page begins."""

    total: int
    numbers: list[int]
    cursor: str | None


def frame(warehouse: Warehouse, workspace: Workspace, now: int) -> compiler.Frame:
    """What a condition is compiled against: this workspace, as of now."""
    return compiler.Frame(
        schema=schema_of(workspace.id),
        catalogue=workspace.catalogue,
        zone=workspace.zone,
        now=now,
        mapped=warehouse.mapped(workspace.id),
        segments=conditions.Conditions(workspace),
    )


def selected(
    warehouse: Warehouse, workspace: Workspace, node: Node | None, now: int, text: str | None = None
) -> str:
    """SQL that selects the `id` of every record for which `node`, and the text search, hold."""
    given = msgspec.structs.replace(frame(warehouse, workspace, now), ordered=ORDERED)
    select = compiler.select_ids(node, given)
    if text and text.strip():
        select = select.where(compiler.text_search(text.strip()), copy=False)
    return compiler.to_sql(select, warehouse.dialect)


def count(warehouse: Warehouse, workspace: Workspace, node: Node | None, now: int) -> int:
    """How many records hold."""
    sql = selected(warehouse, workspace, node, now)
    return int(warehouse.query(f"SELECT count(*) FROM ({sql}) AS found").rows[0][0])


def preview(
    warehouse: Warehouse, workspace: Workspace, node: Node | None, now: int, sample: int = 10
) -> tuple[int, list[int]]:
    """How many records hold, and the numbers of the newest few, in one pass."""
    sql = selected(warehouse, workspace, node, now)
    rows = warehouse.query(f"SELECT count(*), max(id, {sample}) FROM ({sql}) AS found").rows
    return int(rows[0][0]), list(rows[0][1] or ())


def numbers(
    warehouse: Warehouse, workspace: Workspace, node: Node | None, now: int, text: str | None = None
) -> list[int]:
    """Every record that holds."""
    sql = selected(warehouse, workspace, node, now, text)
    return [row[0] for row in warehouse.query(sql).rows]


def search(
    warehouse: Warehouse,
    workspace: Workspace,
    node: Node | None,
    *,
    text: str | None = None,
    sort: Sequence[By] = (),
    limit: int = 50,
    cursor: str | None = None,
    now: int,
) -> Page:
    """One page of the records that hold, the newest first unless `sort` says otherwise.

    Unknown values come last in either direction. Raises `Problem` for an order or a cursor that
    cannot be used.
    """
    chosen = selected(warehouse, workspace, node, now, text)
    return listed(warehouse, workspace, chosen, sort=sort, limit=limit, cursor=cursor)


def listed(
    warehouse: Warehouse,
    workspace: Workspace,
    chosen: str | None,
    *,
    held: str | None = None,
    sort: Sequence[By] = (),
    limit: int = 50,
    cursor: str | None = None,
) -> Page:
    """One page of the records that `chosen`, SQL, selects the `id` of.

    With `held`, SQL that selects `id` and `since`, only those count, and `since` can be sorted by;
    `chosen` may then be None: all of them.
    """
    source = f"{schema_of(workspace.id)}.records"
    among = "true" if chosen is None else f"id IN ({chosen})"
    if held is not None:
        source += f" JOIN ({held}) AS held USING (id)"
        chosen = f"SELECT id FROM ({held}) AS held WHERE {among}"
    beside = {**READ_ONLY, "since": "held.since"} if held is not None else READ_ONLY
    order = [
        *(_column(part, i, workspace.catalogue, beside) for i, part in enumerate(sort)),
        ("id", True),
    ]
    after, given = _after(order, cursor, sort)
    columns = ", ".join(f"{column} AS k{i}" for i, (column, _) in enumerate(order))
    by = ", ".join(
        f"k{i} {'DESC' if desc else 'ASC'} NULLS LAST" for i, (_, desc) in enumerate(order)
    )
    rows = warehouse.query(
        f"SELECT {columns} FROM {source} WHERE {among} AND {after} ORDER BY {by} LIMIT {limit + 1}",
        given,
    ).rows
    found = rows[:limit]
    more = len(rows) > limit
    # A first page that is also the last one has counted them.
    whole = cursor is None and not more
    total = len(found) if whole else count_of(warehouse, chosen or f"SELECT id FROM {source}")
    following = _write_cursor(found[-1], sort) if more else None
    return Page(total, [row[-1] for row in found], following)


def count_of(warehouse: Warehouse, sql: str) -> int:
    """How many rows a selection has."""
    return int(warehouse.query(f"SELECT count(*) FROM ({sql}) AS found").rows[0][0])


def _column(
    part: By, place: int, catalogue: Catalogue, beside: Mapping[str, str]
) -> tuple[str, bool]:
    """The expression to order by, and whether it descends; `beside` are moments by their names."""
    declared = catalogue.get(part.by)
    if declared is None and part.by in beside:
        return f"epoch_us({beside[part.by]})", part.desc
    if declared is None or declared.type is Type.LIST:
        fault = Fault(f"sort.{place}.by", "invalidProperty", "by must name a property, not a list")
        raise Invalid(fault.message, faults=[fault])
    if declared.type in TEXT:
        return f"lower({declared.column})", part.desc
    if declared.type is Type.DATETIME:
        return f"epoch_us({declared.column})", part.desc
    if declared.type in (Type.DATE, Type.TIME):
        return f"CAST({declared.column} AS VARCHAR)", part.desc
    return declared.column, part.desc


def _after(
    order: Sequence[tuple[str, bool]], cursor: str | None, sort: Sequence[By]
) -> tuple[str, list[Any]]:
    """The comparison that leaves out everything up to the cursor."""
    if cursor is None:
        return "true", []
    values = _read_cursor(cursor, sort)
    ways: list[str] = []
    given: list[Any] = []
    for i, (column, desc) in enumerate(order):
        if values[i] is None:
            continue  # nothing comes after an unknown value but what is equal to it
        same = [f"{c} IS NOT DISTINCT FROM ?" for c, _ in order[:i]]
        beyond = f"({column} {'<' if desc else '>'} ? OR {column} IS NULL)"
        ways.append("(" + " AND ".join([*same, beyond]) + ")")
        given += [*values[:i], values[i]]
    return "(" + " OR ".join(ways) + ")", given


def _write_cursor(row: Sequence[Any], sort: Sequence[By]) -> str:
    plain = msgspec.json.encode([[[s.by, s.desc] for s in sort], list(row)])
    return base64.urlsafe_b64encode(plain).decode().rstrip("=")


def _read_cursor(text: str, sort: Sequence[By]) -> list[Any]:
    try:
        plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        order, values = msgspec.json.decode(plain, type=tuple[list[tuple[str, bool]], list[Any]])
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise _bad_cursor() from error
    if [(s.by, s.desc) for s in sort] != order or len(values) != len(order) + 1:
        raise _bad_cursor()
    if not isinstance(values[-1], int) or any(isinstance(v, list | dict) for v in values):
        raise _bad_cursor()
    return values


def _bad_cursor() -> Problem:
    return Problem.at("cursor", "cursor must be one that an earlier page of this search answered")
