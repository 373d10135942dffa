"""What the template of the builder shows: a draft, the tree it means, what is missing or wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from user360.access.workspaces import Workspace
from user360.errors import Fault, Invalid, InvalidCondition
from user360.pages import forms, words
from user360.pages.builder import choices, deeds, form, opened, trees
from user360.pages.builder.choices import Choice
from user360.pages.builder.form import ROOT, Draft
from user360.pages.builder.opened import Tree
from user360.records.properties import Type
from user360.segments import conditions, usage
from user360.segments.language import nodes, reading, tree
from user360.segments.language.dependencies import mentioned
from user360.segments.language.operators import Takes

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SUGGESTED = (Type.STRING, Type.LIST)
MOST_EVENTS = 500  # whose names are suggested


class View(msgspec.Struct, frozen=True):
    """A draft as it is shown. `node` and `where` are there when it is whole; None is everybody.

    `missing` and `wrong` say by the name of a field what is to be put in or put right; `focus`
    names the part to go on at.
    """

    workspace: Workspace
    draft: Draft
    whole: bool
    where: Tree | None = None
    node: nodes.Node | None = None
    missing: dict[str, str] = {}
    wrong: dict[str, str] = {}
    segment: int | None = None
    focus: str = ""

    @property
    def says(self) -> str:
        """The condition in English; empty while it is not whole."""
        return conditions.says(self.node, self.workspace) if self.whole else ""

    @property
    def choices(self) -> Any:
        """The words of the language."""
        return choices

    def properties(self) -> list[tuple[str, list[Choice]]]:
        """Every property there is, in groups."""
        declared = list(self.workspace.catalogue)
        return [
            ("About the person", [_choice(p.name) for p in declared if p.system]),
            ("Your own", sorted(_choice(p.name) for p in declared if not p.system)),
            ("The record", [_choice(name) for name in reading.RECORD_TIMES]),
        ]

    def segments(self) -> list[Choice]:
        """The segments that can be asked about, by name."""
        named, usable = self.workspace.segments, _usable(self.workspace, self.segment)
        found = sorted((named[number].name, str(number)) for number in usable)
        return [(number, name) for name, number in found]

    def events(self) -> list[str]:
        """The names of events that are known, those that come most first."""
        known = sorted(self.workspace.definitions.values(), key=lambda d: (-d.volume, d.name))
        return [form.shown(each.name) for each in known[:MOST_EVENTS]]

    def held(self, event: str) -> list[str]:
        """What events of this name were seen to hold."""
        known = self.workspace.definitions.get(form.unshown(event).strip())
        return [form.shown(name) for name in sorted(known.properties)] if known else []

    def type_of(self, name: str) -> str:
        """The type of a property; empty for one that is gone."""
        found = reading.property_of(name, self.workspace.catalogue)
        return "" if found is None else found.type.value

    def operators(self, name: str) -> list[Choice]:
        """The operators for a property."""
        found = self.type_of(name)
        return choices.of_property(Type(found)) if found else []

    def takes(self, name: str, op: str) -> Takes:
        """What an operator on a property takes."""
        row, _ = choices.row_of(name, op, self.workspace.catalogue)
        return Takes.NOTHING if row is None else row.takes

    def sort(self, name: str) -> str:
        """How values of a property are entered: `date`, `moment`, `number`, `listed` or `text`."""
        kind = self.type_of(name)
        if kind in _SUGGESTED:
            return "listed"
        sorts = {Type.DATE: "date", Type.DATETIME: "moment", Type.NUMBER: "number"}
        return sorts.get(Type(kind), "text") if kind else "text"

    def is_day(self, text: str) -> bool:
        """Whether a text is a bare day, or nothing yet."""
        return not text or _DAY.fullmatch(text) is not None


def view(workspace: Workspace, where: Tree | None, segment: int | None = None) -> View:
    """The builder with a condition in it; `segment` is the one that is edited.

    What cannot be understood any more is shown with what is wrong.
    """
    try:
        node = _parsed(workspace, where, segment)
    except InvalidCondition:
        return of_draft(workspace, opened.draft(where), segment)
    return of_draft(workspace, opened.draft(None if node is None else tree.dump(node)), segment)


def of_draft(
    workspace: Workspace, draft: Draft, segment: int | None = None, focus: str = ""
) -> View:
    """What a draft comes to."""
    deeds.tidy(draft, workspace.catalogue)
    writer = trees.Writer(workspace.catalogue)
    where = writer.write(draft)
    shown = View(workspace, draft, False, segment=segment, focus=focus, missing=writer.missing)
    try:
        node = _parsed(workspace, where, segment)
    except InvalidCondition as problem:
        wrong = _placed(problem.faults, writer)
        return msgspec.structs.replace(shown, wrong=wrong)
    if writer.missing:
        return shown
    return msgspec.structs.replace(shown, whole=True, where=where, node=node)


def submitted(workspace: Workspace, pairs: Iterable[tuple[str, str]]) -> Tree | None:
    """The condition that a form holds; None is everybody.

    Raises `Invalid` with the fields that something is missing in.
    """
    given = list(pairs)
    found = of_draft(workspace, form.read(given), segment_of(given))
    if not found.whole:
        said = found.missing | found.wrong
        faults = [Fault(_field(name), "invalid", message) for name, message in said.items()]
        raise Invalid("The conditions are not finished yet", faults=faults)
    return found.where


def _field(name: str) -> str:
    """The name of a field; nothing for a part of the form that is none."""
    last = name.rpartition(".")[2]
    return "" if last.isdecimal() or name == ROOT else name


def segment_of(pairs: Iterable[tuple[str, str]]) -> int | None:
    """The segment that a form is about."""
    return forms.number(dict(pairs).get("segment", ""))


def _parsed(workspace: Workspace, where: Tree | None, segment: int | None) -> nodes.Node | None:
    if where is None:
        return None
    return tree.parse(where, workspace.catalogue, "where", _usable(workspace, segment))


def _usable(workspace: Workspace, segment: int | None) -> frozenset[int]:
    """The segments that may be named: also what the one that is edited names already."""
    edited = None if segment is None else workspace.segments.get(segment)
    kept = mentioned(conditions.of(edited)) if edited else ()
    return usage.usable(workspace, kept) - {segment or 0}


def _placed(faults: Iterable[Fault], writer: trees.Writer) -> dict[str, str]:
    """What is wrong by the names of fields; what is missing there was said already."""
    found: dict[str, str] = {}
    for fault in faults:
        path = fault.path
        while path and path not in writer.places:
            path = path.rpartition(".")[0]
        name = writer.places.get(path, ROOT)
        below = f"{name}."
        if not any(each == name or each.startswith(below) for each in writer.missing):
            found.setdefault(name, _capital(fault.message))
    return found


def _capital(message: str) -> str:
    return message[:1].upper() + message[1:]


def _choice(name: str) -> Choice:
    return name, words.title(name)
