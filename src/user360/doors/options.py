"""Which methods an address answers, said in full.

The framework's own answer to OPTIONS names only the methods it knew of when an address was first
registered.
"""

from __future__ import annotations

from collections.abc import Iterable

from litestar import Response
from litestar.handlers import HTTPRouteHandler, route


def options(handlers: Iterable[HTTPRouteHandler]) -> list[HTTPRouteHandler]:
    """Handlers of OPTIONS for every address of these; to be registered before them.

    One for all addresses of the same methods: the framework takes its time over each handler.
    """
    methods: dict[str, set[str]] = {}
    for handler in handlers:
        for path in handler.paths:
            methods.setdefault(path, {"OPTIONS"}).update(handler.http_methods)
    alike: dict[str, list[str]] = {}
    for path, found in methods.items():
        alike.setdefault(", ".join(sorted(found)), []).append(path)
    return [_options(paths, allowed) for allowed, paths in alike.items()]


def _options(paths: list[str], allowed: str) -> HTTPRouteHandler:
    @route(paths, http_method=["OPTIONS"], include_in_schema=False, status_code=204)
    async def answer() -> Response[None]:
        return Response(None, status_code=204, headers={"Allow": allowed})

    return answer
