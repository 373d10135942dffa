"""How the inbox is set: its settings, its groups, and what each agent chooses. Changes, audited.

What is changed in memory (`workspace.desk`) is read anew at the end of each change.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from user360.access.change import Change
from user360.conversations import desk as desks
from user360.conversations import desks as store
from user360.conversations.desk import Hours, InboxSettings
from user360.errors import Conflict, Fault, Invalid, NotFound
from user360.storage.ledger import text

MOST_AT_ONCE = 100
LONGEST_NAME = 100


def reload(change: Change) -> None:
    """Take in what this change has written."""
    change.workspace.desk = store.load(change.connection, change.workspace.id)


def set_inbox(change: Change, given: dict[str, Any]) -> InboxSettings:
    """The inbox's settings with those given put in. Raises `Invalid` naming each bad one."""
    fields = {f.encode_name: f for f in msgspec.structs.fields(InboxSettings)}
    faults = [
        Fault(name, "invalid", f"There is no such setting; there are {', '.join(fields)}")
        for name in given
        if name not in fields
    ]
    for name in given.keys() & fields.keys():
        try:
            faults += _sensible(name, msgspec.convert(given[name], fields[name].type))
        except msgspec.ValidationError as error:
            faults.append(Fault(name, "invalid", str(error)))
    if faults:
        raise Invalid(faults[0].message, faults=faults)
    merged = {**msgspec.to_builtins(change.workspace.desk.settings), **given}
    settings = msgspec.convert(merged, InboxSettings)
    change.connection.execute(
        text(
            "INSERT INTO inbox_settings (workspace_id, settings) VALUES (:workspace, :settings)"
            " ON CONFLICT (workspace_id) DO UPDATE SET settings = excluded.settings"
        ),
        {"workspace": change.workspace.id, "settings": msgspec.json.encode(settings).decode()},
    )
    change.audit("inbox.settings", "inbox", changed=sorted(given))
    reload(change)
    return settings


def _sensible(name: str, value: Any) -> list[Fault]:
    if name == "hours":
        return [fault for i, hours in enumerate(value) for fault in _hours(f"hours.{i}", hours)]
    if isinstance(value, int) and not 0 <= value <= 1_000_000:
        return [Fault(name, "invalid", f"{name} must be a number from 0 to 1,000,000")]
    return []


def _hours(path: str, hours: Hours) -> list[Fault]:
    found = []
    if not 1 <= hours.day <= 7:
        found.append(Fault(f"{path}.day", "invalid", "day must be 1 (Monday) to 7 (Sunday)"))
    if not 0 <= hours.start < hours.end <= 24 * 60:
        message = "start and end are minutes after midnight, 0 to 1440, start before end"
        found.append(Fault(path, "invalid", message))
    return found


def set_agent(
    change: Change,
    member: int,
    *,
    availability: str | None = None,
    capacity: int | None = None,
    skills: Collection[str] | None = None,
    groups: Collection[int] | None = None,
) -> None:
    """Set what is given of an agent. Raises `NotFound`, `Invalid` naming each bad part.

    Whose availability is set is that from now on, whatever the system made of it before.
    """
    workspace = change.workspace
    agent = workspace.desk.agents.get(member)
    if agent is None:
        raise NotFound("There is no member of this workspace who may answer by this number")
    _check(change, availability, capacity, skills, groups)
    said = ", watched = FALSE, left_at = NULL, returns = ''" if availability is not None else ""
    change.connection.execute(
        text(
            "INSERT INTO agents (workspace_id, member_id, availability, capacity, skills,"
            " last_given) VALUES (:workspace, :member, :availability, :capacity, :skills, :last)"
            " ON CONFLICT (workspace_id, member_id) DO UPDATE SET availability ="
            " excluded.availability, capacity = excluded.capacity, skills = excluded.skills" + said
        ),
        {
            "workspace": workspace.id,
            "member": member,
            "availability": availability or agent.availability,
            "capacity": agent.capacity if capacity is None else capacity,
            "skills": msgspec.json.encode(
                sorted(agent.skills if skills is None else set(skills))
            ).decode(),
            "last": agent.last_given,
        },
    )
    if availability not in (None, agent.availability):
        was = agent.availability
        change.audit("agent.availability", f"member:{member}", was=was, becomes=availability)
    if groups is not None:
        _set_groups(change, member, agent.groups, set(groups))
    reload(change)


