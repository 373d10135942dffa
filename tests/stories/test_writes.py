"""Writing to people: what is refused, what wins, what is told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.stories.shop import MINUTE, START, Shop, faults
from user360.errors import Conflict, InvalidDataType, InvalidProperty, PropertiesRequired
from user360.ingest.call import Call, Verb
from user360.platform import Platform
from user360.records.properties import Property, Type

MANY = settings(suppress_health_check=list(HealthCheck), max_examples=40)


# What is told


def test_a_write_tells_just_what_changed_and_what_it_was(shop: Shop) -> None:
    made = shop.write("asha", city="Pune", firstName="Asha")
    shop.write("asha", city="Goa", firstName="Asha", email="a@shop.in")
    shop.write("asha", email=None)
    created, *updated = shop.told(made.record)
    assert created[1]["city"] == "Pune"
    assert created[1]["userId"] == "asha"
    assert updated == [
        (
            "USER_UPDATE",
            {
                "newPayload": {"city": "Goa", "email": "a@shop.in"},
                "oldPayload": {"city": "Pune", "email": None},
            },
        ),
        (
            "USER_UPDATE",
            {"newPayload": {"email": None}, "oldPayload": {"email": "a@shop.in"}},
        ),
    ]


def test_a_write_that_changes_nothing_tells_nothing(shop: Shop) -> None:
    made = shop.write("asha", city="Pune", tags=["vip"])
    before = shop.platform.committer.position.last
    again = [
        shop.write("asha", city=" Pune "),
        shop.write("asha", email=None),
        shop.write("asha"),
        shop.send(user_id="asha", add_tags=("vip",), remove_tags=("other",)),
        shop.send(user_id="asha", properties={"city": "Goa"}, at=START),
    ]
    assert {(o.status, o.changed, o.record) for o in again} == {("unchanged", False, made.record)}
    assert shop.platform.committer.position.last == before
    assert shop.known("asha")["city"] == "Pune"


# What wins

values = st.fixed_dictionaries(
    {},
    optional={
        "city": st.none() | st.sampled_from(["Pune", "Goa"]),
        "firstName": st.none() | st.sampled_from(["Asha", "A."]),
        "tags": st.none() | st.lists(st.sampled_from(["a", "b"]), min_size=1, unique=True),
    },
)
a_write = st.fixed_dictionaries(
    {"user": st.sampled_from("uv"), "at": st.integers(0, 4), "properties": values},
    optional={
        "add_tags": st.lists(st.sampled_from("abc"), max_size=2, unique=True).map(tuple),
        "remove_tags": st.lists(st.sampled_from("abc"), max_size=1).map(tuple),
        "if_exists": st.just("replace"),
        "record": st.just(True),
    },
)


@MANY
@given(data=st.data(), made=st.lists(a_write, min_size=1, max_size=8))
def test_writes_to_people_settle_alike_in_any_order_batch_and_number(
    platform: Platform, data: st.DataObject, made: list[dict[str, Any]]
) -> None:
    """Without exception: sets, clearings, tags, replacing; by userId and by record.

    Calls that say who is who are carried out in the order they arrive. What was written to whom,
    and when merges took place, then settles the same whatever order it came in.
    """
    shops = [Shop(platform), Shop(platform)]
    people = [{u: shop.write(u, lastName="Rao").record for u in "uv"} for shop in shops]

    def call(n: int, which: int) -> Call:
        known = dict(made[n])
        user, at = known.pop("user"), START + MINUTE * known.pop("at")
        whom = {"record": people[which][user]} if known.pop("record", False) else {"user_id": user}
        return shops[which].call(**known, **whom, at=at, message_id=f"{'ba'[n % 2]}{n}")

    numbers = list(range(len(made)))
    shops[0].settle(*(call(n, 0) for n in numbers))
    repeated = numbers + data.draw(st.lists(st.sampled_from(numbers), max_size=3))
    for n in data.draw(st.permutations(repeated)):
        shops[1].settle(call(n, 1))
    assert [shops[0].known(u) for u in "uv"] == [shops[1].known(u) for u in "uv"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_importing_history_overwrites_nothing_newer(shop: Shop, order: tuple[int, int]) -> None:
    calls = [
        shop.call(user_id="asha", properties={"city": "Pune"}, at=START),
        shop.call(user_id="asha", properties={"city": "Goa"}, at=START + MINUTE),
    ]
    for n in order:
        shop.settle(calls[n])
    assert shop.known("asha") == {"city": "Goa"}


# If they exist, if they do not


def test_replace_leaves_only_what_is_given(shop: Shop) -> None:
    shop.write("asha", city="Pune", tags=["vip"])
    shop.send(user_id="asha", add_tags=("new",))
    shop.send(user_id="asha", properties={"email": "a@shop.in"}, if_exists="replace")
    assert shop.known("asha") == {"email": "a@shop.in"}


def test_skip_leaves_an_existing_user_alone_and_makes_a_new_one(shop: Shop) -> None:
    shop.write("asha", city="Pune")
    skipped, made = shop.settle(
        *(shop.call(user_id=u, properties={"city": "Goa"}, if_exists="skip") for u in ("asha", "b"))
    )
    assert (skipped.status, made.status) == ("skipped", "created")
    assert (shop.known("asha"), shop.known("b")) == ({"city": "Pune"}, {"city": "Goa"})


def test_refuse_names_the_user_id(shop: Shop) -> None:
    shop.write("asha", city="Pune")
    outcome = shop.settle(shop.call(user_id="asha", if_exists="refuse"))[0]
    assert isinstance(outcome.problem, Conflict)
    assert faults(outcome) == [("userId", "conflict")]


def test_a_session_is_not_given_to_whoever_is_known_where_that_is_refused(shop: Shop) -> None:
    shop.write("asha", city="Pune")
    shop.capture("web:named", city="Goa")
    shop.identify("web:hers", "asha")
    shop.identify("web:his", "ravi")
    for session in ("web:fresh", "web:named", "web:his"):
        outcome = shop.settle(
            shop.call(
                session=session, user_id="asha", if_exists="refuse", properties={"city": "Bern"}
            )
        )[0]
        assert isinstance(outcome.problem, Conflict)
        assert faults(outcome) == [("userId", "conflict")]
    assert shop.known("asha") == {"city": "Pune"}
    assert shop.visitor("web:fresh") is None
    hers = shop.call(session="web:hers", user_id="asha", if_exists="refuse")
    new = shop.call(session="web:named", user_id="meera", if_exists="refuse")
    assert [outcome.status for outcome in shop.settle(hers, new)] == ["unchanged", "assigned"]


def test_a_user_or_session_that_must_exist_is_not_made(shop: Shop) -> None:
    for known in ({"user_id": "asha"}, {"session": "s"}, {"record": 1}):
        outcome = shop.settle(shop.call(**known, if_missing="refuse"))[0]
        assert outcome.problem is not None
        assert outcome.problem.status == 404
    assert shop.count() == 0


def test_a_complete_write_needs_what_is_required_where_it_makes_somebody(shop: Shop) -> None:
    shop.declare(
        Property(101, "plan", Type.STRING, required=True),
        Property(102, "since", Type.DATE, required=True),
    )
    outcome = shop.settle(shop.call(user_id="asha", properties={"plan": " "}, complete=True))[0]
    assert isinstance(outcome.problem, PropertiesRequired)
    assert faults(outcome) == [
        ("properties.plan", "propertiesRequired"),
        ("properties.since", "propertiesRequired"),
    ]
    whole = {"plan": "gold", "since": "2026-01-01"}
    shop.send(user_id="asha", properties=whole, complete=True)
    shop.send(user_id="asha", properties={"city": "Pune"}, complete=True)
    made = shop.write("asha").record
    shop.send(record=made, properties={"city": "Goa"}, complete=True)
    replacing = shop.call(user_id="asha", properties={}, complete=True, if_exists="replace")
    assert isinstance(shop.settle(replacing)[0].problem, PropertiesRequired)
    assert shop.known("asha") == {**whole, "city": "Goa"}


def test_a_session_that_is_there_needs_nothing_more(shop: Shop) -> None:
    shop.declare(Property(101, "plan", Type.STRING, required=True))
    outcome = shop.settle(shop.call(session="s", properties={"city": "Pune"}, complete=True))[0]
    assert isinstance(outcome.problem, PropertiesRequired)
    shop.capture("s", plan="gold")
    assert shop.send(session="s", properties={"city": "Pune"}, complete=True).status == "updated"


# What nobody declared


def test_undeclared_properties_are_refused_each_by_its_path(shop: Shop) -> None:
    given = {"cty": "Pune", "dob": "yesterday", "userId": "x", "id": "x", "city": "Goa"}
    outcome = shop.settle(shop.call(user_id="asha", properties=given))[0]
    assert isinstance(outcome.problem, InvalidProperty | InvalidDataType)
    assert faults(outcome) == [
        ("properties.cty", "invalidProperty"),
        ("properties.dob", "invalidDataType"),
        ("properties.userId", "invalidProperty"),
        ("properties.id", "invalidProperty"),
    ]
    assert "city" in outcome.problem.faults[0].message
    assert shop.count() == 0


def test_undeclared_properties_are_created_with_the_type_they_show(shop: Shop) -> None:
    given = {"Plan": "gold", "visits": 3, "CITY": "Pune", "none": None, "blank": " "}
    shop.send(user_id="asha", properties=given, undeclared="create")
    assert shop.known("asha") == {"city": "Pune", "Plan": "gold", "visits": 3}
    types = {p.name: p.type for p in shop.workspace.catalogue.custom}
    assert types == {"Plan": Type.STRING, "visits": Type.NUMBER}
    shop.send(user_id="asha", properties={"plan": "blue"}, undeclared="create")
    assert shop.known("asha")["Plan"] == "blue"


def test_a_refused_call_declares_nothing(shop: Shop) -> None:
    given = {"plan": "gold", "dob": "never"}
    outcome = shop.settle(shop.call(user_id="asha", properties=given, undeclared="create"))[0]
    assert faults(outcome) == [("properties.dob", "invalidDataType")]
    assert shop.workspace.catalogue.custom == []


@pytest.mark.parametrize("name", ["userid", "UserId", "ID", "createdat", "profileComplete"])
def test_no_spelling_of_a_read_only_name_is_created(shop: Shop, name: str) -> None:
    outcome = shop.settle(shop.call(user_id="a", properties={name: "x"}, undeclared="create"))[0]
    assert faults(outcome) == [(f"properties.{name}", "invalidProperty")]
    assert shop.write("b", city="Pune").status == "created"
    assert shop.count() == 1


def test_undeclared_properties_are_created_only_up_to_the_limit(shop: Shop) -> None:
    shop.choose(property_limit=2)
    given = {"a": 1, "b": 2, "c": 3}
    outcome = shop.settle(shop.call(user_id="asha", properties=given, undeclared="create"))[0]
    assert faults(outcome) == [("properties.c", "invalidProperty")]
    shop.send(user_id="asha", properties={"a": 1, "b": 2}, undeclared="create")
    assert shop.known("asha") == {"a": 1, "b": 2}


def test_undeclared_properties_can_be_left_out(shop: Shop) -> None:
    shop.send(user_id="asha", properties={"plan": "gold", "city": "Pune"}, undeclared="ignore")
    assert shop.known("asha") == {"city": "Pune"}


# Several in one commit


def test_a_bad_call_in_the_middle_fails_alone_and_is_counted(shop: Shop) -> None:
    calls = [
        shop.call(user_id="a", properties={"city": "Pune"}, path="users.0"),
        shop.call(user_id="b", properties={"dob": "31.12.1990"}, path="users.1"),
        shop.call(user_id="null", path="users.2"),
        shop.call(path="users.3"),
        shop.call(user_id="c", at=-1, path="users.4"),
        shop.call(user_id="d", session="web:\ud800", path="users.5"),
        shop.call(user_id="e", add_tags=("ok", "  "), path="users.6"),
        shop.call(user_id="f", properties={"city": "Goa"}, path="users.7"),
    ]
    outcomes = shop.settle(*calls)
    assert [o.status for o in outcomes] == ["created", *["failed"] * 6, "created"]
    assert [faults(o)[0] for o in outcomes[1:7]] == [
        ("users.1.properties.dob", "invalidDataType"),
        ("users.2.userId", "invalidUserId"),
        ("users.3.userId", "invalid"),
        ("users.4.timestamp", "invalid"),
        ("users.5.session.id", "invalid"),
        ("users.6.add.1", "invalidDataType"),
    ]
    assert shop.count() == 2
    assert ("invalidDataType", "users.properties.dob", 1) in shop.rejected()


def test_each_call_of_a_commit_sees_those_before_it(shop: Shop) -> None:
    outcomes = shop.settle(
        shop.call(user_id="asha", properties={"city": "Pune"}),
        shop.call(user_id="asha", properties={"city": "Goa"}),
        shop.call(verb=Verb.DELETE, user_id="asha"),
        shop.call(user_id="asha", properties={"email": "a@shop.in"}),
    )
    assert [o.status for o in outcomes] == ["created", "updated", "deleted", "created"]
    assert shop.known("asha") == {"email": "a@shop.in"}


# Tags


def test_tags_are_kept_as_those_of_a_list_are(shop: Shop) -> None:
    shop.write("asha", tags=["e\u0301lite"])
    shop.send(user_id="asha", add_tags=(" \u00e9lite ", "👩‍💻"))
    assert shop.known("asha")["tags"] == ["\u00e9lite", "👩‍💻"]
    shop.send(user_id="asha", remove_tags=("e\u0301lite",))
    assert shop.known("asha")["tags"] == ["👩‍💻"]


def test_of_one_call_a_removed_tag_is_gone_and_a_list_comes_first(shop: Shop) -> None:
    shop.send(
        user_id="asha",
        properties={"tags": ["a", "b"]},
        add_tags=("c", "d"),
        remove_tags=("a", "d"),
    )
    assert shop.known("asha")["tags"] == ["b", "c"]
