"""`user360 flow`: bots that are written as a file."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from user360.cli import given, output
from user360.cli.api import Api
from user360.cli.connected import Yes, confirm, connected
from user360.cli.output import Answer

app = typer.Typer(
    help="Bots that are written as a file: checked by line, and tried without keeping anything.",
    no_args_is_help=True,
)
YAML = "text/yaml"
MARKS = {"customer": "> ", "bot": "< "}
Name = Annotated[str, typer.Argument(help="The flow's name.")]
File = Annotated[str, typer.Argument(help="A file with the flow as YAML; - is stdin.")]


@app.command("list")
@connected
def list_(api: Api) -> Answer:
    """List the flows, and the channels that begin with each.

    Examples:

        user360 flow list --data data
    """
    found = api.get("flows")
    rows = [{**flow, "channels": ", ".join(flow["channels"])} for flow in found["flows"]]
    columns = {"name": "name", "channels": "channels", "updatedAt": "changed"}
    return output.table(found, rows, **columns, description="description")


@app.command()
@connected
def show(api: Api, name: Name) -> Answer:
    """Show a flow as it was written.

    Examples:

        user360 flow show welcome > welcome.yaml
    """
    text = api.text("flows", name)
    return Answer({"name": name, "text": text}, text.rstrip("\n"))


@app.command()
@connected
def put(api: Api, name: Name, file: File) -> Answer:
    """Write a flow from a file, in the place of what was there.

    Examples:

        user360 flow put welcome welcome.yaml
    """
    kept = api.put_text(given.content(file), YAML, "flows", name)
    on = f"; it answers on {', '.join(kept['channels'])}" if kept["channels"] else ""
    return Answer(kept, f"Kept the flow {name}{on}")


@app.command()
@connected
def check(
    api: Api,
    file: File,
    name: Annotated[str, typer.Option(help="The flow whose secrets it may name.")] = "check",
) -> Answer:
    """Check a flow without keeping it; every fault is told with its line.

    Examples:

        user360 flow check welcome.yaml
    """
    found = api.post("flows", name, "try", body={"messages": [], "text": given.content(file)})
    return Answer(found, "Nothing is wrong with it")


@app.command("try")
@connected
def try_(
    api: Api,
    name: Name,
    messages: Annotated[list[str], typer.Argument(help="What the customer writes, in order.")],
    file: Annotated[str | None, typer.Option(help="A flow that is not kept yet.")] = None,
    user: Annotated[str | None, typer.Option(help="The userId of who writes.")] = None,
    properties: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE that is known of them.")
    ] = None,
    answers: Annotated[
        list[str] | None, typer.Option("--answer", help="NODE=JSON that an API would answer.")
    ] = None,
    channel: Annotated[str, typer.Option(help="Where they write.")] = "web",
    calls: Annotated[bool, typer.Option("--calls", help="Really ask the APIs.")] = False,
) -> Answer:
    """Try a flow: what would be said and done. Nothing is kept.

    Examples:

        user360 flow try welcome Hi asha@example.com

        user360 flow try welcome Hi --file welcome.yaml --set firstName=Asha
    """
    body: dict[str, Any] = {
        "messages": messages,
        "userId": user,
        "properties": given.assignments(properties or ()),
        "channel": channel,
        "answers": _answers(answers or []),
        "calls": calls,
    }
    if file is not None:
        body["text"] = given.content(file)
    found = api.post("flows", name, "try", body=body)
    return Answer(found, "\n".join(_told(found)))


def _answers(pairs: list[str]) -> dict[str, Any]:
    found = {}
    for node, text in given.assignments(pairs).items():
        found[node] = given.json(text, "--answer")
    return found


def _told(found: dict[str, Any]) -> list[str]:
    lines = []
    for step in found["steps"]:
        more = [f"{name}={_value(value)}" for name, value in step["detail"].items()]
        mark = MARKS.get(step["kind"], f"  {step['kind']}: ")
        lines.append(" ".join([mark + step["text"], *more]).rstrip())
    if found["gaveUp"]:
        lines.append(f"  The flow gave up: {found['gaveUp']}")
    elif found["at"]:
        lines.append(f"  It waits at {found['at']}")
    return lines


def _value(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


@app.command()
@connected
def secret(
    api: Api,
    name: Name,
    secrets: Annotated[
        list[str], typer.Argument(help="NAME=VALUE to keep; without a value it is taken away.")
    ],
) -> Answer:
    """Keep secrets for the headers of a flow's calls; they are never shown again.

    Examples:

        user360 flow secret welcome shopToken=sk_live_1
    """
    body = {key: value or None for key, value in given.assignments(secrets).items()}
    kept = api.patch("flows", name, "secrets", body=body)
    return Answer(kept, f"{name} has {', '.join(kept['secrets']) or 'no secrets'}")


@app.command()
@connected
def delete(api: Api, name: Name, yes: Yes = False) -> Answer:
    """Delete a flow that no channel begins with.

    Examples:

        user360 flow delete welcome --yes
    """
    confirm(f"Delete the flow {name}?", yes)
    api.delete("flows", name)
    return Answer({"deleted": name}, f"Deleted the flow {name}")
