"""What has just happened in conversations, told to whoever looks on: after it is on disk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import msgspec
import structlog

from user360.conversations.talk import Conversation, Message

log = structlog.get_logger()


class News(msgspec.Struct, frozen=True, gc=False):
    """A conversation as a commit left it, with the messages that came in that commit."""

    workspace: int
    conversation: Conversation
    messages: Sequence[Message] = ()


Hearer = Callable[[Sequence[News]], None]


class Exchange:
    """Passes news on to those who hear them."""

    def __init__(self) -> None:
        self._hearers: tuple[Hearer, ...] = ()
        self._lock = threading.Lock()

    def hear(self, hearer: Hearer) -> Callable[[], None]:
        """Call `hearer` with the news of each commit, in order, until the answer is called.

        It runs on the committer's thread, so it must return at once and not write itself.
        """
        with self._lock:
            self._hearers = (*self._hearers, hearer)

        def leave() -> None:
            with self._lock:
                self._hearers = tuple(h for h in self._hearers if h is not hearer)

        return leave

    def publish(self, news: Sequence[News]) -> None:
        """Tell everybody. One who fails must not stop the others, nor the writer."""
        for hearer in self._hearers:
            try:
                hearer(news)
            except Exception as error:
                log.warning("news not heard", exc_info=error)
