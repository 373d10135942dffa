"""Reading conversations: lists by what is wanted, newest first; one with its messages; a person's.

Every list is walked along an index of its state, a window at a time, so that a page costs the same
among a thousand conversations and among millions. What is rare in a long list is found over
several pages: a page may be short, and only one without a place to go on from is the last.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from user360.conversations import store, talk
from user360.conversations.scope import Scope
from user360.conversations.talk import Conversation, Message
from user360.storage.ledger import Connection, Dialect, array, run

NOBODY = 0  # as assignee or group: those that nobody, or no group, has
FIRST_WINDOW, WINDOW = 200, 1_000  # conversations looked at together, at first and at most
MOST_LOOKED = 20_000  # conversations that one page looks at
EVERY = tuple(dict.fromkeys(state for states in talk.STATES.values() for state in states))
# With somebody who answers, or waiting for one.
ACTIVE = (talk.QUEUED, talk.OPEN, talk.ASSIGNED, talk.PENDING, talk.ON_HOLD)
ENDED_WELL = (talk.RESOLVED, talk.SOLVED, talk.CLOSED)

# Of conversations, those that a page keeps, in their order.
Sieve = Callable[[list[Conversation]], list[Conversation]]


class Place(NamedTuple):
    """Where a page ended."""

    updated_at: int
    id: int


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which conversations: all that hold, and that somebody of this `scope` may see.

    `assignee` and `group` may be `NOBODY`. `records` are those of one person, merged ones among
    them; `numbers` those that a search found.
    """

    scope: Scope | None = None
    kind: str = ""
    states: tuple[str, ...] = ()
    channel: str = ""
    assignee: int | None = None
    group: int | None = None
    tag: str = ""
    records: Collection[int] | None = None
    numbers: Collection[int] | None = None


class Page(NamedTuple):
    """Conversations, the newest first, and where the next page begins."""

    conversations: list[Conversation]
    after: Place | None


def lists(member: int | None) -> Mapping[str, Wanted]:
    """The lists of the inbox by their names; `mine` is there for a member."""
    found = {} if member is None else {"mine": Wanted(assignee=member, states=ACTIVE)}
    return {
        **found,
        "queued": Wanted(states=(talk.QUEUED,)),
        "open": Wanted(states=(talk.OPEN,), assignee=NOBODY),
        "active": Wanted(states=ACTIVE),
        "tickets": Wanted(kind=talk.TICKET, states=ACTIVE),
        "resolved": Wanted(states=ENDED_WELL),
        "missed": Wanted(states=(talk.MISSED,)),
        "bot": Wanted(states=(talk.BOT,)),
    }


def page(
    connection: Connection,
    dialect: Dialect,
    workspace: int,
    wanted: Wanted,
    limit: int = 50,
    after: Place | None = None,
    sieve: Sieve | None = None,
    most: int = MOST_LOOKED,
) -> Page:
    """One page of a list; what a `sieve` leaves of it, of which `most` are looked at."""
    plain = sieve is None and not _filters(dialect, wanted)[0]
    size = limit + 1 if plain else FIRST_WINDOW
    found: list[Conversation] = []
    looked = 0
    while True:
        places = _window(connection, dialect, workspace, wanted, after, size)
        chosen = _chosen(connection, dialect, wanted, places)
        found += chosen if sieve is None else sieve(chosen)
        looked += len(places)
        if len(found) > limit:
            last = found[limit - 1]
            return Page(found[:limit], Place(last.updated_at, last.id))
        if len(places) < size:
            return Page(found, None)
        after = places[-1]
        if looked >= most:
            return Page(found, after)
        size = min(2 * size, WINDOW)


def one(
    connection: Connection, dialect: Dialect, workspace: int, number: int
) -> Conversation | None:
    """A conversation of a workspace, None when there is none by this number."""
    return store.load(connection, dialect, workspace, [number]).get(number)


