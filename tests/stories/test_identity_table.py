"""What a userId does in a session: the table of the specification, row by row."""

from __future__ import annotations

import pytest

from tests.stories.shop import Shop
from user360.errors import InvalidUserId
from user360.records.properties import Property, Type


def test_a_new_session_with_an_unknown_user_makes_a_record(shop: Shop) -> None:
    outcome = shop.identify("s", "asha", city="Pune")
    assert (outcome.status, outcome.created) == ("created", True)
    assert shop.known("asha") == {"city": "Pune"}
    assert shop.visitor("s") == shop.person("asha")
    assert [name for name, _ in shop.told(outcome.record)] == ["USER_CREATE"]


def test_a_new_session_with_a_known_user_is_mapped_to_them(shop: Shop) -> None:
    made = shop.write("asha", city="Pune")
    outcome = shop.identify("s", "asha")
    assert (outcome.status, outcome.record, outcome.changed) == ("switched", made.record, False)
    assert shop.visitor("s") == shop.person("asha")
    assert shop.count() == 1


def test_an_unidentified_visitor_with_an_unknown_user_keeps_their_record(shop: Shop) -> None:
    made = shop.capture("s", city="Pune")
    shop.send(session="s", event="Viewed")
    outcome = shop.identify("s", "asha")
    assert (outcome.status, outcome.record) == ("assigned", made.record)
    assert shop.known("asha") == {"city": "Pune"}
    assert shop.happened(made.record) == ["Viewed"]
    assert shop.told(made.record)[-1] == (
        "USER_UPDATE",
        {"newPayload": {"userId": "asha"}, "oldPayload": {"userId": None}},
    )


def test_an_unidentified_visitor_with_a_known_user_is_merged_into_them(shop: Shop) -> None:
    made = shop.write("asha", city="Pune", email=None)
    visitor = shop.capture("s", city="Goa", email="asha@shop.in")
    shop.send(session="s", event="Viewed")
    outcome = shop.identify("s", "asha")
    assert (outcome.status, outcome.record) == ("merged", made.record)
    assert shop.known("asha") == {"city": "Pune", "email": "asha@shop.in"}
    assert shop.visitor("s") == shop.person("asha") == shop.record(visitor.record)
    assert shop.happened(made.record) == ["Viewed"]
    assert shop.count() == 1


def test_the_same_user_again_changes_nothing(shop: Shop) -> None:
    made = shop.identify("s", "asha", city="Pune")
    outcome = shop.identify("s", "asha")
    assert (outcome.status, outcome.record, outcome.changed) == ("unchanged", made.record, False)
    assert [name for name, _ in shop.told(made.record)] == ["USER_CREATE"]


def test_another_unknown_user_in_the_session_gets_an_empty_record(shop: Shop) -> None:
    old = shop.identify("s", "asha", city="Pune")
    outcome = shop.identify("s", "ravi")
    assert outcome.status == "created"
    assert outcome.record != old.record
    assert shop.known("ravi") == {}
    assert shop.known("asha") == {"city": "Pune"}
    assert shop.visitor("s") == shop.person("ravi")


def test_another_known_user_in_the_session_is_switched_to_and_nobody_is_merged(shop: Shop) -> None:
    shop.write("ravi", city="Goa")
    shop.identify("s", "asha", city="Pune")
    outcome = shop.identify("s", "ravi")
    assert (outcome.status, outcome.changed) == ("switched", False)
    assert (shop.known("asha"), shop.known("ravi")) == ({"city": "Pune"}, {"city": "Goa"})
    assert shop.visitor("s") == shop.person("ravi")
    assert shop.count() == 2


def test_all_seven_rows_hold_within_one_commit_too(shop: Shop) -> None:
    rows = [
        ("s1", "a", "created"),
        ("s2", "a", "switched"),
        ("s3", None, "created"),
        ("s3", "b", "assigned"),
        ("s4", None, "created"),
        ("s4", "b", "merged"),
        ("s4", "b", "unchanged"),
        ("s4", "c", "created"),
        ("s4", "a", "switched"),
    ]
    outcomes = shop.settle(
        *(shop.call(session=s, user_id=u, event="Seen") for s, u, _ in rows),
    )
    assert [outcome.status for outcome in outcomes] == [status for _, _, status in rows]
    assert shop.count() == 3
    happened = {user: len(shop.happened(shop.send(user_id=user).record)) for user in "abc"}
    assert happened == {"a": 3, "b": 5, "c": 1}


@pytest.mark.parametrize("user", ["", "  ", "null", "Undefined", "GUEST", "n/a", "0", "000", "-1"])
def test_a_placeholder_is_refused_and_nothing_changes(shop: Shop, user: str) -> None:
    before = shop.capture("s", city="Pune")
    outcome = shop.settle(shop.call(session="s", user_id=user, properties={"city": "Goa"}))[0]
    assert isinstance(outcome.problem, InvalidUserId)
    assert [fault.path for fault in outcome.problem.faults] == ["userId"]
    assert shop.record(before.record)["properties"] == {"city": "Pune"}
    assert shop.count() == 1


def test_user_ids_are_trimmed_and_compared_exactly(shop: Shop) -> None:
    shop.write(" Asha ", city="Pune")
    assert shop.known("Asha") == {"city": "Pune"}
    assert shop.write("asha").status == "created"
    assert shop.write("Asha").status == "unchanged"


# Another identifier than userId


def test_with_phone_as_identifier_a_captured_number_identifies(shop: Shop) -> None:
    shop.choose(identifier="phone")
    shop.capture("web:s", city="Pune")
    assert shop.capture("web:s", phone="+91 98765 43210").status == "assigned"
    assert shop.known("+919876543210") == {"city": "Pune", "phone": "+919876543210"}
    assert shop.capture("chat:t", firstName="Asha").status == "created"
    merged = shop.capture("chat:t", phone="+91-98765-43210")
    assert merged.status == "merged"
    assert shop.known("+919876543210")["firstName"] == "Asha"


def test_with_email_as_identifier_its_case_does_not_matter(shop: Shop) -> None:
    shop.choose(identifier="email")
    shop.write("asha@shop.in", city="Pune")
    assert shop.capture("s", email="Asha@Shop.in").status == "switched"
    assert shop.visitor("s") == shop.person("asha@shop.in")


def test_with_a_number_of_ones_own_as_identifier(shop: Shop) -> None:
    shop.declare(Property(101, "loan", Type.NUMBER))
    shop.choose(identifier="loan")
    assert shop.capture("s", loan=4711).status == "created"
    assert shop.known("4711") == {"loan": 4711}
    assert shop.capture("s", loan=4712).status == "created"
    assert shop.visitor("s") == shop.person("4712")
    assert shop.known("4711") == {"loan": 4711}


def test_an_identifier_that_is_a_placeholder_is_refused(shop: Shop) -> None:
    shop.declare(Property(101, "loan", Type.NUMBER))
    shop.choose(identifier="loan")
    outcome = shop.settle(shop.call(session="s", properties={"loan": 0}))[0]
    assert isinstance(outcome.problem, InvalidUserId)
    assert outcome.problem.faults[0].path == "properties.loan"


def test_outside_a_session_the_identifier_is_a_property_like_others(shop: Shop) -> None:
    shop.choose(identifier="email")
    shop.write("asha", email="asha@shop.in")
    assert shop.person("asha@shop.in") is None


def test_by_default_only_the_user_id_identifies(shop: Shop) -> None:
    shop.capture("s", email="asha@shop.in", phone="+919876543210")
    found = shop.visitor("s")
    assert found is not None
    assert found["userId"] is None
