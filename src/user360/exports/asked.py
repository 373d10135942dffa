"""What an export was asked for, and what is wrong with that."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from user360 import clock, ids
from user360.access.workspaces import Workspace
from user360.errors import Fault, Invalid, Problem
from user360.exports import columns
from user360.exports.columns import Column
from user360.exports.formats import table, xlsx
from user360.segments import usage
from user360.segments.language import tree
from user360.segments.language.nodes import Node

What = Literal["users", "events", "conversations", "messages"]
USERS: What = "users"
EVENTS: What = "events"
CONVERSATIONS: What = "conversations"
MESSAGES: What = "messages"
TALKS = (CONVERSATIONS, MESSAGES)
_UNSAFE = re.compile(r"[^A-Za-z0-9]+")


class Asked(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Which records, or whose events or conversations, with which columns, in what kind of file.

    `segment`, `where` and `text` must all hold for a person, and `records` name them (as
    they are called outside, `r1042`); without any it is everybody. `columns` None are all that are
    exported unasked. `names` choose events, `since` and `until` (ISO 8601) events, conversations by
    their beginning, and messages.
    """

    what: What = USERS
    format: str = "csv"
    gzip: bool = False
    columns: list[str] | None = None
    segment: int | None = None
    where: dict[str, Any] | None = None
    text: str | None = None
    records: list[str] | None = None
    names: list[str] = []
    since: str | None = msgspec.field(default=None, name="from")
    until: str | None = msgspec.field(default=None, name="to")


def read(params: dict[str, Any]) -> Asked:
    """What was asked, from its JSON. Raises `Invalid`."""
    try:
        return msgspec.convert(params, Asked)
    except msgspec.ValidationError as error:
        raise Invalid(str(error)) from error


def check(asked: Asked, workspace: Workspace) -> None:
    """Raises `Invalid` naming every place that cannot be done with the declarations in force."""
    faults: list[Fault] = []
    for part in CHECKS:
        try:
            part(asked, workspace)
        except Problem as problem:
            faults += problem.faults
    if faults:
        raise Invalid(faults[0].message, faults=faults)


def columns_of(asked: Asked, workspace: Workspace) -> list[Column]:
    """The columns of the file. Raises `InvalidProperty` naming each there is not."""
    if asked.what == USERS:
        return columns.of_records(asked.columns, workspace.catalogue)
    return columns.of_rows(asked.what, asked.columns)


def segment_of(asked: Asked, workspace: Workspace) -> int | None:
    """The segment whose members are meant. Raises `Invalid` when there is none."""
    if asked.segment is not None and asked.segment not in workspace.segments:
        raise Invalid.at("segment", "There is no segment with this id", "notFound")
    return asked.segment


def records_of(asked: Asked, workspace: Workspace) -> list[int] | None:
    """The numbers of the records that are meant. Raises `Invalid` for what names none."""
    if asked.records is None:
        return None
    numbers = [ids.parse_record_id(workspace.id, name) for name in asked.records]
    if None in numbers:
        message = "There is no record with this id"
        raise Invalid.at(f"records.{numbers.index(None)}", message, "notFound")
    return [number for number in numbers if number is not None]


def node_of(asked: Asked, workspace: Workspace) -> Node | None:
    """The condition that is to hold. Raises `InvalidCondition`."""
    if asked.where is None:
        return None
    return tree.parse(asked.where, workspace.catalogue, "where", usage.usable(workspace))


def period(asked: Asked, workspace: Workspace) -> tuple[int | None, int | None]:
    """The first moment and the one after the last, in microseconds. Raises `Invalid`."""
    return since(asked, workspace), until(asked, workspace)


def since(asked: Asked, workspace: Workspace) -> int | None:
    """The first moment. Raises `Invalid`."""
    return _moment(asked.since, "from", workspace)


def until(asked: Asked, workspace: Workspace) -> int | None:
    """The moment after the last. Raises `Invalid`."""
    return _moment(asked.until, "to", workspace)


def _moment(text: str | None, path: str, workspace: Workspace) -> int | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        return clock.to_us(found if found.tzinfo else found.replace(tzinfo=workspace.zone))
    except (ValueError, OverflowError) as error:
        message = f"{path} must be ISO 8601, such as 2026-11-22 or 2026-11-22T10:00:00Z"
        raise Invalid.at(path, message) from error


def _format(asked: Asked, workspace: Workspace) -> None:
    """Raises `Invalid` for a kind of file there is not, or that cannot hold what is asked."""
    if asked.format not in table.FORMATS:
        message = f"format must be one of {', '.join(table.FORMATS)}"
        raise Invalid.at("format", message)
    packed = asked.format in (table.XLSX.name, table.PARQUET.name)
    if asked.gzip and packed:
        raise Invalid.at("gzip", f"{asked.format} is compressed by itself")
    chosen = len(workspace.catalogue if asked.columns is None else asked.columns)
    if asked.format == table.XLSX.name and asked.what == USERS and chosen > xlsx.COLUMNS:
        raise Invalid.at("format", f"A sheet has at most {xlsx.COLUMNS:,} columns")


def _fitting(asked: Asked, _workspace: Workspace) -> None:
    """Raises `Invalid` for what says something of events where none are asked for."""
    timed = {"from": asked.since, "to": asked.until} if asked.what == USERS else {}
    named = {"names": asked.names} if asked.what != EVENTS else {}
    faults = [Fault(n, "invalid", f"{n} goes with events") for n, v in named.items() if v]
    message = "goes with events, conversations and messages"
    faults += [Fault(n, "invalid", f"{n} {message}") for n, v in timed.items() if v]
    if faults:
        raise Invalid(faults[0].message, faults=faults)


CHECKS: tuple[Callable[[Asked, Workspace], object], ...] = (
    _format,
    columns_of,
    segment_of,
    records_of,
    node_of,
    since,
    until,
    _fitting,
)


def file_name(asked: Asked, workspace: Workspace, at: int) -> str:
    """A name that any system takes: what is in the file, and from when (UTC)."""
    words = [workspace.name, asked.what]
    segment = workspace.segments.get(asked.segment) if asked.segment is not None else None
    if segment is not None:
        words.append(_UNSAFE.sub("-", segment.name).strip("-")[:60] or str(segment.id))
    words.append(f"{datetime.fromtimestamp(at / clock.SECOND, UTC):%Y%m%d-%H%M%S}")
    return f"{'_'.join(words)}.{asked.format}{'.gz' if asked.gzip else ''}"


def media_type(asked: Asked) -> str:
    """What kind of bytes the file has."""
    return table.GZIP if asked.gzip else table.FORMATS[asked.format].media_type
