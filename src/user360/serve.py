"""Running the application: one process, the HTTP server inside it, a clean end.

A request that was taken in before the end is answered; then what is queued is settled, and the
data directory is let go.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import resource
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

import structlog
import uvloop
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from user360 import app, listen
from user360.doors import staying
from user360.errors import Unavailable
from user360.platform import Platform

log = structlog.get_logger()
# How long a thread may hold the interpreter before another gets its turn. The committer and the
# loop that answers are two such threads; the default of 5 ms would be most of a quick answer.
TURN_SECONDS = 0.0003
# How long requests under way may take when the end has come.
GRACE_SECONDS = 10.0
# How long streams may take, which are told to end: only who does not read what is sent needs it.
STREAM_SECONDS = 1.0
# How many objects are made until the youngest are looked through for garbage. Nearly all that a
# request makes goes by itself; at the default of 700 looking takes a twentieth of the time.
YOUNG = 20_000
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class UnderWay:
    """Knows the requests that are being answered, so that the end can wait for them."""

    def __init__(self, application: ASGIApp) -> None:
        self.application = application
        self.requests: dict[asyncio.Task[Any], Scope] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        task = asyncio.current_task()
        if scope["type"] != ScopeType.HTTP or task is None:
            await self.application(scope, receive, send)
            return
        self.requests[task] = scope
        try:
            await self.application(scope, receive, send)
        except asyncio.CancelledError:
            if not staying.is_stream(scope):
                raise  # a stream that nobody reads has ended as it should
        finally:
            del self.requests[task]

    async def finish(self, serving: asyncio.Task[None]) -> None:
        """Wait until all are answered and the server has let go; give up those that take long."""
        cut = await self._cut_streams()
        # The server cannot let go of a connection that was cut: nobody takes what is left in it.
        waited = [*self.requests] if cut else [serving, *self.requests]
        if waited:
            await asyncio.wait(waited, timeout=GRACE_SECONDS)
        if self.requests:
            log.warning("stopped with requests under way", requests=len(self.requests))
            for task in self.requests:
                task.cancel()
        await asyncio.wait([serving], timeout=1.0)

    async def _cut_streams(self) -> bool:
        """Cut off the streams that do not end though they were told to; whether there were any."""
        streams = [task for task, scope in self.requests.items() if staying.is_stream(scope)]
        if not streams:
            return False
        _, unread = await asyncio.wait(streams, timeout=STREAM_SECONDS)
        for task in unread:
            task.cancel()
        return bool(unread)


def run(platform: Platform, held: socket.socket, ready: Callable[[], None]) -> None:
    """Serve at a bound socket until SIGINT or SIGTERM; `ready` is called when it is listened at.

    The platform stays open: closing it is for who opened it.
    """
    thresholds = gc.get_threshold()
    _prepare()
    try:
        uvloop.run(_run(platform, held, ready))
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def _prepare() -> None:
    """Set the process up for serving: turns of threads, open files, what is never garbage."""
    sys.setswitchinterval(TURN_SECONDS)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])


async def _run(platform: Platform, held: socket.socket, ready: Callable[[], None]) -> None:
    made = app.create(platform)
    made.state.mail.host, _ = listen.address(held)
    with contextlib.ExitStack() as beside:
        for name in app.BESIDE:
            made.state[name].start()
            beside.callback(made.state[name].close)
        await _serve(UnderWay(made), held, ready, platform.jobs.hearing.close)


async def _serve(
    application: UnderWay,
    held: socket.socket,
    ready: Callable[[], None],
    ending: Callable[[], None],
) -> None:
    server = listen.Server(application, held)
    loop = asyncio.get_running_loop()
    told_to_stop = asyncio.Event()
    for number in SIGNALS:
        loop.add_signal_handler(number, told_to_stop.set)
    serving = loop.create_task(server.serve())
    listening = loop.create_task(server.listening.wait())
    stopping = loop.create_task(told_to_stop.wait())
    await asyncio.wait([serving, listening, stopping], return_when=asyncio.FIRST_COMPLETED)
    if listening.done() and not serving.done():
        ready()
    await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
    listening.cancel()
    if serving.done():
        serving.result()
        raise Unavailable(f"The HTTP server could not go on at {listen.url(*listen.address(held))}")
    ending()
    server.stop()
    await application.finish(serving)
