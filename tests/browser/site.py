"""A server for the browser to visit, in this process, and the members who come."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests import signed_in
from user360 import app, serve
from user360.platform import Platform
from user360.settings import from_environment
from user360.storage.ledger import Connection

KEY = "u3_browser-tests-only-key"
Visit = Callable[..., Page]  # a way to come in as a member of a role: conftest.py


class Site:
    """A running server: its address, its platform, and the state of its application."""

    def __init__(self, platform: Platform, url: str, state: Any) -> None:
        self.platform = platform
        self.url = url
        self.state = state
        self._secrets: dict[str, str] = {}

    @classmethod
    @contextlib.contextmanager
    def running(cls, directory: Path, port: int = 0) -> Iterator[Site]:
        """Serve a directory on a free port until the block ends; nobody is a member yet."""
        _, port = serve.address("127.0.0.1", port)
        with Platform.open(directory, from_environment(admin_key=KEY)) as platform:
            made = app.create(platform)
            server = serve.embedded(made, "127.0.0.1", port)
            loop = asyncio.new_event_loop()
            thread = threading.Thread(target=loop.run_until_complete, args=(_serve(server),))
            thread.start()
            _until_it_listens(port)
            try:
                yield cls(platform, f"http://127.0.0.1:{port}", made.state)
            finally:
                platform.jobs.hearing.close()
                loop.call_soon_threadsafe(server.stop)
                thread.join(15)
                loop.close()

    def change(self, job: Any) -> Any:
        """Run a change of the default workspace as its first key; what it answers."""
        platform = self.platform

        def run(connection: Connection) -> Any:
            return job(platform.change(connection, platform.default, "key:1"))

        return platform.write(run)

    def member(self, role: str) -> int:
        """The member of this role, made when there is none; `admin@example.com` and so on."""
        return signed_in.member(self.platform, role)

    def cookie(self, role: str) -> Any:
        """The cookie of a session of the member of this role."""
        if role not in self._secrets:
            self._secrets[role] = signed_in.begin(self.platform, role).secret
        return {"name": "user360", "value": self._secrets[role], "url": self.url}


def _until_it_listens(port: int) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise TimeoutError("the server did not start")


async def _serve(server: Any) -> None:
    await server.serve()
