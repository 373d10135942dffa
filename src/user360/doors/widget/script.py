"""The script itself: one file, which needs nothing else."""

from __future__ import annotations

import functools
import gzip
from hashlib import sha256
from importlib import resources
from typing import Any

from litestar import Request, Response, get

# Pages name it without a version: a new one is there within minutes, an old one costs nothing.
FRESH = "public, max-age=300"


@functools.cache
def read() -> tuple[bytes, bytes, str]:
    """The script plain and packed, and the tag of what it is."""
    plain = (resources.files("user360.doors.widget") / "static" / "widget.js").read_bytes()
    return plain, gzip.compress(plain, mtime=0), f'"{sha256(plain).hexdigest()[:16]}"'


@get("/widget.js", include_in_schema=False, sync_to_thread=False)
def widget(request: Request[Any, Any, Any]) -> Response[bytes]:
    """What a page loads with one script tag."""
    plain, packed, tag = read()
    headers = {
        "Cache-Control": FRESH,
        "ETag": tag,
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
        # A page that lets in only what agrees to it (COEP) may have it too.
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if tag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    gzipped = "gzip" in request.headers.get("accept-encoding", "")
    if gzipped:
        headers["Content-Encoding"] = "gzip"
    body = packed if gzipped else plain
    return Response(body, media_type="text/javascript", headers=headers)


ROUTES = [widget]
