"""A flow as a picture of its nodes: what each does, and where it leads."""

from __future__ import annotations

from typing import Any

import msgspec

from user360.access.workspaces import Workspace
from user360.errors import InvalidCondition
from user360.flows.language import naming, nodes
from user360.flows.language.kinds import PROMPTS
from user360.flows.language.nodes import Flow, Node
from user360.flows.language.templates import Place, Template
from user360.segments.language import describe

SHOWN = 160  # characters of a text


class Drawn(msgspec.Struct, frozen=True):
    """One node: its name, line and kind, what it does, and the ways on: words and a node's name."""

    name: str
    line: int
    kind: str
    says: str
    ways: list[tuple[str, str]]


def draw(flow: Flow, workspace: Workspace) -> list[Drawn]:
    """The nodes in the order in which they are met, then any that are not."""
    order: list[str] = []
    ahead = [flow.start]
    while ahead:
        name = ahead.pop()
        if name in flow.nodes and name not in order:
            order.append(name)
            ahead += [target for _, target in reversed(flow.nodes[name].ways)]
    order += [name for name in flow.nodes if name not in order]
    return [_drawn(flow.nodes[name], workspace) for name in order]


def _drawn(node: Node, workspace: Workspace) -> Drawn:
    kind, says = _KINDS[type(node)]
    ways = [(word, target) for word, target in _ways(node, workspace) if target]
    return Drawn(node.name, node.line, kind, says(node), ways)


def _ways(node: Node, workspace: Workspace) -> list[tuple[str, str]]:
    match node:
        case nodes.Condition():
            branches = [(_branch(each, workspace), each.next) for each in node.branches]
            return [*branches, ("else", node.next)]
        case nodes.Prompt() | nodes.Identify():
            return [("then", node.next), ("after too many attempts", node.otherwise)]
        case nodes.Request():
            return [("then", node.next), ("when it fails", node.failed)]
    return [("then", target) for _, target in node.ways]


def _branch(branch: nodes.Branch, workspace: Workspace) -> str:
    if branch.variable:
        return f"if {branch.variable} is {' or '.join(branch.values)}"
    try:
        condition = naming.condition_of(branch.where, workspace)
    except InvalidCondition:
        return "if a condition that cannot be understood holds"
    names = {number: segment.name for number, segment in workspace.segments.items()}
    return f"if {describe.clause(condition, workspace.catalogue, names)}"


def _text(template: Template) -> str:
    """A template as it reads, places in angle quotes."""
    parts = (f"‹{part.name}›" if isinstance(part, Place) else part for part in template.parts)
    return "".join(parts)[:SHOWN]


def _prompt(node: nodes.Prompt) -> str:
    into = " and ".join(each for each in (node.into, node.variable) if each)
    wanted = ", ".join(node.choices) if node.choices else PROMPTS[node.kind].says
    return f"{_text(node.ask)} — {wanted}; kept in {into}"


def _set(node: nodes.Set) -> str:
    return ", ".join([*node.properties, *(f"flow.{name}" for name in node.variables)])


def _hand_over(node: nodes.HandOver) -> str:
    wanted = [node.group, *node.skills]
    return "Agents" + (f": {', '.join(each for each in wanted if each)}" if any(wanted) else "")


_KINDS: dict[type[Node], tuple[str, Any]] = {
    nodes.Message: ("Message", lambda node: _text(node.text)),
    nodes.Prompt: ("Question", _prompt),
    nodes.Identify: ("Identify", lambda node: f"{_text(node.ask)} — by {node.by}"),
    nodes.Set: ("Set", _set),
    nodes.Condition: ("Condition", lambda _node: ""),
    nodes.Request: ("Call", lambda node: f"{node.method} {_text(node.url)}"),
    nodes.HandOver: ("Hand over", _hand_over),
    nodes.End: ("End", lambda node: node.reason),
}
