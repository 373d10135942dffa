"""What becomes of each column of a file: decided before the first row is read, and kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Protocol

import msgspec

from user360 import clock
from user360.errors import Fault, Invalid
from user360.imports.options import Options
from user360.records.declare import NAME
from user360.records.properties import READ_ONLY, Catalogue, Property, Type

USER_ID, TAGS = "userId", "tags"


class Suggested(Protocol):
    """What the engine needs of a suggestion: how a column would be imported."""

    @property
    def column(self) -> str: ...
    @property
    def type(self) -> Type: ...
    @property
    def property(self) -> str | None: ...


class Column(msgspec.Struct, frozen=True):
    """A column of the file and the property its cells become."""

    column: str
    property: str
    type: Type


class Plan(msgspec.Struct, frozen=True):
    """How the rows of one file are imported, the same from its first row to its last.

    `at` is the event time of all that is written; `default_tag` is put on what the import makes or
    changes, `tags` on every row. `wanted` are properties to be declared first. `segment` is the
    number of a static segment, `made` says that the import made it.
    """

    user_id: str | None
    columns: tuple[Column, ...]
    on_conflict: str
    merge_tags: bool
    tags: tuple[str, ...] = ()
    default_tag: str | None = None
    at: int = 0
    wanted: tuple[Column, ...] = ()
    segment: int | None = None
    made: bool = False

    @property
    def all_tags(self) -> tuple[str, ...]:
        """The tags of a record that the import makes."""
        default = [self.default_tag] if self.default_tag is not None else []
        return tuple(dict.fromkeys([*self.tags, *default]))

    @property
    def mapping(self) -> dict[str, str]:
        """What is worth remembering for the next file: column -> property."""
        named = {} if self.user_id is None else {self.user_id: USER_ID}
        return named | {c.column: c.property for c in self.columns}


def make(
    options: Options,
    headers: Sequence[str],
    suggestions: Sequence[Suggested],
    catalogue: Catalogue,
    at: int,
    zone: tzinfo,
) -> Plan:
    """The plan for a file with these headers. Raises `Invalid` naming every bad option."""
    faults: list[Fault] = []
    given = options.mapping is not None
    mapping = dict(options.mapping) if options.mapping is not None else _suggested(suggestions)
    user_id = _user_id(options, mapping, headers, faults)
    kinds = {s.column: s.type for s in suggestions} | options.types
    columns: list[Column] = []
    wanted: list[Column] = []
    for column, name in mapping.items():
        if name == USER_ID:
            continue
        if column == user_id and not given and catalogue.get(name) is None:
            continue  # it names people already; nobody asked for a property of it as well
        found = _column(column, name, headers, catalogue, faults)
        if found is None and options.create_properties and (near := catalogue.near(name)):
            found = Column(column, near.name, near.type) if near.name != USER_ID else None
        if found is None and options.create_properties:
            if _may_be_made(column, name, faults):
                found = Column(column, name, kinds.get(column, Type.STRING))
                wanted.append(found)
        elif found is None and given:
            _refuse(column, name, catalogue, faults)
        if found is not None:
            columns.append(found)
    _refuse_twice(columns, faults)
    if not columns and user_id is None and not faults:
        faults.append(Fault("mapping", "invalidProperty", _NOTHING))
    if faults:
        raise Invalid(faults[0].message, faults=list(dict.fromkeys(faults)))
    return Plan(
        user_id,
        tuple(columns),
        options.on_conflict,
        options.merge_tags,
        tuple(options.tags),
        default_tag(at, zone) if options.default_tag else None,
        at,
        tuple(wanted),
    )


_NOTHING = (
    "no column of this file would be imported: map one to a property or to the userId, or let"
    " properties be made (createProperties)"
)


def default_tag(at: int, zone: tzinfo) -> str:
    """`22Nov26_11:10`: when an import was begun, by the clocks of its workspace."""
    moment = clock.to_datetime(at).astimezone(zone)
    month = _MONTHS[moment.month - 1]
    return f"{moment.day:02d}{month}{moment.year % 100:02d}_{moment:%H:%M}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _suggested(suggestions: Sequence[Suggested]) -> dict[str, str]:
    return {s.column: s.property for s in suggestions if s.property is not None}


def _user_id(
    options: Options, mapping: Mapping[str, str], headers: Sequence[str], faults: list[Fault]
) -> str | None:
    """The column of userIds: as the options name it, else as the mapping does."""
    mapped = [column for column, name in mapping.items() if name == USER_ID]
    if options.mapping is not None and (
        len(mapped) > 1 or (mapped and options.user_id not in (msgspec.UNSET, mapped[0]))
    ):
        message = "only one column can hold the userId"
        faults.append(Fault(f"mapping.{mapped[-1]}", "invalidProperty", message))
    if isinstance(options.user_id, msgspec.UnsetType):
        return mapped[0] if mapped and mapped[0] in headers else None
    if options.user_id is not None and options.user_id not in headers:
        message = f"the file has no column {options.user_id[:64]!r}"
        faults.append(Fault("userId", "invalidProperty", message))
    return options.user_id


def _column(
    column: str, name: str, headers: Sequence[str], catalogue: Catalogue, faults: list[Fault]
) -> Column | None:
    """A column of a property that is declared; None when it is not."""
    if column not in headers:
        message = f"the file has no column {column[:64]!r}"
        faults.append(Fault(f"mapping.{column}", "invalidProperty", message))
    declared = catalogue.get(name)
    return None if declared is None else Column(column, name, declared.type)


def _may_be_made(column: str, name: str, faults: list[Fault]) -> bool:
    if name.lower() in {n.lower() for n in (USER_ID, *READ_ONLY)}:
        message = f"every record has {name} by itself; no column can be imported into it"
        faults.append(Fault(f"mapping.{column}", "invalidProperty", message))
        return False
    if not NAME.match(name):
        message = "a property name is a letter, then letters, digits and _, at most 64"
        faults.append(Fault(f"mapping.{column}", "invalidProperty", message))
        return False
    return True


def _refuse(column: str, name: str, catalogue: Catalogue, faults: list[Fault]) -> None:
    near = catalogue.near(name)
    meant = f"; did you mean {near.name}?" if near is not None else ""
    message = f"{name[:64]!r} is not a property that can be imported{meant}"
    faults.append(Fault(f"mapping.{column}", "invalidProperty", message))


def _refuse_twice(columns: Sequence[Column], faults: list[Fault]) -> None:
    seen: dict[str, str] = {}
    for each in columns:
        first = seen.setdefault(each.property.lower(), each.column)
        if first != each.column:
            message = f"{each.property} is what the column {first[:64]!r} becomes already"
            faults.append(Fault(f"mapping.{each.column}", "invalidProperty", message))


def declared(plan: Plan, made: Sequence[Property]) -> Plan:
    """The plan once the properties it wanted are declared, whatever type they were given."""
    kinds = {p.name: p for p in made}
    columns = tuple(
        Column(c.column, c.property, kinds[c.property].type if c.property in kinds else c.type)
        for c in plan.columns
    )
    return msgspec.structs.replace(plan, columns=columns, wanted=())
