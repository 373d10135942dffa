"""A workspace of a story: what a business sends, and what it then sees."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import msgspec

from user360.access import workspaces
from user360.events import event
from user360.events import store as event_store
from user360.identity import people
from user360.identity import store as identity_store
from user360.ingest.call import Call, Event, Outcome, Session, Verb
from user360.platform import Platform
from user360.records import store
from user360.records.properties import Catalogue, Property
from user360.storage.ledger import Connection

START = 1_767_225_600_000_000  # 1 January 2026
MINUTE = 60_000_000
SYSTEM = (
    event.USER_CREATE,
    event.USER_UPDATE,
    event.USER_DELETE,
    event.USER_MERGE,
    event.USER_UNMERGE,
)
_numbers = itertools.count(1)


class Shop:
    """A fresh workspace. Every call is dated a minute after the one before, unless it says `at`."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.sent = 0
        self.workspace = platform.add_workspace(f"shop{next(_numbers)}")

    def at(self, platform: Platform) -> Shop:
        """The same workspace on another platform: one that was opened again, or restored."""
        shop = copy.copy(self)
        shop.platform, shop.workspace = platform, platform.workspace(self.workspace.name)
        return shop

    # What a business sends

    def call(self, **known: Any) -> Call:
        """A call through the API; `session` is a web session unless it names its channel."""
        self.sent += 1
        if isinstance(known.get("session"), str):
            channel, _, name = known["session"].rpartition(":")
            known["session"] = Session(channel or "web", name)
        if isinstance(known.get("event"), str):
            known["event"] = Event(known["event"], {})
        common = {
            "workspace": self.workspace.id,
            "source": "api",
            "ref": "shop",
            "at": START + self.sent * MINUTE,
            "message_id": f"m{self.sent:06}",
        }
        return Call(**(common | known))

    def send(self, **known: Any) -> Outcome:
        """One call in a commit of its own; it must not fail."""
        outcome = self.settle(self.call(**known))[0]
        assert outcome.problem is None, outcome.problem.faults or outcome.problem.detail
        return outcome

    def settle(self, *calls: Call) -> list[Outcome]:
        """Several calls in one commit."""
        return self.platform.settle(calls)

    def write(self, user: str, **properties: Any) -> Outcome:
        return self.send(user_id=user, properties=properties)

    def capture(self, session: str, **properties: Any) -> Outcome:
        return self.send(session=session, properties=properties)

    def identify(self, session: str, user: str, **properties: Any) -> Outcome:
        return self.send(session=session, user_id=user, properties=properties)

    def merge(self, user: str, other: int | None) -> Outcome:
        return self.send(verb=Verb.MERGE, user_id=user, other=other)

    def undo(self, merge: int | None) -> Outcome:
        return self.send(verb=Verb.UNMERGE, merge=merge)

    def delete(self, user: str) -> Outcome:
        return self.send(verb=Verb.DELETE, user_id=user)

    def choose(self, **settings: Any) -> None:
        """Change settings of the workspace."""
        chosen = msgspec.structs.replace(self.workspace.settings, **settings)

        def apply(connection: Connection) -> None:
            self.workspace.apply(chosen)
            workspaces.save_settings(connection, self.workspace)

        self.platform.write(apply)

    def declare(self, *declared: Property) -> None:
        def save(connection: Connection) -> None:
            for one in declared:
                store.save_property(connection, self.workspace.id, one, 0)
            self.workspace.catalogue = Catalogue(declared)

        self.platform.write(save)

    # What it then sees

    def record(self, number: int | None) -> dict[str, Any]:
        """A living record by the number of it or of one merged into it."""
        with self.platform.ledger.read() as connection:
            where = (connection, self.platform.ledger.dialect, self.workspace)
            found = people.one(*where, number)
        assert found is not None
        return found

    def person(self, user: str) -> dict[str, Any] | None:
        with self.platform.ledger.read() as connection:
            number = identity_store.of_user(connection, self.workspace.id, user)
        return None if number is None else self.record(number)

    def known(self, user: str) -> dict[str, Any]:
        """The properties of a user."""
        found = self.person(user)
        assert found is not None
        properties: dict[str, Any] = found["properties"]
        return properties

    def visitor(self, session: str) -> dict[str, Any] | None:
        """The record a session is mapped to."""
        channel, _, name = session.rpartition(":")
        with self.platform.ledger.read() as connection:
            number = identity_store.of_session(
                connection, self.workspace.id, channel or "web", name
            )
        return None if number is None else self.record(number)

    def count(self) -> int:
        """How many people the lists show."""
        found = self._ask("SELECT count(*) FROM {schema}.records")
        return int(found[0][0])

    def happened(self, number: int | None) -> list[str]:
        """The names of the business's own events in a living record's timeline, by time."""
        return [name for name, _ in self._timeline(number) if name not in SYSTEM]

    def told(self, number: int | None) -> list[tuple[str, dict[str, Any]]]:
        """The system events in a living record's timeline, as they were written."""
        return [(name, said) for name, said in self._timeline(number) if name in SYSTEM]

    def rejected(self) -> list[tuple[str, str, int]]:
        """What was refused or dropped: code, path, how often."""
        with self.platform.ledger.read() as connection:
            rows = event_store.rejections(connection, self.workspace.id)
        return sorted((row["code"], row["path"], row["count"]) for row in rows)

    def _timeline(self, number: int | None) -> list[tuple[str, dict[str, Any]]]:
        rows = self._ask(
            "SELECT e.name, e.properties FROM {schema}.events e LEFT JOIN {schema}.merged m"
            " ON m.record_id = e.record_id WHERE coalesce(m.survivor_id, e.record_id) = ?"
            ' ORDER BY e."at", e.seq',
            number,
        )
        return [(name, msgspec.json.decode(said)) for name, said in rows]

    def _ask(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        warehouse = self.platform.wait()
        return warehouse.query(sql.format(schema=f"w{self.workspace.id}"), parameters).rows


def faults(outcome: Outcome) -> list[tuple[str, str]]:
    """What is wrong with a call, by path and code."""
    assert outcome.problem is not None
    return [(fault.path, fault.code) for fault in outcome.problem.faults]
