"""`user360 segment why`: why somebody is in a segment, or not, as a tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from user360.cli import given, output
from user360.cli.api import Api
from user360.cli.connected import connected
from user360.cli.named import Where, number
from user360.cli.output import Answer
from user360.errors import Invalid

if TYPE_CHECKING:
    from rich.tree import Tree

MOST_SHOWN = 3


@connected
def why(
    api: Api,
    segment: Annotated[
        str, typer.Argument(help="The segment's name, or its id; with --where the user.")
    ],
    user: Annotated[
        str | None, typer.Argument(help="A userId, or the id of a record such as r42.")
    ] = None,
    where: Where = None,
) -> Answer:
    """Say why somebody is in a segment or not: each condition, what decided it, when it will flip.

    Examples:

        user360 segment why "Loyal in India" asha@example.com

        user360 segment why asha@example.com --where '{"event": "Order Completed"}'
    """
    if (user is None) == (where is None):
        raise Invalid("Give a segment and a user, or a user and --where")
    if user is not None:
        told = api.get("segments", number(api, segment), "why", user)
    else:
        asked = {"who": segment, "where": given.json(where or "", "--where")}
        told = api.post("segments", "why", body=asked)
    return Answer(told, _drawn(told))


COMMANDS = (why,)


def _drawn(told: dict[str, Any]) -> str:
    """The answer as lines: who, and the tree below."""
    from rich.tree import Tree

    who = output.cell(told["userId"] or told["recordId"])
    where = "in" if told["member"] else "not in"
    since = f", since {told['since']}" if told["since"] else ""
    tree = Tree(f"{who} is {where}{since}")
    console = output.console()
    marks = ("+", "-") if console.options.ascii_only else ("\N{CHECK MARK}", "\N{BALLOT X}")
    _grow(tree, told["why"], marks)
    with console.capture() as capture:
        console.print(tree)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def _grow(tree: Tree, reason: dict[str, Any], marks: tuple[str, str]) -> None:
    """Add a node with what decided it and the nodes below."""
    from rich.text import Text

    mark, style = (marks[0], "green") if reason["true"] else (marks[1], "red")
    said = output.cell(_said(reason))
    branch = tree.add(Text.assemble((mark, style), " ", said))
    for line in _details(reason):
        branch.add(Text(output.cell(line), style="dim"))
    for each in reason.get("nodes", ()):
        _grow(branch, each, marks)


def _said(reason: dict[str, Any]) -> str:
    """A node in words: what joins others by its name, for they follow."""
    named = {"all": "all of", "any": "any of", "not": "not"}
    return next((words for kind, words in named.items() if kind in reason["where"]), reason["says"])


def _details(reason: dict[str, Any]) -> Iterator[str]:
    if found := reason.get("property"):
        yield _property(found)
    if found := reason.get("events"):
        yield _events(found)
    for step in reason.get("steps") or ():
        reached = "reached" if step["reached"] else "not reached"
        yield f"{step['events']['name']}: {reached}, {_events(step['events'])}"
    if (found := reason.get("segment")) and found["since"]:
        yield f"in {found['name']} since {found['since']}"
    if reason["flipsAt"]:
        yield f"turns {'false' if reason['true'] else 'true'} at {reason['flipsAt']}"
    elif reason.get("soughtUntil"):
        yield f"stays so until {reason['soughtUntil']} at least"


def _property(found: dict[str, Any]) -> str:
    if found["value"] is None:
        return f"{found['name']} is unknown"
    said = f"{found['name']}: {output.cell(found['value'])}"
    source = found["source"]
    return f"{said}, from {source['source']} at {source['at']}" if source else said


def _events(found: dict[str, Any]) -> str:
    """How many events there were, in which time, and when the newest happened."""
    times = "time" if found["count"] == 1 else "times"
    said = f"{found['count']:,} {times}"
    if found["sum"] is not None:
        said += f", adding up to {output.cell(found['sum'])}"
    bounds = [f"{word} {found[word]}" for word in ("from", "to") if found[word]]
    if bounds:
        said += f" {' '.join(bounds)}"
    newest = [event["timestamp"] for event in found["events"][:MOST_SHOWN]]
    return f"{said}; last {', '.join(newest)}" if newest else said
