"""A file for what is too much to hold in memory for the length of one job; gone with it."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from pathlib import Path
from types import TracebackType

import msgspec


class Names:
    """A growing set of texts without control characters, on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.unlink(missing_ok=True)
        self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-8192"):
            self._file.execute(f"PRAGMA {pragma}")
        self._file.execute("CREATE TABLE names (name TEXT PRIMARY KEY) WITHOUT ROWID")

    def add(self, names: Collection[str]) -> set[str]:
        """Put these in; returns those that were there before."""
        given = (msgspec.json.encode(sorted(names)).decode(),)
        among = "SELECT value FROM json_each(?)"
        held = self._file.execute(f"SELECT name FROM names WHERE name IN ({among})", given)
        known = {name for (name,) in held.fetchall()}
        self._file.execute(f"INSERT OR IGNORE INTO names {among}", given)
        return known

    def __enter__(self) -> Names:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)
