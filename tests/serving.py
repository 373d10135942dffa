"""An application served as it is in production, in this process, while a test goes on."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

import uvloop
from litestar.types import ASGIApp

from user360 import listen

PATIENCE = 20.0  # seconds


@contextlib.contextmanager
def served(
    application: ASGIApp, port: int = 0, ending: Callable[[], object] = lambda: None
) -> Iterator[str]:
    """The address of a server on a thread of its own, until the block ends.

    `ending` is called before it stops, to let go of the streams that would hold it.
    """
    begun = threading.Event()
    with listen.bound("127.0.0.1", port) as held:
        where = listen.url(*listen.address(held))
        server = listen.Server(application, held)
        loop = uvloop.new_event_loop()

        async def serve() -> None:
            serving = loop.create_task(server.serve())
            await server.listening.wait()
            begun.set()
            await serving

        thread = threading.Thread(target=loop.run_until_complete, args=[serve()])
        thread.start()
        if not begun.wait(PATIENCE):
            raise TimeoutError(where)
        try:
            yield where
        finally:
            ending()
            loop.call_soon_threadsafe(server.stop)
            thread.join(PATIENCE)
            loop.close()
