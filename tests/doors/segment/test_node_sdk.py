"""Segment's SDK for Node, unmodified, against a running server."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tests.doors.conftest import Serving

NODE = Path(__file__).resolve().parent.parent / "node"


def run_story(server: Serving, name: str, key: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["node", "story.mjs"],
        cwd=NODE,
        env={**os.environ, "HOST": server.url, "WRITE_KEY": key, "NAME": name},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_every_call_of_the_sdk_arrives(server: Serving) -> None:
    told = run_story(server, "node", server.product.make_key("ingest"))
    assert (told.returncode, told.stderr) == (0, "")
    user = "node@example.com"
    found = server.product.person(user)
    assert found is not None
    assert found["properties"] == {
        "firstName": "Ana",
        "lastName": "Lima",
        "dob": "1990-05-01",
        "city": "Goa",
        "country": "IN",
        "visits": 3,
        "roles": ["owner", "7"],
        "groupId": "acme",
    }
    assert server.product.visitor("node-visitor") == found
    assert server.product.visitor("node-phone") == found
    happened = {
        e["name"]: e for e in server.product.events(user) if not e["name"].startswith("USER_")
    }
    assert {n: json.loads(bytes(e["properties"])) for n, e in happened.items()} == {
        "Page Viewed": {"path": "/prices", "name": "Prices"},
        "Product Viewed": {"sku": "cd-118"},
        "Purchase": {"amount": 18.5},
        "Screen Viewed": {"items": 2, "name": "Basket"},
        "Group": {"employees": 12, "groupId": "acme"},
        "App Opened": {},
    }
    assert happened["Purchase"]["timestamp"] == "2026-01-02T03:04:05.000Z"
    assert happened["Purchase"]["id"] == "node-order-1"


def test_the_sdk_reports_a_key_that_is_not_valid(server: Serving) -> None:
    told = run_story(server, "stranger", "no such key")
    assert told.returncode == 1
    assert "401" in told.stderr
    assert server.product.person("stranger@example.com") is None
