"""Merging, by hand and by itself, and undoing it exactly."""

from __future__ import annotations

import pytest

from tests.stories.shop import Shop
from user360 import ids
from user360.errors import Conflict, NotFound
from user360.ingest.call import Event, Outcome, Verb
from user360.platform import Platform


def refused(shop: Shop, **known: object) -> Exception:
    problem = shop.settle(shop.call(**known))[0].problem
    assert problem is not None
    return problem


def test_lists_and_tags_are_united_the_users_order_first(shop: Shop) -> None:
    shop.write("asha", tags=["vip", "new"])
    shop.capture("s", tags=["old", "vip"])
    shop.identify("s", "asha")
    assert shop.known("asha")["tags"] == ["vip", "new", "old"]


@pytest.mark.parametrize(
    ("had", "then"),
    [
        ({}, {"country": "IN", "timezone": "Asia/Kolkata"}),
        ({"country": "DE"}, {"country": "DE"}),
        ({"timezone": "UTC"}, {"timezone": "UTC"}),
    ],
)
def test_what_was_captured_of_the_place_is_taken_both_or_not_at_all(
    shop: Shop, had: dict[str, str], then: dict[str, str]
) -> None:
    shop.write("asha", **had)
    shop.send(session="s", auto={"country": "IN", "timezone": "Asia/Kolkata"})
    shop.identify("s", "asha")
    assert shop.known("asha") == then


def test_a_merge_tells_what_the_user_gained_and_what_the_visitor_was(shop: Shop) -> None:
    shop.write("asha", city="Pune")
    visitor = shop.capture("s", city="Goa", email="asha@shop.in")
    merged = shop.identify("s", "asha")
    gained = {"newPayload": {"email": "asha@shop.in"}, "oldPayload": {"email": None}}
    visitor_id = ids.public_record_id(visitor.record or 0)
    told = dict(shop.told(merged.record)[2:])  # after the two who were made
    assert told["USER_MERGE"] == {"mergeId": str(merged.merge), "recordId": visitor_id, **gained}
    assert told["USER_UPDATE"] == gained
    assert told["USER_DELETE"] == {
        "id": visitor_id,
        "userId": None,
        "city": "Goa",
        "email": "asha@shop.in",
        "mergeId": str(merged.merge),
    }


def test_an_undone_merge_leaves_both_as_they_were_and_with_what_each_gained(shop: Shop) -> None:
    user = shop.write("asha", city="Pune", tags=["vip"])
    visitor = shop.capture("s", email="asha@shop.in", tags=["web"])
    shop.send(session="s", event="Viewed")
    before = {user.record: shop.person("asha"), visitor.record: shop.visitor("s")}
    merged = shop.identify("s", "asha")
    shop.send(user_id="asha", event="Bought", properties={"firstName": "Asha"})
    shop.send(user_id="asha", add_tags=("since",))
    shop.send(session="s", event="Came back", properties={"language": "mr"})
    assert shop.happened(user.record) == ["Viewed", "Bought", "Came back"]
    assert shop.known("asha")["language"] == "mr"

    assert shop.undo(merged.merge).status == "unmerged"
    now = {user.record: shop.person("asha"), visitor.record: shop.visitor("s")}
    gained = {
        user.record: {"firstName": "Asha", "tags": ["vip", "since"]},
        visitor.record: {"language": "mr"},
    }
    for number, was in before.items():
        is_now = now[number]
        assert was is not None
        assert is_now is not None
        assert is_now["properties"] == was["properties"] | gained[number]
        assert (is_now["id"], is_now["userId"]) == (was["id"], was["userId"])
    assert shop.happened(user.record) == ["Bought"]
    assert shop.happened(visitor.record) == ["Viewed", "Came back"]
    assert shop.count() == 2


def test_what_was_undone_can_be_merged_again(shop: Shop) -> None:
    shop.write("asha", city="Pune")
    shop.capture("s", email="asha@shop.in")
    first = shop.identify("s", "asha")
    merged = shop.person("asha")
    shop.undo(first.merge)
    second = shop.identify("s", "asha")
    assert second.status == "merged"
    assert second.merge != first.merge
    again = shop.person("asha")
    assert merged is not None
    assert again is not None
    assert again["properties"] == merged["properties"]
    assert isinstance(refused(shop, verb=Verb.UNMERGE, merge=first.merge), Conflict)


