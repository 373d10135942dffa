"""Files in the chat: taken in from a browser, and given to whoever has their address."""

from __future__ import annotations

import hmac
import math
from collections.abc import Sequence
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from user360.access.workspaces import Workspace
from user360.channels.web import sessions, shown
from user360.conversations import attachments
from user360.conversations.talk import Attachment
from user360.doors import gate
from user360.doors.api import attachments as api
from user360.doors.api.bodies import Body
from user360.doors.widget import asking, pace
from user360.doors.widget.asking import Asked
from user360.errors import Fault, Invalid, NotFound
from user360.platform import Platform

# What would run where an agent opens it, by how its name ends.
RUNS = (
    *(".apk", ".app", ".bat", ".chm", ".cmd", ".com", ".cpl", ".dll", ".exe", ".hta", ".htm"),
    *(".html", ".iso", ".jar", ".js", ".jse", ".lnk", ".mjs", ".msi", ".msp", ".pif", ".ps1"),
    *(".reg", ".scr", ".sh", ".svg", ".vbe", ".vbs", ".wsf", ".xhtml", ".xll"),
)


class FileSaid(Body):
    """A file that was taken in before; `key` shows that it was given to this browser."""

    id: str
    key: str


@post("/channels/web/files", status_code=201, include_in_schema=False)
async def upload(request: Asked) -> Response[dict[str, Any]]:
    """Take in a file, as the part `file` of a form; it is said with a message within a day."""
    visitor, workspace = asking.visitor_of(request)
    counted, place, size = asking.pace_of(request), asking.place_of(request), _megabytes(request)
    counted.of(visitor, pace.FILES)
    counted.at(place, pace.FILES_OF_PLACE)
    counted.of(visitor, pace.BYTES, size)
    counted.at(place, pace.BYTES_OF_PLACE, size)
    platform = gate.platform_of(request)
    told = await api.take(request, attachments.begin(platform.directory, workspace.id))
    if told.name.lower().rstrip(". ").endswith(RUNS):
        attachments.remove(platform.directory, [(workspace.id, told.id)])
        raise Invalid.at("file", "Files that can be run are not taken in")
    number, now = told.id, platform.now()
    kept = await gate.write(
        platform, lambda c: attachments.keep(c, workspace.id, number, told, now)
    )
    key = sessions.file_key(platform.vault, workspace.id, kept.id)
    return gate.answer({"id": kept.id, "key": key, **shown.file(platform, workspace.id, kept)}, 201)


def _megabytes(request: Asked) -> int:
    """How large the form is at most, by what is told of it before it comes."""
    told = request.headers.get("content-length", "")
    size = int(told) if told.isascii() and told.isdigit() and len(told) < 16 else None
    most = attachments.LARGEST
    return math.ceil((most if size is None else min(size, most)) / 1_048_576)


@get("/channels/web/files/{workspace:int}/{file_id:str}", include_in_schema=False)
async def download(
    request: Asked, workspace: FromPath[int], file_id: FromPath[str]
) -> Response[Any]:
    """A file that was said in a chat, for whoever was shown its address."""
    asking.pace_of(request).at(asking.place_of(request))
    platform = gate.platform_of(request)
    found = None
    if _opens(platform, workspace, file_id, request.query_params.get("key", "")):
        found = gate.glance(
            platform,
            lambda c: attachments.load(c, platform.ledger.dialect, workspace, [file_id]),
        ).get(file_id)
    if found is None:
        raise NotFound("There is no file at this address")
    path = attachments.path_of(platform.directory, workspace, found.id)
    return api.send(request, found, path, inline=False)


def said(
    platform: Platform, workspace: Workspace, given: Sequence[FileSaid]
) -> tuple[Attachment, ...]:
    """The files that a message names. Raises `Invalid` naming each that was not taken in."""
    if not given:
        return ()
    dialect, numbers = platform.ledger.dialect, [each.id for each in given]
    held = gate.glance(platform, lambda c: attachments.load(c, dialect, workspace.id, numbers))
    faults = [
        Fault(f"files.{i}", "invalid", "There is no such file any more; send it again")
        for i, each in enumerate(given)
        if each.id not in held or not _opens(platform, workspace.id, each.id, each.key)
    ]
    if faults:
        raise Invalid(faults[0].message, faults=faults)
    return tuple(held[each.id].attachment for each in given)


def _opens(platform: Platform, workspace: int, file: str, key: str) -> bool:
    wanted = sessions.file_key(platform.vault, workspace, file)
    return hmac.compare_digest(wanted.encode(), key.encode())


ROUTES = [upload, download]
