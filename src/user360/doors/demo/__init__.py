"""The demo's shop: a page with the chat on it, there only while the demo is served."""

from __future__ import annotations

from importlib import resources
from typing import Any

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@get("/demo/shop", include_in_schema=False, sync_to_thread=False)
def shop() -> Response[bytes]:
    """The shop, as its customers see it."""
    return _sent("shop.html", "text/html")


@get("/demo/shop.css", include_in_schema=False, sync_to_thread=False)
def style() -> Response[bytes]:
    """How it looks."""
    return _sent("shop.css", "text/css")


@get("/demo/shop.svg", include_in_schema=False, sync_to_thread=False)
def icon() -> Response[bytes]:
    """The record beside its name."""
    return _sent("shop.svg", "image/svg+xml")


def _sent(name: str, kind: str) -> Response[bytes]:
    content = (resources.files("user360.doors.demo") / "static" / name).read_bytes()
    headers: dict[str, Any] = {
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return Response(content, media_type=f"{kind}; charset=utf-8", headers=headers)


ROUTES: list[HTTPRouteHandler] = [shop, style, icon]
