"""Flows are kept, shown and removed: changes of a workspace, audited."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from user360.access.change import Change
from user360.access.vault import Vault
from user360.access.workspaces import Workspace
from user360.errors import Conflict, Fault, Invalid, NotFound
from user360.flows import store
from user360.flows.language import naming, reading
from user360.flows.store import Kept

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")
MOST_FLOWS = 200
LONGEST_SECRET, MOST_SECRETS = 4_096, 50
BOT = "flow:"


def need_name(name: str) -> None:
    """Raises `Invalid` for what no flow can be called."""
    if not NAME.match(name):
        raise Invalid.at("name", "A flow's name is 1 to 64 letters, digits, - and _")


def put(change: Change, vault: Vault, name: str, text: str) -> Kept:
    """Keep a flow under a name, in the place of what was there. Raises `Invalid` by line."""
    need_name(name)
    workspace = change.workspace
    found = store.one(change.connection, workspace.id, name)
    if found is None and len(store.all_flows(change.connection, workspace.id)) >= MOST_FLOWS:
        raise Conflict(f"A workspace has at most {MOST_FLOWS} flows; remove one first")
    sealed = "" if found is None else found.secrets
    _, troubles = naming.checked(text, workspace, secrets_in(sealed, vault))
    if troubles:
        raise reading.refused(troubles)
    kept = Kept(name, text, change.now, change.actor, sealed)
    store.save(change.connection, workspace.id, kept)
    change.audit("flow.put", f"flow:{name}")
    return kept


def delete(change: Change, name: str, force: bool = False) -> None:
    """Remove a flow. Raises `NotFound`, and `Conflict` while a channel begins with it.

    With `force` conversations on such a channel are handed over to agents from then on.
    """
    if store.one(change.connection, change.workspace.id, name) is None:
        raise NotFound("There is no flow of this name")
    using = used_by(change.workspace, name)
    if using and not force:
        raise Conflict(f"The flow answers on {', '.join(using)}; give these another bot first")
    store.delete(change.connection, change.workspace.id, name)
    change.audit("flow.delete", f"flow:{name}")


def used_by(workspace: Workspace, name: str) -> list[str]:
    """The channels whose conversations begin with a flow."""
    return sorted(c.name for c in workspace.desk.channels.values() if c.bot == BOT + name)


def set_secrets(change: Change, vault: Vault, name: str, given: Mapping[str, Any]) -> list[str]:
    """Keep secrets with a flow, by their names; null takes one away. The names there are then.

    Raises `NotFound`, `Invalid` naming each bad one.
    """
    found = store.one(change.connection, change.workspace.id, name)
    if found is None:
        raise NotFound("There is no flow of this name")
    faults = [fault for each in given.items() for fault in _faults_of(*each)]
    held = secrets_in(found.secrets, vault)
    merged = {**held, **{n: v for n, v in given.items() if not faults}}
    merged = {n: v for n, v in merged.items() if v is not None}
    if len(merged) > MOST_SECRETS:
        faults.append(Fault("", "invalid", f"A flow has at most {MOST_SECRETS} secrets"))
    if faults:
        raise Invalid(faults[0].message, faults=faults)
    sealed = vault.seal(msgspec.json.encode(merged).decode()) if merged else ""
    store.save(
        change.connection, change.workspace.id, msgspec.structs.replace(found, secrets=sealed)
    )
    change.audit("flow.secrets", f"flow:{name}", changed=sorted(given))
    return sorted(merged)


def _faults_of(name: str, value: object) -> list[Fault]:
    if not re.match(r"[A-Za-z][A-Za-z0-9_]{0,63}\Z", name):
        message = "a secret's name is a letter, then letters, digits and _, at most 64"
        return [Fault(name[:64], "invalid", message)]
    sound = value is None or (isinstance(value, str) and 1 <= len(value) <= LONGEST_SECRET)
    if not sound or (isinstance(value, str) and not (value.isascii() and value.isprintable())):
        message = f"a secret is 1 to {LONGEST_SECRET:,} visible ASCII characters, or null"
        return [Fault(name, "invalid", message)]
    return []


def secrets_in(sealed: str, vault: Vault) -> dict[str, str]:
    """The secrets of a flow by name."""
    return msgspec.json.decode(vault.unseal(sealed), type=dict[str, str]) if sealed else {}


def names_of(kept: Kept | None, vault: Vault) -> Collection[str]:
    """The names of the secrets that are kept with a flow."""
    return () if kept is None else secrets_in(kept.secrets, vault).keys()
