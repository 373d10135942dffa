"""A running product for the doors' tests: over the wire, or called within the process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from litestar.testing import TestClient

from tests.serving import served
from user360 import app
from user360.access import keys
from user360.events.timeline import Wanted, timeline
from user360.identity import people
from user360.identity import store as identity_store
from user360.platform import Platform
from user360.storage.ledger import Connection


class Product:
    """A platform that disappears, and what a test asks of it beside its doors."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        assert platform.first_key is not None
        self.key = platform.first_key

    def make_key(self, role: str) -> str:
        """A fresh key of the default workspace."""
        key = keys.new_key()

        def make(connection: Connection) -> None:
            workspace, now = self.platform.default.id, self.platform.now()
            keys.create(connection, workspace, role, role, key, now)
            self.platform.reload_keys(connection)

        self.platform.write(make)
        return key

    def person(self, user_id: str) -> dict[str, Any] | None:
        """The living record of a userId, as the product shows it."""
        workspace = self.platform.default
        with self.platform.ledger.read() as connection:
            number = identity_store.of_user(connection, workspace.id, user_id)
            return people.one(connection, self.platform.ledger.dialect, workspace, number)

    def visitor(self, session: str, channel: str = "web") -> dict[str, Any] | None:
        """The living record that a session is mapped to."""
        workspace = self.platform.default
        with self.platform.ledger.read() as connection:
            number = identity_store.of_session(connection, workspace.id, channel, session)
            return people.one(connection, self.platform.ledger.dialect, workspace, number)

    def events(self, user_id: str | None = None, *names: str) -> list[dict[str, Any]]:
        """The events of a person, or of all, the oldest first; by their names, if any are given."""
        workspace, record = self.platform.default, None
        if user_id is not None:
            with self.platform.ledger.read() as connection:
                record = identity_store.of_user(connection, workspace.id, user_id)
        wanted = Wanted(record=record, names=names)
        page = timeline(self.platform.wait(), workspace.id, wanted, limit=1_000)
        return page.events[::-1]


class Serving(NamedTuple):
    """A product that listens at `url`."""

    url: str
    product: Product


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with Platform.temporary() as platform:
        yield Product(platform)


@pytest.fixture(scope="module")
def client(product: Product) -> Iterator[TestClient[Any]]:
    """The product called within the process, its answers as they are sent."""
    with TestClient(app.create(product.platform)) as client:
        yield client


@pytest.fixture(scope="module")
def server(product: Product) -> Iterator[Serving]:
    """The product on a free port of this machine, served as it is in production."""
    with served(app.create(product.platform)) as url:
        yield Serving(url, product)
