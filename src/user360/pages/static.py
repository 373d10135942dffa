"""The files that pages load: our own, and those that `tools/front.py` took from npm."""

from __future__ import annotations

import functools
import gzip
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.params import FromPath

from user360.errors import NotFound

ROOT = Path(str(resources.files("user360.pages"))) / "static"
KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
# The address names the content, so whoever has it never asks again.
FOR_EVER = "public, max-age=31536000, immutable"


class File(msgspec.Struct, frozen=True):
    """One file: its bytes, plain and packed, and what they are."""

    plain: bytes
    packed: bytes
    kind: str


@functools.cache
def read(name: str) -> File:
    """A file below the folder of static files. Raises `NotFound`."""
    path = (ROOT / name).resolve()
    if not path.is_relative_to(ROOT.resolve()) or path.suffix not in KINDS or not path.is_file():
        raise NotFound("There is no such file")
    plain = path.read_bytes()
    return File(plain, gzip.compress(plain, mtime=0), KINDS[path.suffix])


@functools.cache
def address(name: str) -> str:
    """Where a page finds a file; another content has another address."""
    return f"/static/{sha256(read(name).plain).hexdigest()[:12]}/{name}"


@functools.cache
def icon(name: str) -> str:
    """An icon as SVG, to be written into a page."""
    return read(f"vendor/icons/{name}.svg").plain.decode()


@get("/favicon.ico", include_in_schema=False, sync_to_thread=False)
def favicon() -> Response[bytes]:
    """The icon for what browsers show that is no page and so cannot name it: JSON, a picture."""
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "public, max-age=86400"}
    return Response(read("mark.svg").plain, media_type=KINDS[".svg"], headers=headers)


@get("/static/{version:str}/{name:path}", include_in_schema=False, sync_to_thread=False)
def files(
    request: Request[Any, Any, Any], version: FromPath[str], name: FromPath[str]
) -> Response[bytes]:
    """A file as it is in this version of the product."""
    found = read(name.lstrip("/"))
    packed = "gzip" in request.headers.get("accept-encoding", "")
    headers = {"X-Content-Type-Options": "nosniff", "Vary": "Accept-Encoding"}
    if address(name.lstrip("/")).split("/")[2] == version:
        headers["Cache-Control"] = FOR_EVER
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Response(found.packed if packed else found.plain, media_type=found.kind, headers=headers)
