"""Names in paths, exactly: a userId may hold any character, `/` too.

Servers decode a path before routing, which makes one of `a%2Fb` and `a/b`. So routing is done on
the path as it was sent, and the parameters are decoded after it.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote_to_bytes

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from user360.errors import Malformed

# Words that stand where a name can stand, with the only method they are meant with. With any other,
# or with more behind, the same word is a name.
FIXED = {
    ("users", "bulk"): "POST",
    ("users", "search"): "POST",
    ("users", "delete"): "POST",
    ("event-definitions", "rejections"): "GET",
}
PREFIX = ["", "api", "v1"]


class AsSent:
    """Routes what is inside by the path as it was sent."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            scope["path"] = as_sent(scope["raw_path"], scope["method"])
        await self.app(scope, receive, send)


class Named:
    """Decodes the parameters that routing has found."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found: dict[str, Any] = scope["path_params"]
        if found:
            scope["path_params"] = {
                name: text_of(value) if isinstance(value, str) else value
                for name, value in found.items()
            }
        await self.app(scope, receive, send)


def as_sent(raw: bytes, method: str) -> str:
    """The path to route by: still percent-encoded, in ASCII. Some servers add the query to it."""
    path = quote(raw.partition(b"?")[0], safe="/%!$&'()*+,;=:@~-._")
    if not path.startswith("/api/"):
        return path
    parts = path.split("/")
    if len(parts) > 4 and parts[:3] == PREFIX:
        meant = FIXED.get((parts[3], parts[4]))
        if meant is not None and (method not in (meant, "OPTIONS") or len(parts) > 5):
            parts[4] = f"%{ord(parts[4][0]):02X}{parts[4][1:]}"
            return "/".join(parts)
    return path


def text_of(segment: str) -> str:
    """The text of one encoded segment. Raises `Malformed`."""
    if "%" not in segment:
        return segment
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeDecodeError as error:
        raise Malformed("The path holds bytes that are no UTF-8") from error
