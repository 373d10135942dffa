"""What has just happened in conversations, told to whoever looks on: after it is on disk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import msgspec
import structlog

from user360.conversations.talk import Conversation, Message

log = structlog.get_logger()


class News(msgspec.Struct, frozen=True, gc=False):
    """A conversation as a commit left it, with the messages that came in that commit.

    `changed` are older ones of which more is known now: that they were read, or an attachment.
    """

    workspace: int
    conversation: Conversation
    messages: Sequence[Message] = ()
    changed: Sequence[Message] = ()


class Typing(msgspec.Struct, frozen=True, gc=False):
    """Somebody writes in a conversation just now: the `customer`, or a `member:7`. Kept nowhere."""

    workspace: int
    conversation: int
    by: str


Hearer = Callable[[Sequence[News]], None]
Watcher = Callable[[Typing], None]


class Exchange:
    """Passes news on to those who hear them."""

    def __init__(self) -> None:
        self._hearers: tuple[Hearer, ...] = ()
        self._watchers: tuple[Watcher, ...] = ()
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

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call `watcher` whenever somebody types, on whatever thread, until the answer is called.

        It must return at once.
        """
        with self._lock:
            self._watchers = (*self._watchers, watcher)

        def leave() -> None:
            with self._lock:
                self._watchers = tuple(w for w in self._watchers if w is not watcher)

        return leave

    def types(self, typing: Typing) -> None:
        """Tell everybody who watches; one who fails must not stop the others."""
        for watcher in self._watchers:
            try:
                watcher(typing)
            except Exception as error:
                log.warning("typing not seen", exc_info=error)

    def publish(self, news: Sequence[News]) -> None:
        """Tell everybody. One who fails must not stop the others, nor the writer."""
        for hearer in self._hearers:
            try:
                hearer(news)
            except Exception as error:
                log.warning("news not heard", exc_info=error)
