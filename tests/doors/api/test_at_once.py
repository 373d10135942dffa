"""Declarations that change while people are written and looked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
from structlog.testing import capture_logs

from tests.doors.conftest import Serving

SECONDS = 4


def test_declarations_change_under_questions_and_nobody_is_refused_for_it(
    server: Serving,
) -> None:
    def client() -> httpx.Client:
        headers = {"x-api-key": server.product.key}
        return httpx.Client(base_url=f"{server.url}/api/v1", headers=headers, timeout=30)

    with client() as api:
        for name in ("score", "plan"):
            api.post("/properties", json={"name": name, "type": "string"})
        rows = [{"userId": f"u{n}", "properties": {"score": "5", "plan": "x"}} for n in range(500)]
        api.post("/users/bulk", json={"users": rows})

    until = time.monotonic() + SECONDS
    broken: list[str] = []
    kinds = ("number", "string", "list")

    def over_and_over(call: Callable[[httpx.Client, int], httpx.Response]) -> None:
        with client() as api:
            turn = 0
            while time.monotonic() < until:
                answer = call(api, turn := turn + 1)
                if answer.status_code >= 500:
                    broken.append(f"{answer.request.method} {answer.request.url} {answer.text}")

    def retype(api: httpx.Client, turn: int) -> httpx.Response:
        return api.patch("/properties/score", json={"type": kinds[turn % 3]})

    def delete_and_restore(api: httpx.Client, turn: int) -> httpx.Response:
        if turn % 2:
            return api.delete("/properties/plan")
        return api.post("/properties/plan/restore")

    def declare(api: httpx.Client, turn: int) -> httpx.Response:
        api.post("/properties", json={"name": f"new{turn}", "type": "number"})
        return api.put(f"/users/n{turn}", json={"properties": {f"new{turn}": turn}})

    def write(api: httpx.Client, turn: int) -> httpx.Response:
        return api.patch(f"/users/u{turn % 500}", json={"properties": {"city": "Pune"}})

    def search(api: httpx.Client, _turn: int) -> httpx.Response:
        where: Any = {"any": [{"property": p, "op": "known"} for p in ("plan", "score")]}
        return api.post("/users/search", json={"where": where, "sort": [{"by": "score"}]})

    calls = (retype, delete_and_restore, declare, write, search, search)
    threads = [threading.Thread(target=over_and_over, args=(call,)) for call in calls]
    with capture_logs() as lines:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert broken == []
    assert [line for line in lines if line["log_level"] == "error"] == []
    server.product.platform.wait()
    assert server.product.platform.projector.error is None
