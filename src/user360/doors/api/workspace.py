"""The workspace: its settings, its keys, its audit."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import Response
from litestar.params import FromPath, JSONBody

from user360 import clock
from user360.access import audit, keys, workspaces
from user360.access.change import Change
from user360.access.keys import Key
from user360.access.workspaces import Workspace
from user360.doors import gate
from user360.doors.api import shapes
from user360.doors.api.bodies import Body
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Answer, Asked, Moment
from user360.errors import Conflict, NotFound, Problem
from user360.storage.ledger import Connection

Role = Literal["admin", "editor", "supervisor", "agent", "reader", "ingest"]


class SettingsEdit(Body):
    """Settings to change, by name; what is left out stays."""

    settings: dict[str, Any]


class Settings(Answer):
    """What an administrator can choose for a workspace."""

    time_zone: str
    identifier: str
    undeclared_traits: Literal["create", "ignore", "reject"]
    merge_limit: int
    property_limit: int
    rate_limit: int
    archive_after_days: int


class ShownWorkspace(Answer):
    """The workspace that the key belongs to."""

    name: str
    created_at: Moment
    settings: Settings


class NewKey(Body):
    """A key to make: what it is for, and its role."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    role: Role


class ShownKey(Answer):
    """A key as it is known after its making; `hint` is how it begins."""

    id: int
    name: str
    role: Role
    hint: str
    created_at: Moment
    last_used_at: Moment | None


class MadeKey(ShownKey):
    """A new key, shown this once."""

    key: str


class Keys(Answer):
    """All keys of the workspace."""

    keys: list[ShownKey]
    cursor: None = None


class Line(Answer):
    """Who did what when; `target` names a thing, never a person's data."""

    id: int
    at: Moment
    actor: str
    action: str
    target: str
    detail: dict[str, Any]


class Audit(Answer):
    """One page of the audit, the newest first."""

    audit: list[Line]
    cursor: str | None


def _shown(workspace: Workspace) -> ShownWorkspace:
    return ShownWorkspace(
        name=workspace.name,
        created_at=clock.to_iso(workspace.created_at),
        settings=msgspec.convert(msgspec.to_builtins(workspace.settings), Settings),
    )


@operation("GET", "/workspace", "workspace.read", "Read the workspace", tag="workspace")
async def read(request: Asked) -> Response[ShownWorkspace]:
    """The one that the key belongs to."""
    return gate.answer(_shown(gate.actor_of(request).workspace))


@operation(
    "PATCH",
    "/workspace",
    "workspace.write",
    "Change the settings",
    tag="workspace",
    example=Example(body={"settings": {"timeZone": "Asia/Kolkata", "rateLimit": 0}}),
)
async def edit(request: Asked, data: JSONBody[SettingsEdit]) -> Response[ShownWorkspace]:
    """Every setting that is wrong is named, and then none is changed."""

    seq = await keep_settings(request, data.settings)
    return gate.answer(_shown(gate.actor_of(request).workspace), seq=seq)


async def keep_settings(request: Asked, given: dict[str, Any]) -> int:
    """Change these settings; the position. Raises `Invalid` naming each bad one."""

    def job(change: Change) -> None:
        workspace = change.workspace
        try:
            settings = workspaces.checked(given, workspace.settings, workspace.catalogue)
        except Problem as problem:
            raise problem.under("settings") from problem
        workspaces.save_settings(change.connection, workspace, settings)
        change.audit("workspace.settings", "workspace", changed=sorted(given))
        workspace.apply(settings)

    _, seq = await gate.change(request, job)
    request.app.state.timekeeper.wake()  # other clocks mean other times of schedules
    return seq


def _key(key: Key) -> dict[str, Any]:
    used = key.last_used_at
    return {
        "id": key.id,
        "name": key.name,
        "role": key.role,
        "hint": key.hint,
        "created_at": clock.to_iso(key.created_at),
        "last_used_at": None if used is None else clock.to_iso(used),
    }


