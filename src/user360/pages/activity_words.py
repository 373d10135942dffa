"""Lines of the audit as sentences: who did what to which thing, by names rather than numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from user360.access.keys import Key
from user360.access.members import Member
from user360.access.workspaces import Workspace
from user360.pages import words

# What was done, with `{it}` for the thing; what is not here is told by its own words.
DONE: Mapping[str, str] = {
    "segment.create": "made the segment {it}",
    "segment.update": "changed the segment {it}",
    "segment.delete": "deleted the segment {it}",
    "segment.archive": "archived the segment {it}",
    "segment.unarchive": "took the segment {it} out of the archive",
    "segment.members": "changed who is in the segment {it}",
    "property.create": "added the property {it}",
    "property.update": "changed the property {it}",
    "property.delete": "deleted the property {it}",
    "property.restore": "gave back the property {it}",
    "definition.create": "defined the event {it}",
    "definition.update": "changed the event {it}",
    "member.first": "made {it} the first member",
    "member.invite": "invited {it}",
    "member.link": "made a link for {it}",
    "member.password": "set the password of {it}",
    "member.name": "changed the name of {it}",
    "member.role": "gave {it} another role",
    "member.remove": "removed {it}",
    "key.create": "made the key {it}",
    "key.delete": "revoked the key {it}",
    "workspace.settings": "changed the settings of {it}",
    "workspace.copy": "copied segments from {it}",
    "import.ask": "began the import {it}",
    "import.undo": "took back the import {it}",
    "job.cancel": "cancelled {it}",
    "export.create": "asked for the export {it}",
    "export.stream": "downloaded people as {it}",
    "export.download": "downloaded the export {it}",
    "export.delete": "deleted the export {it}",
    "schedule.create": "scheduled {it}",
    "schedule.update": "changed {it}",
    "schedule.delete": "deleted {it}",
    "users.delete": "deleted users chosen by {it}",
    "users.tag": "tagged users chosen by {it}",
    "user.erase": "erased {it}",
    "user.allow": "allowed again what {it} had erased",
    "inbox.settings": "changed the settings of the {it}",
    "agent.availability": "changed whether {it} is there to answer",
    "agent.groups": "changed the groups of {it}",
    "group.make": "made the {it}",
    "group.rename": "renamed the {it}",
    "group.delete": "deleted the {it}",
    "channel.settings": "changed the settings of the {it}",
    "hook.make": "made the {it}",
    "hook.edit": "changed the {it}",
    "hook.delete": "deleted the {it}",
    "delivery.retry": "had the {it} tried again",
    "canned.make": "wrote the {it}",
    "canned.alter": "changed the {it}",
    "canned.remove": "deleted the {it}",
    "flow.put": "wrote the {it}",
    "flow.secrets": "changed the secrets of the {it}",
    "flow.delete": "deleted the {it}",
    "merge": "merged two records by hand as {it}",
    "unmerge": "undid {it}",
}
KINDS = {
    "segment": "Segments",
    "property": "Properties",
    "definition": "Events",
    "import": "Imports",
    "export": "Exports",
    "users": "Users, many at once",
    "user": "Erasures",
    "merge": "Merges",
    "schedule": "Schedules",
    "member": "Members",
    "key": "API keys",
    "workspace": "The workspace",
    "job": "Cancelled jobs",
    "inbox": "The inbox",
    "agent": "Agents",
    "group": "Groups of agents",
    "flow": "Flows",
    "channel": "Channels",
    "hook": "Webhooks",
    "delivery": "Deliveries",
    "canned": "Canned answers",
}
ITSELF = {"segments": "User 360", "demo": "The demo"}


class Line(msgspec.Struct, frozen=True):
    """One line for people: `before` and `after` stand around the thing, `more` says details."""

    id: int
    at: str
    who: str
    before: str
    thing: str
    address: str
    after: str
    more: str


class Names:
    """What things and people of a workspace are called now."""

    def __init__(
        self, workspace: Workspace, members: Mapping[int, Member], keys: Mapping[int, Key]
    ) -> None:
        self.workspace = workspace
        self.members = members
        self.keys = keys

    def actor(self, ref: str) -> str:
        """`member:3` -> `Asha Rao`."""
        kind, _, rest = ref.partition(":")
        number = int(rest) if rest.isdecimal() else -1
        if kind == "member":
            return self._member(number)
        if kind == "key":
            held = self.keys.get(number)
            return f"The key {held.name}" if held else f"A revoked key (no. {rest})"
        return ITSELF.get(ref, ref.replace(":", " "))

    def thing(self, target: str) -> tuple[str, str]:
        """`segment:7` -> `VIP` and where it is found; no address for what has none."""
        kind, _, rest = target.partition(":")
        known: Mapping[str, Callable[[str], tuple[str, str]]] = {
            "segment": self._segment,
            "property": self._property,
            "event": lambda name: (name, f"/events/of/{quote(name, safe='')}"),
            "member": lambda number: (self._member(int(number)), ""),
            "key": self._key,
            "record": lambda number: (f"record {number}", ""),
            "job": lambda number: (f"job {number[:8]}", ""),
            "schedule": lambda number: (f"schedule {number}", ""),
            "channel": lambda name: (
                f"channel {name}",
                f"/settings/channels/{quote(name, safe='')}",
            ),
            "flow": lambda name: (f"flow {name}", f"/flows/{quote(name, safe='')}"),
            "hook": lambda number: (f"webhook {number}", ""),
            "canned": lambda number: (f"canned answer {number}", "/settings/canned"),
            "workspace": lambda name: (f"the workspace {name}".strip(), ""),
        }
        return known[kind](rest) if kind in known else (target.replace(":", " "), "")

    def _member(self, number: int) -> str:
        held = self.members.get(number)
        return held.name if held else f"Somebody who left (no. {number})"

    def _segment(self, number: str) -> tuple[str, str]:
        held = self.workspace.segments.get(int(number))
        return (held.name, f"/segments/{number}") if held else (f"no. {number}, deleted since", "")

    def _property(self, name: str) -> tuple[str, str]:
        there = self.workspace.catalogue.get(name) is not None
        return name, f"/properties/{quote(name, safe='')}" if there else ""

    def _key(self, number: str) -> tuple[str, str]:
        held = self.keys.get(int(number))
        return (held.name, "") if held else (f"no. {number}", "")


def line(row: Mapping[str, Any], names: Names) -> Line:
    """A line of the audit as a sentence."""
    action: str = row["action"]
    thing, address = names.thing(row["target"])
    if action.startswith(("import.", "export.")) and row["target"].startswith("job:"):
        address = f"/imports/{row['target'][4:]}"
    if action.startswith("export."):
        thing, address = thing.removeprefix("job "), "/exports"
    told = DONE.get(action, f"{words.title(action.replace('.', ' ')).lower()} {{it}}")
    before, _, after = told.partition("{it}")
    who = names.actor(row["actor"])
    return Line(row["id"], row["at"], who, before, thing, address, after, _more(row["detail"]))


def _more(detail: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{words.title(name).lower()}: {words.value(held)}"
        for name, held in detail.items()
        if held not in (None, "", [], False)
    )
