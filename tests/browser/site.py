"""A server for the browser to visit, in this process, and the members who come."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests import signed_in
from tests.serving import served
from user360 import app
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
        with Platform.open(directory, from_environment(admin_key=KEY)) as platform:
            made = app.create(platform)
            with served(made, port, platform.jobs.hearing.close) as url:
                yield cls(platform, url, made.state)

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
