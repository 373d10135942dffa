"""Declaring properties: making, changing, taking back and giving back, and what a retype would do.

Values are kept under the property's name and never touched here: a retyped property shows what
converts, a deleted one nothing, and undoing either shows again what was there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from user360 import ids
from user360.access.change import Change
from user360.access.workspaces import Workspace
from user360.errors import Conflict, Invalid, NotFound
from user360.identity.identifier import IDENTIFYING
from user360.records import shape, store
from user360.records.properties import READ_ONLY, Catalogue, Property, Type
from user360.storage.warehouse import Warehouse, schema_of

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}\Z")
LONGEST_DESCRIPTION = 2_000
SAMPLE = 10
AT_ONCE = 50_000


class Conversion(msgspec.Struct, frozen=True):
    """What a retype does: how many values are kept and lost from sight, and whose are lost."""

    converted: int
    lost: int
    records: list[str]


def declare(
    change: Change,
    name: str,
    kind: Type,
    description: str = "",
    searchable: bool = True,
    required: bool = False,
) -> Property:
    """Declare a property. Raises `Invalid` for a bad name, `Conflict` for a taken one."""
    _refuse_name(change, name)
    workspace = change.workspace
    limit = workspace.settings.property_limit
    if len(workspace.catalogue.custom) >= limit:
        raise Conflict(
            f"The workspace allows {limit} custom properties; raise its setting propertyLimit"
        )
    number = store.next_property(change.connection, workspace.id)
    kept = Property(number, name, kind, _described(description), searchable, required)
    store.save_property(change.connection, workspace.id, kept, change.now)
    _told(change, "property.create", kept, [*workspace.catalogue.custom, kept])
    return kept


def edit(change: Change, name: str, **given: Any) -> Property:
    """Change description, searchable, required or type of a custom property; None leaves it."""
    held = custom(change.workspace, name)
    new = {key: value for key, value in given.items() if value is not None}
    if "description" in new:
        new["description"] = _described(new["description"])
    if new.get("type", held.type) != held.type:
        _refuse_retype(change.workspace, held, new["type"])
        new["retyped"] = True
    kept = msgspec.structs.replace(held, **new)
    if kept != held:
        store.save_property(change.connection, change.workspace.id, kept, change.now)
        others = change.workspace.catalogue.custom
        _told(change, "property.update", kept, [kept if p.id == kept.id else p for p in others])
    return kept


def take_back(change: Change, name: str) -> None:
    """Delete a declaration; its values stay where they are, unseen, until it is restored."""
    held = custom(change.workspace, name)
    if change.workspace.settings.identifier == held.name:
        raise Conflict(f"{held.name} is the workspace's identifier; choose another one first")
    store.delete_property(change.connection, change.workspace.id, held.id, change.now)
    left = [p for p in change.workspace.catalogue.custom if p.id != held.id]
    _told(change, "property.delete", held, left)


def give_back(change: Change, name: str) -> Property:
    """Restore the declaration of this name that was deleted last, with all its values."""
    found = _deleted(change, name)
    if found is None:
        raise NotFound("There is no deleted property of this name")
    if change.workspace.catalogue.near(name) is not None:
        raise Conflict.at("name", "A property of this name has been declared since")
    store.delete_property(change.connection, change.workspace.id, found.id, None)
    custom_ones = sorted([*change.workspace.catalogue.custom, found], key=lambda p: p.id)
    _told(change, "property.restore", found, custom_ones)
    return found


def custom(workspace: Workspace, name: str) -> Property:
    """A custom property. Raises `NotFound`, and `Conflict` for a system property."""
    held = workspace.catalogue.get(name)
    if held is None:
        raise NotFound("There is no property of this name")
    if held.system:
        raise Conflict(f"{held.name} is a system property; it is the same in every workspace")
    return held


def conversion(
    warehouse: Warehouse, workspace: Workspace, held: Property, kind: Type
) -> Conversion:
    """What would become of the values that are shown now, were the property of type `kind`."""
    wanted = msgspec.structs.replace(held, type=kind, retyped=True)
    converted, lost, records, after = 0, 0, list[str](), 0
    while rows := _values(warehouse, workspace, held, after):
        for number, value in rows:
            if shape.fitting(wanted, shape.plain(value)) is not None:
                converted += 1
                continue
            lost += 1
            if len(records) < SAMPLE:
                records.append(ids.public_record_id(number))
        after = rows[-1][0]
    return Conversion(converted, lost, records)


def _values(
    warehouse: Warehouse, workspace: Workspace, held: Property, after: int
) -> list[tuple[int, Any]]:
    rows = warehouse.query(
        f"SELECT id, {held.column} FROM {schema_of(workspace.id)}.records"
        f" WHERE {held.column} IS NOT NULL AND id > ? ORDER BY id LIMIT {AT_ONCE}",
        [after],
    ).rows
    return [(row[0], row[1]) for row in rows]


def _refuse_name(change: Change, name: str) -> None:
    if not NAME.match(name):
        raise Invalid.at("name", "name must be a letter, then letters, digits and _, at most 64")
    if name.lower() in {n.lower() for n in READ_ONLY}:
        raise Conflict.at("name", f"Every record has {name} by itself")
    taken = change.workspace.catalogue.near(name)
    if taken is not None:
        raise Conflict.at(
            "name", f"{taken.name} is declared already; names differ by more than case"
        )
    if _deleted(change, name) is not None:
        raise Conflict.at("name", "A deleted property has this name; restore it instead")


def _deleted(change: Change, name: str) -> Property | None:
    found = store.deleted_properties(change.connection, change.workspace.id)
    return next((p for p in found if p.name.lower() == name.lower()), None)


def _refuse_retype(workspace: Workspace, held: Property, kind: Type) -> None:
    if workspace.settings.identifier == held.name and kind not in IDENTIFYING:
        message = f"{held.name} is the workspace's identifier, which must stay something that names"
        raise Conflict.at("type", message)


def _described(description: str) -> str:
    description = description.strip()
    if len(description) > LONGEST_DESCRIPTION:
        message = f"description must be at most {LONGEST_DESCRIPTION} characters"
        raise Invalid.at("description", message)
    return description


def _told(change: Change, action: str, about: Property, custom_ones: Iterable[Property]) -> None:
    """Write it down, and put the new declarations in force, which is done last."""
    change.audit(action, f"property:{about.name}", type=about.type.value)
    seq = change.tell("property", name=about.name)
    change.workspace.catalogue = Catalogue(custom_ones, seq)
