"""Canned answers: texts that agents say often, with what is known of the customer filled in.

`{{{user.firstName|there}}}` is the property of that name, or what stands after the bar where
nothing is known; `{{{agent.name}}}` is who answers. What is filled in is text: nothing in it is
looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from user360.access.change import Change
from user360.conversations import talk
from user360.errors import Conflict, Fault, Invalid, NotFound
from user360.records import values
from user360.records.properties import Catalogue
from user360.storage.ledger import Connection, text

LONGEST_NAME = 100
LONGEST_TEXT = 10_000
MOST = 1_000
PLACE = re.compile(r"\{\{\{\s*(user|agent)\.([A-Za-z0-9_]+)\s*(?:\|([^{}\n]*))?\}\}\}")


class Canned(msgspec.Struct, frozen=True, rename="camel"):
    """A canned answer of a workspace; `name` is what agents look for."""

    id: int
    name: str
    text: str
    updated_at: int


def all_of(connection: Connection, workspace: int) -> list[Canned]:
    """All of a workspace, by name."""
    rows = connection.execute(
        text(
            "SELECT id, name, text, updated_at FROM canned_answers"
            " WHERE workspace_id = :workspace ORDER BY lower(name), id"
        ),
        {"workspace": workspace},
    )
    return [Canned(*row) for row in rows]


def make(change: Change, name: str, said: str) -> int:
    """Make one; its number. Raises `Invalid` naming each bad part, `Conflict` for a taken name."""
    called = _checked(change, name, said)
    _free(change, called, None)
    if len(all_of(change.connection, change.workspace.id)) >= MOST:
        raise Conflict(f"There are {MOST:,} canned answers already")
    number: int = change.connection.execute(
        text(
            "INSERT INTO canned_answers (workspace_id, name, text, updated_at)"
            " VALUES (:workspace, :name, :text, :now) RETURNING id"
        ),
        {"workspace": change.workspace.id, "name": called, "text": said, "now": change.now},
    ).scalar_one()
    change.audit("canned.make", f"canned:{number}")
    return number


def alter(change: Change, number: int, name: str, said: str) -> None:
    """Say it otherwise. Raises `NotFound`, `Invalid`, `Conflict`."""
    called = _checked(change, name, said)
    _free(change, called, number)
    done = change.connection.execute(
        text(
            "UPDATE canned_answers SET name = :name, text = :text, updated_at = :now"
            " WHERE id = :id AND workspace_id = :workspace"
        ),
        {
            "id": number,
            "workspace": change.workspace.id,
            "name": called,
            "text": said,
            "now": change.now,
        },
    )
    if not done.rowcount:
        raise NotFound("There is no such canned answer")
    change.audit("canned.alter", f"canned:{number}")


def remove(change: Change, number: int) -> None:
    """Remove one. Raises `NotFound`."""
    done = change.connection.execute(
        text("DELETE FROM canned_answers WHERE id = :id AND workspace_id = :workspace"),
        {"id": number, "workspace": change.workspace.id},
    )
    if not done.rowcount:
        raise NotFound("There is no such canned answer")
    change.audit("canned.remove", f"canned:{number}")


def fill(said: str, known: Mapping[str, Any], agent: str) -> str:
    """The text for a customer of whom these properties are known, said by this agent."""

    def put(found: re.Match[str]) -> str:
        whose, name, otherwise = found.groups()
        value = known.get(name) if whose == "user" else agent
        if value in (None, "", []):
            return (otherwise or "").strip()
        return ", ".join(map(str, value)) if isinstance(value, list) else values.text_of(value)

    return PLACE.sub(put, said)


def faults_of(said: str, catalogue: Catalogue) -> list[Fault]:
    """What is wrong with a text: places that nothing can be filled into."""
    found = talk.text_faults("text", said, LONGEST_TEXT)
    for whose, name, _ in PLACE.findall(said):
        if whose == "user" and catalogue.get(name) is None and name != "userId":
            found.append(Fault("text", "invalid", f"There is no property {name}"))
        if whose == "agent" and name != "name":
            found.append(Fault("text", "invalid", "Of the agent there is agent.name alone"))
    if "{{{" in PLACE.sub("", said):
        message = "A place to fill is written {{{user.firstName|there}}}"
        found.append(Fault("text", "invalid", message))
    return found


def _checked(change: Change, name: str, said: str) -> str:
    called = name.strip()
    faults: list[Fault] = []
    if not 1 <= len(called) <= LONGEST_NAME or not called.isprintable():
        message = f"A name is text of 1 to {LONGEST_NAME} characters"
        faults.append(Fault("name", "invalid", message))
    faults += faults_of(said, change.workspace.catalogue)
    if faults:
        raise Invalid(faults[0].message, faults=faults)
    return called


def _free(change: Change, name: str, but: int | None) -> None:
    held = all_of(change.connection, change.workspace.id)
    if any(each.name.lower() == name.lower() and each.id != but for each in held):
        raise Conflict.at("name", "There is a canned answer of this name already")
