"""Events from the command line."""

from __future__ import annotations

from tests.cli.conftest import Run


def test_an_event_is_stored_once_for_its_id(at: Run) -> None:
    words = ["event", "send", "Purchase", "--user", "asha", "--id", "order-1"]
    assert at(*words, "--properties", '{"amount": 14.99}').out == "Stored Purchase\n"
    assert "stored before" in at(*words, "--properties", '{"amount": 14.99}').out
    (known,) = at("event", "list", "--json").json["definitions"]
    assert (known["name"], known["volume"]) == ("Purchase", 1)
    (event,) = at("user", "events", "asha", "--name", "Purchase", "--json").json["events"]
    assert event["properties"] == {"amount": 14.99}


def test_a_session_is_enough(at: Run) -> None:
    said = at("event", "send", "Visit", "--session", "web/a/b", "--json")
    assert said.json["status"] == "stored"
    assert said.json["recordId"] == "r1"
    assert "CHANNEL/ID" in at("event", "send", "Visit", "--session", "web").err


def test_an_event_that_is_not_active_is_dropped_and_said_so(at: Run) -> None:
    at("event", "send", "Visit", "--user", "asha")
    assert "not active" in at("event", "deactivate", "Visit").out
    dropped = at("event", "send", "Visit", "--user", "asha")
    assert "user360 event activate" in dropped.out
    at("event", "activate", "Visit")
    assert at("event", "send", "Visit", "--user", "asha").out == "Stored Visit\n"
    (known,) = at("event", "list", "--json").json["definitions"]
    assert known["volume"] == 2


def test_what_is_wrong_with_an_event_is_named(at: Run) -> None:
    nobody = at("event", "send", "Visit")
    assert nobody.code == 2
    assert "userId" in nobody.err
    assert "timestamp" in at("event", "send", "Visit", "--user", "a", "--at", "soon").err
    assert "not JSON" in at("event", "send", "Visit", "--user", "a", "--properties", "{").err
    assert "properties" in at("event", "send", "Visit", "--user", "a", "--properties", "[1]").err
