"""Which of some texts have the words that are asked for, as the ledger's index of words says it.

The texts are put into an index of their own in memory, which is made alike: so what is a word, a
capital or an accent is the same here and there.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable

TOKENS = "unicode61 remove_diacritics 2"  # as migration 0006 says


def having(asked: str, texts: Iterable[tuple[int, str]]) -> set[int]:
    """The owners of those `texts` (each with its owner) that `asked`, a query of words, finds."""
    owners: list[int] = []

    def rows() -> Iterable[tuple[int, str]]:
        for owner, text in texts:
            owners.append(owner)
            yield len(owners) - 1, text

    with contextlib.closing(sqlite3.connect(":memory:")) as index:
        index.execute(
            f"CREATE VIRTUAL TABLE texts USING fts5 (text, content='', tokenize='{TOKENS}')"
        )
        index.executemany("INSERT INTO texts (rowid, text) VALUES (?, ?)", rows())
        found = index.execute("SELECT rowid FROM texts WHERE texts MATCH ?", [asked])
        return {owners[number] for (number,) in found}
