"""A workspace: one tenant, with its settings, declarations, event definitions and segments."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from user360.access.erased import Erased
from user360.conversations import desks
from user360.conversations.desk import Desk
from user360.errors import Conflict, Fault, Invalid
from user360.events import definitions
from user360.events import store as event_store
from user360.identity.identifier import IDENTIFYING
from user360.records import store as record_store
from user360.records.properties import Catalogue
from user360.segments import store as segment_store
from user360.segments.store import Segment
from user360.storage.ledger import Connection, text

DEFAULT = "default"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")


class WorkspaceSettings(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What an administrator can choose for a workspace.

    `identifier` is `userId` (only explicit calls identify) or the property whose writing in a
    session identifies it; `undeclaredTraits` says what the tracking API does with traits nobody
    declared; `mergeLimit` bounds how many records one user can take in; `propertyLimit` how many
    custom properties there may be; `rateLimit` is calls a minute for each key, 0 for no limit;
    `archiveAfterDays` is after how many days without use a segment is archived, 0 for never.
    """

    time_zone: str = "UTC"
    identifier: str = "userId"
    undeclared_traits: Literal["create", "ignore", "reject"] = "create"
    merge_limit: int = 1_000
    property_limit: int = 300
    rate_limit: int = 0
    archive_after_days: int = 60


class Workspace:
    """One tenant as the running process knows it.

    The committer alone changes it, within its transaction; readers take `catalogue`, `settings`,
    `zone`, `segments` (all that are not deleted, by number), `erased` and `desk` (who answers
    conversations) as they stand.
    """

    def __init__(self, number: int, name: str, settings: WorkspaceSettings, created: int) -> None:
        self.id = number
        self.name = name
        self.created_at = created
        self.next_record = 1
        self.next_conversation = 1
        self.next_message = 1
        self.desk = Desk()
        self.settings = settings
        self.zone = zoneinfo.ZoneInfo(settings.time_zone)
        self.catalogue = Catalogue()
        self.definitions: dict[str, definitions.Definition] = {}
        self.segments: Mapping[int, Segment] = {}
        self.erased = Erased(number)

    def load(self, connection: Connection) -> None:
        """Read settings, declarations and definitions anew from the ledger."""
        settings, *counters = connection.execute(
            text(
                "SELECT settings, next_record, next_conversation, next_message FROM workspaces"
                " WHERE id = :id"
            ),
            {"id": self.id},
        ).one()
        self.next_record, self.next_conversation, self.next_message = counters
        self.apply(msgspec.json.decode(settings, type=WorkspaceSettings))
        self.catalogue = record_store.load_catalogue(connection, self.id)
        self.definitions = event_store.load_definitions(connection, self.id)
        self.segments = {s.id: s for s in segment_store.all_segments(connection, self.id)}
        self.erased.load(connection)
        self.desk = desks.load(connection, self.id)

    @property
    def counters(self) -> tuple[int, int, int]:
        """The numbers that the next record, conversation and message get."""
        return self.next_record, self.next_conversation, self.next_message

    def apply(self, settings: WorkspaceSettings) -> None:
        self.settings = settings
        self.zone = zoneinfo.ZoneInfo(settings.time_zone)


def checked(given: dict[str, Any], current: WorkspaceSettings, catalogue: Catalogue) -> Any:
    """`current` settings with those `given` put in. Raises `Invalid` naming each bad one."""
    fields = {f.encode_name: f for f in msgspec.structs.fields(WorkspaceSettings)}
    faults = [
        Fault(name, "invalid", f"There is no such setting; there are {', '.join(fields)}")
        for name in given
        if name not in fields
    ]
    merged = {**msgspec.to_builtins(current), **{k: v for k, v in given.items() if k in fields}}
    for name in given.keys() & fields.keys():
        try:
            msgspec.convert(given[name], fields[name].type)
        except msgspec.ValidationError as error:
            faults.append(Fault(name, "invalid", str(error)))
    faults += _sensible(merged, catalogue) if not faults else []
    if faults:
        raise Invalid(faults[0].message, faults=faults)
    return msgspec.convert(merged, WorkspaceSettings)


def _sensible(merged: dict[str, Any], catalogue: Catalogue) -> list[Fault]:
    faults = []
    if merged["timeZone"] not in zoneinfo.available_timezones():
        faults.append(
            Fault("timeZone", "invalid", "timeZone must be a name such as Europe/Berlin or UTC")
        )
    identifier = catalogue.get(merged["identifier"])
    if merged["identifier"] != "userId" and (
        identifier is None or identifier.type not in IDENTIFYING
    ):
        message = "identifier must be userId or a string, number, email or phone property"
        faults.append(Fault("identifier", "invalid", message))
    for name, least in (("mergeLimit", 1), *_MAY_BE_NONE):
        if merged[name] < least:
            faults.append(Fault(name, "invalid", f"{name} must be at least {least}"))
    return faults


_MAY_BE_NONE = (("propertyLimit", 0), ("rateLimit", 0), ("archiveAfterDays", 0))


def all_workspaces(connection: Connection) -> list[Workspace]:
    """Every workspace, loaded."""
    rows = connection.execute(
        text("SELECT id, name, settings, created_at FROM workspaces ORDER BY id")
    ).all()
    found = [
        Workspace(n, name, msgspec.json.decode(settings, type=WorkspaceSettings), created)
        for n, name, settings, created in rows
    ]
    for workspace in found:
        workspace.load(connection)
    return found


def create(connection: Connection, name: str, now: int) -> Workspace:
    """Make a workspace. Raises `Invalid` for a bad name, `Conflict` for a taken one."""
    if not NAME.match(name):
        raise Invalid.at("name", "A workspace name is letters, digits, - and _, at most 64")
    taken = text("SELECT count(*) FROM workspaces WHERE lower(name) = lower(:name)")
    if connection.execute(taken, {"name": name}).scalar_one():
        raise Conflict.at("name", "A workspace of this name exists already")
    settings = WorkspaceSettings()
    number = connection.execute(
        text(
            "INSERT INTO workspaces (name, settings, created_at)"
            " VALUES (:name, :settings, :now) RETURNING id"
        ),
        {"name": name, "settings": msgspec.json.encode(settings).decode(), "now": now},
    ).scalar_one()
    return Workspace(number, name, settings, now)


def save_counters(connection: Connection, workspace: Workspace) -> None:
    """Keep the next numbers: that of a deleted record is never given again."""
    record, conversation, message = workspace.counters
    connection.execute(
        text(
            "UPDATE workspaces SET next_record = :record, next_conversation = :conversation,"
            " next_message = :message WHERE id = :id"
        ),
        {"id": workspace.id, "record": record, "conversation": conversation, "message": message},
    )


def save_settings(
    connection: Connection, workspace: Workspace, settings: WorkspaceSettings | None = None
) -> None:
    """Keep these settings, or those in force."""
    kept = msgspec.json.encode(settings or workspace.settings).decode()
    connection.execute(
        text("UPDATE workspaces SET settings = :settings WHERE id = :id"),
        {"id": workspace.id, "settings": kept},
    )
