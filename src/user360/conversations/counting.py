"""How many conversations stand in each list: from counts the ledger keeps, so it costs the same
among a thousand and among millions.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import NamedTuple

from user360.conversations import reading
from user360.conversations.scope import Scope
from user360.conversations.talk import Conversation
from user360.storage.ledger import Connection, run

WAITING = "waiting"  # beside the lists: those of a member's own in which the customer waits


class Counted(NamedTuple):
    """Conversations that are alike: one that stands for them, whether they wait, how many."""

    like: Conversation
    waits: bool
    many: int


class Tally:
    """How many conversations there are, by all that decides in which lists they stand."""

    def __init__(self, counted: Iterable[Counted]) -> None:
        self._by_assignee: dict[int | None, list[Counted]] = {}
        for each in counted:
            self._by_assignee.setdefault(each.like.assignee, []).append(each)

    def counts(self, member: int | None, scope: Scope | None) -> dict[str, int]:
        """How many are in each list of somebody who may see `scope`; `waiting` for a member."""
        found = dict.fromkeys(reading.lists(member), 0)
        if member is not None:
            found[WAITING] = 0
        for each in self._perhaps(scope):
            if scope is not None and not scope.sees(each.like):
                continue
            names = lists_of(each.like.kind, each.like.state, each.like.assignee is None)
            for name in names:
                found[name] += each.many
            if member is not None and each.like.assignee == member and "active" in names:
                found["mine"] += each.many
                found[WAITING] += each.many if each.waits else 0
        return found

    def _perhaps(self, scope: Scope | None) -> Iterable[Counted]:
        """All that somebody may see, and others where that costs less than to leave them out."""
        if scope is None or not scope.free_only:
            return (each for held in self._by_assignee.values() for each in held)
        names = (None, *scope.members)
        return (each for name in names for each in self._by_assignee.get(name, ()))


def tally(connection: Connection, workspace: int) -> Tally:
    """How many conversations of a workspace stand where."""
    query = (
        "SELECT kind, state, assignee, group_id, waits, count FROM conversation_counts"
        " WHERE workspace_id = :workspace"
    )
    return Tally(
        Counted(_like(kind, state, assignee or None, group or None), bool(waits), count)
        for kind, state, assignee, group, waits, count in run(
            connection, query, {"workspace": workspace}
        )
    )


def _like(kind: str, state: str, assignee: int | None, group: int | None) -> Conversation:
    return Conversation(
        id=0,
        record=0,
        channel="",
        session="",
        kind=kind,
        state=state,
        created_at=0,
        updated_at=0,
        assignee=assignee,
        group=group,
    )


@functools.cache
def lists_of(kind: str, state: str, free: bool) -> tuple[str, ...]:
    """The lists in which such a conversation stands, that nobody has or somebody.

    `mine` is not among them: whoever has an active one finds it there.
    """
    return tuple(
        name
        for name, wanted in reading.lists(None).items()
        if state in wanted.states
        and wanted.kind in ("", kind)
        and (wanted.assignee is None or free)
    )
