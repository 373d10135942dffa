"""What a file can have as columns: properties by their names, and what is known beside them."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence

import msgspec

from user360 import ids
from user360.errors import Fault, InvalidProperty
from user360.records.properties import Catalogue, Type

RECORD_BITS = (1 << ids.RECORD_BITS) - 1


class Kind(enum.StrEnum):
    """What a cell holds, as a file cares for it."""

    TEXT = "text"  # whatever somebody wrote
    PLAIN = "plain"  # a text of a form of ours, which no spreadsheet runs
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    MOMENT = "moment"
    TIME = "time"
    LIST = "list"
    JSON = "json"


KINDS: Mapping[Type, Kind] = {
    Type.STRING: Kind.TEXT,
    Type.EMAIL: Kind.TEXT,
    Type.URL: Kind.TEXT,
    Type.PHONE: Kind.PLAIN,
    Type.NUMBER: Kind.NUMBER,
    Type.BOOLEAN: Kind.BOOLEAN,
    Type.DATE: Kind.DATE,
    Type.DATETIME: Kind.MOMENT,
    Type.TIME: Kind.TIME,
    Type.LIST: Kind.LIST,
}


class Column(msgspec.Struct, frozen=True):
    """One column of a file: its header, and the SQL of its typed value in a row."""

    name: str
    sql: str
    kind: Kind


def _public(number: str) -> str:
    return f"'r' || CAST({number} & {RECORD_BITS} AS VARCHAR)"


# What a record has beside its properties; chosen by name, for another workspace keeps its own.
BESIDE = ("id", "recordId", "createdAt", "updatedAt", "profileComplete", "segments")
SEGMENTS = "segments"
_NUMBER = "coalesce(m.survivor_id, e.record_id)"
EVENT: tuple[Column, ...] = (
    Column("id", "e.id", Kind.TEXT),
    Column("name", "e.name", Kind.TEXT),
    Column("userId", "r.user_id", Kind.TEXT),
    Column("recordId", _public(_NUMBER), Kind.PLAIN),
    Column("timestamp", 'e."at"', Kind.MOMENT),
    Column("receivedAt", "e.received_at", Kind.MOMENT),
    Column("source", "e.source", Kind.PLAIN),
    Column("channel", "e.channel", Kind.TEXT),
    Column("properties", "e.properties", Kind.JSON),
)


def of_records(names: Sequence[str] | None, catalogue: Catalogue) -> list[Column]:
    """The columns of these names in their order; without names userId and every property.

    A declared property comes before what a record has beside. Raises `InvalidProperty` naming each
    that is neither, or is chosen twice.
    """
    if names is None:
        return [_property(name, catalogue) for name in catalogue.by_name]
    _refuse(names, {*catalogue.by_name, *BESIDE})
    return [
        _property(name, catalogue) if name in catalogue.by_name else _beside(name, catalogue)
        for name in names
    ]


def of_events(names: Sequence[str] | None) -> list[Column]:
    """The columns of these names in their order, or all. Raises `InvalidProperty`."""
    by_name = {column.name: column for column in EVENT}
    if names is None:
        return list(EVENT)
    _refuse(names, set(by_name))
    return [by_name[name] for name in names]


def _refuse(names: Sequence[str], known: set[str]) -> None:
    faults = [] if names else [Fault("columns", "invalid", "expected the names of columns")]
    for i, name in enumerate(names):
        if name not in known:
            message = "expected the name of a declared property, or of another column there is"
            faults.append(Fault(f"columns.{i}", "invalidProperty", message))
        elif name in names[:i]:
            faults.append(Fault(f"columns.{i}", "invalid", f"{name} is chosen twice"))
    if faults:
        raise InvalidProperty(faults[0].message, faults=faults)


def _property(name: str, catalogue: Catalogue) -> Column:
    found = catalogue.by_name[name]
    return Column(name, f"r.{found.column}", KINDS[found.type])


def _beside(name: str, catalogue: Catalogue) -> Column:
    if name in ("id", "recordId"):
        return Column(name, _public("r.id"), Kind.PLAIN)
    if name == SEGMENTS:
        return Column(name, "h.segments", Kind.LIST)
    if name == "profileComplete":
        known = " + ".join(f"(r.{p.column} IS NOT NULL)::INTEGER" for p in catalogue)
        return Column(name, f"printf('%.2f', ({known}) / {len(catalogue)} * 100)", Kind.PLAIN)
    return Column(
        name, {"createdAt": "r.created_at", "updatedAt": "r.updated_at"}[name], Kind.MOMENT
    )
