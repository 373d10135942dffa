"""Which methods an address answers, said in full.

The framework's own answer to OPTIONS names only the methods it knew of when an address was first
registered.
"""

from __future__ import annotations

from collections.abc import Iterable

from litestar import Response
from litestar.handlers import HTTPRouteHandler, route


def options(handlers: Iterable[HTTPRouteHandler]) -> list[HTTPRouteHandler]:
    """A handler of OPTIONS for every address of these; to be registered before them."""
    methods: dict[str, set[str]] = {}
    for handler in handlers:
        for path in handler.paths:
            methods.setdefault(path, {"OPTIONS"}).update(handler.http_methods)
    return [_options(path, ", ".join(sorted(found))) for path, found in methods.items()]


def _options(path: str, allowed: str) -> HTTPRouteHandler:
    @route(path, http_method=["OPTIONS"], include_in_schema=False, status_code=204)
    async def answer() -> Response[None]:
        return Response(None, status_code=204, headers={"Allow": allowed})

    return answer
