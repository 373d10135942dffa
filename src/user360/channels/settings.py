"""How the channels of a workspace are set: read without secrets, changed by parts, used whole.

Settings are told and changed nested (`{"smtp": {"host": ...}}`) and kept flat, by dotted paths.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from user360.access.change import Change
from user360.access.vault import Vault
from user360.access.workspaces import Workspace
from user360.channels import declared, health, store
from user360.channels.declared import Shape
from user360.channels.email import addresses
from user360.channels.whatsapp import templates
from user360.conversations import managing
from user360.conversations.desk import Channel
from user360.errors import Conflict, Fault, Invalid
from user360.flows import store as flows
from user360.platform import Platform
from user360.storage.ledger import Connection

Settings = TypeVar("Settings", bound=Shape)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")
FLOW = "flow:"
WEBHOOK = "webhook"
# Besides the secrets: what decides whether the other side lets us in.
ACCESS = ("phoneNumberId", "apiBase", "smtp.")
# Those that are always there to be set; others are there once something sends by them.
BUILT_IN = ("web", "whatsapp", "email", "api")


def names(workspace: Workspace) -> list[str]:
    """The channels that can be shown: the built-in ones, then those that were set besides."""
    return [*BUILT_IN, *sorted(workspace.desk.channels.keys() - set(BUILT_IN))]


def read(platform: Platform, workspace: Workspace, name: str) -> dict[str, Any]:
    """How a `channel` is set, without its secrets; `secretsSet` names those that it has.

    Raises `Invalid` for a name that no channel can have.
    """
    _need_name(name)
    with platform.ledger.read() as connection:
        held = _secrets(connection, platform.vault, workspace, name)
        noted = store.kept(connection, workspace.id, name).state
    return told(workspace, name, held, noted)


def told(
    workspace: Workspace, name: str, secrets: Mapping[str, str], noted: Mapping[str, Any]
) -> dict[str, Any]:
    """How a channel is told to those who may change it; `trouble` is what goes wrong just now.

    `troubleSince` is since when it does, in microseconds. `missing` are the paths of those settings
    that are not set, and without which nothing is sent or nothing heard.
    """
    channel = _channel(workspace, name)
    shape = declared.shape_of(name)
    held = {**_effective(channel, shape), **secrets}
    flat = {p: value for p, value in held.items() if p not in shape.SECRET}
    needed = dict.fromkeys([*shape.SENDS, *shape.HEARS])
    trouble = health.of(noted)
    return {
        "channel": name,
        "active": channel.active,
        "bot": channel.bot,
        **_nested(flat),
        "secretsSet": sorted(secrets),
        "missing": [path for path in needed if not held[path]],
        "trouble": "" if trouble is None else trouble.error,
        "troubleSince": None if trouble is None else trouble.since,
    }


def secrets(platform: Platform, workspace: Workspace, name: str) -> dict[str, str]:
    """A channel's secrets by their dotted paths, for the code that needs them."""
    with platform.ledger.read() as connection:
        return _secrets(connection, platform.vault, workspace, name)


def whole(platform: Platform, workspace: Workspace, name: str, shape: type[Settings]) -> Settings:
    """A channel's settings with its secrets in their places, for the code that needs them."""
    held = secrets(platform, workspace, name)
    flat = {**_channel(workspace, name).settings, **held}
    return msgspec.convert(_nested(flat), shape)


