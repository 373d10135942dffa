"""Puts a data directory under load until it is killed, noting every answer it was given.

    python driver.py DIRECTORY NOTES SEED

Each line of NOTES is JSON and is written only after the call it tells of was answered.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import sys
import threading
from pathlib import Path
from typing import Any

from user360.conversations.deeds import Deed
from user360.conversations.talk import CUSTOMER, Said
from user360.ingest.call import Call, Event, Outcome, Session, Verb
from user360.platform import Platform
from user360.segments import define
from user360.settings import Settings
from user360.storage.ledger import Connection

THREADS = 4
# Segments that are followed meanwhile; one of them the clock alone empties.
SEGMENTS: dict[str, dict[str, Any]] = {
    "Regulars": {"event": "Bought", "count": {"op": "gte", "value": 5}},
    "Of Pune": {"property": "city", "op": "is", "values": ["Pune"]},
    "Just now": {"event": "Bought", "during": {"last": {"amount": 1, "unit": "minutes"}}},
    "Others": {"all": [{"event": "Bought"}, {"segment": 1, "in": False}]},
}


class Client:
    """One caller: people of its own, so that what must be true of them is known."""

    def __init__(self, platform: Platform, notes: int, seed: str) -> None:
        self.platform = platform
        self.notes = notes
        self.seed = seed
        self.random = random.Random(seed)
        self.counter = itertools.count(1)

    def run(self) -> None:
        while True:
            deeds = (self.track, self.write, self.identify, self.delete, self.talk)
            self.random.choice(deeds)()

    def settle(self, calls: list[Call], notes: list[dict[str, Any]]) -> list[Outcome]:
        outcomes: list[Outcome] = self.platform.settle(calls)
        assert all(o.problem is None for o in outcomes), [o.problem for o in outcomes]
        lines = "".join(json.dumps(note) + "\n" for note in notes)
        os.write(self.notes, lines.encode())
        return outcomes

    def call(self, **how: Any) -> Call:
        at = self.platform.now()
        number = self.platform.default.id
        given = {"source": "api", "ref": "load", "at": at, "message_id": str(at), **how}
        return Call(workspace=number, **given)

    def track(self) -> None:
        """Events, sometimes enough of them for a chunk of columns, some of them twice."""
        count = self.random.choice((1, 3, 100))
        names = [f"e-{self.seed}-{next(self.counter)}" for _ in range(count)]
        sent = [*names, names[0]]
        calls = [
            self.call(user_id=f"u-{self.random.randrange(40)}", event=Event("Bought", {}, id=name))
            for name in sent
        ]
        self.settle(calls, [{"event": name} for name in names])

    def write(self) -> None:
        """A number that only grows."""
        user = f"n-{self.seed}-{self.random.randrange(5)}"
        value = next(self.counter)
        calls = [self.call(user_id=user, properties={"city": f"{value:09}"})]
        self.settle(calls, [{"user": user, "city": f"{value:09}"}])

    def identify(self) -> None:
        """A visitor who becomes somebody: created, assigned or merged."""
        session = Session("web", f"s-{self.seed}-{next(self.counter)}")
        user = f"m-{self.seed}-{self.random.randrange(5)}"
        self.settle([self.call(session=session, properties={"city": "Pune"})], [])
        self.settle(
            [self.call(session=session, user_id=user)], [{"session": session.id, "user_of": user}]
        )

    def talk(self) -> None:
        """A message that is sent twice; sometimes the conversation ends, or moves with a merge."""
        place = self.random.randrange(3)
        session = Session("web", f"t-{self.seed}-{place}")
        name = f"t-{self.seed}-{next(self.counter):09}"
        said = Said(sender=CUSTOMER, text=name, id=name)
        about: dict[str, Any] = {"source": "conversation", "ref": session.id}
        calls = [self.call(session=session, said=said, **about) for _ in range(2)]
        outcome = self.settle(calls, [{"message": name, "talk": session.id}])[0]
        what = self.random.randrange(8)
        if what == 0:
            deed = Deed(action="resolve", by="key:1")
            self.settle([self.call(conversation=outcome.conversation, deed=deed, **about)], [])
        elif what == 1:
            user = f"m-{self.seed}-{place}"
            note = {"session": session.id, "user_of": user}
            self.settle([self.call(session=session, user_id=user)], [note])

    def delete(self) -> None:
        user = f"d-{self.seed}-{next(self.counter)}"
        event = Event("Bought", {}, id=f"gone-{user}")
        self.settle([self.call(user_id=user, event=event)], [])
        self.settle([self.call(user_id=user, verb=Verb.DELETE)], [{"deleted": user}])


def follow(platform: Platform) -> None:
    """Make the segments that are not there yet."""
    missing = SEGMENTS.keys() - {s.name for s in platform.default.segments.values()}

    def make(connection: Connection) -> None:
        change = platform.change(connection, platform.default, "load")
        for name, condition in SEGMENTS.items():
            if name in missing:
                define.create(change, name, "", condition)

    platform.write(make)


def main() -> None:
    directory, notes, seed = sys.argv[1:]
    platform = Platform.open(directory, Settings(fresh_rows=400))
    follow(platform)
    file = os.open(Path(notes), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    clients = [Client(platform, file, f"{seed}-{n}") for n in range(THREADS)]
    threads = [threading.Thread(target=client.run, daemon=True) for client in clients]
    for thread in threads:
        thread.start()
    sys.stdout.write("loading\n")
    sys.stdout.flush()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
