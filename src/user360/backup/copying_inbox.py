"""Copying how a workspace answers its customers: settings, groups, canned answers, flows, channels.

Who answers stays where they are, and so does every secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from user360.access.change import Change
from user360.access.workspaces import Workspace
from user360.channels import store as channels
from user360.conversations import canned, managing
from user360.conversations.desk import Channel
from user360.errors import Fault
from user360.flows import store as flows
from user360.storage.ledger import Connection


class Copied(NamedTuple):
    """What the other workspace got that it did not have: names, and settings that changed."""

    settings: list[str]
    groups: list[str]
    canned: list[str]
    flows: list[str]
    channels: list[str]


def clashes(change: Change, source: Workspace) -> Iterator[Fault]:
    """What the other workspace has otherwise under the same name."""
    connection, target = change.connection, change.workspace
    for part, read in PARTS.items():
        held, there = read(connection, source), read(connection, target)
        for name in held.keys() & there.keys():
            if held[name] != there[name]:
                yield Fault(f"{part}.{name}", "conflict", "it is otherwise in the other workspace")


def copy(change: Change, source: Workspace) -> Copied:
    """Copy what is missing; nothing of it clashes."""
    return Copied(
        _settings(change, source),
        _groups(change, source),
        _canned(change, source),
        _flows(change, source),
        _channels(change, source),
    )


def _canned_of(connection: Connection, workspace: Workspace) -> Mapping[str, Any]:
    found = canned.all_of(connection, workspace.id)
    return {each.name.lower(): (each.name, each.text) for each in found}


def _flows_of(connection: Connection, workspace: Workspace) -> Mapping[str, Any]:
    return {each.name: each.text for each in flows.all_flows(connection, workspace.id)}


def _channels_of(_connection: Connection, workspace: Workspace) -> Mapping[str, Any]:
    return {n: (c.bot, c.settings) for n, c in workspace.desk.channels.items()}


PARTS: Mapping[str, Callable[[Connection, Workspace], Mapping[str, Any]]] = {
    "cannedAnswers": _canned_of,
    "flows": _flows_of,
    "channels": _channels_of,
}


def _settings(change: Change, source: Workspace) -> list[str]:
    wanted: dict[str, Any] = msgspec.to_builtins(source.desk.settings)
    now: dict[str, Any] = msgspec.to_builtins(change.workspace.desk.settings)
    changed = {name: value for name, value in wanted.items() if now[name] != value}
    if changed:
        managing.set_inbox(change, changed)
    return sorted(changed)


def _groups(change: Change, source: Workspace) -> list[str]:
    there = {group.name.lower() for group in change.workspace.desk.groups.values()}
    missing = [g.name for g in source.desk.groups.values() if g.name.lower() not in there]
    for name in missing:
        managing.make_group(change, name)
    return missing


def _canned(change: Change, source: Workspace) -> list[str]:
    there = _canned_of(change.connection, change.workspace)
    held = _canned_of(change.connection, source)
    missing = [pair for name, pair in held.items() if name not in there]
    for name, said in missing:
        canned.make(change, name, said)
    return [name for name, _ in missing]


def _flows(change: Change, source: Workspace) -> list[str]:
    """As they were written; what one lacks here, such as its secrets, is told where it is shown."""
    there = _flows_of(change.connection, change.workspace)
    held = _flows_of(change.connection, source)
    missing = [name for name in held if name not in there]
    for name in missing:
        made = flows.Kept(name, held[name], change.now, change.actor)
        flows.save(change.connection, change.workspace.id, made)
    return missing


def _channels(change: Change, source: Workspace) -> list[str]:
    """One that has secrets is off until it is given some here."""
    there = change.workspace.desk.channels
    missing = [c for n, c in source.desk.channels.items() if n not in there]
    for held in missing:
        secret = bool(channels.kept(change.connection, source.id, held.name).secrets)
        made = Channel(held.name, held.bot, held.active and not secret, held.settings)
        channels.save(change.connection, change.workspace.id, made, "", change.now)
    managing.reload(change)
    return [held.name for held in missing]
