"""Removes each hour what nobody needs: files that nobody said, or whose conversation is gone; the
count of codes that were sent longer ago.
"""

from __future__ import annotations

import threading

import structlog

from user360.conversations import attachments
from user360.errors import Problem
from user360.flows import claims
from user360.flows import store as flows
from user360.platform import Platform

log = structlog.get_logger()
EVERY = 3_600.0  # seconds
CLOSE_SECONDS = 10.0


class Sweeper:
    """Sweeps the files of a platform while it serves."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="sweeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)

    def turn(self) -> int:
        """Remove what is to go now; how many files that were."""
        platform = self._platform
        before = attachments.unsaid_before(platform.now())
        forgotten = platform.write(lambda c: attachments.drop_unsaid(c, before))
        platform.write(lambda c: flows.forget_codes(c, platform.clock.now() - claims.WHILE))
        gone = attachments.remove(platform.directory, forgotten)
        return gone + attachments.sweep(platform.directory, self._known)

    def _known(self, workspace: int, names: set[str]) -> set[str]:
        dialect = self._platform.ledger.dialect
        with self._platform.ledger.read() as connection:
            return set(attachments.load(connection, dialect, workspace, names))

    def _loop(self) -> None:
        while not self._closing.wait(EVERY):
            try:
                gone = self.turn()
            except (Problem, OSError) as error:
                log.warning("files cannot be swept", exc_info=error)
            else:
                if gone:
                    log.info("files that nobody has removed", files=gone)
