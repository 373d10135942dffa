"""Lists of conversations: every filter, page after page, and what a search finds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.stories.shop import Shop
from user360.conversations import reading, scope, searching, store, talk
from user360.conversations.desk import Agent, Desk
from user360.conversations.reading import NOBODY, Place, Wanted
from user360.conversations.talk import Conversation, Said
from user360.ids import record_number
from user360.ingest.call import Outcome, Verb
from user360.platform import Platform
from user360.storage.ledger import Connection

WAYS = list(
    product(
        [(kind, state) for kind in talk.KINDS for state in talk.STATES[kind]],
        ("web", "whatsapp"),
        (None, 1, 2),
        (None, 7),
    )
)
DESK = Desk(agents={1: Agent(1, groups=frozenset({7})), 2: Agent(2)})
SCOPES = (None, *(scope.of(role, m, DESK) for role in ("agent", "supervisor") for m in (1, 2)))


def made(workspace: int) -> list[Conversation]:
    """A conversation for each way it can be, in no order of time."""
    shuffled = random.Random(7)
    return [
        Conversation(
            id=record_number(workspace, n),
            record=record_number(workspace, n % 9),
            channel=channel,
            session=f"s{n}",
            kind=kind,
            state=state,
            created_at=1,
            updated_at=shuffled.randrange(100),
            assignee=assignee,
            group=group,
            tags=("late",) if n % 3 else (),
        )
        for n, ((kind, state), channel, assignee, group) in enumerate(WAYS, 1)
    ]


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with Platform.temporary() as platform:
        yield Shop(platform)


@pytest.fixture(scope="module")
def every(shop: Shop) -> list[Conversation]:
    all_of_them = made(shop.workspace.id)
    shop.platform.write(lambda c: store.save(c, shop.workspace.id, all_of_them))
    other = Shop(shop.platform)
    shop.platform.write(lambda c: store.save(c, other.workspace.id, made(other.workspace.id)))
    return all_of_them


def holds(wanted: Wanted, c: Conversation) -> bool:
    """The same rule, of one conversation."""
    return (
        (wanted.scope is None or wanted.scope.sees(c))
        and (not wanted.kind or c.kind == wanted.kind)
        and (not wanted.states or c.state in wanted.states)
        and (not wanted.channel or c.channel == wanted.channel)
        and (wanted.assignee is None or (c.assignee or NOBODY) == wanted.assignee)
        and (wanted.group is None or (c.group or NOBODY) == wanted.group)
        and (not wanted.tag or wanted.tag in c.tags)
        and (wanted.records is None or c.record in wanted.records)
        and (wanted.numbers is None or c.id in wanted.numbers)
    )


FIRST = 1 << 40
WANTED = st.builds(
    Wanted,
    scope=st.sampled_from(SCOPES),
    kind=st.sampled_from(("", *talk.KINDS)),
    states=st.lists(st.sampled_from(reading.EVERY), max_size=3, unique=True).map(tuple),
    channel=st.sampled_from(("", "web")),
    assignee=st.sampled_from((None, NOBODY, 1)),
    group=st.sampled_from((None, NOBODY, 7)),
    tag=st.sampled_from(("", "late")),
    records=st.none() | st.frozensets(st.integers(0, 9), max_size=3),
    numbers=st.none() | st.frozensets(st.integers(1, len(WAYS)), max_size=60),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(WANTED, st.integers(1, 40))
def test_page_after_page_is_all_that_holds_the_newest_first(
    shop: Shop, every: list[Conversation], wanted: Wanted, limit: int
) -> None:
    workspace = shop.workspace.id
    moved = {
        name: None if given is None else {record_number(workspace, n) for n in given}
        for name, given in (("records", wanted.records), ("numbers", wanted.numbers))
    }
    wanted = msgspec.structs.replace(wanted, **moved)  # type: ignore[arg-type]
    found: list[Conversation] = []
    after: Place | None = None
    with shop.platform.ledger.read() as connection:
        where = (connection, shop.platform.ledger.dialect, workspace)
        while True:
            page = reading.page(*where, wanted, limit, after)
            assert len(page.conversations) <= limit
            found += page.conversations
            after = page.after
            if after is None:
                break
    right = [c for c in every if holds(wanted, c)]
    right.sort(key=lambda c: (c.updated_at, c.id), reverse=True)
    assert [c.id for c in found] == [c.id for c in right]


def ask(shop: Shop, question: Any, *given: Any, **more: Any) -> Any:
    with shop.platform.ledger.read() as connection:
        return question(connection, shop.platform.ledger.dialect, shop.workspace.id, *given, **more)


def test_a_window_is_walked_along_an_index_alone(shop: Shop, every: list[Conversation]) -> None:
    assert every
    asked: list[str] = []

    def listen(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        for seen in (None, SCOPES[1]):
            for wanted in (
                Wanted(),
                Wanted(states=("resolved",)),
                Wanted(assignee=1),
                Wanted(assignee=NOBODY),
                Wanted(group=7),
            ):
                given: dict[str, Any] = {"workspace": 1, "size": 10, "at": 1, "id": 1}
                narrowed = msgspec.structs.replace(wanted, scope=seen)
                for source in reading._sources(shop.platform.ledger.dialect, narrowed, given):
                    query = (
                        f"EXPLAIN QUERY PLAN SELECT c.updated_at, c.id FROM {source}"
                        " AND (c.updated_at, c.id) < (:at, :id)"
                        " ORDER BY c.updated_at DESC, c.id DESC LIMIT :size"
                    )
                    rows = driver.execute(query, given).fetchall()
                    asked.append("; ".join(row[3] for row in rows))

    with shop.platform.ledger.read() as connection:
        listen(connection)
    assert all("SEARCH c USING COVERING INDEX" in plan for plan in asked), set(asked)
    assert not any("TEMP B-TREE" in plan for plan in asked), set(asked)


def test_those_of_a_person_are_looked_up_and_not_all_of_the_workspace(shop: Shop) -> None:
    with shop.platform.ledger.read() as connection:
        driver: Any = connection.connection.driver_connection
        for wanted, index in (
            (Wanted(records=[1]), "USING INDEX conversations_by_record"),
            (Wanted(numbers=[1]), "USING INTEGER PRIMARY KEY"),
        ):
            given: dict[str, Any] = {"workspace": 1, "size": 10}
            (source,) = reading._sources(shop.platform.ledger.dialect, wanted, given)
            query = f"EXPLAIN QUERY PLAN SELECT c.id FROM {source} ORDER BY c.updated_at DESC"
            plan = "; ".join(row[3] for row in driver.execute(query, given))
            assert f"SEARCH c {index}" in plan, plan


# What a search finds


def says(shop: Shop, text: str, session: str, **known: Any) -> Outcome:
    subject = known.pop("subject", "")
    said = Said(sender="customer", text=text, subject=subject)
    return shop.settle(shop.call(said=said, session=session, **known))[0]


@pytest.fixture
def talks(shop: Shop) -> Shop:
    """A workspace where things were said."""
    there = Shop(shop.platform)
    says(there, "Where is my Café order?", "web:a")
    says(there, "Thanks", "web:b", subject="A refund for the kettle")
    says(Shop(shop.platform), "My café order too", "web:a")
    return there


@pytest.mark.parametrize(
    ("text", "sessions"),
    [
        ("cafe", {"a"}),
        ("CAFÉ ord", {"a"}),
        ("order thanks", set()),
        ("refund", {"b"}),
        ("kett", {"b"}),
        ("ke", set()),
        ("o", set()),
        ("is", {"a"}),
        ("", set()),
        ('"', set()),
        ('cafe" OR thanks', set()),
        ("NOT (cafe", set()),
        ("text:cafe", set()),
        ("caf*", {"a"}),
        ("^cafe", {"a"}),
        ("\x00 cafe - {", {"a"}),
    ],
)
def test_a_search_finds_words_and_knows_no_syntax(
    talks: Shop, text: str, sessions: set[str]
) -> None:
    numbers = ask(talks, searching.gathered, text)
    found = ask(talks, reading.page, Wanted(numbers=numbers)).conversations
    assert {c.session for c in found} == sessions
    with talks.platform.ledger.read() as connection:
        where = (connection, talks.platform.ledger.dialect)
        every = reading.page(*where, talks.workspace.id, Wanted()).conversations
        assert searching.among(*where, [c.id for c in every], text) == numbers


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text())
def test_any_text_can_be_searched_for(shop: Shop, text: str) -> None:
    assert isinstance(ask(shop, searching.gathered, text.encode("utf-8", "ignore").decode()), set)


def test_a_subject_that_changes_is_found_by_its_new_words(talks: Shop) -> None:
    (number,) = ask(talks, searching.gathered, "refund")
    held = ask(talks, reading.one, number)
    held.subject = "Exchange"
    talks.platform.write(lambda c: store.save(c, talks.workspace.id, [held]))
    assert ask(talks, searching.gathered, "exchange") == {number}
    assert ask(talks, searching.gathered, "refund") == set()


def test_a_persons_conversations_are_those_of_all_that_was_merged_in(talks: Shop) -> None:
    talks.identify("web:a", "asha")
    merged = talks.identify("web:b", "asha")
    says(talks, "Elsewhere", "web:c")

    def of(number: int | None) -> set[str]:
        with talks.platform.ledger.read() as connection:
            dialect = talks.platform.ledger.dialect
            records = reading.tree(connection, dialect, [number or 0])
        page = ask(talks, reading.page, Wanted(records=records))
        return {c.session for c in page.conversations}

    assert of(merged.record) == {"a", "b"}
    talks.send(verb=Verb.UNMERGE, merge=merged.merge)
    assert of(merged.record) == {"a"}


WORDS = st.lists(st.sampled_from(("order", "Café", "late", "to-day", "ORDERS", "É")), max_size=3)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WORDS, min_size=1, max_size=6), WORDS)
def test_what_is_gathered_is_what_reading_finds(
    shop: Shop, said: list[list[str]], asked: list[str]
) -> None:
    there = Shop(shop.platform)
    for number, words in enumerate(said):
        says(there, " ".join(words) or "-", f"web:{number % 4}")
    text = " ".join(asked)
    every = [c.id for c in ask(there, reading.page, Wanted()).conversations]
    with there.platform.ledger.read() as connection:
        where = (connection, there.platform.ledger.dialect)
        read = searching.among(*where, every, text)
        assert searching.gathered(*where, there.workspace.id, text) == read


def test_too_many_are_not_gathered(talks: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "MOST_GATHERED", 1)
    says(talks, "An order again", "web:a")
    assert ask(talks, searching.gathered, "order") is None
    assert ask(talks, searching.gathered, "again") is not None


def test_messages_come_in_order_from_either_end(talks: Shop) -> None:
    number = says(talks, "m0", "web:long").conversation or 0
    for i in range(1, 6):
        says(talks, f"m{i}", "web:long")

    def of(**given: int) -> list[str]:
        with talks.platform.ledger.read() as connection:
            return [m.text for m in reading.messages(connection, number, limit=2, **given)]

    def at(place: int) -> int:
        with talks.platform.ledger.read() as connection:
            return reading.messages(connection, number)[place].id

    assert of() == ["m4", "m5"]
    assert of(before=at(4)) == ["m2", "m3"]
    assert of(after=at(0)) == ["m1", "m2"]
    assert of(after=at(5)) == []
