"""`user360 key`: who may call, in which role."""

from __future__ import annotations

from typing import Annotated

import typer

from user360.access.roles import ALL
from user360.cli import output
from user360.cli.api import Api
from user360.cli.connected import Yes, confirm, connected
from user360.cli.output import Answer

app = typer.Typer(help="API keys: who may call, in which role.", no_args_is_help=True)


@app.command("list")
@connected
def list_(api: Api) -> Answer:
    """List the keys; only their first characters are known.

    Examples:

        user360 key list --data data
    """
    found = api.get("keys")
    return output.table(
        found,
        found["keys"],
        id="id",
        name="name",
        role="role",
        hint="begins with",
        createdAt="created",
        lastUsedAt="last used",
    )


@app.command()
@connected
def create(
    api: Api,
    name: Annotated[str, typer.Argument(help="What it is for.")],
    role: Annotated[str, typer.Option("--role", help=f"One of {', '.join(ALL)}.")] = "admin",
) -> Answer:
    """Create a key. It is shown once; only its hash is kept.

    Examples:

        user360 key create "Web shop" --role ingest
    """
    made = api.post("keys", body={"name": name, "role": role})
    output.note(f"The {role} key {name}, shown only now:")
    return Answer(made, made["key"])


@app.command()
@connected
def revoke(
    api: Api,
    number: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as listed.")],
    yes: Yes = False,
) -> Answer:
    """Revoke a key: from now on it opens nothing.

    Examples:

        user360 key revoke 3
    """
    confirm(f"Revoke key {number}?", yes)
    api.delete("keys", number)
    return Answer({"revoked": number}, f"Revoked key {number}")
