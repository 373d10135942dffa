"""Files said with messages: sent here first, then named in a message; and read again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from litestar import Response
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from user360.conversations import attachments, reading
from user360.conversations.attachments import Kept
from user360.conversations.talk import Attachment
from user360.doors import gate, sending, upload
from user360.doors.api import spoken
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Answer, Asked
from user360.errors import NotFound, StorageFailed

FILE = {"type": "string", "contentMediaType": "application/octet-stream"}
UPLOADED = "9f2c4e6a8b0d1c3e5f7a9b0c2d4e6f80"
# Shown in a page; everything else is saved as a file, whatever it says it is.
Inline = Annotated[bool, QueryParameter(description="to show a picture instead of saving it")]


class Uploaded(Answer):
    """A file that was kept: give its `id` with a message within a day. `size` is in bytes."""

    id: str
    name: str
    type: str
    size: int


@operation(
    "POST",
    "/attachments",
    "inbox.write",
    "Upload a file",
    tag="conversations",
    status=201,
    refuses=(413,),
    form={"file": FILE},
    example=Example(body={"file": "parcel"}),
)
async def create(request: Asked) -> Response[Uploaded]:
    """Up to 25 MB, as the part `file` of a form; it is on disk when this is answered.

    What no message names within a day is removed.
    """
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    told = await take(request, attachments.begin(platform.directory, workspace.id))
    number, now = told.id, platform.now()
    kept = await gate.write(
        platform, lambda c: attachments.keep(c, workspace.id, number, told, now)
    )
    given = {"id": kept.id, "name": kept.name, "type": kept.type, "size": kept.size}
    return gate.answer(given, 201, platform.committer.position.last)


async def take(request: Asked, part: Path) -> Attachment:
    """A file that has come in with a form, on disk under its id; the ledger knows nothing of it.

    Raises `TooLarge`, `Malformed`, `StorageFailed`; then nothing is left.
    """
    try:
        form = await upload.receive(request, part, (), largest=attachments.LARGEST)
        number = await asyncio.to_thread(attachments.settle, part)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise StorageFailed(f"The file cannot be kept: {error.strerror}") from error
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return Attachment(form.name, form.type, form.size, number)


@operation(
    "GET",
    "/attachments/{attachment_id:str}",
    "inbox.read",
    "Download a file",
    tag="conversations",
    refuses=(404, 416),
    gives=("application/octet-stream",),
    example=Example(path={"attachment_id": UPLOADED}),
)
async def download(
    request: Asked, attachment_id: FromPath[str], inline: Inline = False
) -> Response[Any]:
    """As it was sent. A `Range` of it can be asked for."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    found = gate.glance(
        platform,
        lambda c: attachments.load(c, platform.ledger.dialect, workspace.id, [attachment_id]),
    ).get(attachment_id)
    if found is None:
        raise NotFound("There is no file with this id")
    _need_seen(request, found)
    path = attachments.path_of(platform.directory, workspace.id, found.id)
    return send(request, found, path, inline=inline)


def _need_seen(request: Asked, found: Kept) -> None:
    """A file is seen by whoever sees the conversation it was said in. Raises `NotFound`."""
    if spoken.viewer(request) is None or found.message is None:
        return
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    number = found.message
    said = gate.glance(platform, lambda c: reading.message(c, workspace.id, number))
    if said is None:
        raise NotFound("There is no file with this id")
    spoken.need(request, said.conversation)


def send(request: Asked, found: Kept, path: Path, *, inline: bool) -> Response[Any]:
    """A file as an answer: saved, unless it is a picture that is to be shown; never run."""
    wanted = sending.span(request.headers.get("range"), found.size)
    shown = inline and found.type in attachments.PICTURES
    steps = sending.Steps(sending.of_file(path, wanted))
    try:
        steps.begin()
    except OSError as error:
        raise NotFound("The file is no longer there") from error
    headers = {
        "Content-Disposition": disposition(found.name, inline=shown),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, max-age=3600",
        **wanted.headers(),
    }
    kind = found.type if shown else "application/octet-stream"
    status = 200 if wanted.whole else 206
    return Stream(steps, media_type=kind, status_code=status, headers=headers)


def disposition(name: str, *, inline: bool) -> str:
    """How an answer says what its file is called (RFC 6266), in any language."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in name)
    how = "inline" if inline else "attachment"
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


ROUTES = [create, download]
