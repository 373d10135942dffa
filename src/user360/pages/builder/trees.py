"""A draft as a condition: the tree that the form means, and what is missing where."""

from __future__ import annotations

import re
from typing import Any

from user360.pages.builder import choices
from user360.pages.builder.form import ROOT, Draft, part, text, unshown
from user360.pages.builder.opened import JOINS, YES, Tree
from user360.records.properties import Catalogue, Type
from user360.segments.language import periods
from user360.segments.language.operators import Takes

_WHOLE = re.compile(r"[+-]?[0-9]{1,15}")


class Writer:
    """Writes one draft as a tree; `missing` says by field what is not there yet.

    `places` are the fields by their places in the tree, for whoever finds fault with that.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.missing: dict[str, str] = {}
        self.places: dict[str, str] = {}

    def write(self, draft: Draft) -> Tree | None:
        """The tree; None, which is everybody, where nothing is chosen yet."""
        if is_empty(draft):
            return None
        return self._list(draft, "any", "where", ROOT)

    def _list(self, draft: Draft, word: str, path: str, name: str) -> Tree:
        """The conditions of a group in a list; one alone only where it is `kept` in one."""
        nodes, listed = part(draft, "nodes"), f"{name}.nodes"
        if not nodes:
            self.missing[name] = "Add a condition, or take the group out"
        if len(nodes) == 1 and text(draft, "kept") != YES:
            ((key, only),) = nodes.items()
            return self._node(only, path, f"{listed}.{key}")
        return {
            word: [
                self._node(inner, f"{path}.{word}.{i}", f"{listed}.{key}")
                for i, (key, inner) in enumerate(nodes.items())
            ]
        }

    def _node(self, draft: Draft, path: str, name: str) -> Tree:
        self.places[path] = name
        match text(draft, "kind"):
            case "group":
                return self._group(draft, path, name)
            case "event":
                return self._event(draft, path, name)
            case "sequence":
                return self._sequence(draft, path, name)
            case "segment":
                return self._segment(draft, path, name)
            case _:
                return self._property(draft, path, name)

    def _group(self, draft: Draft, path: str, name: str) -> Tree:
        word, denied = JOINS.get(text(draft, "join"), JOINS["all"])
        if not denied:
            return self._list(draft, word, path, name)
        return {"not": self._list(draft, word, f"{path}.not", name)}

    def _property(self, draft: Draft, path: str, name: str) -> Tree:
        chosen, op = text(draft, "property"), text(draft, "op")
        self.places |= {f"{path}.property": f"{name}.property", f"{path}.op": f"{name}.op"}
        if not chosen:
            self.missing[f"{name}.property"] = "Choose a property"
            return {"property": "", "op": op}
        row, kind = choices.row_of(chosen, op, self.catalogue)
        takes = Takes.VALUES if row is None else row.takes
        kept = "number" if kind is Type.NUMBER else None if kind is None else "text"
        values = self._values(draft, takes, kept, f"{path}.values", name)
        return {"property": chosen, "op": op, **({"values": values} if values else {})}

    def _values(
        self, draft: Draft, takes: Takes, kind: str | None, path: str, name: str
    ) -> list[Any]:
        """The values of an operator, all of one kind or each of its own."""
        if takes is Takes.NOTHING:
            return []
        found: list[Any] = []
        self.places[path] = f"{name}.op"
        for key, value in part(draft, "values").items():
            at = f"{name}.values.{key}"
            if takes is Takes.AHEAD and not text(value, "amount"):
                continue
            place = f"{path}.{len(found)}"
            self.places[place] = at + (".amount" if takes in choices.SPANS else ".text")
            found.append(self._value(value, takes, kind or text(value, "kind"), at))
        if takes is not Takes.AHEAD and len(found) < (2 if takes is Takes.PAIR else 1):
            self.missing[f"{name}.op"] = "Enter a value"
        return found

    def _value(self, draft: Draft, takes: Takes, kind: str, name: str) -> Any:
        if takes is Takes.SPANS:
            return self._span(draft, name)
        if takes is Takes.AHEAD:
            return {"inNext": self._span(draft, name)}
        given = text(draft, "text")
        if kind == "empty":
            return ""
        if not given.strip() and (not given or kind != "text"):
            self.missing[f"{name}.text"] = "Enter a value"
        if kind == "boolean":
            return given == "true"
        return self._number(given, f"{name}.text") if kind == "number" else unshown(given)

    def _number(self, given: str, name: str) -> int | float | str:
        written = given.strip()
        try:
            return int(written) if _WHOLE.fullmatch(written) else float(written)
        except ValueError:
            self.missing[name] = "Enter a number, such as 12 or 12.5"
            return given

    def _span(self, draft: Draft, name: str) -> Tree:
        amount, unit = text(draft, "amount").strip(), text(draft, "unit") or "days"
        if not amount.isdecimal() or len(amount) > 7 or int(amount) > periods.LONGEST:
            self.missing[f"{name}.amount"] = f"Enter a whole number up to {periods.LONGEST:,}"
            return {"amount": 0, "unit": unit}
        return {"amount": int(amount), "unit": unit}

    def _event(self, draft: Draft, path: str, name: str) -> Tree:
        made: Tree = {
            "event": self._named(draft, path, name),
            "occurred": text(draft, "did") != "no",
        }
        count = part(draft, "count")
        if text(count, "op"):
            made["count"] = self._compared(count, f"{path}.count", f"{name}.count")
        self._during(made, draft, path, name)
        if where := self._where(draft, path, name):
            made["where"] = where
        if isinstance(draft.get("sum"), dict):
            total, at = part(draft, "sum"), f"{name}.sum"
            made["sum"] = {
                "path": self._path(total, f"{path}.sum.path", at),
                **self._compared(total, f"{path}.sum", at),
            }
        return made

    def _named(self, draft: Draft, path: str, name: str) -> str:
        event = unshown(text(draft, "event"))
        self.places[f"{path}.event"] = f"{name}.event"
        if not event.strip():
            self.missing[f"{name}.event"] = "Choose an event"
        return event

    def _compared(self, draft: Draft, path: str, name: str) -> Tree:
        self.places |= {f"{path}.op": f"{name}.op", f"{path}.value": f"{name}.value"}
        value = self._number(text(draft, "value"), f"{name}.value")
        return {"op": text(draft, "op") or "gte", "value": value}

    def _path(self, draft: Draft, path: str, name: str) -> str:
        self.places[path] = f"{name}.path"
        if not text(draft, "path"):
            self.missing[f"{name}.path"] = "Choose what the event holds"
        return unshown(text(draft, "path"))

    def _where(self, draft: Draft, path: str, name: str) -> list[Tree]:
        found = []
        for i, (key, test) in enumerate(part(draft, "where").items()):
            place, at, op = f"{path}.where.{i}", f"{name}.where.{key}", text(test, "op")
            self.places[place] = at
            self.places[f"{place}.op"] = f"{at}.op"
            led = self._path(test, f"{place}.path", at)
            values = self._values(test, choices.takes(op), None, f"{place}.values", at)
            found.append({"path": led, "op": op, **({"values": values} if values else {})})
        return found

    def _during(self, made: Tree, draft: Draft, path: str, name: str) -> None:
        during, at = part(draft, "during"), f"{name}.during"
        kind = text(during, "kind")
        self.places[f"{path}.during.{kind}"] = f"{at}.first"
        if kind in periods.NAMED:
            made["during"] = {"period": kind}
        elif kind == "last":
            made["during"] = {"last": self._span(during, at)}
        elif kind == "between":
            made["during"] = {"between": [self._moment(during, w, at) for w in ("first", "second")]}
        elif kind:
            made["during"] = {kind: self._moment(during, "first", at)}

    def _moment(self, draft: Draft, key: str, name: str) -> str:
        given = text(draft, key)
        if not given.strip():
            self.missing[f"{name}.{key}"] = "Enter a date"
        return given

    def _sequence(self, draft: Draft, path: str, name: str) -> Tree:
        steps = []
        for i, (key, step) in enumerate(part(draft, "steps").items()):
            place, at = f"{path}.sequence.{i}", f"{name}.steps.{key}"
            where = self._where(step, place, at)
            event = self._named(step, place, at)
            steps.append({"event": event, **({"where": where} if where else {})})
        made: Tree = {"sequence": steps, "completed": text(draft, "did") != "no"}
        within = part(draft, "within")
        if text(within, "kind"):
            made["within"] = self._span(within, f"{name}.within")
        self._during(made, draft, path, name)
        return made

    def _segment(self, draft: Draft, path: str, name: str) -> Tree:
        number = text(draft, "segment")
        self.places[f"{path}.segment"] = f"{name}.segment"
        if not number.isdecimal():
            self.missing[f"{name}.segment"] = "Choose a segment"
        chosen = int(number) if number.isdecimal() and len(number) < 19 else 0
        return {"segment": chosen, "in": text(draft, "in") != "no"}


def is_empty(draft: Draft) -> bool:
    """Whether nothing is chosen in a draft or a part of it, however many rows there are."""
    nodes = draft.get("nodes")
    if isinstance(nodes, dict):
        return all(is_empty(inner) for inner in nodes.values())
    steps = draft.get("steps")
    if isinstance(steps, dict):
        return not any(text(step, "event") for step in steps.values())
    return not any(text(draft, key) for key in ("property", "event", "segment"))
