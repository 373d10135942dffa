"""Files on their way in: a form is written to disk as it arrives, and never held in memory."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import multipart
from litestar import Request
from litestar.exceptions import HTTPException

from user360.conversations.attachments import clean_name
from user360.errors import Fault, Malformed, StorageFailed, TooLarge

# How many bytes are gathered before they are written.
GATHERED = 1 << 20
FORM = "multipart/form-data"
MOST_TEXT = 1 << 20  # bytes of a part that is not the file
MOST_PARTS = 8
LONGEST_NAME = 200
Given = Request[Any, Any, Any]


class Received(msgspec.Struct, frozen=True):
    """A form that has come in: the file's name as it was sent, its size, and the other parts.

    `type` is the media type that the part `file` said it is, empty when it said none.
    """

    name: str
    size: int
    texts: dict[str, bytes]
    type: str = ""


async def receive(
    request: Given, target: Path, texts: tuple[str, ...], largest: int | None = None
) -> Received:
    """Write the part `file` of a form to `target`; besides it may have the parts `texts`.

    Raises `Malformed` for what is no such form, `TooLarge` for a file of more than `largest`
    bytes, `StorageFailed` when the disk is full.
    """
    parser = multipart.PushMultipartParser(
        _boundary(request), max_segment_count=MOST_PARTS, max_header_size=16_384
    )
    _room(request, target)
    try:
        with target.open("xb") as file:
            form = _Form(parser, file, texts, largest)
            async for chunk in _chunks(request):
                await form.take(chunk)
            return await form.finish()
    except multipart.MultipartError as error:
        raise Malformed(f"The form cannot be read: {error}") from error
    except OSError as error:
        raise StorageFailed(f"The file cannot be kept: {error.strerror}") from error


def _boundary(request: Given) -> str:
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Malformed("Send the form as it is; the file in it may be compressed (.gz)")
    kind, options = multipart.parse_options_header(request.headers.get("content-type", ""))
    boundary = str(options.get("boundary", ""))
    if kind != FORM or not boundary or len(boundary) > LONGEST_NAME:
        raise Malformed(f"expected a form ({FORM}) with a part named file")
    return boundary


def _room(request: Given, target: Path) -> None:
    """Raises `StorageFailed` when what is announced does not fit on the disk."""
    length = request.headers.get("content-length", "")
    size = int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0
    if size > shutil.disk_usage(target.parent).free:
        raise StorageFailed(f"There is no room on the disk for {size} bytes")


async def _chunks(request: Given) -> AsyncIterator[bytes]:
    """The body as it comes. Raises `Malformed` when the caller goes away before its end."""
    try:
        async for chunk in request.stream():
            yield chunk
    except HTTPException as error:
        raise Malformed("The connection was closed before the body was complete") from error


class _Form:
    """Takes a form apart: the file to disk, other parts into memory."""

    def __init__(
        self,
        parser: multipart.PushMultipartParser,
        file: BinaryIO,
        texts: tuple[str, ...],
        largest: int | None,
    ) -> None:
        self.parser = parser
        self.file = file
        self.known = texts
        self.texts: dict[str, bytearray] = {}
        self.name: str | None = None
        self.type = ""
        self._largest = largest
        self.size = 0
        self._part = ""
        self._gathered: list[bytes] = []
        self._waiting = 0

    async def take(self, chunk: bytes) -> None:
        """Take what has come in."""
        if not chunk or self.parser.closed:  # whatever stands behind the end of the form
            return
        for event in self.parser.parse(chunk):
            if isinstance(event, multipart.MultipartSegment):
                self._begin(event)
            elif event:
                self._add(bytes(event))
        if self._waiting >= GATHERED:
            await self._write()

    def _begin(self, part: multipart.MultipartSegment) -> None:
        self._part = part.name or ""
        if self._part == "file" and self.name is None:
            self.name = clean_name(part.filename or "")
            self.type = part.content_type or ""
        elif self._part in self.known and self._part not in self.texts:
            self.texts[self._part] = bytearray()
        else:
            parts = " and ".join(("file", *self.known))
            message = f"a form has each of the parts {parts} once"
            raise Malformed(message, faults=[Fault(self._part[:64], "malformed", message)])

    def _add(self, data: bytes) -> None:
        if self._part == "file":
            self._gathered.append(data)
            self._waiting += len(data)
            if self._largest is not None and self.size + self._waiting > self._largest:
                raise TooLarge(f"A file may have at most {self._largest:,} bytes here")
            return
        text = self.texts[self._part]
        text += data
        if len(text) > MOST_TEXT:
            raise TooLarge(f"The part {self._part} is larger than {MOST_TEXT} bytes")

    async def _write(self) -> None:
        gathered, self._gathered, self._waiting = self._gathered, [], 0
        self.size += sum(map(len, gathered))
        await asyncio.to_thread(self.file.writelines, gathered)

    async def finish(self) -> Received:
        """What has come in, once all of it has. Raises `Malformed` when the file is missing."""
        self.parser.close()
        await self._write()
        if self.name is None:
            message = "the form has no part named file"
            raise Malformed(message, faults=[Fault("file", "required", message)])
        texts = {name: bytes(text) for name, text in self.texts.items()}
        return Received(self.name, self.size, texts, self.type)
