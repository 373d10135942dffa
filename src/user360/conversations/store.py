"""The conversations slice's SQL: conversations, their messages, and what is to be brought where."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec

from user360.conversations import talk
from user360.conversations.talk import Attachment, Conversation, Message
from user360.storage.ledger import Connection, Dialect, array, run, run_many, text

Session = tuple[str, str]
COLUMNS = (
    "id, record_id, channel, session_id, kind, state, subject, priority, group_id, skills,"
    " assignee, tags, reason, created_at, updated_at, waiting_since, queued_at, assigned_at,"
    " first_reply_at, ended_at, messages, last_message, last_from, last_text, flow"
)
CONVERSATION = ", ".join(f"c.{name.strip()}" for name in COLUMNS.split(","))
MESSAGE = (
    "m.id, m.conversation_id, m.sender, m.author, m.text, m.attachments, m.at, m.received_at,"
    " m.delivery, m.error, m.external, m.detail"
)
_texts = msgspec.json.Decoder(tuple[str, ...]).decode
_attachments = msgspec.json.Decoder(tuple[Attachment, ...]).decode


def conversation(row: Sequence[Any]) -> Conversation:
    """A row of `CONVERSATION`."""
    number, record, channel, session, kind, state, subject, priority, group, skills, *rest = row
    assignee, tags, reason, *times, messages, last, last_from, last_text, flow = rest
    created, updated, waiting, queued, assigned, replied, ended = times
    return Conversation(
        id=number,
        record=record,
        channel=channel,
        session=session,
        kind=kind,
        state=state,
        subject=subject,
        priority=priority,
        group=group,
        skills=_texts(skills),
        assignee=assignee,
        tags=_texts(tags),
        reason=reason,
        created_at=created,
        updated_at=updated,
        waiting_since=waiting,
        queued_at=queued,
        assigned_at=assigned,
        first_reply_at=replied,
        ended_at=ended,
        messages=messages,
        last_message=last,
        last_from=last_from,
        last_text=last_text,
        flow=flow,
    )


def message(row: Sequence[Any]) -> Message:
    """A row of `MESSAGE`."""
    number, held, sender, author, said, attached, at, received, delivery, error, external, rest = (
        row
    )
    return Message(
        id=number,
        conversation=held,
        sender=sender,
        author=author,
        text=said,
        attachments=_attachments(attached),
        at=at,
        received_at=received,
        delivery=delivery,
        error=error,
        external=external or "",
        detail=msgspec.json.decode(rest),
    )


def load(
    connection: Connection, dialect: Dialect, workspace: int, numbers: Collection[int]
) -> dict[int, Conversation]:
    """Those of these conversations that the workspace has, by number."""
    # Each by its number: the engine would rather look through the whole workspace.
    query = (
        f"SELECT {CONVERSATION} FROM {dialect.values('numbers')} AS asked CROSS JOIN"
        " conversations c WHERE c.id = asked.value AND c.workspace_id = :workspace"
    )
    rows = run(connection, query, {"workspace": workspace, "numbers": array(list(numbers))})
    return {row[0]: conversation(row) for row in rows}


def latest(
    connection: Connection, dialect: Dialect, workspace: int, sessions: Collection[Session]
) -> dict[Session, Conversation]:
    """The last conversation of each of these sessions."""
    query = (
        f"SELECT {CONVERSATION} FROM {dialect.rows('sessions', 'channel', 'session_id')} AS asked"
        " CROSS JOIN conversations c WHERE c.id = (SELECT max(n.id) FROM conversations n"
        " WHERE n.workspace_id = :workspace AND n.channel = asked.channel"
        " AND n.session_id = asked.session_id)"
    )
    rows = run(connection, query, {"workspace": workspace, "sessions": array(list(sessions))})
    found = [conversation(row) for row in rows]
    return {(c.channel, c.session): c for c in found}


def said_before(
    connection: Connection, dialect: Dialect, digests: Collection[str]
) -> dict[str, tuple[int, int]]:
    """The messages that have these digests: each one's number and its conversation's."""
    query = (
        "SELECT digest, id, conversation_id FROM messages"
        f" WHERE digest IN {dialect.values('digests')}"
    )
    rows = run(connection, query, {"digests": array(list(digests))})
    return {digest: (number, held) for digest, number, held in rows}


def save(connection: Connection, workspace: int, conversations: Iterable[Conversation]) -> None:
    """Insert or replace conversations."""
    named = [name.strip() for name in COLUMNS.split(",")]
    places = ", ".join("?" * (len(named) + 1))
    changed = ", ".join(f"{name} = excluded.{name}" for name in named[1:])
    query = (
        f"INSERT INTO conversations (workspace_id, {COLUMNS}) VALUES ({places})"
        f" ON CONFLICT (id) DO UPDATE SET {changed}"
    )
    run_many(connection, query, [[workspace, *_row(each)] for each in conversations])


def _row(c: Conversation) -> list[Any]:
    return [
        c.id,
        c.record,
        c.channel,
        c.session,
        c.kind,
        c.state,
        c.subject,
        c.priority,
        c.group,
        array(c.skills),
        c.assignee,
        array(c.tags),
        c.reason,
        c.created_at,
        c.updated_at,
        c.waiting_since,
        c.queued_at,
        c.assigned_at,
        c.first_reply_at,
        c.ended_at,
        c.messages,
        c.last_message,
        c.last_from,
        c.last_text,
        c.flow,
    ]


def add(
    connection: Connection,
    workspace: int,
    messages: Iterable[tuple[Message, str | None]],
) -> None:
    """Insert messages, each with the digest of its id."""
    query = (
        "INSERT INTO messages (id, workspace_id, conversation_id, sender, author, text,"
        " attachments, at, received_at, digest, delivery, error, external, detail)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    )
    those = list(messages)
    run_many(connection, query, [_message_row(workspace, *each) for each in those])
    words = [(m.id, m.text) for m, _ in those]
    run_many(connection, "INSERT INTO words (rowid, text) VALUES (?, ?)", words)
    for m, _ in those:
        for attachment in m.attachments:
            if attachment.id:
                said_with(connection, workspace, m.id, attachment.id)


def _message_row(workspace: int, m: Message, digest: str | None) -> list[Any]:
    return [
        m.id,
        workspace,
        m.conversation,
        m.sender,
        m.author,
        m.text,
        array(m.attachments),
        m.at,
        m.received_at,
        digest,
        m.delivery,
        m.error,
        m.external or None,
        array(m.detail),
    ]


def said_with(connection: Connection, workspace: int, number: int, attachment: str) -> None:
    """An uploaded file belongs to this message from now on."""
    query = (
        "UPDATE attachments SET message_id = :message WHERE id = :id"
        " AND workspace_id = :workspace AND message_id IS NULL"
    )
    run(connection, query, {"message": number, "id": attachment, "workspace": workspace})


def to_bring(
    connection: Connection, workspace: int, ways: Iterable[tuple[int, int, str]], now: int
) -> None:
    """Note what has to be brought: conversation, message and way (`whatsapp`, `webhook:3`)."""
    query = (
        "INSERT INTO deliveries (workspace_id, conversation_id, message_id, way, due_at)"
        " VALUES (?, ?, ?, ?, ?)"
    )
    run_many(connection, query, [(workspace, *way, now) for way in ways])


def claimed(connection: Connection, claims: Iterable[tuple[int, str]]) -> None:
    """Keep who is claimed to speak in conversations: number and claim, with no code sent for it."""
    query = (
        "INSERT INTO proofs (conversation_id, hash, claim, until, attempts)"
        " VALUES (?, '', ?, 0, 0) ON CONFLICT (conversation_id) DO UPDATE SET hash = '',"
        " claim = excluded.claim, until = 0, attempts = 0"
    )
    run_many(connection, query, list(claims))


def loads(connection: Connection, workspace: int) -> dict[int, int]:
    """How many chats each member has now."""
    # Not along the index of assignees, where all stand that ever had any.
    query = (
        "SELECT assignee, count(*) FROM conversations WHERE workspace_id = :workspace AND"
        " state = 'assigned' AND kind = 'chat' AND +assignee IS NOT NULL GROUP BY +assignee"
    )
    return dict(map(tuple, run(connection, query, {"workspace": workspace})))


def waiting(connection: Connection, workspace: int) -> int:
    """How many chats stand in the queue."""
    query = "SELECT count(*) FROM conversations WHERE workspace_id = :workspace AND state = :state"
    given = {"workspace": workspace, "state": talk.QUEUED}
    return int(run(connection, query, given)[0][0])


def last_agent(connection: Connection, record: int) -> int | None:
    """The member who had this record's last conversation that anybody had."""
    query = (
        "SELECT assignee FROM conversations WHERE record_id = :record AND assignee IS NOT NULL"
        " ORDER BY updated_at DESC LIMIT 1"
    )
    rows = run(connection, query, {"record": record})
    return rows[0][0] if rows else None


