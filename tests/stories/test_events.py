"""Events that are written: stored once, making whom they name, dropped where nobody wants them."""

from __future__ import annotations

from tests.stories.shop import Shop, faults
from user360.errors import Invalid
from user360.ingest.call import Event


def test_an_event_sent_again_is_stored_once(shop: Shop) -> None:
    bought = {"user_id": "asha", "event": Event("Bought", {"price": 5}, "e1")}
    first = shop.send(**bought)
    calls = [shop.call(**bought), shop.call(**bought | {"user_id": "ravi"})]
    assert [o.status for o in shop.settle(*calls)] == ["duplicate", "duplicate"]
    twice = Event("Bought", {}, "e2")
    both = shop.settle(*(shop.call(user_id="asha", event=twice) for _ in range(2)))
    assert [o.status for o in both] == ["unchanged", "duplicate"]
    assert shop.happened(first.record) == ["Bought", "Bought"]
    assert shop.person("ravi") is None
    assert shop.workspace.definitions["Bought"].properties == {"price": ["number"]}


def test_an_event_whose_first_sending_failed_is_stored_the_second_time(shop: Shop) -> None:
    event = Event("Bought", {}, "e1")
    outcomes = shop.settle(
        shop.call(user_id="asha", event=event, if_missing="refuse"),
        shop.call(user_id="asha", event=event),
    )
    assert [o.status for o in outcomes] == ["failed", "created"]


def test_an_event_makes_the_person_it_names(shop: Shop) -> None:
    by_user = shop.send(user_id="asha", event="Bought")
    by_session = shop.send(session="s", event="Viewed")
    assert (by_user.status, by_session.status) == ("created", "created")
    assert shop.happened(by_session.record) == ["Viewed"]
    found = shop.visitor("s")
    assert found is not None
    assert found["userId"] is None


def test_events_of_an_inactive_definition_are_dropped_and_counted(shop: Shop) -> None:
    made = shop.send(user_id="asha", event="Bought")
    shop.workspace.definitions["Bought"].active = False
    dropped = shop.settle(shop.call(user_id="ravi", event="Bought"))[0]
    assert dropped.status == "dropped"
    assert shop.person("ravi") is None
    assert shop.happened(made.record) == ["Bought"]
    assert shop.rejected() == [("inactive", "", 1)]


def test_nobody_writes_a_system_event_from_outside(shop: Shop) -> None:
    outcome = shop.settle(shop.call(user_id="asha", event="USER_MERGE"))[0]
    assert isinstance(outcome.problem, Invalid)
    assert faults(outcome) == [("name", "invalid")]
