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
    """One column of a file: its header, and the SQL of its typed value in a row.

    The texts of a `loose` one may be of any length and hold any character but NUL.
    """

    name: str
    sql: str
    kind: Kind
    loose: bool = False


def _public(number: str, letter: str = "r") -> str:
    return f"'{letter}' || CAST({number} & {RECORD_BITS} AS VARCHAR)"


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


_HELD = "coalesce(m.survivor_id, c.record_id)"
_WHERE = (
    Column("userId", "r.user_id", Kind.TEXT),
    Column("recordId", f"CASE WHEN r.id IS NOT NULL THEN {_public(_HELD)} END", Kind.PLAIN),
    Column("channel", "c.channel", Kind.TEXT, loose=True),
    Column("session", "c.session_id", Kind.TEXT, loose=True),
)
CONVERSATION: tuple[Column, ...] = (
    Column("id", _public("c.id", "c"), Kind.PLAIN),
    *_WHERE,
    Column("kind", "c.kind", Kind.PLAIN),
    Column("state", "c.state", Kind.PLAIN),
    Column("subject", "c.subject", Kind.TEXT, loose=True),
    Column("priority", "c.priority", Kind.PLAIN),
    Column("group", "c.group_id", Kind.NUMBER),
    Column("assignee", "c.assignee", Kind.NUMBER),
    Column("tags", "CAST(c.tags::JSON AS VARCHAR[])", Kind.LIST, loose=True),
    Column("reason", "c.reason", Kind.TEXT, loose=True),
    Column("messages", "c.messages", Kind.NUMBER),
    Column("createdAt", "make_timestamp(c.created_at)", Kind.MOMENT),
    Column("updatedAt", "make_timestamp(c.updated_at)", Kind.MOMENT),
    Column("assignedAt", "make_timestamp(c.assigned_at)", Kind.MOMENT),
    Column("firstReplyAt", "make_timestamp(c.first_reply_at)", Kind.MOMENT),
    Column("endedAt", "make_timestamp(c.ended_at)", Kind.MOMENT),
)
MESSAGE: tuple[Column, ...] = (
    Column("id", _public("c.id", "m"), Kind.PLAIN),
    Column("conversationId", _public("c.conversation_id", "c"), Kind.PLAIN),
    *_WHERE,
    Column("from", "c.sender", Kind.PLAIN),
    Column("author", "c.author", Kind.TEXT, loose=True),
    Column("text", "c.text", Kind.TEXT, loose=True),
    Column("attachments", "c.attachments", Kind.JSON, loose=True),
    Column("timestamp", 'make_timestamp(c."at")', Kind.MOMENT),
    Column("receivedAt", "make_timestamp(c.received_at)", Kind.MOMENT),
    Column("delivery", "c.delivery", Kind.PLAIN),
)
# What a file of anything but records has, all of it unless columns are chosen.
FIXED: Mapping[str, tuple[Column, ...]] = {
    "events": EVENT,
    "conversations": CONVERSATION,
    "messages": MESSAGE,
}


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


def of_rows(what: str, names: Sequence[str] | None) -> list[Column]:
    """The columns of these names in their order, or all that `what` has.

    Raises `InvalidProperty`.
    """
    by_name = {column.name: column for column in FIXED[what]}
    if names is None:
        return list(FIXED[what])
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
