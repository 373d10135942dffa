"""Events as a bot sends and lists them."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.doors.conftest import Product
from tests.doors.yellow.conftest import Bot
from user360.events import store as event_store
from user360.events.definitions import Definition
from user360.storage.ledger import Connection


def test_an_event_creates_its_user_and_is_listed_at_once(bot: Bot) -> None:
    sent = {
        "userId": "918074212400",
        "eventName": "wa_1_custom_event",
        "source": "CUSTOM",
        "payload": {"link": "12-12-2023", "visits": 3},
    }
    answer = bot.ask("POST", "/event", sent)
    assert answer.json()["message"] == "Event created successfully"
    created = answer.json()["data"]
    assert created.keys() == {
        "id", "botId", "userId", "event", "source", "payload", "createdAt",
    }  # fmt: skip
    assert created["event"] == "wa_1_custom_event"
    assert created["payload"] == sent["payload"]
    own, made = bot.data("GET", "/event", userId="918074212400")
    assert own == created | {"updatedAt": own["updatedAt"]}
    assert (made["event"], made["source"]) == ("USER_CREATE", "SYSTEM")
    internal = bot.data("GET", "/user/918074212400")["id"]["value"]
    assert bot.data("GET", "/event", userId=internal, eventName="wa_1_custom_event") == [own]


def test_events_are_paged_by_the_time_of_the_last(bot: Bot) -> None:
    for n in range(5):
        event = {"userId": "paged", "eventName": "Step", "payload": {"n": n}}
        bot.data("POST", "/event", event)
        time.sleep(0.002)
    seen: list[int] = []
    query: dict[str, Any] = {"userId": "paged", "eventName": "Step", "limit": 2}
    while True:
        page = bot.data("GET", "/event", **query)
        fresh = [e["payload"]["n"] for e in page if e["payload"]["n"] not in seen]
        if not fresh:
            break
        seen += fresh
        query["offsetTimestamp"] = page[-1]["createdAt"]
    assert seen == [4, 3, 2, 1, 0]
    assert bot.refused("GET", "/event", userId="paged", offsetTimestamp="then")[0] == 400
    early = bot.data("GET", "/event", userId="paged", offsetTimestamp="2020-01-01T00:00:00+05:30")
    assert early == []


def test_an_event_that_is_not_taken_any_more(bot: Bot, product: Product) -> None:
    def deactivate(connection: Connection) -> None:
        definition = Definition("Heartbeat", active=False)
        product.platform.default.definitions["Heartbeat"] = definition
        event_store.save_definition(connection, product.platform.default.id, definition)

    product.platform.write(deactivate)
    status, error = bot.refused("POST", "/event", {"userId": "x", "eventName": "Heartbeat"})
    assert (status, "Heartbeat" in error) == (406, True)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"eventName": "x"}, "userId"),
        ({"userId": "x"}, "eventName"),
        ({"userId": "x", "eventName": 5}, "eventName"),
        ({"userId": "x", "eventName": "y" * 201}, "eventName"),
        ({"userId": "x", "eventName": "y", "payload": []}, "payload"),
        ({"userId": "x", "eventName": "USER_CREATE"}, "eventName"),
        ({"userId": "x", "eventName": "y", "payload": {"t": "x" * 33_000}}, "payload"),
    ],
    ids=lambda body: str(body)[:40],
)
def test_a_bad_event_is_refused_by_name(bot: Bot, body: Any, place: str) -> None:
    status, error = bot.refused("POST", "/event", body)
    assert (status, place in error) == (400, True)
