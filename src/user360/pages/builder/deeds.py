"""What is done to a draft: adding and taking out, and putting right what goes with a choice."""

from __future__ import annotations

from collections.abc import Callable

from user360.errors import Malformed
from user360.pages.builder import choices, form, opened
from user360.pages.builder.form import Draft, Keys, part, text
from user360.records.properties import Catalogue
from user360.segments.language import operators, reading
from user360.segments.language.operators import Takes


def do(draft: Draft, deed: str) -> str:
    """Carry out `verb name` on a draft; the name of what is new, to be looked at next."""
    verb, _, name = deed.partition(" ")
    keys = Keys(draft)
    if verb == "time":
        above, _, key = name.rpartition(".")
        held = form.at(draft, above)
        held[key] = f"{text(held, key).strip()} 00:00:00"
        return name
    if verb == "remove":
        return _remove(draft, name)
    if verb not in _ADDS:
        raise Malformed("The form cannot do this")
    place, made = _ADDS[verb]
    if verb == "sum":
        form.at(draft, name)[place] = made(keys)
        return f"{name}.{place}"
    key = keys()
    part(form.at(draft, name), place)[key] = made(keys)
    return f"{name}.{place}.{key}"


def _remove(draft: Draft, name: str) -> str:
    """Take out one part, and the groups that have nothing left in them then; what it was in."""
    above, _, key = name.rpartition(".")
    held = form.at(draft, above)
    held.pop(key, None)
    while not held and above.endswith(".nodes") and above.count(".") > 1:
        above = above.removesuffix(".nodes")
        above, _, key = above.rpartition(".")
        held = form.at(draft, above)
        held.pop(key, None)
    return above.removesuffix(".nodes")


def _blank_value(_keys: Keys) -> Draft:
    return {"kind": "text", "text": ""}


def _group(keys: Keys) -> Draft:
    return {"kind": "group", "join": "any", "nodes": {keys(): {"kind": "property"}}}


def _set(keys: Keys) -> Draft:
    return {**_group(keys), "join": "all"}


def _sequence(keys: Keys) -> Draft:
    steps: Draft = {keys(): {"event": ""}, keys(): {"event": ""}}
    return {"kind": "sequence", "did": opened.YES, "steps": steps}


# Where each verb adds to what it names, and what it adds.
_ADDS: dict[str, tuple[str, Callable[[Keys], Draft]]] = {
    "property": ("nodes", lambda _: {"kind": "property"}),
    "event": ("nodes", lambda _: {"kind": "event", "did": opened.YES}),
    "sequence": ("nodes", _sequence),
    "segment": ("nodes", lambda _: {"kind": "segment", "in": opened.YES}),
    "group": ("nodes", _group),
    "set": ("nodes", _set),
    "value": ("values", _blank_value),
    "where": ("where", lambda _: {"path": ""}),
    "step": ("steps", lambda _: {"event": ""}),
    "sum": ("sum", lambda _: {"path": "", "op": "gte", "value": ""}),
}


_DURING = {"during": {"kind": "", "first": "", "second": "", "amount": "", "unit": "days"}}


def tidy(draft: Draft, catalogue: Catalogue) -> None:
    """Put right what no longer goes with what was chosen: operators, and how many values."""
    keys = Keys(draft)
    if not part(draft, "nodes"):
        draft["nodes"] = {keys(): {"kind": "group", "join": "all"}}
    _fill(draft, {"kept": ""})
    for inner in draft["nodes"].values():
        inner["kind"] = "group"
        _tidy(inner, catalogue, keys)


def _tidy(draft: Draft, catalogue: Catalogue, keys: Keys) -> None:
    """Every field that the form shows of a node is there then."""
    match text(draft, "kind"):
        case "group":
            _fill(draft, {"join": "all", "kept": ""})
            for inner in part(draft, "nodes").values():
                _tidy(inner, catalogue, keys)
        case "event":
            _fill(draft, {"did": "yes", "event": "", **_DURING, "count": {"op": "", "value": ""}})
            _tests(draft, keys)
        case "sequence":
            within = {"kind": "", "amount": "", "unit": "days"}
            _fill(draft, {"did": "yes", **_DURING, "within": within})
            for step in part(draft, "steps").values():
                _fill(step, {"event": ""})
                _tests(step, keys)
        case "segment":
            _fill(draft, {"segment": "", "in": "yes"})
        case _:
            _fill(draft, {"kind": "property", "property": "", "was": "", "op": "", "values": {}})
            _property(draft, catalogue, keys)


def _fill(draft: Draft, usual: Draft) -> None:
    """Put in what is not there."""
    for key, value in usual.items():
        if isinstance(value, dict):
            _fill(part(draft, key), value)
        else:
            draft[key] = text(draft, key) or value


def _property(draft: Draft, catalogue: Catalogue, keys: Keys) -> None:
    """Another property begins anew; another operator keeps the values that it can take."""
    chosen = text(draft, "property")
    found = reading.property_of(chosen, catalogue)
    if found is None:
        return
    before = reading.property_of(text(draft, "was"), catalogue)
    if text(draft, "was") != chosen:
        draft["was"], draft["values"] = chosen, {}
    first = choices.of_property(found.type)[0][0]
    if before is not None and before.type is not found.type:
        draft["op"] = first
    row = operators.find(text(draft, "op"), found.type)
    if row is None:
        draft["op"] = first
        row = operators.find(first, found.type)
    if row is not None:
        _values(draft, row.takes, keys)


def _tests(draft: Draft, keys: Keys) -> None:
    if "sum" in draft:
        _fill(part(draft, "sum"), {"path": "", "op": "gte", "value": ""})
    for test in part(draft, "where").values():
        _fill(test, {"path": ""})
        if not operators.in_events(text(test, "op")):
            test["op"] = choices.OPERATORS_FIRST
        op = text(test, "op")
        _values(test, choices.takes(op), keys)
        kinds = [kind for kind, _ in choices.kinds(op)]
        for value in part(test, "values").values():
            if text(value, "kind") not in [*kinds, "span"]:
                value["kind"] = kinds[0]
            if text(value, "kind") == "boolean" and text(value, "text") != "true":
                value["text"] = "false"


def _values(draft: Draft, takes: Takes, keys: Keys) -> None:
    """As many values as the operator takes, each of its sort."""
    values = part(draft, "values")
    spans = takes in choices.SPANS
    for key in list(values):
        if takes is Takes.NOTHING or spans != (text(values[key], "kind") == "span"):
            del values[key]
    if takes is Takes.NOTHING:
        return
    while len(values) < (2 if takes is Takes.PAIR else 1):
        blank = {"kind": "span", "amount": "", "unit": "days"}
        values[keys()] = blank if spans else _blank_value(keys)
    for value in values.values():
        usual = {"amount": "", "unit": "days"} if spans else {"kind": "text", "text": ""}
        _fill(value, usual)
    most = {Takes.PAIR: 2, Takes.AHEAD: 1}.get(takes, len(values))
    for key in list(values)[most:]:
        del values[key]