def messages(
    connection: Connection,
    conversation: int,
    limit: int = 100,
    before: int | None = None,
    after: int | None = None,
) -> list[Message]:
    """Messages of a conversation as they came, the oldest first.

    The newest of all, or of those `before` one; or the first of those `after` one.
    """
    bound, order = "", "DESC"
    if after is not None:
        bound, order = " AND m.id > :edge", "ASC"
    elif before is not None:
        bound = " AND m.id < :edge"
    query = (
        f"SELECT {store.MESSAGE} FROM messages m WHERE m.conversation_id = :conversation{bound}"
        f" ORDER BY m.id {order} LIMIT :limit"
    )
    edge = before if after is None else after
    given = {"conversation": conversation, "limit": limit, "edge": edge}
    rows = run(connection, query, given)
    return [store.message(row) for row in (rows if after is not None else reversed(rows))]


def message(connection: Connection, workspace: int, number: int) -> Message | None:
    """A message of a workspace, None when there is none by this number."""
    query = f"SELECT {store.MESSAGE} FROM messages m WHERE m.id = :id AND m.workspace_id = :where"
    rows = run(connection, query, {"id": number, "where": workspace})
    return store.message(rows[0]) if rows else None


def said(connection: Connection, workspace: int, number: int) -> tuple[Message, int] | None:
    """A message with the record that its conversation is on; None when there is none."""
    query = (
        f"SELECT c.record_id, {store.MESSAGE} FROM messages m"
        " JOIN conversations c ON c.id = m.conversation_id"
        " WHERE m.id = :id AND m.workspace_id = :workspace"
    )
    rows = run(connection, query, {"id": number, "workspace": workspace})
    return (store.message(rows[0][1:]), rows[0][0]) if rows else None


def tree(connection: Connection, dialect: Dialect, roots: Collection[int]) -> list[int]:
    """These living records with all that was merged into them."""
    query = (
        f"WITH RECURSIVE below (id) AS (SELECT value FROM {dialect.values('roots')} AS asked"
        " UNION SELECT r.id FROM below JOIN records r ON r.merged_into = below.id)"
        " SELECT id FROM below"
    )
    return [row[0] for row in run(connection, query, {"roots": array(list(roots))})]


def living(
    connection: Connection, dialect: Dialect, records: Collection[int]
) -> dict[int, int | None]:
    """The living record behind each of these; None for those of people who are gone."""
    query = f"SELECT id, merged_into FROM records WHERE id IN {dialect.values('records')}"
    into: dict[int, int | None] = {}
    level = set(records)
    while level:
        into |= {row[0]: row[1] for row in run(connection, query, {"records": array(list(level))})}
        level = {into[n] or n for n in level if n in into} - into.keys()
    return {number: _root(into, number) for number in records}


def _root(into: Mapping[int, int | None], number: int) -> int | None:
    while number in into:
        following = into[number]
        if following is None:
            return number
        number = following
    return None


def _window(
    connection: Connection,
    dialect: Dialect,
    workspace: int,
    wanted: Wanted,
    after: Place | None,
    size: int,
) -> list[Place]:
    """The next places of a list, along its indices alone."""
    given: dict[str, Any] = {"workspace": workspace, "size": size}
    beyond = ""
    if after is not None:
        beyond = " AND (c.updated_at, c.id) < (:at, :id)"
        given |= {"at": after.updated_at, "id": after.id}
    parts = [
        f"SELECT * FROM (SELECT c.updated_at, c.id FROM {source}{beyond}"
        " ORDER BY c.updated_at DESC, c.id DESC LIMIT :size)"
        for source in _sources(dialect, wanted, given)
    ]
    query = " UNION ALL ".join(parts) + " ORDER BY 1 DESC, 2 DESC LIMIT :size"
    return [Place(*row) for row in run(connection, query, given)]


