"""What an import keeps so that it can be taken back: whom it made, and what it replaced."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec

from user360.imports import store
from user360.imports.singly import Told
from user360.records.settle import Cell
from user360.storage.ledger import Connection

NAME = "undo"


class Replaced(msgspec.Struct, frozen=True, array_like=True):
    """What a record that was there before held in the cells that were written; null for nothing."""

    record: int
    cells: dict[str, Cell | None]


class Done(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one transaction of an import did.

    `made` are records from one number to another, both included; `replaced` stand in the order of
    writing; `members` are those, not just made, that were put into the import's segment.
    """

    made: tuple[tuple[int, int], ...] = ()
    replaced: tuple[Replaced, ...] = ()
    members: tuple[int, ...] = ()

    @classmethod
    def of(cls, made: range, told: Iterable[Told], members: Collection[int]) -> Done:
        """What is kept of the records that were made at once and of rows written singly."""
        singly = [t for t in told if t.status in ("new", "changed")]
        numbers = {*made, *(t.record for t in singly if t.status == "new")}
        replaced = [Replaced(t.leaf, t.before) for t in singly if t.status == "changed"]
        return cls(
            tuple(_ranges(sorted(numbers))), tuple(replaced), tuple(sorted({*members} - numbers))
        )

    @property
    def numbers(self) -> list[int]:
        """The records that were made."""
        return [n for first, last in self.made for n in range(first, last + 1)]


def _ranges(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    start = 0
    for place in range(1, len(numbers) + 1):
        if place == len(numbers) or numbers[place] != numbers[place - 1] + 1:
            yield numbers[start], numbers[place - 1]
            start = place


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Done).decode


def keep(connection: Connection, job: str, part: int, done: Done) -> None:
    """Keep what undoing a piece needs; nothing of one that did nothing."""
    if done != Done():
        store.save_part(connection, job, NAME, part, _encode(done))


def read(connection: Connection, job: str, part: int) -> Done:
    """What one transaction did."""
    body = store.part(connection, job, NAME, part)
    return Done() if body is None else _decode(body)


def left(connection: Connection, job: str) -> list[int]:
    """The parts that are not undone yet, the last one first: they are undone in this order."""
    return store.part_numbers(connection, job, NAME)[::-1]


def forget(connection: Connection, job: str, part: int) -> None:
    """A part is undone."""
    store.drop_part(connection, job, NAME, part)