def change(change: Change, vault: Vault, name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Put what is given into a channel's settings; how it is told then.

    Null or an empty text takes a setting back; a secret is for the server it was given for, so
    whoever names another gives it anew. Raises `Invalid` naming each bad one by its path,
    `Conflict` for an address whose mail another workspace gets.
    """
    _need_name(name)
    workspace = change.workspace
    channel = _channel(workspace, name)
    wanted = {k: v for k, v in given.items() if k not in ("active", "bot")}
    active, bot = given.get("active", channel.active), given.get("bot", channel.bot)
    faults = _faults_of_all(active, bot)
    shape = declared.shape_of(name)
    leaves = declared.leaves(shape)
    flat = _given(wanted, leaves, faults)
    held = _secrets(change.connection, vault, workspace, name)
    faults += _faults_of_moving(channel, shape, held, flat)
    faults += _faults_of_flow(change, bot, channel)
    if faults:
        raise Invalid(faults[0].message, faults=faults)
    settings = dict(channel.settings)
    for path, value in flat.items():
        into = held if path in shape.SECRET else settings
        if value in (None, "", []):
            into.pop(path, None)
        else:
            into[path] = value
    if "address" in flat:
        _refuse_taken(change, name, str(settings.get("address", "")))
    changed = Channel(name, bot or "", active, settings)
    sealed = vault.seal(msgspec.json.encode(held).decode()) if held else ""
    store.save(change.connection, workspace.id, changed, sealed, change.now)
    access = any(path in shape.SECRET or path.startswith(ACCESS) for path in flat)
    health.mended(change.connection, workspace.id, name, change.now, access=access)
    change.audit("channel.settings", f"channel:{name}", changed=sorted(_named(given)))
    managing.reload(change)
    return told(workspace, name, held, store.kept(change.connection, workspace.id, name).state)


def state(platform: Platform, workspace: Workspace, name: str) -> dict[str, Any]:
    """What a channel has noted for itself: how far it has read, say."""
    with platform.ledger.read() as connection:
        return store.kept(connection, workspace.id, name).state


def note(
    connection: Connection, workspace: Workspace, name: str, part: str, noted: dict[str, Any]
) -> None:
    """Note a part of what a channel knows beside the others, in the writer's transaction."""
    held = store.kept(connection, workspace.id, name).state
    store.save_state(connection, workspace.id, name, {**held, part: noted})


def _refuse_taken(change: Change, name: str, address: str) -> None:
    """One mailbox is one workspace's: nobody gets the mail of another by naming its address."""
    wanted, _ = addresses.untagged(addresses.alike(address))
    for other in store.of_others(change.connection, change.workspace.id, name):
        held, _ = addresses.untagged(addresses.alike(str(other.get("address", ""))))
        if address and held == wanted:
            raise Conflict.at("address", "Another workspace has this address already")


def _channel(workspace: Workspace, name: str) -> Channel:
    return workspace.desk.channels.get(name) or Channel(name)


def _secrets(
    connection: Connection, vault: Vault, workspace: Workspace, name: str
) -> dict[str, str]:
    sealed = store.kept(connection, workspace.id, name).secrets
    return msgspec.json.decode(vault.unseal(sealed), type=dict[str, str]) if sealed else {}


def _need_name(name: str) -> None:
    if not NAME.match(name):
        message = "A channel's name is 1 to 64 letters, digits, - and _"
        raise Invalid.at("channel", message)


def _effective(channel: Channel, shape: type[Shape]) -> dict[str, Any]:
    """The settings in force, by their dotted paths: what is given, and what holds without."""
    return declared.flat(msgspec.to_builtins(msgspec.convert(_nested(channel.settings), shape)))


def _faults_of_moving(
    channel: Channel, shape: type[Shape], held: Mapping[str, str], flat: Mapping[str, Any]
) -> list[Fault]:
    """Secrets that would go to another server than the one they were given for."""
    before = _effective(channel, shape)
    return [
        Fault(secret, "required", f"Give {secret} again: what is kept was for another server")
        for secret, server in shape.TO.items()
        if secret in held and secret not in flat
        if server in flat and (flat[server] or "") != before[server]
    ]


def _faults_of_flow(change: Change, bot: str | None, channel: Channel) -> list[Fault]:
    if not bot or not _is_bot(bot) or not bot.startswith(FLOW) or bot == channel.bot:
        return []
    name = bot.removeprefix(FLOW)
    if flows.one(change.connection, change.workspace.id, name) is not None:
        return []
    return [Fault("bot", "invalid", f"There is no flow {name[:64]}; write it first")]


def _faults_of_all(active: object, bot: object) -> list[Fault]:
    """What is wrong with the settings that every channel has."""
    found = []
    if not isinstance(active, bool):
        found.append(Fault("active", "invalidDataType", "active must be true or false"))
    if bot is not None and not _is_bot(bot):
        message = "bot must be flow: with the name of a flow, webhook, or empty for agents"
        found.append(Fault("bot", "invalid", message))
    return found


def _is_bot(bot: object) -> bool:
    if not isinstance(bot, str):
        return False
    return bot in ("", WEBHOOK) or bool(bot.startswith(FLOW) and NAME.match(bot[len(FLOW) :]))


def _given(
    wanted: dict[str, Any], leaves: dict[str, Any], faults: list[Fault], above: str = ""
) -> dict[str, Any]:
    """The settings that are given, by their dotted paths; what is wrong with them is noted."""
    found: dict[str, Any] = {}
    for name, value in wanted.items():
        path = f"{above}{name}"
        if path in leaves:
            found[path] = value
            faults += _faults_of(path, value, leaves[path])
        elif any(leaf.startswith(f"{path}.") for leaf in leaves):
            if isinstance(value, dict):
                found |= _given(value, leaves, faults, f"{path}.")
            else:
                faults.append(Fault(path, "invalidDataType", f"{path} must be an object"))
        else:
            there = ", ".join(["active", "bot", *leaves])
            message = f"This channel has no such setting; there are {there}"
            faults.append(Fault(path[:200], "invalid", message))
    return found


def _faults_of(path: str, value: object, kind: Any) -> list[Fault]:
    if value is None:
        return []
    if path == "templates":
        return templates.faults_of(value)
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        there = ", ".join(typing.get_args(kind))
        message = f"{path} must be one of {there}" if there else str(error)
        return [Fault(path, "invalidDataType", message)]
    wrong = declared.wrong_with(path, value)
    return [Fault(path, "invalid", wrong)] if wrong else []


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path, value in flat.items():
        *above, name = path.split(".")
        place = found
        for part in above:
            place = place.setdefault(part, {})
        place[name] = value
    return found


def _named(given: dict[str, Any]) -> list[str]:
    """What was given, by name alone: nothing of a value is noted."""
    return [str(name)[:64] for name in declared.flat(given)]
