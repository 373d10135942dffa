"""Who may see which conversations: one rule, for one conversation and for lists.

An agent sees what is assigned to her, and what nobody has in her groups or in no group; a
supervisor everything in her groups or in no group, and what the members of her groups have. All
other roles that may read the inbox, and keys, see everything.
"""

from __future__ import annotations

from typing import Any

import msgspec

from user360.conversations.desk import Desk
from user360.conversations.talk import Conversation
from user360.storage.ledger import Dialect, array

AGENT, SUPERVISOR = "agent", "supervisor"


class Scope(msgspec.Struct, frozen=True):
    """What somebody may see: what these `members` have, and what is in these `groups` or in none.

    With `free_only` the latter only while nobody has it.
    """

    members: frozenset[int]
    groups: frozenset[int]
    free_only: bool

    def sees(self, conversation: Conversation) -> bool:
        """Whether this one is among it."""
        if conversation.assignee in self.members:
            return True
        if self.free_only and conversation.assignee is not None:
            return False
        return conversation.group is None or conversation.group in self.groups

    def condition(self, dialect: Dialect) -> tuple[str, dict[str, Any]]:
        """The same of the table `conversations c`: a condition and its parameters."""
        free = " AND c.assignee IS NULL" if self.free_only else ""
        sql = (
            f"(c.assignee IN {dialect.values('scope_members')} OR ((c.group_id IS NULL"
            f" OR c.group_id IN {dialect.values('scope_groups')}){free}))"
        )
        given = {
            "scope_members": array(sorted(self.members)),
            "scope_groups": array(sorted(self.groups)),
        }
        return sql, given


def of(role: str, member: int | None, desk: Desk) -> Scope | None:
    """What somebody of this role may see; None for everything. A key has no `member`."""
    if member is None or role not in (AGENT, SUPERVISOR):
        return None
    agent = desk.agents.get(member)
    groups = frozenset() if agent is None else agent.groups
    if role == AGENT:
        return Scope(frozenset({member}), groups, free_only=True)
    theirs = {a.member for a in desk.agents.values() if a.groups & groups}
    return Scope(frozenset({member, *theirs}), groups, free_only=False)
