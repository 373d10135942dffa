"""How messages of the tracking API are sent, and what is told of bad ones."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest
from litestar.testing import TestClient

from tests.doors.conftest import Product

Client = TestClient[Any]


@pytest.fixture
def basic(product: Product) -> dict[str, str]:
    """The header with which SDKs say whose the messages are."""
    return {"Authorization": "Basic " + base64.b64encode(f"{product.key}:".encode()).decode()}


def errors_of(answer: httpx.Response) -> dict[str, str]:
    return {error["path"]: error["code"] for error in answer.json()["errors"]}


def track(**sent: Any) -> dict[str, Any]:
    return {"type": "track", "userId": "ana", "event": "Purchase", **sent}
