"""Reports: what began in a period, every number with the conversations behind it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.stories.shop import MINUTE, START, Shop
from user360.access import members
from user360.access.change import Change
from user360.conversations import managing
from user360.conversations.deeds import Deed
from user360.conversations.reports import Talk
from user360.conversations.scope import Scope
from user360.conversations.talk import Said
from user360.errors import Invalid
from user360.inbox import reports
from user360.inbox.reports import Asked, Numbers
from user360.platform import Platform
from user360.segments import define
from user360.storage.ledger import Connection

DAY = 24 * 60 * MINUTE
ALL = {"since": START - DAY, "until": START + 400 * DAY}


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform.temporary() as platform:
        yield platform


@pytest.fixture
def shop(platform: Platform) -> Shop:
    return Shop(platform)


def says(shop: Shop, session: str, text: str, at: int, **more: Any) -> int:
    said = Said(sender=more.pop("sender", "customer"), text=text, author=more.pop("author", ""))
    found = shop.send(session=session, said=said, at=at, **more).conversation
    assert found is not None
    return found


def lines(shop: Shop, by: str, **asked: Any) -> dict[str, Numbers]:
    made = reports.made(shop.platform, shop.workspace, Asked(by=by, **{**ALL, **asked}))
    return {row.name: row.numbers for row in made.rows}


def counted(shop: Shop, by: str, **asked: Any) -> dict[str, int]:
    found = lines(shop, by, **asked)
    return {name: n.conversations for name, n in found.items() if n.conversations}


def behind(shop: Shop, by: str, key: str | None, measure: str = "conversations") -> list[int]:
    return reports.behind(shop.platform, shop.workspace, Asked(by=by, **ALL), key, measure)


def test_times_are_from_the_beginning_to_the_first_answer_and_the_end(shop: Shop) -> None:
    chat = says(shop, "a", "Hello", START)
    says(shop, "a", "I am a bot", START + MINUTE, sender="bot")
    says(shop, "a", "I am Ravi", START + 3 * MINUTE, sender="agent")
    says(shop, "a", "Hello?", START + 4 * MINUTE)
    says(shop, "whatsapp:919811112222", "Hello", START + MINUTE)
    shop.send(conversation=chat, deed=Deed(action="resolve"))
    web = lines(shop, "channel")["web"]
    assert (web.conversations, web.messages, web.resolved, web.active) == (1, 4, 1, 0)
    assert web.first_response == reports.Spread(60, 60)
    assert web.agent_response == reports.Spread(180, 180)
    assert web.resolution is not None
    unanswered = lines(shop, "channel")["whatsapp"]
    assert (unanswered.first_response, unanswered.resolution) == (None, None)
    assert behind(shop, "channel", "web", "resolved") == [chat]
    assert behind(shop, "channel", "web", "missed") == []
    for measure in ("firstResponse", "agentResponse", "resolution"):
        assert behind(shop, "channel", None, measure) == [chat]
    assert len(behind(shop, "channel", None, "messages")) == 2


def test_days_are_those_of_the_workspace_and_none_is_left_out(shop: Shop) -> None:
    shop.choose(time_zone="Asia/Kolkata")
    late = START + 18 * 60 * MINUTE + 31 * MINUTE  # 18:31 in UTC is 00:01 the next day there
    says(shop, "a", "Hello", START)
    says(shop, "b", "Hello", late)
    days = lines(shop, "day", since=START - DAY, until=START + 3 * DAY)
    assert [name for name, n in days.items() if n.conversations] == ["2026-01-01", "2026-01-02"]
    assert list(days) == ["2025-12-31", "2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"]
    assert counted(shop, "hour") == {"05:00": 1, "00:00": 1}
    assert len(lines(shop, "hour")) == 24


def test_a_day_of_25_hours_is_one_day(shop: Shop) -> None:
    zone = ZoneInfo("Europe/Berlin")
    shop.choose(time_zone="Europe/Berlin")
    first, end = (reports.midnight(date(2026, 10, d), zone) for d in (25, 26))
    assert end - first == 25 * 60 * MINUTE
    for n in range(25):  # two of them began between 2 and 3 o'clock
        says(shop, f"s{n}", "Hello", first + n * 60 * MINUTE)
    assert counted(shop, "day", since=first, until=end) == {"2026-10-25": 25}
    hours = counted(shop, "hour", since=first, until=end)
    assert hours["02:00"] == 2
    assert sum(hours.values()) == 25


def test_a_conversation_with_two_tags_is_in_both_lines_and_once_in_the_total(shop: Shop) -> None:
    chat = says(shop, "a", "Hello", START)
    shop.send(conversation=chat, deed=Deed(action="edit", add_tags=("late", "vip")))
    says(shop, "b", "Hello", START)
    made = reports.made(shop.platform, shop.workspace, Asked(by="tag", **ALL))
    assert {row.name: row.numbers.conversations for row in made.rows} == {
        "late": 1,
        "vip": 1,
        "untagged": 1,
    }
    assert made.total.conversations == 2
    assert behind(shop, "tag", "vip") == [chat]
    assert len(behind(shop, "tag", "")) == 1


def test_segments_are_of_the_person_whatever_was_merged(shop: Shop) -> None:
    pune: dict[str, Any] = {"property": "city", "op": "is", "values": ["Pune"]}

    def make(connection: Connection) -> None:
        change = shop.platform.change(connection, shop.workspace, "key:1")
        define.create(change, "Punekars", "", pune)

    shop.platform.write(make)
    chat = says(shop, "visit", "Hello", START)
    shop.write("asha", city="Pune")
    shop.identify("visit", "asha")
    says(shop, "other", "Hello", START)
    shop.platform.keeper.settle(shop.platform.committer.position.last)
    assert counted(shop, "segment") == {"Punekars": 1, "in no segment": 1}
    (segment,) = shop.workspace.segments
    assert behind(shop, "segment", str(segment)) == [chat]


def test_agents_are_called_by_name_and_a_supervisor_sees_her_groups(shop: Shop) -> None:
    def make(connection: Connection) -> tuple[int, int]:
        change: Change = shop.platform.change(connection, shop.workspace, "key:1")
        number, _ = members.invite(change, f"{shop.workspace.name}@example.com", "Ravi", "agent")
        managing.reload(change)
        return number, managing.make_group(change, "Refunds")

    ravi, group = shop.platform.write(make)
    shop.platform.reload_members()
    mine = says(shop, "a", "Hello", START)
    theirs = says(shop, "b", "Hello", START + MINUTE)
    shop.send(conversation=mine, deed=Deed(action="assign", assignee=ravi))
    shop.send(conversation=theirs, deed=Deed(action="assign", group=group))
    assert counted(shop, "agent") == {"Ravi": 1, "nobody": 1}
    assert behind(shop, "agent", str(ravi)) == [mine]
    hers = Scope(frozenset({ravi}), frozenset(), free_only=False)
    assert counted(shop, "agent", scope=hers) == {"Ravi": 1}


def test_what_more_people_say_than_before_rises(shop: Shop) -> None:
    for n in range(40):
        says(shop, f"old{n}", "Where is my order please", START + n * MINUTE)
        text = "My parcel is broken, please help" if n % 3 == 0 else "Where is my order please"
        says(shop, f"new{n}", text, START + DAY + n * MINUTE)
    for n in range(9):  # one person alone, who says it again and again
        chat = says(shop, "loud", "Zebra zebra", START + DAY + n * MINUTE)
        shop.send(conversation=chat, deed=Deed(action="resolve"))
    asked = {"since": START + DAY, "until": START + 2 * DAY}
    found = lines(shop, "topic", **asked)
    assert "parcel is" in found or "my parcel" in found or "parcel" in found
    assert not any("zebra" in name or "order" in name for name in found)
    name, numbers = next(iter(found.items()))
    assert (numbers.conversations, numbers.before) == (14, 0)
    of = Asked(by="topic", since=START + DAY, until=START + 2 * DAY)
    assert len(reports.behind(shop.platform, shop.workspace, of, name, "conversations")) == 14
    assert reports.behind(shop.platform, shop.workspace, of, name, "before") == []
    assert len(reports.behind(shop.platform, shop.workspace, of, "order", "before")) == 40


def test_a_line_is_called_by_its_name_and_one_that_is_none_by_its_key(shop: Shop) -> None:
    def named(by: str, key: str) -> str:
        return reports.name_of(shop.platform, shop.workspace, by, key)

    assert (named("hour", "09"), named("agent", ""), named("tag", "")) == (
        "09:00",
        "nobody",
        "untagged",
    )
    assert (named("segment", "x"), named("segment", "77")) == ("x", "77")
    assert named("agent", "x") == "member x, who left"


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ({"by": "weather"}, "by"),
        ({"by": "day", "since": START, "until": START}, "to"),
        ({"by": "day", "since": START - 4_000 * DAY, "until": START}, "from"),
    ],
)
def test_what_no_report_can_be_made_of_is_refused(
    shop: Shop, asked: dict[str, Any], path: str
) -> None:
    with pytest.raises(Invalid) as refused:
        lines(shop, **asked)
    assert [fault.path for fault in refused.value.faults] == [path]


def test_another_workspace_has_its_own_numbers(shop: Shop) -> None:
    says(Shop(shop.platform), "a", "Hello", START)
    assert counted(shop, "channel") == {}


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=60))
def test_nine_of_ten_stay_within_and_half_below_the_middle(took: list[int]) -> None:
    talks = [
        Talk(n, n, "web", "chat", "open", None, (), 0, each * 1_000_000, None, 1, None)
        for n, each in enumerate(took)
    ]
    spread = reports._numbers(talks).first_response
    assert spread is not None
    assert spread.median == round(statistics.median(took), 3)
    within = sum(each <= spread.p90 for each in took)
    assert within >= math.ceil(0.9 * len(took))
    assert sum(each < spread.p90 for each in took) < 0.9 * len(took)
