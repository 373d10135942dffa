"""What the outbox brings, and what somebody who brings it has to be and may raise."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import msgspec

from user360.conversations.talk import Conversation, Message


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A message that has to be brought some way: `whatsapp`, `email`, `webhook:3`, `media`.

    `attempts` counts those before this one; `failed_at` is when it was given up (microseconds).
    """

    id: int
    workspace: int
    conversation: int
    message: int
    way: str
    attempts: int = 0
    due_at: int = 0
    error: str = ""
    failed_at: int | None = None

    @property
    def kind(self) -> str:
        """The way without the number of whom it leads to."""
        return self.way.partition(":")[0]


class Temporary(Exception):
    """It may go well later: the message says why it did not now.

    `after` is in how many seconds the peer wants to be asked again, 0 when it did not say.
    """

    def __init__(self, reason: str, after: float = 0) -> None:
        super().__init__(reason)
        self.after = after


class Locked(Temporary):
    """The other side refuses our access: nothing goes this way until somebody mends that."""


class Permanent(Exception):
    """It will not go well: the message says why, in words for who reads the inbox."""


class Sender(Protocol):
    """Brings messages one way. Called on several threads at once, never twice for one message."""

    def send(self, delivery: Delivery, message: Message, conversation: Conversation) -> str:
        """Bring it; what the peer calls it, or an empty text.

        Returns within some twenty seconds. Raises `Temporary` and `Permanent`. Neither these nor
        the log say anything of what the message holds.
        """
        ...  # pragma: no cover


@runtime_checkable
class Reporting(Protocol):
    """A sender whose peer reports what it took, and tells nobody that it took something twice.

    What may have been sent just before the process ended waits for `reports_within` seconds after a
    start: by then a report has said so, and it is not sent again.
    """

    reports_within: float


@runtime_checkable
class Holding(Protocol):
    """A sender that holds connections, and lets go of them at the end."""

    def close(self) -> None:
        """Let go of them."""
        ...  # pragma: no cover
