"""A bot as the original's API knows it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from litestar.testing import TestClient

from tests.doors.conftest import Product
from user360.records import store as record_store
from user360.records.properties import Catalogue, Property, Type
from user360.storage.ledger import Connection

Client = TestClient[Any]
BASE = "/cdp/api/v1"


@pytest.fixture(scope="module")
def declared(product: Product) -> Product:
    """A product in which a bot's own properties are declared, as they are before it writes them."""

    def declare(connection: Connection) -> None:
        workspace = product.platform.default
        plan, alternate = Property(101, "plan", Type.STRING), Property(102, "mobile", Type.PHONE)
        for kept in (plan, alternate):
            record_store.save_property(connection, workspace.id, kept, product.platform.now())
        workspace.catalogue = Catalogue([plan, alternate], workspace.catalogue.version)

    product.platform.write(declare)
    return product


class Bot:
    """A bot of yellow.ai whose host was changed to this one."""

    def __init__(self, client: Client, key: str) -> None:
        self.client = client
        self.headers = {"x-api-key": key}

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        params = {"bot": "default", **query}
        return self.client.request(
            method, f"{BASE}{path}", json=body, params=params, headers=self.headers
        )

    def data(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        answer = self.ask(method, path, body, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def refused(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, str]:
        answer = self.ask(method, path, body, **query)
        assert list(answer.json()) == ["error"]
        return answer.status_code, answer.json()["error"]


@pytest.fixture
def bot(client: Client, declared: Product) -> Bot:
    return Bot(client, declared.key)
