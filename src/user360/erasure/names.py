"""What somebody who is to be erased is known by, wherever a trace of them may stand."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

import msgspec

from user360 import ids
from user360.access.workspaces import Workspace
from user360.errors import NotFound, Problem
from user360.identity import identifier, people
from user360.identity import store as identity_store
from user360.records import settle
from user360.records.properties import Type
from user360.storage.ledger import Connection, Dialect

# Values of these types name one person; of other types many people may have the same.
NAMING = frozenset({Type.EMAIL, Type.PHONE})
Session = tuple[str, str]


class Names(msgspec.Struct, frozen=True):
    """Somebody with every record that was merged into them, as they were last.

    `records` are numbers, the living one first. `user_ids` and `sessions` are theirs, `others` the
    values that are no userId yet but would be one by the workspace's identifier. `values` name
    them too (e-mail, phone). `pairs` are all values their records hold, as (property, JSON),
    `partners` those who were merged with them until that was undone, as (merge, record), and
    `before` records of the same userId that were deleted earlier.
    """

    records: list[int]
    user_ids: list[str]
    others: list[str]
    sessions: list[Session]
    values: list[str]
    pairs: list[tuple[str, str]]
    partners: list[tuple[int, int]]
    before: list[int] = []

    @property
    def texts(self) -> set[str]:
        """Every text that stands for this person alone, in lower case."""
        named = [*self.user_ids, *self.others, *self.values, *(name for _, name in self.sessions)]
        return {text.lower() for text in named} | {text.lstrip("+").lower() for text in self.values}


class Traces(msgspec.Struct, frozen=True):
    """What is found of somebody who is known by digests alone: living records and userIds.

    The userIds may be those of records that were deleted.
    """

    records: list[int]
    user_ids: list[str]


def together(people: Iterable[Names]) -> Names:
    """Several who turned out to be one person, as one; at least one."""
    told = [msgspec.structs.astuple(person) for person in people]
    return Names(
        *[list(dict.fromkeys(chain.from_iterable(each))) for each in zip(*told, strict=True)]
    )


def of(connection: Connection, dialect: Dialect, workspace: Workspace, number: int) -> Names:
    """Whom a record stands for. Raises `NotFound` for one that is not there."""
    forest = people.grove(connection, dialect, [number])
    root = people.root_of(forest, number)
    if root is None:
        raise NotFound("There is no such record")
    records = settle.members(forest, root)
    held = [forest[n] for n in records]
    user_ids = [own.user_id for own in held if own.user_id is not None]
    rows = identity_store.sessions_of(connection, dialect, records)
    return Names(
        records,
        user_ids,
        sorted(_identifying(connection, workspace, held, set(records)) - set(user_ids)),
        [(row.channel, row.session_id) for row in rows],
        sorted(_naming(workspace, held)),
        sorted(_pairs(held)),
        _partners(connection, dialect, records),
    )


def _values(held: Iterable[settle.Own], name: str) -> set[Any]:
    """What these records hold of one property, each by itself."""
    cells = (own.cells.get(name) for own in held)
    return {cell.value for cell in cells if cell is not None and isinstance(cell.value, str | int)}


def _naming(workspace: Workspace, held: list[settle.Own]) -> set[str]:
    declared = [p for p in workspace.catalogue if p.type in NAMING]
    return {str(value) for p in declared for value in _values(held, p.name)}


def _identifying(
    connection: Connection, workspace: Workspace, held: list[settle.Own], records: set[int]
) -> set[str]:
    """What the identifier property would make their userIds; not what is somebody else's."""
    name = workspace.settings.identifier
    declared = workspace.catalogue.get(name)
    if name == "userId" or declared is None:
        return set()
    found = set()
    for value in _values(held, name):
        try:
            user_id = identifier.identifying_value(name, declared.type, value)
        except Problem:
            continue
        if identity_store.of_user(connection, workspace.id, user_id) in {None, *records}:
            found.add(user_id)
    return found


def _pairs(held: Iterable[settle.Own]) -> set[tuple[str, str]]:
    """Every value as the log would tell it."""
    return {
        (name, msgspec.json.encode(cell.value).decode())
        for own in held
        for name, cell in own.cells.items()
        if cell.value is not None and "/" not in name and name != settle.COVER
    } | {("userId", msgspec.json.encode(own.user_id).decode()) for own in held if own.user_id}


def _partners(
    connection: Connection, dialect: Dialect, records: list[int]
) -> list[tuple[int, int]]:
    """Who holds, from a merge that was undone, what the log told of it."""
    theirs = set(records)
    found = set()
    for row in identity_store.merges_of(connection, dialect, records):
        for number in {row.survivor_id, row.merged_id} - theirs:
            roots = identity_store.roots_of(connection, dialect, [number])
            found |= {(row.id, each) for each in {number} | roots}
    return sorted(found)


def public(records: Iterable[int]) -> list[str]:
    """How records are named outside."""
    return [ids.public_record_id(number) for number in records]
