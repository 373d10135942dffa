"""How a record is shown: the one shape every door, page and command starts from."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from user360 import clock, ids
from user360.records import values
from user360.records.properties import Catalogue, Property
from user360.records.settle import Cell, Own


def fitting(declared: Property, value: Any) -> Any:
    """A stored value under the declaration in force.

    A property that was retyped shows what converts; the rest is kept and comes back with the old
    type. Values written under the type in force pass unchanged.
    """
    if value is None or not declared.retyped:
        return value
    for form in (value, values.text_of(value)):
        try:
            return values.parse(declared.type, form, datetime.UTC)
        except values.BadValue:
            continue
    return None


def properties(cells: Mapping[str, Cell], catalogue: Catalogue) -> dict[str, Any]:
    """The known properties in the order of their declaration; others are left out."""
    shown: dict[str, Any] = {}
    for declared in catalogue:
        cell = cells.get(declared.name)
        if cell is not None and (value := fitting(declared, cell.value)) is not None:
            shown[declared.name] = value
    return shown


def complete(user_id: str | None, shown: Mapping[str, Any], catalogue: Catalogue) -> str:
    """`profileComplete`: known / declared x 100 with two decimals, as text."""
    known = len(shown) + (user_id is not None)
    return f"{known / len(catalogue) * 100:.2f}"


def record(own: Own, cells: Mapping[str, Cell], catalogue: Catalogue) -> dict[str, Any]:
    """A living record as the API answers it."""
    shown = properties(cells, catalogue)
    return {
        "id": ids.public_record_id(own.id),
        "userId": own.user_id,
        "properties": shown,
        "tags": shown.get("tags", []),
        "profileComplete": complete(own.user_id, shown, catalogue),
        "createdAt": clock.to_iso(own.created_at),
        "updatedAt": clock.to_iso(own.updated_at),
    }


def provenance(cell: Cell) -> dict[str, Any]:
    """Where a value came from, and when it was true and written."""
    told: dict[str, Any] = {
        "at": clock.to_iso(cell.at),
        "writtenAt": clock.to_iso(cell.written),
        "source": "merge" if cell.merge is not None else cell.source,
        "ref": cell.ref,
    }
    if cell.merge is not None:
        told |= {"mergeId": str(cell.merge), "original": cell.source}
    return told


def plain(value: Any) -> Any:
    """A value of the warehouse in the form it is kept in."""
    if isinstance(value, datetime.datetime):
        return clock.to_iso(clock.to_us(value.replace(tzinfo=datetime.UTC)))
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, datetime.time):
        return value.isoformat(timespec="seconds")
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
