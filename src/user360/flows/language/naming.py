"""Whether what a flow names is there: properties, segments, groups, secrets."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from user360.access.workspaces import Workspace
from user360.errors import InvalidCondition
from user360.flows.language import nodes, reading
from user360.flows.language.kinds import PROMPTS
from user360.flows.language.loading import Loaded, Trouble
from user360.flows.language.nodes import Flow, Node
from user360.flows.language.reader import near
from user360.flows.language.templates import Template
from user360.identity.identifier import IDENTIFYING
from user360.records.properties import READ_ONLY, Property, Type
from user360.segments import usage
from user360.segments.language import tree

# To which types of properties an answer of a type may be written.
FITS = {
    Type.STRING: (Type.STRING,),
    Type.EMAIL: (Type.EMAIL, Type.STRING),
    Type.PHONE: (Type.PHONE, Type.STRING),
    Type.NUMBER: (Type.NUMBER,),
    Type.DATE: (Type.DATE,),
}
OF_RECORD = ("userId", "createdAt", "updatedAt", "profileComplete")
Found = Iterator[tuple[str, str]]  # a path, and what is wrong there


def checked(
    text: str, workspace: Workspace, secrets: Collection[str] = ()
) -> tuple[Flow | None, list[Trouble]]:
    """The flow of a text, and all that is wrong with it in this workspace, by line."""
    flow, troubles, loaded = reading.read(text)
    if flow is not None:
        troubles = troubles + list(_of_flow(flow, workspace, secrets, loaded))
    return flow, sorted(troubles, key=lambda each: (each.line, each.path))


def _of_flow(
    flow: Flow, workspace: Workspace, secrets: Collection[str], loaded: Loaded
) -> Iterator[Trouble]:
    for node in flow.nodes.values():
        path = f"nodes.{node.name}"
        for below, message in _of_node(node, workspace, path):
            yield Trouble(loaded.line(below), below, message)
        for below, template in _templates(node, path):
            for place in template.places:
                if wrong := _of_place(place.name, workspace, secrets):
                    yield Trouble(loaded.line(below), below, wrong)


def _of_node(node: Node, workspace: Workspace, path: str) -> Found:
    match node:
        case nodes.Prompt():
            yield from _prompt(node, workspace, f"{path}.prompt")
        case nodes.Identify():
            yield from _identify(node, workspace, f"{path}.identify")
        case nodes.Set():
            for name in node.properties:
                found = _writable(workspace, name)
                if isinstance(found, str):
                    yield f"{path}.set.{name}", found
        case nodes.Condition():
            for i, branch in enumerate(node.branches):
                yield from _branch(branch, workspace, f"{path}.condition.{i}.if")
        case nodes.HandOver() if node.group and group_of(workspace, node.group) is None:
            named = [group.name for group in workspace.desk.groups.values()]
            message = f"there is no group {node.group}; {near(node.group, named)}".rstrip("; ")
            yield f"{path}.handOver.group", message


def _prompt(node: nodes.Prompt, workspace: Workspace, path: str) -> Found:
    asked = PROMPTS[node.kind]
    if node.use_as_user_id and asked.type not in IDENTIFYING:
        yield f"{path}.useAsUserId", f"a {node.kind} cannot identify anybody"
    if not node.into:
        return
    found = _writable(workspace, node.into)
    if isinstance(found, str):
        yield f"{path}.property", found
    elif found.type not in FITS[asked.type]:
        wanted = " or ".join(FITS[asked.type])
        message = f"{node.into} is of type {found.type}; a {node.kind} needs {wanted}"
        yield f"{path}.property", message


def _identify(node: nodes.Identify, workspace: Workspace, path: str) -> Found:
    found = _writable(workspace, node.by)
    if isinstance(found, str):
        yield f"{path}.by", found
        return
    if found.type not in IDENTIFYING:
        message = f"{node.by} is of type {found.type}, which cannot identify anybody"
        yield f"{path}.by", message
    identifier = workspace.settings.identifier
    if identifier not in ("userId", node.by):
        yield f"{path}.by", f"this workspace identifies by {identifier}; ask for that"


def _branch(branch: nodes.Branch, workspace: Workspace, path: str) -> Found:
    if branch.variable:
        return
    try:
        condition_of(branch.where, workspace, path)
    except InvalidCondition as problem:
        for fault in problem.faults:
            yield fault.path, fault.message


def condition_of(where: Any, workspace: Workspace, path: str = "if") -> Any:
    """The condition that a branch asks, as a tree. Raises `InvalidCondition`."""
    named = {segment.name.lower(): n for n, segment in workspace.segments.items()}
    usable = usage.usable(workspace, workspace.segments.keys())
    return tree.parse(_by_number(where, named), workspace.catalogue, path, usable)


def _by_number(given: Any, named: dict[str, int]) -> Any:
    """A condition with the names of its segments made their numbers; unknown ones stay."""
    if isinstance(given, list):
        return [_by_number(each, named) for each in given]
    if not isinstance(given, dict):
        return given
    found = {key: _by_number(each, named) for key, each in given.items()}
    segment = found.get("segment")
    if isinstance(segment, str):
        found["segment"] = named.get(segment.strip().lower(), segment)
    return found


def group_of(workspace: Workspace, name: str) -> int | None:
    """The number of a group of agents by its name."""
    for number, group in workspace.desk.groups.items():
        if group.name.lower() == name.lower():
            return number
    return None


def _writable(workspace: Workspace, name: str) -> Property | str:
    """A property that can be written, or why there is none."""
    found = workspace.catalogue.get(name)
    if name == "userId" or name in READ_ONLY:
        return f"{name} is not written by a flow; a prompt with useAsUserId identifies"
    if found is None:
        meant = near(name, workspace.catalogue.by_name) or "declare it first"
        return f"no property is called {name[:60]}; {meant}"
    return found


def _of_place(name: str, workspace: Workspace, secrets: Collection[str]) -> str:
    """What is wrong with the name of a place; nothing where it is right."""
    source, _, of = name.partition(".")
    if source == "user" and of not in workspace.catalogue.by_name and of not in OF_RECORD:
        meant = near(of, [*workspace.catalogue.by_name, *OF_RECORD]) or "declare it first"
        return f"no property is called {of[:60]}; {meant}"
    if source == "secret" and of not in secrets:
        return f"no secret is called {of[:60]}; keep it with this flow first"
    return ""


def _templates(node: Node, path: str) -> Iterator[tuple[str, Template]]:
    """Every template of a node with its path."""
    match node:
        case nodes.Message():
            yield f"{path}.message", node.text
        case nodes.Prompt() | nodes.Identify():
            above = f"{path}.{'prompt' if isinstance(node, nodes.Prompt) else 'identify'}"
            yield from ((f"{above}.{n}", getattr(node, n)) for n in ("ask", "again", "code"))
        case nodes.Set():
            yield from _within(node.properties, f"{path}.set")
            yield from _within(node.variables, f"{path}.set")
        case nodes.Request():
            yield f"{path}.call.url", node.url
            yield from _within(node.headers, f"{path}.call.headers")
            yield from _within(node.body, f"{path}.call.body")
        case nodes.HandOver():
            yield f"{path}.handOver.subject", node.subject


def _within(given: Any, path: str) -> Iterator[tuple[str, Template]]:
    if isinstance(given, Template):
        yield path, given
        return
    below: Iterable[tuple[object, Any]] = ()
    if isinstance(given, dict):
        below = given.items()
    elif isinstance(given, list):
        below = enumerate(given)
    for step, each in below:
        yield from _within(each, f"{path}.{step}")
