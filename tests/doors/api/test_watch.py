"""What is seen of a request: its route, never whom it was about; and what it waits for."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import Any

import pytest
from litestar.testing import TestClient
from structlog.testing import capture_logs

from tests.doors.api.conftest import Api, faults
from tests.doors.conftest import Product
from user360.errors import Busy

PERSON = "asha.rao@example.com"
PUNE = {"property": "city", "op": "is", "values": ["Pune"]}


def test_the_log_names_the_route_and_nobody(api: Api) -> None:
    with capture_logs() as lines:
        api.user(PERSON, city="Pune")
        api.get(f"/users/{PERSON}", nonsense=PERSON)
        api.get(f"/nowhere/{PERSON}")
    requests = [line for line in lines if line["event"] == "request"]
    assert [(line["method"], line["route"], line["status"]) for line in requests] == [
        ("PUT", "/api/v1/users/{user_id}", 201),
        ("GET", "/api/v1/users/{user_id}", 400),
        ("GET", "none", 404),
    ]
    assert [line["workspace"] for line in requests] == [api.workspace.id, api.workspace.id, None]
    assert all(line["ms"] > 0 for line in requests)
    assert PERSON not in json.dumps(lines)
    assert PERSON not in api.client.get("/metrics").text


def test_what_was_written_is_seen_within_a_second_without_asking_for_it(api: Api) -> None:
    key = {"x-api-key": api.keys["admin"]}
    for n in range(5):
        body = {"properties": {"city": "Pune"}}
        api.client.put(f"/api/v1/users/u{n}", json=body, headers=key)
        written, total = time.monotonic(), 0
        while total <= n and time.monotonic() - written < 1:
            answer = api.client.post("/api/v1/users/search", json={"where": PUNE}, headers=key)
            total = answer.json()["total"]
        assert total == n + 1


def test_a_full_queue_answers_later_please(
    api: Api, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(product.platform.committer, "room", lambda: False)
    answer = api.post("/events", {"userId": "a", "name": "x"})
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["type"] == "urn:user360:problem:busy"
    assert api.get("/workspace").status_code == 200
    monkeypatch.undo()

    def refuse(*_: Any) -> None:
        raise Busy

    monkeypatch.setattr(product.platform.committer, "submit", refuse)
    assert api.post("/events", {"userId": "a", "name": "x"}).status_code == 429


def test_a_defect_is_answered_without_detail_and_logged_by_its_place(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError(PERSON)

    monkeypatch.setattr("user360.doors.api.shapes.record", broken)
    with capture_logs() as lines:
        answer = api.get("/records/r1")
    assert answer.status_code == 503
    assert PERSON not in answer.text
    assert any(line["event"] == "request failed" for line in lines)


def test_readiness_names_what_does_not_answer_until_it_does(
    api: Api, client: TestClient[Any], product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    projector = product.platform.projector

    def broken(*_: Any) -> None:
        raise OSError("no room")

    monkeypatch.setattr(projector, "reader", SimpleNamespace(round=broken))
    api.post("/events", {"userId": "asha", "name": "Order Completed"})
    while projector.error is None:
        time.sleep(0.01)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "not ready"
    assert answer.json()["parts"]["projector"] == projector.error
    assert answer.json()["parts"]["ledger"] == "ok"

    monkeypatch.undo()
    product.platform.wait()
    assert client.get("/readyz").status_code == 200


def test_a_position_from_the_future_is_refused(api: Api, product: Product) -> None:
    ahead = str(product.platform.committer.position.last + 10)
    answer = api.call("GET", "/events", headers={"X-User360-Min-Seq": ahead})
    assert faults(answer) == {"X-User360-Min-Seq": "badRequest"}
