"""The desk's SQL: who may answer, in which groups, how the inbox and the channels are set."""

from __future__ import annotations

import msgspec

from user360.conversations.desk import Agent, Channel, Desk, Group, InboxSettings
from user360.storage.ledger import Connection, text

_texts = msgspec.json.Decoder(frozenset[str]).decode


def load(connection: Connection, workspace: int) -> Desk:
    """The desk of a workspace as it is kept."""
    given = {"workspace": workspace}
    row = connection.execute(
        text("SELECT settings FROM inbox_settings WHERE workspace_id = :workspace"), given
    ).scalar_one_or_none()
    return Desk(
        InboxSettings() if row is None else msgspec.json.decode(row, type=InboxSettings),
        _agents(connection, workspace),
        {
            number: Group(number, name)
            for number, name in connection.execute(
                text("SELECT id, name FROM agent_groups WHERE workspace_id = :workspace"),
                given,
            )
        },
        {
            name: Channel(name, bot, bool(active), msgspec.json.decode(settings))
            for name, bot, active, settings in connection.execute(
                text(
                    "SELECT name, bot, active, settings FROM channels"
                    " WHERE workspace_id = :workspace"
                ),
                given,
            )
        },
        tuple(
            connection.execute(
                text("SELECT id FROM hooks WHERE workspace_id = :workspace AND active"), given
            ).scalars()
        ),
    )


def _agents(connection: Connection, workspace: int) -> dict[int, Agent]:
    groups: dict[int, set[int]] = {}
    query = text(
        "SELECT m.member_id, m.group_id FROM group_members m"
        " JOIN agent_groups g ON g.id = m.group_id WHERE g.workspace_id = :workspace"
    )
    for member, group in connection.execute(query, {"workspace": workspace}):
        groups.setdefault(member, set()).add(group)
    # Whoever may answer by their role is an agent, with what is usual until they choose.
    query = text(
        "SELECT r.member_id, a.availability, a.capacity, a.skills, a.last_given, a.watched,"
        " a.left_at, a.returns"
        " FROM member_roles r LEFT JOIN agents a"
        " ON a.member_id = r.member_id AND a.workspace_id = r.workspace_id"
        " WHERE r.workspace_id = :workspace AND r.role <> 'reader' ORDER BY r.member_id"
    )
    found = {}
    for member, availability, capacity, skills, last, watched, left, returns in connection.execute(
        query, {"workspace": workspace}
    ):
        theirs = frozenset(groups.get(member, ()))
        found[member] = (
            Agent(member, groups=theirs)
            if availability is None
            else Agent(
                member,
                availability,
                capacity,
                theirs,
                _texts(skills),
                last,
                bool(watched),
                left,
                returns,
            )
        )
    return found
