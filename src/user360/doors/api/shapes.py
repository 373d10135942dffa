"""What the own API answers: the same few shapes on every route."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from litestar import Request

from user360 import clock, ids
from user360.access.workspaces import Workspace
from user360.doors import gate
from user360.errors import Invalid, NotFound
from user360.records import people


class Record(msgspec.Struct, rename="camel"):
    """A person as far as we know; unknown properties are left out."""

    id: str
    user_id: str | None
    properties: dict[str, Any]
    tags: list[str]
    profile_complete: str
    created_at: str
    updated_at: str


class Captured(msgspec.Struct):
    record: Record
    created: bool


class Identified(msgspec.Struct, rename="camel", omit_defaults=True):
    record: Record
    outcome: str
    merge_id: str | None = None


class OfSession(msgspec.Struct):
    record: Record


async def record(request: Request[Any, Any, Any], number: int | None) -> Record:
    """The living record behind a number. Raises `NotFound`."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    found = await gate.read(
        platform, lambda c: people.one(c, platform.ledger.dialect, workspace, number)
    )
    if found is None:
        raise NotFound("There is no such record")
    return msgspec.convert(found, Record)


def number_of(workspace: Workspace, text: str) -> int:
    """The number behind a public record id. Raises `NotFound`."""
    number = ids.parse_record_id(workspace.id, text)
    if number is None:
        raise NotFound("There is no record with this id")
    return number


def moment(text: str | None, workspace: Workspace, otherwise: int) -> int:
    """A timestamp in ISO 8601 as microseconds; without offset it is the workspace's time."""
    if text is None:
        return otherwise
    try:
        found = datetime.fromisoformat(text)
    except (ValueError, TypeError) as error:
        message = "timestamp must be ISO 8601, such as 2026-11-22T10:00:00Z"
        raise Invalid.at("timestamp", message) from error
    return clock.to_us(found if found.tzinfo else found.replace(tzinfo=workspace.zone))
