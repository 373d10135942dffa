"""A flow from its text: what it is made of, and all that is wrong with it, by line.

`read` looks at the text alone; whether the properties, segments and groups that it names are there
is seen by `naming`, for these come and go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from user360.errors import Fault, Invalid
from user360.flows.language import loading, nodes
from user360.flows.language.kinds import KINDS
from user360.flows.language.loading import Loaded, Trouble, Troubled
from user360.flows.language.nodes import Flow, Node
from user360.flows.language.reader import NODE, Reader, near

TOP = ("description", "start", "handOverWords", "nodes")
MOST_NODES = 500


def parse(text: str) -> Flow:
    """The flow that a text means. Raises `Invalid` naming every line that is wrong."""
    flow, troubles, _ = read(text)
    if flow is None or troubles:
        raise refused(troubles)
    return flow


def refused(troubles: Iterable[Trouble]) -> Invalid:
    """All that is wrong, in the order of the lines."""
    faults = [Fault(each.path, "invalid", f"line {each.line}: {each.message}") for each in troubles]
    return Invalid(faults[0].message, faults=faults)


def read(text: str) -> tuple[Flow | None, list[Trouble], Loaded]:
    """The flow that a text means, all that is wrong with it by line, and the lines of its parts."""
    try:
        loaded = loading.load(text)
    except Troubled as troubled:
        return None, [troubled.trouble], Loaded(None, {})
    reader = Reader(loaded)
    flow = _flow(reader)
    if flow is not None:
        _check_targets(reader, flow)
        for name in reader.variables.keys() - reader.known:
            meant = near(name, reader.known) or "a prompt, set or call has to fill it"
            reader.trouble(reader.variables[name], f"no variable is called {name[:60]}; {meant}")
    return flow, sorted(reader.troubles, key=lambda each: (each.line, each.path)), loaded


def _flow(reader: Reader) -> Flow | None:
    given = reader.loaded.value
    if not isinstance(given, dict):
        reader.trouble("", "a flow has start and nodes")
        return None
    held = reader.mapping("", given, TOP)
    told = held.get("nodes")
    if not isinstance(told, dict) or not 1 <= len(told) <= MOST_NODES:
        reader.trouble("nodes", f"nodes are 1 to {MOST_NODES} steps, each with its name")
        return None
    found = {name: node for name, each in told.items() if (node := _node(reader, name, each))}
    more: dict[str, Any] = {}
    if "description" in held:
        more["description"] = reader.text("description", held["description"], 1_000)
    if "handOverWords" in held:
        words = held["handOverWords"]
        more["hand_over_words"] = () if words == [] else reader.texts("handOverWords", words)
    start = reader.target("start", held.get("start"))
    return Flow(start=start, nodes=found, **more)


def _node(reader: Reader, name: str, given: Any) -> Node | None:
    path = f"nodes.{name}"
    if not NODE.match(name):
        reader.trouble(path, "a node's name is a letter, then letters, digits, - and _, at most 64")
        return None
    kinds = [kind for kind in KINDS if isinstance(given, dict) and kind in given]
    if len(kinds) != 1:
        meant = [near(str(key), KINDS) for key in given] if isinstance(given, dict) else []
        guess = next(filter(None, meant), f"one of {', '.join(KINDS)}")
        reader.trouble(path, f"the node {name} does exactly one thing; {guess}")
        return None
    kind = KINDS[kinds[0]]
    allowed = [kind.name, *(("next",) if kind.leads else ())]
    reader.mapping(path, given, allowed)
    common: dict[str, Any] = {"name": name, "line": reader.loaded.line(path)}
    if kind.leads and "next" not in given:
        reader.trouble(path, f"the node {name} has no next; name the node that follows")
    elif kind.leads:
        common["next"] = reader.target(f"{path}.next", given["next"])
    return kind.read(reader, f"{path}.{kind.name}", given[kind.name], common)


def _check_targets(reader: Reader, flow: Flow) -> None:
    """Every way leads to a node, every node is reached, and nothing goes round without asking."""
    defined = reader.loaded.value["nodes"]
    if flow.start and flow.start not in defined:
        reader.trouble("start", _no_node(flow.start, defined))
    sound = True
    for node in flow.nodes.values():
        for field, target in node.ways:
            if target and target not in defined:
                reader.trouble(f"nodes.{node.name}.{field}", _no_node(target, defined))
            sound = sound and target in flow.nodes
    if not sound or len(flow.nodes) < len(defined) or flow.start not in flow.nodes:
        return  # what leads nowhere would make more of them look unreached
    reached = set(_reached(flow))
    for name in flow.nodes.keys() - reached:
        reader.trouble(f"nodes.{name}", f"nothing leads to the node {name}")
    for name in _rounds(flow.nodes):
        message = f"the node {name} leads to itself again without a prompt in between"
        reader.trouble(f"nodes.{name}", message)


def _no_node(name: str, defined: Mapping[str, Any]) -> str:
    meant = near(name, defined)
    return f"there is no node {name}" + (f"; {meant}" if meant else "")


def _reached(flow: Flow) -> Iterator[str]:
    seen, ahead = {flow.start}, [flow.start]
    while ahead:
        name = ahead.pop()
        yield name
        for _, target in flow.nodes[name].ways:
            if target not in seen:
                seen.add(target)
                ahead.append(target)


def _rounds(flow: Mapping[str, Node]) -> list[str]:
    """The first node of each round in which nobody is asked."""
    done: set[str] = set()
    found: list[str] = []
    for first in flow:
        trail: list[tuple[str, Iterator[str]]] = [(first, _on(flow[first]))]
        within = {first}
        while trail:
            name, ahead = trail[-1]
            target = next(ahead, None)
            if target is None:
                trail.pop()
                within.discard(name)
                done.add(name)
            elif target in within:
                if target not in found:
                    found.append(target)
            elif target not in done:
                trail.append((target, _on(flow[target])))
                within.add(target)
    return found


def _on(node: nodes.Node) -> Iterator[str]:
    """Where a node leads without waiting for anybody."""
    return iter(()) if node.waits else (target for _, target in node.ways)
