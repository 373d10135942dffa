"""A condition as a draft: what the form shows of a tree.

The first two levels are the form's own: sets of which one must fit, each of conditions that all
must fit. `kept` says of a group that its one condition stands in a list all the same; without it
one condition alone needs no group. So every tree comes back as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from user360.pages.builder.form import Draft, Keys, shown

Tree = dict[str, Any]
YES = "yes"
# What a group asks of its conditions: the list in the language, and whether `not` stands round it.
JOINS = {"all": ("all", False), "any": ("any", False), "none": ("any", True), "some": ("all", True)}
_NAMES = {meant: name for name, meant in JOINS.items()}


def draft(where: Tree | None) -> Draft:
    """The form of a condition; of None, which is everybody, an empty one."""
    keys = Keys({})
    if where is None:
        return {"nodes": keys.listed([{"kind": "group", "join": "all"}])}
    if "any" not in where:
        return {"nodes": keys.listed([_set(where, keys)])}
    sets = where["any"]
    return {"kept": _kept(sets), "nodes": keys.listed(_set(each, keys) for each in sets)}


def _set(given: Tree, keys: Keys) -> Draft:
    if "all" in given:
        return _group("all", given["all"], keys)
    return {"kind": "group", "join": "all", "nodes": keys.listed([node(given, keys)])}


def _group(join: str, inner: list[Tree], keys: Keys) -> Draft:
    nodes = keys.listed(node(each, keys) for each in inner)
    return {"kind": "group", "join": join, "kept": _kept(inner), "nodes": nodes}


def _kept(inner: list[Tree]) -> str:
    return YES if len(inner) == 1 else ""


def node(given: Tree, keys: Keys) -> Draft:
    """The form of one node of a tree."""
    for kind, opened in _OPENED.items():
        if kind in given:
            return opened(given, keys)
    return {"kind": "property"}


def _all(given: Tree, keys: Keys) -> Draft:
    return _group("all", given["all"], keys)


def _any(given: Tree, keys: Keys) -> Draft:
    return _group("any", given["any"], keys)


def _not(given: Tree, keys: Keys) -> Draft:
    inner = given["not"]
    for word in ("all", "any"):
        if word in inner:
            return _group(_NAMES[word, True], inner[word], keys)
    return {"kind": "group", "join": "none", "nodes": keys.listed([node(inner, keys)])}


def _property(given: Tree, keys: Keys) -> Draft:
    name = given["property"]
    return {"kind": "property", "property": name, "was": name, **_test(given, keys)}


def _test(given: Tree, keys: Keys) -> Draft:
    values = keys.listed(value(each) for each in given.get("values", ()))
    return {"op": given.get("op", ""), "values": values}


def value(given: Any) -> Draft:
    """The fields of one value: which kind of value it is, and what it says."""
    if isinstance(given, dict):
        return {"kind": "span", **_span(given.get("inNext", given))}
    if isinstance(given, bool):
        return {"kind": "boolean", "text": "true" if given else "false"}
    if isinstance(given, int | float):
        return {"kind": "number", "text": repr(given)}
    return {"kind": "text" if given else "empty", "text": shown(given)}


def _span(given: Tree) -> Draft:
    return {"amount": str(given["amount"]), "unit": given["unit"]}


def _event(given: Tree, keys: Keys) -> Draft:
    made: Draft = {
        "kind": "event",
        "did": YES if given.get("occurred", True) else "no",
        "event": shown(given["event"]),
        "count": _compared(given.get("count")),
        "during": _during(given.get("during")),
        "where": _where(given, keys),
    }
    if "sum" in given:
        made["sum"] = {"path": shown(given["sum"]["path"]), **_compared(given["sum"])}
    return made


def _compared(given: Tree | None) -> Draft:
    return {"op": ""} if given is None else {"op": given["op"], "value": repr(given["value"])}


def _where(given: Tree, keys: Keys) -> Draft:
    tests = given.get("where", ())
    return keys.listed({"path": shown(test["path"]), **_test(test, keys)} for test in tests)


def _during(given: Tree | None) -> Draft:
    if given is None:
        return {"kind": ""}
    ((kind, meant),) = given.items()
    match kind:
        case "period":
            return {"kind": meant}
        case "last":
            return {"kind": "last", **_span(meant)}
        case "between":
            return {"kind": "between", "first": meant[0], "second": meant[1]}
        case _:
            return {"kind": kind, "first": meant}


def _sequence(given: Tree, keys: Keys) -> Draft:
    steps = [{"event": shown(s["event"]), "where": _where(s, keys)} for s in given["sequence"]]
    within = given.get("within")
    return {
        "kind": "sequence",
        "did": YES if given.get("completed", True) else "no",
        "steps": keys.listed(steps),
        "within": {"kind": ""} if within is None else {"kind": "within", **_span(within)},
        "during": _during(given.get("during")),
    }


def _segment(given: Tree, _keys: Keys) -> Draft:
    inside = YES if given.get("in", True) else "no"
    return {"kind": "segment", "in": inside, "segment": str(given["segment"])}


_OPENED: dict[str, Callable[[Tree, Keys], Draft]] = {
    "all": _all,
    "any": _any,
    "not": _not,
    "property": _property,
    "event": _event,
    "sequence": _sequence,
    "segment": _segment,
}
