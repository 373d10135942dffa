"""`user360 segment`: groups of records, by a condition or by list."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from user360.cli import given, output
from user360.cli.api import Api
from user360.cli.connected import connected
from user360.cli.output import Answer
from user360.errors import Invalid, NotFound

app = typer.Typer(help="Groups of records, by a condition or by list.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The segment's name, or its id.")]
Where = Annotated[
    str | None,
    typer.Option("--where", help="A condition as JSON; @FILE reads it from a file, @- from stdin."),
]


@app.command("list")
@connected
def list_(
    api: Api,
    archived: Annotated[bool, typer.Option("--archived", help="Show archived ones too.")] = False,
) -> Answer:
    """List the segments with how many are in each.

    Examples:

        user360 segment list --data data
    """
    found = api.get("segments", archived=None if archived else "false")
    return output.table(
        found,
        found["segments"],
        id="id",
        name="name",
        kind="kind",
        count="members",
        description="description",
    )


@app.command()
@connected
def create(
    api: Api,
    name: Annotated[str, typer.Argument(help="Its name, unique in the workspace.")],
    where: Where = None,
    users: Annotated[
        str | None,
        typer.Option("--users", help="For a static one: a file with a userId a line; - is stdin."),
    ] = None,
    static: Annotated[
        bool, typer.Option("--static", help="Keep those that --where is true of now.")
    ] = False,
    description: Annotated[str, typer.Option("--description", help="What it is for.")] = "",
) -> Answer:
    """Create a segment: dynamic with --where, static with --users or --static.

    Examples:

        user360 segment create "We know them" --where '{"property": "email", "op": "known"}'

        user360 segment create "Pilot" --users pilot.txt
    """
    if (where is None) == (users is None):
        raise Invalid("Give --where for a dynamic segment, or --users for a static one")
    body: dict[str, Any] = {"name": name, "description": description}
    if where is not None:
        body["where"] = given.json(where, "--where")
        body["kind"] = "static" if static else "dynamic"
    if users is not None:
        body["userIds"] = given.lines(users)
    made = api.post("segments", body=body)
    return Answer(made, f"Created segment {made['id']}: {made['name']}, {made['count']:,} members")


@app.command()
@connected
def count(
    api: Api,
    name: Annotated[str | None, typer.Argument(help="The segment's name, or its id.")] = None,
    where: Where = None,
) -> Answer:
    """Count the members of a segment, or those a condition is true of.

    Examples:

        user360 segment count "Loyal in India"

        user360 segment count --where '{"property": "country", "op": "is", "values": ["IN"]}'
    """
    if (name is None) == (where is None):
        raise Invalid("Give the name of a segment, or --where")
    if name is not None:
        found = api.get("segments", _number(api, name))
    else:
        condition = given.json(where or "", "--where")
        found = api.post("segments", "preview", body={"where": condition})
    told = {key: found[key] for key in ("id", "name", "count", "asOf") if key in found}
    return Answer(told, str(found["count"]))


@app.command()
@connected
def members(
    api: Api,
    name: Name,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 50,
    sort: Annotated[
        str | None, typer.Option("--sort", help="A property to sort by; -NAME descends.")
    ] = None,
) -> Answer:
    """List the members of a segment.

    Examples:

        user360 segment members "Loyal in India" --limit 10 --sort city

        user360 segment members 3 --limit 100000 --json
    """
    number = _number(api, name)
    users = api.rows("users", "segments", number, "users", limit=limit, sort=sort)
    return output.table({"users": users}, [listed(user) for user in users], **COLUMNS)


COLUMNS = {
    "id": "id",
    "userId": "userId",
    "firstName": "first name",
    "lastName": "last name",
    "city": "city",
    "country": "country",
    "email": "email",
}


def listed(user: dict[str, Any]) -> dict[str, Any]:
    """A record as a row of a list."""
    return {**user["properties"], "id": user["id"], "userId": user["userId"]}


def _number(api: Api, name: str) -> str:
    """The id of the segment of this name, or with this id. Raises `NotFound`."""
    segments = api.get("segments")["segments"]
    for segment in segments:
        if segment["name"].lower() == name.strip().lower():
            return str(segment["id"])
    if any(str(segment["id"]) == name for segment in segments):
        return name
    raise NotFound(f"There is no segment {name}; `user360 segment list` shows those there are")