def given(connection: Connection, workspace: int, members: dict[int, int]) -> None:
    """Keep when each member was given a conversation last."""
    query = text(
        "UPDATE agents SET last_given = :at WHERE workspace_id = :workspace AND member_id = :member"
    )
    for member, at in members.items():
        connection.execute(query, {"at": at, "workspace": workspace, "member": member})


def delete_of(
    connection: Connection, dialect: Dialect, records: Collection[int]
) -> list[tuple[int, str]]:
    """Remove the conversations of these records with all that was said in them.

    Returns the files that nothing names any more, workspace and id of each: they are to be removed
    once this is on disk.
    """
    of = f"SELECT id FROM conversations WHERE record_id IN {dialect.values('records')}"
    asked = {"records": array(list(records))}
    said = "SELECT id FROM messages WHERE conversation_id IN (" + of + ")"
    if not run(connection, of + " LIMIT 1", asked):
        return []
    dropped = f"DELETE FROM attachments WHERE message_id IN ({said}) RETURNING workspace_id, id"
    files = [(row[0], row[1]) for row in run(connection, dropped, asked)]
    for statement in (
        "INSERT INTO words (words, rowid, text) SELECT 'delete', id, text FROM messages"
        f" WHERE conversation_id IN ({of})",
        f"DELETE FROM deliveries WHERE conversation_id IN ({of})",
        f"DELETE FROM proofs WHERE conversation_id IN ({of})",
        f"DELETE FROM messages WHERE conversation_id IN ({of})",
        f"DELETE FROM conversations WHERE record_id IN {dialect.values('records')}",
    ):
        connection.execute(text(statement), asked)
    return files
