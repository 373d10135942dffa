"""Finding conversations: by what they are, by what was said in them, and by whose they are.

Every door finds them here. People are asked about in the warehouse, and only where it matters who
they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from user360.access.workspaces import Workspace
from user360.conversations import reading, searching
from user360.conversations.reading import Page, Place, Wanted
from user360.conversations.talk import Conversation
from user360.platform import Platform
from user360.segments import stored
from user360.segments.compiler import questions
from user360.segments.language.nodes import Node
from user360.storage.ledger import Connection
from user360.storage.warehouse import Warehouse

MOST_PEOPLE = 500  # whom a text finds and whose conversations are gathered
MOST_READ = 3_000  # conversations whose messages one page reads


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for: conversations as they are `wanted`, with a `text` in them or in whose
    person's name, of people whom a condition is true of (`whose`) and who are stored as members of
    a segment (`stored`).
    """

    wanted: Wanted
    text: str = ""
    whose: Node | None = None
    stored: int | None = None

    @property
    def of_people(self) -> bool:
        """Whether it matters who the people are."""
        return bool(self.text) or self.whose is not None or self.stored is not None


class Found(NamedTuple):
    """One page, and the living record behind each record in it; None for people who are gone."""

    page: Page
    living: Mapping[int, int | None]


def find(
    platform: Platform,
    workspace: Workspace,
    sought: Sought,
    limit: int,
    after: Place | None = None,
    warehouse: Warehouse | None = None,
) -> Found:
    """One page, the newest first; to be asked on a thread.

    The `warehouse` is needed for what is `of_people`. Raises `InvalidCondition`.
    """
    dialect = platform.ledger.dialect
    with platform.ledger.read() as connection:
        wanted, sieve, most = sought.wanted, None, reading.MOST_LOOKED
        if sought.of_people:
            assert warehouse is not None
            finder = Finder(platform, workspace, sought, warehouse, connection)
            if (numbers := finder.gathered()) is not None:
                wanted = msgspec.structs.replace(wanted, numbers=numbers)
            elif sought.text:
                most = MOST_READ
            sieve = finder.sieve
        where = (connection, dialect, workspace.id)
        page = reading.page(*where, wanted, limit, after, sieve, most)
        living = reading.living(connection, dialect, {c.record for c in page.conversations})
        return Found(page, living)


class Finder:
    """One search by who people are, and by what was said."""

    def __init__(
        self,
        platform: Platform,
        workspace: Workspace,
        sought: Sought,
        warehouse: Warehouse,
        connection: Connection,
    ) -> None:
        self._dialect = platform.ledger.dialect
        self._workspace = workspace
        self._sought = sought
        self._warehouse = warehouse
        self._connection = connection
        self._now = platform.now()
        self._read = bool(sought.text)  # whether what was said has to be read

    def gathered(self) -> set[int] | None:
        """Every conversation that the text finds; None without one, or when there are too many.

        Those of one person are few: what was said in them is read.
        """
        text = self._sought.text
        if not text or self._sought.wanted.records is not None:
            return None
        where = (self._connection, self._dialect)
        numbers = searching.gathered(*where, self._workspace.id, text)
        if numbers is None:
            return None
        asked = (self._warehouse, self._workspace, None)
        people = questions.search(*asked, text=text, limit=MOST_PEOPLE, now=self._now)
        if people.total > MOST_PEOPLE:
            return None
        self._read = False
        records = reading.tree(*where, people.numbers)
        return numbers | searching.of_records(*where, self._workspace.id, records)

    @property
    def sieve(self) -> reading.Sieve | None:
        """What has still to be asked of each conversation; None for nothing."""
        sought = self._sought
        asks = self._read or sought.whose is not None or sought.stored is not None
        return self._left if asks else None

    def _left(self, held: list[Conversation]) -> list[Conversation]:
        living = reading.living(self._connection, self._dialect, {c.record for c in held})
        roots = {root for root in living.values() if root is not None}
        if self._sought.stored is not None:
            where = (self._warehouse, self._workspace, self._sought.stored)
            roots &= stored.since(*where, roots).keys()
        if self._sought.whose is not None:
            roots &= self._true(roots, self._sought.whose)
        if self._sought.stored is not None or self._sought.whose is not None:
            held = [c for c in held if living[c.record] in roots]
        return self._with_text(held, living) if self._read else held

    def _with_text(
        self, held: list[Conversation], living: Mapping[int, int | None]
    ) -> list[Conversation]:
        text = self._sought.text
        said = searching.among(self._connection, self._dialect, [c.id for c in held], text)
        others = {living[c.record] for c in held if c.id not in said} - {None}
        named = self._true({root for root in others if root is not None}, None, text)
        return [c for c in held if c.id in said or living[c.record] in named]

    def _true(self, roots: set[int], node: Node | None, text: str | None = None) -> set[int]:
        """Those of these living records whom a condition, and a search for a text, hold for."""
        if not roots:
            return set()
        chosen = questions.selected(self._warehouse, self._workspace, node, self._now, text)
        asked = f"SELECT id FROM ({chosen}) AS chosen WHERE id IN (SELECT unnest(?))"
        return {row[0] for row in self._warehouse.query(asked, [sorted(roots)]).rows}