@operation("GET", "/keys", "keys", "List keys", tag="keys")
async def list_keys(request: Asked) -> Response[Keys]:
    """Without the keys themselves, of which only a hash is kept."""
    return gate.answer(Keys(keys=[ShownKey(**_key(key)) for key in await keys_of(request)]))


async def keys_of(request: Asked) -> list[Key]:
    """The keys of the caller's workspace, with when they were used up to now."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    await gate.write(platform, platform.keep_uses)
    found = await gate.read(platform, keys.all_keys)
    return [key for key in found.values() if key.workspace == workspace.id]


@operation(
    "POST",
    "/keys",
    "keys",
    "Make a key",
    tag="keys",
    status=201,
    example=Example(body={"name": "web site", "role": "ingest"}),
)
async def create_key(request: Asked, data: JSONBody[NewKey]) -> Response[MadeKey]:
    """The answer holds the key, which is never shown again."""
    made, text, seq = await make_key(request, data.name, data.role)
    return gate.answer(MadeKey(**_key(made), key=text), 201, seq)


async def make_key(request: Asked, name: str, role: str) -> tuple[Key, str, int]:
    """Make a key: what is kept of it, the key itself, and the position."""
    text = keys.new_key()

    def job(change: Change) -> Key:
        where = (change.connection, change.workspace.id)
        made = keys.create(*where, name, role, text, change.now)
        change.audit("key.create", f"key:{made.id}", role=role)
        return made

    made, seq = await gate.change(request, job)
    await _reload(request)
    return made, text, seq


@operation(
    "DELETE",
    "/keys/{key_id:int}",
    "keys",
    "Revoke a key",
    tag="keys",
    status=204,
    refuses=(404, 409),
    example=Example(path={"key_id": 2}),
)
async def delete_key(request: Asked, key_id: FromPath[int]) -> Response[None]:
    """At once and for good. The last key that may make others stays."""
    return gate.answer(None, 204, await revoke_key(request, key_id))


async def revoke_key(request: Asked, key_id: int) -> int:
    """Revoke a key; the position. Raises `NotFound`, and `Conflict` for the last admin key."""

    def job(change: Change) -> None:
        held = keys.all_keys(change.connection).values()
        mine = {key.id: key for key in held if key.workspace == change.workspace.id}
        if key_id not in mine:
            raise NotFound("There is no such key")
        admins = [key for key in mine.values() if key.role == "admin"]
        if [key.id for key in admins] == [key_id]:
            raise Conflict("This is the last admin key; make another one first")
        keys.delete(change.connection, change.workspace.id, key_id)
        change.audit("key.delete", f"key:{key_id}")

    _, seq = await gate.change(request, job)
    await _reload(request)
    return seq


async def _reload(request: Asked) -> None:
    """Take the keys that are on disk now as those that count."""
    platform = gate.platform_of(request)

    def reload(connection: Connection) -> None:
        platform.reload_keys(connection)

    await gate.write(platform, reload)


@operation("GET", "/audit", "audit", "Who did what", tag="audit")
async def read_audit(
    request: Asked, limit: shapes.Limit = 50, cursor: shapes.Cursor = None
) -> Response[Audit]:
    """Changes of settings, declarations, keys, segments and merges, the newest first."""
    before = _before(cursor)
    workspace = gate.actor_of(request).workspace
    rows = await gate.read(
        gate.platform_of(request), lambda c: audit.lines(c, workspace.id, before, limit + 1)
    )
    following = str(rows[limit - 1]["id"]) if len(rows) > limit else None
    shown = [msgspec.convert(row, Line) for row in rows[:limit]]
    return gate.answer(Audit(audit=shown, cursor=following))


def _before(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if cursor.isascii() and cursor.isdigit() and len(cursor) < 19:
        return int(cursor)
    raise Problem.at("cursor", "cursor must be one that an earlier page answered")


ROUTES = [read, edit, list_keys, create_key, delete_key, read_audit]
