"""How many stand in each list: the ledger's own counts, whatever is written and removed."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.stories.shop import Shop
from user360.conversations import counting, reading, scope, store, talk
from user360.conversations.desk import Agent, Desk
from user360.conversations.reading import Wanted
from user360.conversations.scope import Scope
from user360.conversations.talk import Conversation
from user360.errors import Conflict
from user360.ids import record_number
from user360.platform import Platform
from user360.storage.ledger import Connection, array, text

DESK = Desk(agents={1: Agent(1, groups=frozenset({7})), 2: Agent(2)})
STEPS = st.sampled_from(("write", "drop", "fail"))
SCOPES = (None, *(scope.of(role, m, DESK) for role in ("agent", "supervisor") for m in (1, 2)))


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform.temporary() as platform:
        yield platform


@pytest.fixture(scope="module")
def shop(platform: Platform) -> Shop:
    return Shop(platform)


def conversation(workspace: int, number: int, chance: random.Random) -> Conversation:
    """One that is in some way, drawn by chance."""
    kind = chance.choice(talk.KINDS)
    return Conversation(
        id=record_number(workspace, number),
        record=record_number(workspace, number % 5),
        channel="web",
        session=f"s{number}",
        kind=kind,
        state=chance.choice(talk.STATES[kind]),
        created_at=1,
        updated_at=chance.randrange(100),
        assignee=chance.choice((None, 1, 2)),
        group=chance.choice((None, 7, 8)),
        waiting_since=chance.choice((None, 5)),
    )


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.integers(),
    st.lists(st.tuples(STEPS, st.integers(1, 12)), max_size=40),
)
def test_they_are_those_of_the_lists(
    platform: Platform, shop: Shop, seed: int, steps: list[tuple[str, int]]
) -> None:
    chance, workspace = random.Random(seed), shop.workspace.id
    held: dict[int, Conversation] = {}
    platform.write(lambda c: removed(c, workspace, range(13)))
    for step, number in steps:
        if step == "drop":
            held.pop(number, None)
            platform.write(lambda c, n=number: removed(c, workspace, [n]))
            continue
        made = conversation(workspace, number, chance)
        if step == "write":
            held[number] = made
            platform.write(lambda c, m=made: store.save(c, workspace, [m]))
        else:
            with pytest.raises(Conflict):
                platform.write(lambda c, m=made: refused(c, workspace, m))
    with platform.ledger.read() as connection:
        tally = counting.tally(connection, workspace)
    for seen in SCOPES:
        for member in (None, 1, 2):
            assert tally.counts(member, seen) == right(member, seen, list(held.values()))


def refused(connection: Connection, workspace: int, made: Conversation) -> None:
    store.save(connection, workspace, [made])
    raise Conflict("All of it is taken back")


def removed(connection: Connection, workspace: int, numbers: range | list[int]) -> None:
    those = array([record_number(workspace, n) for n in numbers])
    query = text("DELETE FROM conversations WHERE id IN (SELECT value FROM json_each(:those))")
    connection.execute(query, {"those": those})


def right(member: int | None, seen: Scope | None, held: list[Conversation]) -> dict[str, int]:
    """The same, counted one by one."""
    lists = reading.lists(member)
    found = {name: sum(stands(w, seen, c) for c in held) for name, w in lists.items()}
    if member is not None:
        waits = [c for c in held if c.waiting_since is not None]
        found["waiting"] = sum(stands(lists["mine"], seen, c) for c in waits)
    return found


def stands(wanted: Wanted, seen: Scope | None, c: Conversation) -> bool:
    return (
        (seen is None or seen.sees(c))
        and c.state in wanted.states
        and wanted.kind in ("", c.kind)
        and (wanted.assignee is None or (c.assignee or reading.NOBODY) == wanted.assignee)
    )


def test_nothing_is_kept_of_what_there_is_no_more(platform: Platform) -> None:
    shop = Shop(platform)
    number, chance = shop.workspace.id, random.Random(1)
    made = [conversation(number, n, chance) for n in range(1, 30)]
    platform.write(lambda c: store.save(c, number, made))
    platform.write(lambda c: removed(c, number, range(1, 30)))
    with platform.ledger.read() as connection:
        query = text("SELECT count(*) FROM conversation_counts WHERE workspace_id = :workspace")
        assert connection.execute(query, {"workspace": number}).scalar_one() == 0


def test_another_workspace_counts_its_own(platform: Platform) -> None:
    first, second = Shop(platform), Shop(platform)
    chance = random.Random(2)
    made = [conversation(first.workspace.id, n, chance) for n in range(1, 9)]
    platform.write(lambda c: store.save(c, first.workspace.id, made))
    with platform.ledger.read() as connection:
        counts = counting.tally(connection, second.workspace.id).counts(None, None)
    assert set(counts.values()) == {0}
