"""What is about all workspaces of a server: backing everything up, copying one into another."""

from __future__ import annotations

import asyncio

from litestar import Response
from litestar.params import JSONBody
from litestar.response import Stream

from user360 import clock
from user360.access.workspaces import Workspace
from user360.backup import copying, making
from user360.backup.copying import Copied
from user360.doors import gate, sending
from user360.doors.api.bodies import Body
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Asked
from user360.errors import Invalid, NotFound
from user360.platform import Platform
from user360.storage.ledger import Connection

ZSTD = "application/zstd"


class Copying(Body):
    """The names of the workspace to copy from, and of the one that gets it."""

    source: str
    target: str


@operation(
    "GET",
    "/backup",
    "workspace.write",
    "Back up everything",
    tag="server",
    gives=(ZSTD,),
    everywhere=True,
)
async def backup(request: Asked) -> Stream:
    """One file with all workspaces as they are now, the key of the vault included, for `user360
    restore`. Writers and readers go on meanwhile.
    """
    platform, actor = gate.platform_of(request), gate.actor_of(request)
    made = await asyncio.to_thread(making.prepare, platform, actor.ref)
    name = f"user360-{clock.to_datetime(platform.now()):%Y%m%d-%H%M%S}.tar.zst"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Stream(sending.Steps(made.pieces()), media_type=ZSTD, headers=headers)


@operation(
    "POST",
    "/workspace/copy",
    "workspace.write",
    "Copy a workspace",
    tag="server",
    refuses=(404, 409),
    everywhere=True,
    example=Example(body={"source": "default", "target": "spare"}),
)
async def copy(request: Asked, data: JSONBody[Copying]) -> Response[Copied]:
    """Declarations, settings, event definitions, segments, and how customers are answered, without
    people and secrets. Every name that is taken by something else is told, and then nothing is
    copied.
    """
    platform, actor = gate.platform_of(request), gate.actor_of(request)
    source, target = (_named(platform, getattr(data, n), n) for n in ("source", "target"))
    if source is target:
        raise Invalid.at("target", "target must be another workspace than source")

    def job(connection: Connection) -> tuple[Copied, int]:
        copied = copying.copy(platform.change(connection, target, actor.ref), source)
        return copied, platform.committer.position.last

    copied, seq = await gate.write(platform, job)
    return gate.answer(copied, seq=seq)


def _named(platform: Platform, name: str, path: str) -> Workspace:
    try:
        return platform.workspace(name)
    except NotFound as problem:
        raise NotFound.at(path, "There is no such workspace") from problem


ROUTES = [backup, copy]
