"""Whoever was erased comes back through no door; each refusal is said and counted."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from litestar.testing import TestClient

from tests.doors.conftest import Product
from user360.access import erased
from user360.events import store
from user360.storage.ledger import Connection

GONE = "gone@example.com"


@pytest.fixture(scope="module", autouse=True)
def gone(product: Product) -> None:
    """Somebody who was erased some time ago."""
    workspace = product.platform.default

    def keep(connection: Connection) -> None:
        digests = [workspace.erased.of_user(GONE)]
        erased.keep(connection, workspace.id, digests, product.platform.now(), "job")
        workspace.erased.load(connection)

    product.platform.write(keep)


def sent(client: TestClient[Any], product: Product, path: str, body: Any) -> httpx.Response:
    method = "PUT" if path.startswith("/api/v1/users/") and "bulk" not in path else "POST"
    return client.request(method, path, json=body, headers={"x-api-key": product.key})


def refusals(product: Product) -> int:
    """How many calls were refused because somebody was erased, as the product counts them."""
    with product.platform.ledger.read() as connection:
        found = store.rejections(connection, product.platform.default.id)
    assert GONE not in str(found)
    return sum(r["count"] for r in found if r["code"] == "erased")


EVENT = {"userId": GONE, "name": "Bought", "properties": {}}
TRACK = {"type": "track", "userId": GONE, "event": "Bought"}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (f"/api/v1/users/{GONE}", {"properties": {"city": "Pune"}}, 409),
        ("/api/v1/users/bulk", {"users": [{"userId": GONE, "properties": {}}]}, 200),
        ("/api/v1/events", {"events": [EVENT]}, 200),
        ("/v1/identify", {"userId": GONE, "traits": {"city": "Pune"}}, 409),
        ("/v1/track", TRACK, 409),
        ("/v1/batch", {"batch": [TRACK]}, 200),
        ("/v1/alias", {"previousId": GONE, "userId": "other"}, 409),
    ],
)
def test_a_door_refuses_and_counts(
    client: TestClient[Any], product: Product, path: str, body: Any, status: int
) -> None:
    before = refusals(product)
    answer = sent(client, product, path, body)
    assert answer.status_code == status, answer.text
    assert refusals(product) == before + 1
    assert product.person(GONE) is None
    if path != "/v1/batch":  # a batch is taken whole, so that no SDK sends it again
        assert '"erased"' in answer.text


def test_bots_are_told_in_their_own_words(client: TestClient[Any], product: Product) -> None:
    before = refusals(product)
    answer = client.post(
        "/cdp/api/v1/user",
        params={"bot": "default"},
        json={"userId": GONE, "city": "Pune"},
        headers={"x-api-key": product.key},
    )
    assert answer.status_code >= 400
    assert refusals(product) == before + 1
    assert product.person(GONE) is None
