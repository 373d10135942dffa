"""The queue: at which place somebody stands in it."""

from __future__ import annotations

from user360.conversations import talk
from user360.conversations.talk import Conversation
from user360.ids import RECORD_BITS
from user360.inbox import store
from user360.storage.ledger import Connection


def place_of(connection: Connection, conversation: Conversation) -> int | None:
    """The place in the queue, 1 for who is next; None for who does not stand in it.

    Those of another group wait for other agents, so they do not count; those of no group may get
    any agent, and whoever waits longest is given first.
    """
    if conversation.state != talk.QUEUED:
        return None
    workspace = conversation.id >> RECORD_BITS
    return 1 + store.queued_before(connection, conversation, workspace)