def test_two_identified_users_are_merged_by_hand_and_both_ids_lead_there(shop: Shop) -> None:
    kept = shop.write("asha", city="Pune")
    other = shop.write("asha-2", email="a@shop.in")
    merged = shop.merge("asha", other.record)
    assert (merged.status, merged.record) == ("merged", kept.record)
    assert shop.person("asha-2") == shop.person("asha")
    assert shop.write("asha-2", firstName="Asha").record == kept.record
    shop.undo(merged.merge)
    assert shop.known("asha-2") == {"email": "a@shop.in", "firstName": "Asha"}
    assert shop.known("asha") == {"city": "Pune"}


def test_a_chain_of_merges_is_undone_from_the_middle(shop: Shop) -> None:
    numbers = [shop.write(user, tags=[user]).record for user in ("a", "b", "c")]
    inner = shop.merge("b", numbers[2])
    shop.merge("a", numbers[1])
    assert shop.known("a")["tags"] == ["a", "b", "c"]
    undone = shop.undo(inner.merge)
    assert undone.record == numbers[0]
    lost = {"newPayload": {"tags": ["a", "b"]}, "oldPayload": {"tags": ["a", "b", "c"]}}
    assert shop.told(numbers[0])[-1] == ("USER_UPDATE", lost)
    assert shop.known("a")["tags"] == ["a", "b"]
    assert shop.known("c")["tags"] == ["c"]
    assert shop.count() == 2


def test_what_was_said_under_the_merged_users_own_id_goes_back_with_them(shop: Shop) -> None:
    shop.write("asha")
    other = shop.write("ravi").record
    merged = shop.merge("asha", other)
    shop.capture("s", email="r@shop.in")
    shop.identify("s", "ravi", city="Goa")
    shop.identify("t", "ravi")
    assert shop.known("asha") == {"city": "Goa", "email": "r@shop.in"}
    assert shop.visitor("t") == shop.person("asha")
    shop.undo(merged.merge)
    assert shop.known("ravi") == {"city": "Goa"}
    assert shop.known("asha") == {"email": "r@shop.in"}
    assert shop.visitor("t") == shop.person("ravi")


def test_merging_with_oneself_or_with_nobody_is_refused(shop: Shop) -> None:
    made = shop.write("asha")
    assert isinstance(refused(shop, verb=Verb.MERGE, user_id="asha", other=made.record), Conflict)
    assert isinstance(refused(shop, verb=Verb.MERGE, user_id="asha", other=1), NotFound)
    assert isinstance(refused(shop, verb=Verb.MERGE, user_id="ravi", other=made.record), NotFound)
    assert isinstance(refused(shop, verb=Verb.UNMERGE, merge=1), NotFound)


def test_a_user_takes_in_no_more_than_the_limit_however_they_hang_together(shop: Shop) -> None:
    shop.choose(merge_limit=3)
    shop.write("asha")
    numbers = [shop.write(f"u{n}").record for n in range(4)]
    shop.merge("u0", numbers[1])
    shop.merge("asha", numbers[0])
    shop.merge("u2", numbers[3])
    problem = refused(shop, verb=Verb.MERGE, user_id="asha", other=numbers[2])
    assert isinstance(problem, Conflict)
    assert "mergeLimit" in problem.detail
    assert shop.count() == 2


def test_a_placeholder_that_slipped_in_cannot_swallow_everybody(shop: Shop) -> None:
    shop.choose(merge_limit=2)
    shop.write("shared")
    for n in range(2):
        shop.capture(f"s{n}", city="Pune")
        assert shop.identify(f"s{n}", "shared").status == "merged"
    shop.capture("s2", city="Goa")
    assert isinstance(refused(shop, session="s2", user_id="shared"), Conflict)
    found = shop.visitor("s2")
    assert found is not None
    assert found["properties"] == {"city": "Goa"}


def test_a_merge_gives_back_its_place_under_the_limit_when_it_is_undone(shop: Shop) -> None:
    shop.choose(merge_limit=1)
    shop.write("asha")
    numbers = [shop.write(f"u{n}").record for n in range(2)]
    merged = shop.merge("asha", numbers[0])
    shop.undo(merged.merge)
    assert shop.merge("asha", numbers[1]).status == "merged"


def test_undoing_a_merge_of_somebody_deleted_finds_nothing(shop: Shop) -> None:
    shop.write("asha")
    shop.capture("s", city="Pune")
    merged = shop.identify("s", "asha")
    shop.delete("asha")
    assert isinstance(refused(shop, verb=Verb.UNMERGE, merge=merged.merge), NotFound)
    assert shop.count() == 0


# Alias


def alias(shop: Shop, user: str, previous: str) -> Outcome:
    return shop.send(verb=Verb.ALIAS, user_id=user, previous=previous, channel="web")


