"""The flows slice's SQL: flows and their secrets, one-time codes, conversations with the bot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from user360.conversations import store as conversation_store
from user360.conversations import talk
from user360.conversations.talk import Message
from user360.storage.ledger import Connection, text


class Kept(msgspec.Struct, frozen=True):
    """A flow as it is kept: its text as it was written, and when (microseconds) by whom."""

    name: str
    text: str
    updated_at: int
    updated_by: str
    secrets: str = ""  # sealed


class Proof(NamedTuple):
    """What somebody claims in a conversation, and the hash of the code that would prove it.

    `hash` is empty where no code could be sent, and `PROVEN` once it was proven.
    """

    hash: str
    claim: str
    until: int
    attempts: int


PROVEN = "proven"


def all_flows(connection: Connection, workspace: int) -> list[Kept]:
    """The flows of a workspace, by name."""
    query = text(
        "SELECT name, text, updated_at, updated_by, secrets FROM flows"
        " WHERE workspace_id = :workspace ORDER BY lower(name)"
    )
    return [_kept(row) for row in connection.execute(query, {"workspace": workspace})]


def one(connection: Connection, workspace: int, name: str) -> Kept | None:
    """The flow of this name."""
    query = text(
        "SELECT name, text, updated_at, updated_by, secrets FROM flows"
        " WHERE workspace_id = :workspace AND name = :name"
    )
    row = connection.execute(query, {"workspace": workspace, "name": name}).one_or_none()
    return None if row is None else _kept(row)


def _kept(row: Sequence[Any]) -> Kept:
    name, written, at, by, sealed = row
    return Kept(name, written, at, by, sealed or "")


def save(connection: Connection, workspace: int, kept: Kept) -> None:
    """Insert or replace a flow."""
    query = text(
        "INSERT INTO flows (workspace_id, name, text, updated_at, updated_by, secrets)"
        " VALUES (:workspace, :name, :text, :at, :by, :secrets)"
        " ON CONFLICT (workspace_id, name) DO UPDATE SET text = excluded.text,"
        " updated_at = excluded.updated_at, updated_by = excluded.updated_by,"
        " secrets = excluded.secrets"
    )
    given = {
        "workspace": workspace,
        "name": kept.name,
        "text": kept.text,
        "at": kept.updated_at,
        "by": kept.updated_by,
        "secrets": kept.secrets,
    }
    connection.execute(query, given)


def delete(connection: Connection, workspace: int, name: str) -> None:
    """Remove a flow."""
    query = text("DELETE FROM flows WHERE workspace_id = :workspace AND name = :name")
    connection.execute(query, {"workspace": workspace, "name": name})


def proof(connection: Connection, conversation: int) -> Proof | None:
    """What is claimed in a conversation."""
    query = text(
        "SELECT hash, claim, until, attempts FROM proofs WHERE conversation_id = :conversation"
    )
    row = connection.execute(query, {"conversation": conversation}).one_or_none()
    return None if row is None else Proof(*row)


def save_proof(connection: Connection, conversation: int, proof: Proof) -> None:
    """Keep what is claimed in a conversation, in the place of what was claimed before."""
    query = text(
        "INSERT INTO proofs (conversation_id, hash, claim, until, attempts)"
        " VALUES (:conversation, :hash, :claim, :until, :attempts)"
        " ON CONFLICT (conversation_id) DO UPDATE SET hash = excluded.hash,"
        " claim = excluded.claim, until = excluded.until, attempts = excluded.attempts"
    )
    connection.execute(query, {"conversation": conversation, **proof._asdict()})


def codes_sent(connection: Connection, of: str) -> int:
    """How many codes are counted for somebody, who is named by a hash."""
    query = text("SELECT count(*) FROM codes_sent WHERE of = :of")
    return int(connection.execute(query, {"of": of}).scalar_one())


def count_code(connection: Connection, of: Sequence[str], now: int) -> None:
    """Count a code that is sent now (microseconds) for each of these."""
    query = text("INSERT INTO codes_sent (of, at) VALUES (:of, :at)")
    connection.execute(query, [{"of": each, "at": now} for each in of])


def forget_codes(connection: Connection, until: int) -> None:
    """Forget the codes that were sent up to a moment (microseconds)."""
    connection.execute(text("DELETE FROM codes_sent WHERE at <= :until"), {"until": until})


def with_bot(connection: Connection, workspace: int) -> list[int]:
    """The conversations that are with the bot and may wait for it, the oldest first."""
    query = text(
        "SELECT id FROM conversations WHERE workspace_id = :workspace AND state = :state"
        " AND (flow <> '' OR waiting_since IS NOT NULL) ORDER BY updated_at"
    )
    given = {"workspace": workspace, "state": talk.BOT}
    return list(connection.execute(query, given).scalars())


def last_of_customer(connection: Connection, conversation: int) -> Message | None:
    """What the customer said last in a conversation."""
    query = text(
        f"SELECT {conversation_store.MESSAGE} FROM messages m"
        " WHERE m.conversation_id = :conversation AND m.sender = :customer"
        " ORDER BY m.id DESC LIMIT 1"
    )
    given = {"conversation": conversation, "customer": talk.CUSTOMER}
    row = connection.execute(query, given).one_or_none()
    return None if row is None else conversation_store.message(row)


def said(connection: Connection, conversation: int, number: int) -> Message | None:
    """A message of a conversation, if it is there."""
    query = text(
        f"SELECT {conversation_store.MESSAGE} FROM messages m"
        " WHERE m.conversation_id = :conversation AND m.id = :number"
    )
    given = {"conversation": conversation, "number": number}
    row = connection.execute(query, given).one_or_none()
    return None if row is None else conversation_store.message(row)


def said_since(connection: Connection, conversation: int, number: int) -> list[Message]:
    """What the customer and the bot said in a conversation after a message, in order."""
    query = text(
        f"SELECT {conversation_store.MESSAGE} FROM messages m"
        " WHERE m.conversation_id = :conversation AND m.id > :number"
        " AND m.sender IN (:customer, :bot) ORDER BY m.id"
    )
    given = {
        "conversation": conversation,
        "number": number,
        "customer": talk.CUSTOMER,
        "bot": talk.BOT_SAYS,
    }
    return [conversation_store.message(row) for row in connection.execute(query, given)]