def _check(
    change: Change,
    availability: str | None,
    capacity: int | None,
    skills: Collection[str] | None,
    groups: Collection[int] | None,
) -> None:
    faults = []
    if availability is not None and availability not in desks.AVAILABILITIES:
        message = f"availability must be one of {', '.join(desks.AVAILABILITIES)}"
        faults.append(Fault("availability", "invalid", message))
    if capacity is not None and not 0 <= capacity <= MOST_AT_ONCE:
        message = f"capacity must be a number of chats from 0 to {MOST_AT_ONCE}"
        faults.append(Fault("capacity", "invalid", message))
    for i, skill in enumerate(skills or ()):
        if not 1 <= len(skill.strip()) <= LONGEST_NAME:
            message = f"a skill is text of 1 to {LONGEST_NAME} characters"
            faults.append(Fault(f"skills.{i}", "invalid", message))
    faults += [
        Fault(f"groups.{i}", "invalid", "There is no such group")
        for i, group in enumerate(groups or ())
        if group not in change.workspace.desk.groups
    ]
    if faults:
        raise Invalid(faults[0].message, faults=faults)


def _set_groups(change: Change, member: int, had: Collection[int], wanted: set[int]) -> None:
    for group in wanted - set(had):
        change.connection.execute(
            text("INSERT INTO group_members (group_id, member_id) VALUES (:group, :member)"),
            {"group": group, "member": member},
        )
    for group in set(had) - wanted:
        change.connection.execute(
            text("DELETE FROM group_members WHERE group_id = :group AND member_id = :member"),
            {"group": group, "member": member},
        )
    change.audit("agent.groups", f"member:{member}", groups=sorted(wanted))


def make_group(change: Change, name: str) -> int:
    """Make a group of agents; its number. Raises `Invalid`, `Conflict` for a taken name."""
    called = _named(change, name, None)
    number: int = change.connection.execute(
        text(
            "INSERT INTO agent_groups (workspace_id, name) VALUES (:workspace, :name) RETURNING id"
        ),
        {"workspace": change.workspace.id, "name": called},
    ).scalar_one()
    change.audit("group.make", f"group:{number}")
    reload(change)
    return number


def rename_group(change: Change, number: int, name: str) -> None:
    """Give a group another name. Raises `NotFound`, `Invalid`, `Conflict`."""
    _need_group(change, number)
    change.connection.execute(
        text("UPDATE agent_groups SET name = :name WHERE id = :id"),
        {"name": _named(change, name, number), "id": number},
    )
    change.audit("group.rename", f"group:{number}")
    reload(change)


def delete_group(change: Change, number: int) -> None:
    """Remove a group; its conversations belong to no group from then on. Raises `NotFound`."""
    _need_group(change, number)
    for statement in (
        "UPDATE conversations SET group_id = NULL WHERE workspace_id = :workspace"
        " AND group_id = :id",
        "DELETE FROM group_members WHERE group_id = :id",
        "DELETE FROM agent_groups WHERE id = :id",
    ):
        given = {"id": number}
        if ":workspace" in statement:
            given["workspace"] = change.workspace.id
        change.connection.execute(text(statement), given)
    change.audit("group.delete", f"group:{number}")
    reload(change)


def _need_group(change: Change, number: int) -> None:
    if number not in change.workspace.desk.groups:
        raise NotFound("There is no such group")


def _named(change: Change, name: str, but: int | None) -> str:
    called = name.strip()
    if not 1 <= len(called) <= LONGEST_NAME or not called.isprintable():
        raise Invalid.at("name", f"A group's name is text of 1 to {LONGEST_NAME} characters")
    held = change.workspace.desk.groups.values()
    if any(g.name.lower() == called.lower() and g.id != but for g in held):
        raise Conflict.at("name", "There is a group of this name already")
    return called