def _sources(dialect: Dialect, wanted: Wanted, given: dict[str, Any]) -> list[str]:
    """The parts of an index that hold everything wanted, none of it twice."""
    mine = "c.workspace_id = :workspace"
    for name in ("numbers", "records"):
        asked = getattr(wanted, name)
        if asked is not None:
            given[name] = array(list(asked))
            column = "c.id" if name == "numbers" else "c.record_id"
            # With the plus SQLite looks up those asked for, not all of the workspace.
            return [
                f"{dialect.values(name)} AS asked CROSS JOIN conversations c"
                f" WHERE {column} = asked.value AND +{mine}"
            ]
    states = [state for state in EVERY if not wanted.states or state in wanted.states]
    if wanted.kind:
        states = [state for state in states if state in talk.STATES[wanted.kind]]
    owners = _owners(wanted, given)
    return [
        f"conversations c WHERE {mine} AND c.state = '{state}'{owner}"
        for state in states or [""]
        for owner in owners
    ]


def _owners(wanted: Wanted, given: dict[str, Any]) -> list[str]:
    """Whose index is walked: of an assignee, of a group, or of all."""
    if wanted.assignee is not None:
        given["assignee"] = wanted.assignee
        return [" AND c.assignee " + ("= :assignee" if wanted.assignee else "IS NULL")]
    if wanted.group:
        given["group"] = wanted.group
        return [" AND c.group_id = :group AND c.group_id IS NOT NULL"]
    if wanted.scope is not None and wanted.scope.free_only:
        members = sorted(wanted.scope.members)
        given |= {f"member{i}": member for i, member in enumerate(members)}
        return [" AND c.assignee IS NULL"] + [
            f" AND c.assignee = :member{i}" for i in range(len(members))
        ]
    return [""]


def _filters(dialect: Dialect, wanted: Wanted) -> tuple[str, dict[str, Any]]:
    """What has to be looked up in the conversations themselves; empty for nothing."""
    conditions: list[str] = []
    given: dict[str, Any] = {}
    if wanted.scope is not None:
        condition, asked = wanted.scope.condition(dialect)
        conditions.append(condition)
        given |= asked
    for name in ("kind", "channel"):
        if value := getattr(wanted, name):
            conditions.append(f"c.{name} = :{name}")
            given[name] = value
    if wanted.tag:
        conditions.append("EXISTS (SELECT 1 FROM json_each(c.tags) AS t WHERE t.value = :tag)")
        given["tag"] = wanted.tag
    walked = wanted.numbers is None and wanted.records is None
    if wanted.group == NOBODY:
        conditions.append("c.group_id IS NULL")
    elif wanted.group is not None and not (walked and wanted.assignee is None):
        conditions.append("c.group_id = :group")
        given["group"] = wanted.group
    if not walked:
        if wanted.states:
            conditions.append(f"c.state IN {dialect.values('states')}")
            given["states"] = array(wanted.states)
        if wanted.assignee is not None:
            conditions.append("c.assignee " + ("= :assignee" if wanted.assignee else "IS NULL"))
            given["assignee"] = wanted.assignee
    if wanted.numbers is not None and wanted.records is not None:
        conditions.append(f"c.record_id IN {dialect.values('records')}")
        given["records"] = array(list(wanted.records))
    return " AND ".join(conditions), given


def _chosen(
    connection: Connection, dialect: Dialect, wanted: Wanted, places: Sequence[Place]
) -> list[Conversation]:
    """Those at these places that the filters let through, in their order."""
    conditions, given = _filters(dialect, wanted)
    query = (
        f"SELECT {store.CONVERSATION} FROM {dialect.values('places')} AS asked"
        " CROSS JOIN conversations c WHERE c.id = asked.value"
        + (f" AND {conditions}" if conditions else "")
    )
    rows = run(connection, query, {**given, "places": array([place.id for place in places])})
    found = {row[0]: store.conversation(row) for row in rows}
    return [found[place.id] for place in places if place.id in found]
