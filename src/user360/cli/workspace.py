"""`user360 workspace`: tenants and their settings."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from user360.cli import api as places
from user360.cli import given, output
from user360.cli.api import Api
from user360.cli.connected import AsJson, Directory, connected
from user360.cli.output import Answer

app = typer.Typer(help="Tenants and their settings.", no_args_is_help=True)


@app.command("list")
def list_(data: Directory, as_json: AsJson = False) -> None:
    """List the workspaces of a directory. It must not be held by a server.

    Examples:

        user360 workspace list --data data
    """
    from user360 import clock

    with places.existing(data) as platform:
        found = [
            {"name": w.name, "createdAt": clock.to_iso(w.created_at)}
            for w in platform.workspaces.values()
        ]
    answer = output.table({"workspaces": found}, found, name="name", createdAt="created")
    output.show(answer, as_json)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Letters, digits, - and _; at most 64.")],
    data: Directory,
    as_json: AsJson = False,
) -> None:
    """Create a workspace in a directory, with a first admin key. No server may hold it.

    Examples:

        user360 workspace create acme --data data
    """
    from user360.access import keys

    key = keys.new_key()
    with places.existing(data) as platform:
        made = platform.add_workspace(name, key)
    text = f"Created workspace {made.name}. Its first admin key, shown only now:\n\n  {key}\n"
    output.show(Answer({"name": made.name, "key": key}, text), as_json)


@app.command()
@connected
def show(api: Api) -> Answer:
    """Show a workspace and its settings.

    Examples:

        user360 workspace show
    """
    return _shown(api.get("workspace"))


@app.command("set")
@connected
def set_(
    api: Api,
    settings: Annotated[list[str], typer.Argument(help="SETTING=VALUE, as many as wanted.")],
) -> Answer:
    """Change settings of a workspace.

    Examples:

        user360 workspace set timeZone=Asia/Kolkata identifier=phone
    """
    wanted = {name: given.number(text) for name, text in given.assignments(settings).items()}
    return _shown(api.patch("workspace", body={"settings": wanted}))


@app.command()
@connected
def copy(
    api: Api,
    source: Annotated[str, typer.Argument(metavar="FROM", help="The workspace to copy.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="The one that gets it.")],
) -> Answer:
    """Copy declarations, settings, event definitions and segments, without people.

    Of a server it takes an admin key of the default workspace.

    Examples:

        user360 workspace copy default acme
    """
    told = api.post("workspace", "copy", body={"source": source, "target": target})
    counts = ", ".join(f"{len(names):,} {what}" for what, names in told.items())
    return Answer(told, f"{target} got {counts}")


def _shown(workspace: dict[str, Any]) -> Answer:
    about = {"name": workspace["name"], "created": workspace["createdAt"]}
    return output.pairs(workspace, {**about, **workspace["settings"]})