def test_alias_names_an_anonymous_visitor(shop: Shop) -> None:
    made = shop.capture("anon", city="Pune")
    outcome = alias(shop, "asha", "anon")
    assert (outcome.status, outcome.record) == ("assigned", made.record)


def test_alias_moves_a_former_user_id_into_the_new_one(shop: Shop) -> None:
    shop.write("old", city="Pune")
    outcome = alias(shop, "new", "old")
    assert (outcome.status, outcome.created) == ("merged", True)
    assert shop.known("new") == {"city": "Pune"}
    names = [name for name, _ in shop.told(outcome.record)]
    assert names == ["USER_CREATE", "USER_CREATE", "USER_MERGE", "USER_DELETE", "USER_UPDATE"]
    assert alias(shop, "new", "old").status == "unchanged"


def test_alias_of_somebody_unknown_makes_the_user(shop: Shop) -> None:
    assert alias(shop, "asha", "nobody").status == "created"


def test_a_long_chain_of_aliases_slows_nobody_down(platform: Platform) -> None:
    shop = Shop(platform)
    shop.send(session="web:s0", auto={"country": "IN", "timezone": "Asia/Kolkata"})
    calls = [
        shop.call(verb=Verb.ALIAS, user_id=f"s{n + 1}", previous=f"s{n}", channel="web")
        for n in range(200)
    ]
    assert {outcome.status for outcome in shop.settle(*calls)} == {"assigned", "merged"}
    assert shop.known("s200") == {"country": "IN", "timezone": "Asia/Kolkata"}
    assert shop.write("s1", city="Pune").status == "updated"
    assert shop.known("s200")["city"] == "Pune"
    assert shop.count() == 1


# Deleting


def test_a_deleted_users_id_begins_anew(shop: Shop) -> None:
    old = shop.identify("s", "asha", city="Pune")
    shop.send(user_id="asha", event=Event("Bought", {}, "e1"))
    shop.delete("asha")
    assert (shop.person("asha"), shop.visitor("s"), shop.count()) == (None, None, 0)
    assert shop.happened(old.record) == []
    new = shop.write("asha", email="a@shop.in")
    assert new.status == "created"
    assert new.record != old.record
    assert shop.known("asha") == {"email": "a@shop.in"}
    assert shop.send(user_id="asha", event=Event("Bought", {}, "e1")).status == "duplicate"


def test_deleting_takes_all_that_was_merged_in(shop: Shop) -> None:
    shop.write("asha")
    visitor = shop.capture("s", city="Pune")
    shop.send(session="s", event="Viewed")
    shop.identify("s", "asha")
    outcome = shop.send(verb=Verb.DELETE, record=visitor.record)
    assert (shop.person("asha"), shop.visitor("s"), shop.count()) == (None, None, 0)
    name, told = shop.told(outcome.record)[-1]
    assert name == "USER_DELETE"
    assert told["recordIds"] == [
        ids.public_record_id(n or 0) for n in (outcome.record, visitor.record)
    ]
    assert told["city"] == "Pune"


def test_a_session_moved_to_somebody_deleted_in_the_same_commit_is_nobodys(shop: Shop) -> None:
    shop.identify("s", "asha")
    shop.write("ravi")
    shop.settle(shop.call(session="s", user_id="ravi"), shop.call(verb=Verb.DELETE, user_id="ravi"))
    assert shop.visitor("s") is None
    assert shop.person("asha") is not None


def test_properties_named_like_the_products_own_words_do_no_harm(shop: Shop) -> None:
    innocent = shop.write("innocent", city="Pune")
    shop.send(user_id="innocent", event="Bought")
    named = {"recordIds": [ids.public_record_id(innocent.record or 0)], "mergeId": "x"}
    shop.write("asha")
    shop.send(session="s", properties=named, undeclared="create")
    shop.identify("s", "asha")
    shop.send(user_id="gone", properties=named)
    gone = shop.delete("gone")
    assert shop.happened(innocent.record) == ["Bought"]
    assert shop.count() == 2
    assert [name for name, _ in shop.told(gone.record)] == ["USER_DELETE"]


def test_an_undone_merge_stays_undone_whoever_took_the_record_in_since(shop: Shop) -> None:
    numbers = [shop.write(user).record for user in ("a", "b", "c")]
    first = shop.merge("a", numbers[2])
    shop.undo(first.merge)
    second = shop.merge("b", numbers[2])
    assert isinstance(refused(shop, verb=Verb.UNMERGE, merge=first.merge), Conflict)
    assert shop.undo(second.merge).status == "unmerged"
