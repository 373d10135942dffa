"""The script itself: one file, which needs nothing else, and its words in other languages."""

from __future__ import annotations

import functools
import gzip
from hashlib import sha256
from importlib import resources
from typing import Any

import msgspec
import rjsmin
from litestar import Request, Response, get
from litestar.params import FromPath

# Pages name it without a version: a new one is there within minutes, an old one costs nothing.
FRESH = "public, max-age=300"
Asked = Request[Any, Any, Any]


class Sent(msgspec.Struct, frozen=True):
    """A file as it is sent: plain, packed, and the tag of what it is."""

    plain: bytes
    packed: bytes
    tag: str


@functools.cache
def read(name: str) -> Sent:
    """A file of the widget; a script without what only who reads its source needs."""
    plain = (resources.files("user360.doors.widget") / "static" / name).read_bytes()
    if name.endswith(".js"):
        plain = rjsmin.jsmin(plain)
    return Sent(plain, gzip.compress(plain, mtime=0), f'"{sha256(plain).hexdigest()[:16]}"')


@functools.cache
def languages() -> frozenset[str]:
    """The languages there are words for, beside English."""
    held = resources.files("user360.doors.widget") / "static" / "words"
    return frozenset(each.name.removesuffix(".json") for each in held.iterdir())


@get("/widget.js", include_in_schema=False, sync_to_thread=False)
def widget(request: Asked) -> Response[bytes]:
    """What a page loads with one script tag."""
    return _sent(request, read("widget.js"), "text/javascript")


@get("/channels/web/words/{language:str}", include_in_schema=False, sync_to_thread=False)
def words(request: Asked, language: FromPath[str]) -> Response[bytes]:
    """What the widget says in a language; nothing for one it does not know: that is English."""
    if language not in languages():
        return Response(b"{}", media_type="application/json", headers={"Cache-Control": FRESH})
    return _sent(request, read(f"words/{language}.json"), "application/json")


def _sent(request: Asked, found: Sent, kind: str) -> Response[bytes]:
    headers = {
        "Cache-Control": FRESH,
        "ETag": found.tag,
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
        # A page that lets in only what agrees to it (COEP) may have it too.
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if found.tag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    packed = "gzip" in request.headers.get("accept-encoding", "")
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Response(found.packed if packed else found.plain, media_type=kind, headers=headers)


ROUTES = [widget, words]
