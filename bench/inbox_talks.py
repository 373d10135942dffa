"""Five million messages over the population, from a seed, straight into the ledger's tables."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench import loaded, population
from bench.population import Size
from user360.platform import LEDGER, Platform

CONVERSATIONS = 1_000_000
EACH = 5
MESSAGES = CONVERSATIONS * EACH
AT_ONCE = 50_000
WORDS = (
    *("order", "parcel", "refund", "late", "broken", "where", "when", "thanks", "please", "help"),
    *("size", "colour", "invoice", "change", "address", "cancel", "return", "card", "payment"),
    *("delivery", "today", "tomorrow", "week", "shop", "number", "wrong", "missing"),
)


@contextlib.contextmanager
def copy(cache: Path, size: Size) -> Iterator[Path]:
    """A copy of the directory with conversations, which is made first when it is not there."""
    kept = cache / f"talks-{size}"
    if not kept.exists():
        part = kept.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        source = loaded.directory(cache, size)
        subprocess.run(["cp", "-r", "--reflink=auto", source, part], check=True)
        with Platform.open(part):
            pass  # brings the schema to the newest version
        _fill(part / LEDGER, size)
        part.rename(kept)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        subprocess.run(["cp", "-r", "--reflink=auto", kept, f"{folder}/data"], check=True)
        yield Path(folder) / "data"


def numbers(count: int, seed: int = 1) -> list[int]:
    """Conversations to open, at random."""
    rng = np.random.default_rng([population.SEED, 360, seed])
    return [int(n) + 1 for n in rng.integers(0, CONVERSATIONS, count)]


def chosen(count: int) -> list[str]:
    """The addresses of their pages."""
    return [f"/inbox/c{n}" for n in numbers(count)]


def searches(words: int, count: int) -> list[str]:
    """So many searches for as many different words each; for a word nobody said where it is none.

    As they stand in an address.
    """
    rng = np.random.default_rng([population.SEED, 362, words])
    if not words:
        return [f"zebra{n}" for n in range(count)]
    return ["+".join(rng.choice(WORDS, words, replace=False).tolist()) for _ in range(count)]


def _fill(path: Path, size: Size) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("synchronous = off", "cache_size = -400000"):
        connection.execute(f"pragma {pragma}")
    base = 1 << 40
    for start in range(0, CONVERSATIONS, AT_ONCE):
        _part(connection, base, start, min(start + AT_ONCE, CONVERSATIONS), size)
        print(f"  loaded {(start + AT_ONCE) * EACH:,} messages   ", end="\r", flush=True)
    connection.execute(
        f"update workspaces set next_conversation = {CONVERSATIONS + 1},"
        f" next_message = {MESSAGES + 1} where id = 1"
    )
    connection.execute("pragma wal_checkpoint(truncate)")
    connection.close()


def _part(connection: sqlite3.Connection, base: int, start: int, end: int, size: Size) -> None:
    rng = np.random.default_rng([population.SEED, 361, start])
    who = rng.integers(0, size.records, end - start).tolist()
    words = rng.integers(0, len(WORDS), ((end - start) * EACH, 8)).tolist()
    begin = int(population.START.timestamp() * 1_000_000)
    step = population.DAYS * 86_400_000_000 // CONVERSATIONS
    talks, said, found = [], [], []
    message, line = 0, ""
    for n in range(start, end):
        at, number = begin + n * step, base + n + 1
        for k in range(EACH):
            message = base + n * EACH + k + 1
            line = " ".join(WORDS[w] for w in words[(n - start) * EACH + k])
            sender = "agent" if k % 2 else "customer"
            said.append((message, 1, number, sender, "", line, "[]", at + k * 60_000_000,
                         at + k * 60_000_000, "", "", "{}"))  # fmt: skip
            found.append((message, line))
        last, over = at + EACH * 60_000_000, n % 1_000 != 0
        talks.append((number, 1, base + who[n - start] + 1, "web", f"talk-{n}", "chat",
                      "resolved" if over else "open", "", "normal", "[]", "[]", "", at, last,
                      at + 60_000_000, last if over else None, EACH, message, "customer",
                      line[:200], ""))  # fmt: skip
    connection.execute("begin")
    connection.executemany(
        "insert into conversations (id, workspace_id, record_id, channel, session_id, kind, state,"
        " subject, priority, skills, tags, reason, created_at, updated_at, first_reply_at,"
        f" ended_at, messages, last_message, last_from, last_text, flow) values ({_places(21)})",
        talks,
    )
    connection.executemany(
        "insert into messages (id, workspace_id, conversation_id, sender, author, text,"
        f" attachments, at, received_at, delivery, error, detail) values ({_places(12)})",
        said,
    )
    connection.executemany("insert into words (rowid, text) values (?, ?)", found)
    connection.execute("commit")


def _places(count: int) -> str:
    return ", ".join("?" * count)
