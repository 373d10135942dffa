"""Who may see which conversations: said of one and asked of many, it is the same rule."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.stories.shop import Shop
from user360.conversations import scope, store, talk
from user360.conversations.desk import Agent, Desk, Group
from user360.conversations.scope import Scope
from user360.conversations.talk import Conversation
from user360.ids import record_number
from user360.platform import Platform
from user360.storage.ledger import text

MEMBERS, GROUPS = (1, 2, 3), (7, 8)
DESKS = st.builds(
    lambda groups: Desk(
        agents={m: Agent(m, groups=g) for m, g in zip(MEMBERS, groups, strict=True)},
        groups={g: Group(g, f"group {g}") for g in GROUPS},
    ),
    st.tuples(*[st.frozensets(st.sampled_from(GROUPS))] * len(MEMBERS)),
)
quick = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def conversation(
    number: int, assignee: int | None, group: int | None, state: str = talk.OPEN
) -> Conversation:
    return Conversation(
        id=number,
        record=1,
        channel="web",
        session=f"s{number}",
        kind=talk.CHAT,
        state=state,
        created_at=1,
        updated_at=number,
        assignee=assignee,
        group=group,
    )


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with Platform.temporary() as platform:
        yield Shop(platform)


@pytest.fixture(scope="module")
def every(shop: Shop) -> list[Conversation]:
    """One conversation for each way in which somebody, and some group, may have it."""
    ways = product((None, *MEMBERS), (None, *GROUPS))
    made = [
        conversation(record_number(shop.workspace.id, n), assignee, group)
        for n, (assignee, group) in enumerate(ways, 1)
    ]
    shop.platform.write(lambda c: store.save(c, shop.workspace.id, made))
    return made


@quick
@given(DESKS, st.sampled_from((scope.AGENT, scope.SUPERVISOR)), st.sampled_from(MEMBERS))
def test_a_list_shows_exactly_what_may_be_opened(
    shop: Shop, every: list[Conversation], desk: Desk, role: str, member: int
) -> None:
    seen = scope.of(role, member, desk)
    assert seen is not None
    condition, asked = seen.condition(shop.platform.ledger.dialect)
    with shop.platform.ledger.read() as connection:
        found = connection.execute(
            text(f"SELECT c.id FROM conversations c WHERE {condition}"), asked
        ).scalars()
        assert set(found) == {c.id for c in every if seen.sees(c)}


def one(assignee: int | None = None, group: int | None = None) -> Conversation:
    return conversation(1, assignee, group)


def scopes(role: str) -> Scope:
    desk = Desk(
        agents={
            1: Agent(1, groups=frozenset({7})),
            2: Agent(2, groups=frozenset({7})),
            3: Agent(3, groups=frozenset({8})),
        }
    )
    found = scope.of(role, 1, desk)
    assert found is not None
    return found


def test_an_agent_sees_hers_and_what_waits_for_her_group_or_for_anybody() -> None:
    hers = scopes("agent")
    assert hers.sees(one(assignee=1, group=8))
    assert hers.sees(one())
    assert hers.sees(one(group=7))
    assert not hers.sees(one(group=8))
    assert not hers.sees(one(assignee=2, group=7))


def test_a_supervisor_sees_her_groups_and_what_their_members_have() -> None:
    hers = scopes("supervisor")
    assert hers.sees(one(assignee=2, group=8))
    assert hers.sees(one(assignee=3, group=7))
    assert hers.sees(one(assignee=3))
    assert not hers.sees(one(assignee=3, group=8))
    assert not hers.sees(one(group=8))


@pytest.mark.parametrize("role", ["admin", "editor", "reader"])
def test_all_other_members_and_keys_see_everything(role: str) -> None:
    assert scope.of(role, 1, Desk()) is None
    assert scope.of("agent", None, Desk()) is None
