"""Segment's and RudderStack's SDKs for Python, unmodified, against a running server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import rudderstack.analytics.request
import segment.analytics.request
from rudderstack.analytics.client import Client as RudderStack
from segment.analytics.client import Client as Segment
from segment.analytics.request import APIError

from tests.doors.conftest import Serving


@pytest.fixture(autouse=True)
def _closed_connections() -> Iterator[None]:
    """Both SDKs keep a connection open for the life of a process."""
    yield
    segment.analytics.request._session.close()
    rudderstack.analytics.request._session.close()


class Failures:
    """What an SDK reports that it could not deliver."""

    def __init__(self) -> None:
        self.seen: list[Exception] = []

    def __call__(self, error: Exception, _batch: Any) -> None:
        self.seen.append(error)


def tell_a_story(sdk: Any, name: str) -> None:
    """Every call there is, of a visitor who becomes a customer."""
    visitor, user = f"{name}-visitor", f"{name}@example.com"
    sdk.page(anonymous_id=visitor, category="Shop", name="Prices", properties={"path": "/prices"})
    sdk.track(anonymous_id=visitor, event="Product Viewed", properties={"sku": "cd-118"})
    sdk.identify(
        user,
        {
            "name": "Ana Lima",
            "email": user.upper(),
            "birthday": date(1990, 5, 1),
            "address": {"city": "Goa", "country": "IN"},
            "visits": 3,
            "member since": datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
        },
        anonymous_id=visitor,
    )
    sdk.track(
        user,
        "Purchase",
        {"amount": 18.5},
        timestamp=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        message_id=f"{name}-order-1",
    )
    sdk.screen(user, "Shop", "Basket", {"items": 2})
    sdk.group(user, "acme", {"employees": 12})
    sdk.track(anonymous_id=f"{name}-phone", event="App Opened")
    sdk.alias(f"{name}-phone", user)


def check_the_story(server: Serving, name: str) -> None:
    user = f"{name}@example.com"
    found = server.product.person(user)
    assert found is not None
    assert found["properties"] == {
        "firstName": "Ana",
        "lastName": "Lima",
        "email": user,
        "dob": "1990-05-01",
        "city": "Goa",
        "country": "IN",
        "visits": 3,
        "member_since": "2024-01-02T03:04:05.000Z",
        "groupId": "acme",
    }
    assert server.product.visitor(f"{name}-visitor") == found
    assert server.product.visitor(f"{name}-phone") == found
    happened = {
        e["name"]: e for e in server.product.events(user) if not e["name"].startswith("USER_")
    }
    assert {n: json.loads(bytes(e["properties"])) for n, e in happened.items()} == {
        "Page Viewed": {"path": "/prices", "category": "Shop", "name": "Prices"},
        "Product Viewed": {"sku": "cd-118"},
        "Purchase": {"amount": 18.5},
        "Screen Viewed": {"items": 2, "category": "Shop", "name": "Basket"},
        "Group": {"employees": 12, "groupId": "acme"},
        "App Opened": {},
    }
    assert happened["Purchase"]["timestamp"] == "2026-01-02T03:04:05.000Z"
    assert happened["Purchase"]["id"] == f"{name}-order-1"


@pytest.mark.parametrize("gzip", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("sync", [False, True], ids=["queued", "at once"])
@pytest.mark.parametrize("sdk", [Segment, RudderStack], ids=["segment", "rudderstack"])
def test_every_call_of_the_sdk_arrives(server: Serving, sdk: Any, sync: bool, gzip: bool) -> None:
    failures = Failures()
    client = sdk(
        server.product.make_key("ingest"),
        host=server.url,
        sync_mode=sync,
        gzip=gzip,
        on_error=failures,
        max_retries=0,
        upload_interval=0.1,
    )
    name = f"{sdk.__module__.partition('.')[0]}-{'sync' if sync else 'queued'}-{gzip}".lower()
    tell_a_story(client, name)
    if not sync:
        client.shutdown()
    assert failures.seen == []
    check_the_story(server, name)


@pytest.mark.parametrize("sdk", [Segment, RudderStack], ids=["segment", "rudderstack"])
def test_a_bad_message_costs_the_others_of_its_batch_nothing(server: Serving, sdk: Any) -> None:
    failures = Failures()
    key = server.product.make_key("ingest")
    client = sdk(key, host=server.url, on_error=failures, max_retries=0, upload_interval=0.5)
    name = sdk.__module__.partition(".")[0]
    client.track(f"{name}-1", "Kept")
    client.identify(f"{name}-2", {"email": "nobody"})
    client.track("undefined", "Lost")
    client.track(f"{name}-3", "Kept")
    client.shutdown()
    assert failures.seen == []
    assert server.product.person(f"{name}-1") is not None
    assert server.product.person(f"{name}-2") is None
    assert server.product.person(f"{name}-3") is not None
    assert server.product.person("undefined") is None


def test_segment_reports_a_key_that_is_not_valid(server: Serving) -> None:
    client = Segment("no such key", host=server.url, sync_mode=True)
    with pytest.raises(APIError) as refused:
        client.track("ana", "Purchase")
    assert refused.value.status == 401


def test_rudderstack_reports_a_key_that_is_not_valid_and_gives_up(server: Serving) -> None:
    """Its SDK reads `code` and `message`; without them it would try again ten times."""
    failures = Failures()
    client = RudderStack(
        "no such key", host=server.url, on_error=failures, max_retries=10, upload_interval=0.1
    )
    client.track("ana", "Purchase")
    client.shutdown()
    (error,) = failures.seen
    assert (getattr(error, "status", None), getattr(error, "code", None)) == (
        401,
        "unauthenticated",
    )


def test_what_was_sent_twice_happened_once(server: Serving) -> None:
    key = server.product.make_key("ingest")
    for _ in range(2):
        client = Segment(key, host=server.url, sync_mode=True)
        client.track("twice", "Purchase", message_id="twice-1")
    assert [e["id"] for e in server.product.events("twice", "Purchase")] == ["twice-1"]
