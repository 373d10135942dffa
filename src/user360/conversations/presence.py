"""Who is there: what the system makes of an agent whose page is open, closed, or open again."""

from __future__ import annotations

from collections.abc import Collection

from user360.access.change import Change
from user360.conversations import managing
from user360.conversations.desk import AWAY, Agent
from user360.storage.ledger import text


def notice(change: Change, members: Collection[int]) -> None:
    """Keep that the inbox of these is open: when it is closed, they have left."""
    for member in members:
        _set(change, member, "watched = TRUE")
    managing.reload(change)


def leave(change: Change, members: Collection[int]) -> list[int]:
    """Set away those of these who are there, and whose inbox was open; who that were."""
    gone = [a.member for a in _agents(change, members) if a.watched and a.availability != AWAY]
    for member in gone:
        _set(change, member, "returns = availability, availability = 'away', left_at = :now")
    managing.reload(change)
    return gone


def come_back(change: Change, members: Collection[int]) -> list[Agent]:
    """Make those of these whom the system set away what they were; how they were until then."""
    back = [agent for agent in _agents(change, members) if agent.left_at is not None]
    for agent in back:
        _set(change, agent.member, "availability = returns, left_at = NULL, returns = ''")
    managing.reload(change)
    return back


def _agents(change: Change, members: Collection[int]) -> list[Agent]:
    held = change.workspace.desk.agents
    return [held[member] for member in members if member in held]


def _set(change: Change, member: int, what: str) -> None:
    given = {"workspace": change.workspace.id, "member": member}
    if ":now" in what:
        given["now"] = change.now
    change.connection.execute(
        text(f"UPDATE agents SET {what} WHERE workspace_id = :workspace AND member_id = :member"),
        given,
    )
