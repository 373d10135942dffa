"""Why somebody is in a segment, or not: every node, what decided it, and when it will flip."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from tests.stories.shop import MINUTE, START, Shop
from user360 import errors
from user360.access.change import Change
from user360.ingest.call import Event
from user360.platform import Platform
from user360.records.properties import Property, Type
from user360.segments import define
from user360.segments.compiler import questions
from user360.segments.explain import evidence
from user360.segments.explain import why as asking
from user360.segments.explain.evidence import OfEvents, OfProperty, OfSegment
from user360.segments.explain.timelines import Flip
from user360.segments.explain.why import Reason, Why
from user360.segments.language import tree
from user360.segments.store import Segment
from user360.storage.ledger import Connection

DAY = 86_400_000_000
NOW = START + 3 * DAY
WEEK = {"last": {"amount": 7, "unit": "days"}}
PUNE = {"property": "city", "op": "is", "values": ["Pune"]}
THRICE = {"event": "Bought", "count": {"op": "gte", "value": 3}, "during": WEEK}


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform.temporary() as platform:
        yield platform


@pytest.fixture
def shop(platform: Platform) -> Shop:
    """Asha of Pune, who bought four times, the second time as a visitor."""
    shop = Shop(platform)
    shop.write("asha", city="Pune", dob="1990-02-14")
    for n, who in enumerate([{"user_id": "asha"}, {"session": "v"}, *[{"user_id": "asha"}] * 2]):
        shop.send(**who, at=START + n * DAY // 2, event="Bought")
    shop.identify("v", "asha")
    return shop


def number(shop: Shop, user: str) -> int:
    found = shop.person(user)
    assert found is not None
    return shop.workspace.id << 40 | int(found["id"][1:])


def why(shop: Shop, given: dict[str, Any], record: int, now: int = NOW) -> Why:
    node = tree.parse(given, shop.workspace.catalogue, segments=shop.workspace.segments)
    return asking.why(shop.platform.wait(), shop.workspace, node, record, now)


def reason(shop: Shop, given: dict[str, Any], user: str = "asha", now: int = NOW) -> Reason:
    return why(shop, given, number(shop, user), now).reason


def make(shop: Shop, name: str, where: dict[str, Any] | None, *records: int) -> Segment:
    """A dynamic segment, or a static one of these records."""

    def run(connection: Connection) -> Segment:
        take = shop.platform.committer.position.take
        given: dict[str, Any] = {"now": NOW, "actor": "shop", "take": take}
        change = Change(connection, shop.platform.ledger.dialect, shop.workspace, **given)
        return define.create(change, name, "", where, records)

    made = shop.platform.write(run)
    assert made.id in shop.workspace.segments
    return made


def test_a_property_tells_its_value(shop: Shop) -> None:
    found = reason(shop, PUNE)
    assert (found.true, found.says) == (True, 'city is "Pune"')
    assert found.where == PUNE
    assert found.decided == OfProperty("city", "string", "Pune")
    assert found.flip == Flip()
    unknown = reason(shop, {"property": "country", "op": "isNot", "values": ["IN"]})
    assert unknown.true
    assert unknown.decided == OfProperty("country", "string", None)


def test_values_are_shown_as_the_api_shows_them(shop: Shop) -> None:
    shop.write("asha", tags=["vip", "a,b"], emailOptin=False, email="Asha@Example.com")
    for name in ("dob", "tags", "emailOptin", "email"):
        decided = reason(shop, {"property": name, "op": "known"}).decided
        assert isinstance(decided, OfProperty)
        assert decided.value == shop.known("asha")[name]
    decided = reason(shop, {"property": "createdAt", "op": "known"}).decided
    person = shop.person("asha")
    assert isinstance(decided, OfProperty)
    assert person is not None
    assert decided.value == person["createdAt"]


def test_events_tell_how_many_there_were_and_which(shop: Shop) -> None:
    found = reason(shop, THRICE)
    decided = found.decided
    assert found.true
    assert isinstance(decided, OfEvents)
    assert (decided.name, decided.asked, decided.count, decided.sum) == (
        "Bought",
        "at least 3 times",
        4,
        None,
    )
    assert (decided.since, decided.until) == (NOW - 7 * DAY, NOW + 1)
    assert [each.at for each in decided.events] == [START + n * DAY // 2 for n in (3, 2, 1, 0)]
    assert len({each.record for each in decided.events}) == 2  # one was written to the visitor
    # Two of the four have to leave the week before fewer than three are left.
    assert found.flip == Flip(START + DAY // 2 + 7 * DAY + 1)


def test_only_the_newest_ten_events_are_shown(shop: Shop) -> None:
    for n in range(12):
        shop.send(user_id="asha", event="Seen", at=START + n)
    decided = reason(shop, {"event": "Seen", "occurred": False}).decided
    assert isinstance(decided, OfEvents)
    assert (decided.count, decided.asked) == (12, "never")
    assert [each.at for each in decided.events] == [START + n for n in range(11, 1, -1)]


def test_a_sum_is_told_as_it_is_compared(shop: Shop) -> None:
    for amount in (0.1, 0.2, "5", 10):
        shop.settle(shop.call(user_id="asha", event=_paid(amount)))
    given = {"event": "Paid", "sum": {"path": "amount", "op": "is", "value": 10.3}}
    found = reason(shop, given)
    assert isinstance(found.decided, OfEvents)
    assert (found.true, found.decided.sum, found.decided.count) == (True, 10.3, 4)
    assert found.decided.asked == "adding up to exactly 10.3"


def _paid(amount: Any) -> Event:
    return Event("Paid", {"amount": amount})


def test_every_branch_has_its_own_truth_and_change(shop: Shop) -> None:
    given = {"any": [{"all": [PUNE, THRICE]}, {"not": THRICE}]}
    found = reason(shop, given)
    both, negation = found.reasons
    assert [found.true, both.true, negation.true] == [True, True, False]
    assert [each.true for each in both.reasons] == [True, True]
    flip = Flip(START + DAY // 2 + 7 * DAY + 1)
    assert (both.flip, negation.flip) == (flip, flip)
    assert found.flip == Flip()  # one of the two holds at any time
    assert both.says == 'city is "Pune", and "Bought" happened at least 3 times in the last 7 days'


def test_a_flip_is_exact_to_the_microsecond(shop: Shop) -> None:
    at = reason(shop, THRICE).flip.at
    assert at is not None
    assert [reason(shop, THRICE, now=moment).true for moment in (at - 1, at)] == [True, False]
    birthday = {"property": "dob", "op": "anniversary"}
    found = reason(shop, birthday)
    day = START + (31 + 13) * DAY
    assert (found.true, found.flip) == (False, Flip(day))
    assert reason(shop, birthday, now=day).flip == Flip(day + DAY)


def test_segments_within_are_told_by_name_with_their_own_tree(shop: Shop) -> None:
    static = make(shop, "Friends", None, number(shop, "asha"))
    inner = make(shop, "Buyers", THRICE)
    found = reason(shop, {"all": [{"segment": static.id}, {"segment": inner.id, "in": False}]})
    friends, buyers = found.reasons
    assert isinstance(friends.decided, OfSegment)
    assert (friends.decided.name, friends.decided.inside, friends.true) == ("Friends", True, True)
    assert friends.decided.since is not None
    assert isinstance(buyers.decided, OfSegment)
    assert (buyers.decided.name, buyers.decided.inside, buyers.true) == ("Buyers", True, False)
    assert buyers.reasons[0].where["event"] == "Bought"
    assert buyers.reasons[0].true
    assert buyers.flip == buyers.reasons[0].flip == found.flip
    assert "Buyers" in buyers.says


def test_a_sequence_tells_which_steps_were_reached(shop: Shop) -> None:
    for name, at in (("Seen", 1), ("Added", 2), ("Seen", 3)):
        shop.send(user_id="asha", event=name, at=START + at * MINUTE)
    steps = [{"event": name} for name in ("Seen", "Added", "Paid")]
    given = {"sequence": steps, "within": {"amount": 1, "unit": "hours"}, "during": WEEK}
    found = reason(shop, given)
    assert isinstance(found.decided, tuple)
    assert [step.reached for step in found.decided] == [True, True, False]
    assert [step.events.count for step in found.decided] == [2, 1, 0]
    assert (found.true, found.flip) == (False, Flip())
    done = reason(shop, {**given, "sequence": steps[:2]})
    assert done.true
    assert done.flip == Flip(START + MINUTE + 7 * DAY + 1)


def test_it_answers_as_a_search_does(shop: Shop) -> None:
    warehouse = shop.platform.wait()
    for given in (PUNE, THRICE, {"not": PUNE}, {"event": "Bought", "occurred": False}):
        node = tree.parse(given, shop.workspace.catalogue)
        found = questions.numbers(warehouse, shop.workspace, node, NOW)
        assert reason(shop, given).true == (number(shop, "asha") in found)


def test_who_was_merged_away_is_asked_as_the_survivor(shop: Shop) -> None:
    rows = shop.platform.wait().query(f"SELECT record_id FROM w{shop.workspace.id}.merged").rows
    found = why(shop, PUNE, rows[0][0])
    assert (found.record, found.reason.true) == (number(shop, "asha"), True)


def test_nobody_is_refused(shop: Shop) -> None:
    away = number(shop, "asha")
    shop.delete("asha")
    with pytest.raises(errors.NotFound):
        why(shop, PUNE, away)


def test_what_is_gone_is_named(shop: Shop) -> None:
    shop.declare(Property(101, "plan", Type.STRING))
    inner = make(shop, "Planned", {"property": "plan", "op": "known"})
    shop.declare()
    with pytest.raises(errors.InvalidCondition, match="Planned"):
        why(shop, {"segment": inner.id}, number(shop, "asha"))


def test_a_large_tree_is_answered(shop: Shop) -> None:
    leaves = [PUNE, {"property": "dob", "op": "inLast", "values": [{"amount": 5, "unit": "days"}]}]
    given = {"all": [{"any": [leaves[n % 2], leaves[0]]} for n in range(300)]}
    found = reason(shop, given)
    assert (found.true, len(found.reasons)) == (True, 300)


def test_whole_numbers_are_shown_without_a_point() -> None:
    shown = [evidence.shown(Type.NUMBER, value) for value in (5.0, 0.5, -3.0, None)]
    assert shown == [5, 0.5, -3, None]
    assert msgspec.json.encode(shown) == b"[5,0.5,-3,null]"
