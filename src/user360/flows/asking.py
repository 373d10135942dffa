"""A branch's condition, asked of one person: the one compiler, over their row and events alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from user360.access.workspaces import Workspace
from user360.flows.language import naming
from user360.platform import Platform
from user360.records import columns, settle
from user360.records.settle import Cell
from user360.segments import conditions
from user360.segments.compiler import compile as compiler
from user360.segments.compiler import few
from user360.segments.compiler.few import People
from user360.segments.following import clock
from user360.segments.language import dependencies
from user360.segments.language.nodes import Node
from user360.storage.warehouse import Warehouse

NOBODY = 0


def holds(
    platform: Platform,
    workspace: Workspace,
    where: Any,
    record: int | None,
    beside: Mapping[str, Any] | None = None,
) -> bool:
    """Whether a condition is true of a record, as of now and of all that is committed.

    With `beside` it is asked as if these properties had been written too; without a `record`, of
    somebody invented who has nothing else. Waits for the warehouse, so it is for a thread. Raises
    `InvalidCondition`.
    """
    node = naming.condition_of(where, workspace)
    while True:
        version = workspace.catalogue.version
        warehouse = platform.wait()
        try:
            return _asked(warehouse, workspace, node, record, beside or {}, platform.clock.now())
        except Exception:
            # Declarations changed, or the file was replaced, while it was being asked.
            replaced = platform.projector.replaced(warehouse)
            if workspace.catalogue.version == version and not replaced:
                raise


def _asked(
    warehouse: Warehouse,
    workspace: Workspace,
    node: Node,
    record: int | None,
    beside: Mapping[str, Any],
    now: int,
) -> bool:
    written = conditions.Conditions(workspace)
    dependencies.check_extent(node, written)
    named = clock.events_named(node, written)
    numbers = [NOBODY if record is None else record]
    with few.people(warehouse, workspace, numbers, named, now) as people:
        if beside or record is None:
            _pretend(people, workspace, beside, now)
        select = compiler.to_sql(compiler.select_ids(node, people.frame), warehouse.dialect)
        return bool(people.query(f"SELECT count(*) FROM ({select}) AS found").rows[0][0])


def _pretend(people: People, workspace: Workspace, beside: Mapping[str, Any], now: int) -> None:
    """Write properties to the row that was set apart; make one where there is none."""
    place = f"{people.frame.schema}.records"
    if not people.query(f"SELECT count(*) FROM {place}").rows[0][0]:
        own = settle.Own(NOBODY, None, {}, now, now)
        row = columns.table([(own, {})], workspace.catalogue).to_pylist()[0]
        named = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join("?" * len(row))
        people.query(f"INSERT INTO {place} ({named}) VALUES ({marks})", list(row.values()))
    for name, value in beside.items():
        declared = workspace.catalogue.get(name)
        if declared is not None:
            cell = None if value is None else Cell(value, now, "", now, "conversation", "")
            kept = columns.column([cell], declared).to_pylist()[0]
            people.query(f'UPDATE {place} SET "{declared.column}" = ?', [kept])
