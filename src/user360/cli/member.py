"""`user360 member`: who may sign in to the pages, in which role."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from user360.access.roles import OF_PEOPLE
from user360.cli import output
from user360.cli.api import HERE, Api
from user360.cli.connected import Yes, confirm, connected
from user360.cli.output import Answer
from user360.errors import NotFound

app = typer.Typer(help="Members: who may sign in to the pages.", no_args_is_help=True)

Who = Annotated[str, typer.Argument(metavar="EMAIL", help="The member's e-mail address.")]


@app.command("list")
@connected
def list_(api: Api) -> Answer:
    """List the members of the workspace.

    Examples:

        user360 member list --data data
    """
    found = api.get("members")
    return output.table(
        found,
        found["members"],
        email="e-mail",
        name="name",
        role="role",
        joined="has a password",
        linkUntil="link good until",
    )


@app.command()
@connected
def invite(
    api: Api,
    email: Annotated[str, typer.Argument(help="Their e-mail address, by which they sign in.")],
    name: Annotated[str, typer.Argument(help="How they are called.")],
    role: Annotated[str, typer.Option("--role", help=f"One of {', '.join(OF_PEOPLE)}.")] = "reader",
) -> Answer:
    """Make somebody a member. Shows a link by which they choose a password within seven days.

    Examples:

        user360 member invite meera@example.com "Meera Shah" --role editor
    """
    made = api.post("members", body={"email": email, "name": name, "role": role})
    if made["link"] is None:
        return Answer(made, f"{email} is a member now, and signs in as in their other workspaces")
    output.note(f"For {name}, shown only now:")
    return _link(api, made)


@app.command()
@connected
def link(api: Api, email: Who) -> Answer:
    """Make a member a new link to choose a password: theirs was lost, or they forgot it.

    Examples:

        user360 member link meera@example.com
    """
    made = api.post("members", str(_find(api, email)["id"]), "link", body={})
    output.note(f"For {made['member']['name']}, shown only now:")
    return _link(api, made)


@app.command()
@connected
def role(
    api: Api,
    email: Who,
    role: Annotated[str, typer.Argument(help=f"One of {', '.join(OF_PEOPLE)}.")],
) -> Answer:
    """Change what a member may do.

    Examples:

        user360 member role meera@example.com admin
    """
    kept = api.patch("members", str(_find(api, email)["id"]), body={"role": role})
    return Answer(kept, f"{kept['name']} is {kept['role']} now")


@app.command()
@connected
def remove(api: Api, email: Who, yes: Yes = False) -> Answer:
    """Take a member out of the workspace; where they are signed in ends at once.

    Examples:

        user360 member remove meera@example.com
    """
    found = _find(api, email)
    confirm(f"Remove {found['name']} ({found['email']})?", yes)
    api.delete("members", str(found["id"]))
    return Answer({"removed": found["email"]}, f"Removed {found['email']}")


def _find(api: Api, email: str) -> dict[str, Any]:
    wanted = email.strip().lower()
    for member in api.get("members")["members"]:
        if member["email"] == wanted:
            found: dict[str, Any] = member
            return found
    raise NotFound(f"There is no member with the address {email}")


def _link(api: Api, made: dict[str, Any]) -> Answer:
    """The whole address where a server is asked; else its path, for who knows the host."""
    where = "" if api.url == HERE else api.url
    return Answer(made, where + made["link"])
