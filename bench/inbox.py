"""Conversations: messages in over HTTP, out to agents' screens, a chat opened among millions, and
what a connected widget costs.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench import http_load, inbox_live, inbox_talks, loaded, pages, server, timing
from bench.http_load import Loaded
from bench.peers import PEOPLE
from bench.population import Size
from bench.report import Figure, Result, at_least, at_most
from bench.server import HOST, KEY, Server

CONVERSATIONS = 50  # at once
MESSAGES = 100  # of each, in a round
OPENED = 200  # chats that are opened
SEARCHED = 40  # times, for each kind of search


def measure(cache: Path, size: Size, rounds: int) -> Result:
    """All four, one after another."""
    figures = [*_in(cache, rounds), *_opened(cache, size), *inbox_live.measure(cache)]
    return Result(
        name="inbox",
        title="Conversations",
        method=(
            f"Messages of customers over HTTP, {CONVERSATIONS} conversations at once, each message "
            f"answered once it is on disk, {PEOPLE:,} people known; floor: the same rows into bare "
            "SQLite, one commit for as many messages as the product had in one, medians of"
            f" {rounds} rounds. {inbox_live.METHOD} A chat with its customer's details is opened"
            f" over HTTP as an agent does, {OPENED} of them at random among"
            f" {inbox_talks.MESSAGES:,} messages, {size.records:,} records and"
            f" {size.events:,} events; among the same {SEARCHED} lists of each kind of search are"
            " asked for, in a language of 27 words, each in a quarter of all messages."
        ),
        figures=figures,
    )


def _in(cache: Path, rounds: int) -> list[Figure]:
    ours, floor, answers = list[float](), list[float](), list[float]()
    together = 1.0
    with loaded.copy(cache, Size(PEOPLE, 0)) as data, server.running(data) as running:
        for number in range(rounds + 1):
            before = _commits(running)
            load = _said(running, number)
            commits = _commits(running) - before
            floor.append(_bare(cache, number, max(1, round(len(load.answers) / commits))))
            ours.append(len(load.answers) / load.seconds)
            if number:
                answers += [1_000 * each for each in load.answers]
                together = len(load.answers) / commits
    rate, bare = timing.median(ours[1:]), timing.median(floor[1:])
    return [
        at_least("messages in", rate, 1_500, "messages/s"),
        at_most("a message in, p99", timing.percentile(answers, 99), 50, "ms"),
        Figure("a message in, p50", timing.percentile(answers, 50), "ms"),
        Figure("floor: bare SQLite", bare, "messages/s"),
        Figure("product / floor", rate / bare, "ratio"),
        Figure("messages in one commit", together, "messages"),
    ]


def _said(running: Server, number: int) -> Loaded:
    with http_load.prepared(running.port, requests, number) as send:
        return send()


def requests(number: int) -> list[list[bytes]]:
    """What each conversation's customer says, as whole requests."""
    return [
        [_request(f"visit-{number}-{session}", n) for n in range(MESSAGES)]
        for session in range(CONVERSATIONS)
    ]


def _request(session: str, n: int) -> bytes:
    body = json.dumps({"from": "customer", "text": text(session, n), "id": f"m{n}"}).encode()
    head = (
        f"POST /api/v1/sessions/web/{session}/messages HTTP/1.1\r\nHost: {HOST}\r\n"
        f"x-api-key: {KEY}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def text(session: str, n: int) -> str:
    """A sentence of some words."""
    return f"Where is my order {n * 7919 % 10_007}? I am {session} and I wait since {n} days."


def _commits(running: Server) -> float:
    with contextlib.closing(server.line(running.port)) as connection:
        connection.request("GET", "/metrics")
        told = connection.getresponse().read().decode()
    line = next(row for row in told.splitlines() if row.startswith("user360_commit_calls_count"))
    return float(line.rsplit(" ", 1)[1])


_TABLES = """
    create table conversations (
        id integer primary key, session text not null unique, updated integer, last text);
    create table messages (
        id integer primary key, conversation integer not null, text text not null,
        at integer not null, digest text not null unique);
    create virtual table words using fts5 (text, content='');
"""


def _bare(cache: Path, number: int, together: int) -> float:
    """Messages a second that SQLite takes by itself, so many to a commit."""
    said = [
        (session, f"visit-{number}-{session}", text(f"visit-{number}-{session}", n), n)
        for n in range(MESSAGES)
        for session in range(CONVERSATIONS)
    ]
    with tempfile.TemporaryDirectory(dir=cache) as place, _file(Path(place)) as connection:
        began = time.perf_counter()
        for start in range(0, len(said), together):
            _commit(connection, said[start : start + together], start)
        return len(said) / (time.perf_counter() - began)


def _commit(
    connection: sqlite3.Connection, said: Sequence[tuple[int, str, str, int]], start: int
) -> None:
    connection.execute("begin immediate")
    for i, (session, name, words, n) in enumerate(said, start + 1):
        connection.execute(
            "insert into conversations values (?, ?, ?, ?) on conflict (id) do update set"
            " updated = excluded.updated, last = excluded.last",
            (session, name, i, words),
        )
        row = (i, session, words, i, f"{name}:{n}")
        connection.execute("insert into messages values (?, ?, ?, ?, ?)", row)
        connection.execute("insert into words (rowid, text) values (?, ?)", (i, words))
    connection.execute("commit")


@contextlib.contextmanager
def _file(place: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(place / "floor.sqlite", isolation_level=None)
    for pragma in ("journal_mode = wal", "synchronous = full", "wal_autocheckpoint = 4000"):
        connection.execute(f"pragma {pragma}")
    connection.executescript(_TABLES)
    try:
        yield connection
    finally:
        connection.close()


def _opened(cache: Path, size: Size) -> list[Figure]:
    """The page of one chat with its customer, of chats nobody has looked at yet."""
    with inbox_talks.copy(cache, size) as data, server.running(data) as running:
        with pages.signed_in(running) as ask:
            ask("/inbox/c1")
            taken = [
                timing.seconds(lambda address=address: ask(address))  # type: ignore[misc]
                for address in inbox_talks.chosen(OPENED)
            ]
        api = [
            timing.seconds(lambda n=n: running.ask("GET", f"/api/v1/conversations/c{n}"))  # type: ignore[misc]
            for n in inbox_talks.numbers(OPENED, seed=2)
        ]
        searched = _searched(running)
    return [
        at_most("a chat opened, p95", 1_000 * timing.percentile(taken, 95), 200, "ms"),
        Figure("a chat opened, p50", 1_000 * timing.median(taken), "ms"),
        Figure("a chat over the API, p95", 1_000 * timing.percentile(api, 95), "ms"),
        *searched,
    ]


def _searched(running: Server) -> list[Figure]:
    """Lists of what has some words, of which every one stands in a quarter of the messages."""
    kinds = {"a word": 1, "three words": 3, "five words": 5, "a word that nobody said": 0}
    figures = []
    for kind, count in kinds.items():
        taken = [
            timing.seconds(lambda q=q: running.ask("GET", f"/api/v1/conversations?q={q}"))  # type: ignore[misc]
            for q in inbox_talks.searches(count, SEARCHED)
        ]
        name = f"searched for {kind}, p95"
        figures.append(Figure(name, 1_000 * timing.percentile(taken, 95), "ms"))
    return figures
