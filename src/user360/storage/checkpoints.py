"""Copying what was committed from SQLite's log into its file, beside the writer.

A commit is durable in the log. Now and then the log has to be copied into the file, so that it
does not grow for ever; the writer does that itself when it has become long, and everybody waits
meanwhile. What this thread copied before is left to it no more. Copying holds up no one.

The log begins again, in the room it has, when all of it was copied, which among writes without a
pause is never. So the writer waits while the last few pages are: a log that grows takes longer to
make durable than one that is written over.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from typing import Any

import sqlalchemy as sa
import sqlalchemy.exc

# Seconds between two rounds. A page that is written often is copied once in that time.
REST = 1.0
FEW = 4_096  # pages; the writer waits while so many are copied, some milliseconds
BUSY = 200  # milliseconds that a round waits for others


class Checkpoints:
    """Copies on a thread of its own, each time something was written since."""

    def __init__(self, engine: sa.Engine, writing: threading.Lock) -> None:
        self.engine = engine
        self.writing = writing  # held by who writes
        self.written = False  # set by the writer after each commit
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="checkpoints", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()
        self.engine.dispose()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def _loop(self) -> None:
        while not self._closing.wait(REST):
            if self.written:
                self.written = False
                # A disk that fails is told of by the writer, whose commits fail on it too.
                with contextlib.suppress(sqlite3.Error, sqlalchemy.exc.SQLAlchemyError):
                    self.written |= self._copy_all() > 0

    def _copy_all(self) -> int:
        """Copy what there is, then what came meanwhile; returns how many pages are left."""
        left = self.copy()
        if not 0 < left < FEW:
            return left
        with self.writing:
            return self.copy()

    def copy(self, how: str = "PASSIVE") -> int:
        """Copy what no reader still needs in the log; returns how many pages are left in it.

        `TRUNCATE` leaves the log empty when it answers 0. It keeps the writer waiting while it
        waits for readers, so it does that for a moment only.
        """
        connection = self.engine.raw_connection()
        try:
            driver: Any = connection.driver_connection
            driver.execute(f"PRAGMA busy_timeout={BUSY}")
            busy, pages, copied = driver.execute(f"PRAGMA wal_checkpoint({how})").fetchone()
            return int(max(pages - copied, busy))
        finally:
            connection.close()
