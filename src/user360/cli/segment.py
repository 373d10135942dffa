"""`user360 segment`: groups of records, by a condition or by list."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from user360.cli import given, output, segment_life, segment_members, segment_why
from user360.cli.api import Api
from user360.cli.connected import connected
from user360.cli.named import COLUMNS, Announce, Limit, Name, Where, number, row
from user360.cli.output import Answer
from user360.errors import Invalid


@connected
def list_(
    api: Api,
    archived: Annotated[bool, typer.Option("--archived", help="Show archived ones too.")] = False,
) -> Answer:
    """List the segments with how many are in each, and whether they follow.

    Examples:

        user360 segment list --data data
    """
    found = api.get("segments", archived=None if archived else "false")
    return output.table(
        found,
        [{**segment, "state": _state(segment)} for segment in found["segments"]],
        id="id",
        name="name",
        kind="kind",
        count="members",
        state="state",
        description="description",
    )


def _state(segment: dict[str, Any]) -> str:
    """What is to be said of a segment beside its size."""
    fresh = segment["freshness"]
    if segment["error"]:
        return f"error: {segment['error']}"
    if segment["archivedAt"]:
        return "archived"
    if fresh is None:
        return "" if segment["kind"] == "static" else "being filled"
    return f"{fresh['lagMs'] / 1000:,.1f} s behind" if fresh["lagMs"] > 1000 else "right now"


@connected
def create(
    api: Api,
    name: Annotated[str, typer.Argument(help="Its name, unique in the workspace.")],
    where: Where = None,
    users: Annotated[
        str | None,
        typer.Option("--users", help="For a static one: a file with a userId a line; - is stdin."),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option("--file", help="The same as CSV with a column userId, known users only."),
    ] = None,
    text: Annotated[
        str | None, typer.Option("--text", help="For a static one: those a search finds now.")
    ] = None,
    static: Annotated[
        bool, typer.Option("--static", help="Keep those that --where is true of now.")
    ] = False,
    description: Annotated[str, typer.Option("--description", help="What it is for.")] = "",
    announce: Announce = False,
) -> Answer:
    """Create a segment: dynamic with --where, static with --users, --file, --text or --static.

    Examples:

        user360 segment create "We know them" --where '{"property": "email", "op": "known"}'

        user360 segment create "Pilot" --file pilot.csv
    """
    searched = where is not None or text is not None
    if [searched, users is not None, file is not None].count(True) != 1:
        raise Invalid("Give --where for a dynamic segment, or --users or --file for a static one")
    body: dict[str, Any] = {"name": name, "description": description, "announce": announce}
    if searched:
        body["where"] = None if where is None else given.json(where, "--where")
        body |= {"text": text, "kind": "static" if static or text is not None else "dynamic"}
    else:
        body["userIds"] = [] if users is None else given.lines(users)
    made = api.post("segments", body=body)
    if file is not None:
        made["file"] = segment_members.uploaded(api, str(made["id"]), file, "add").data
        made["count"] = made["file"]["count"]
    return Answer(made, "\n".join(_made(made)))


def _made(made: dict[str, Any]) -> list[str]:
    first = f"Created segment {made['id']}: {made['name']}, {made['count']:,} members"
    unknown = [f"  {place['path']}: {place['message']}" for place in made["unknown"]]
    lines = made.get("file", {}).get("unknown", ())
    return [first, *unknown, *(f"  line {u['line']:,}: nobody is {u['userId']}" for u in lines)]


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
        found = api.get("segments", number(api, name))
    else:
        condition = given.json(where or "", "--where")
        found = api.post("segments", "preview", body={"where": condition})
    told = {key: found[key] for key in ("id", "name", "count", "asOf") if key in found}
    return Answer(told, str(found["count"]))


@connected
def members(
    api: Api,
    name: Name,
    limit: Limit = 50,
    sort: Annotated[
        str | None, typer.Option("--sort", help="A property or since; -NAME descends.")
    ] = None,
    text: Annotated[str | None, typer.Option("--text", help="Only those a search finds.")] = None,
) -> Answer:
    """List the members of a segment with the time each entered.

    Examples:

        user360 segment members "Loyal in India" --limit 10 --sort -since

        user360 segment members 3 --limit 100000 --json
    """
    path = ("segments", number(api, name), "users")
    users = api.rows("users", *path, limit=limit, sort=sort, text=text)
    return output.table({"users": users}, [row(user) for user in users], **COLUMNS, since="since")


def group() -> typer.Typer:
    """All commands about segments: these, and those of the modules beside this one."""
    app = typer.Typer(help="Groups of records, by a condition or by list.", no_args_is_help=True)
    app.command("list")(list_)
    for command in (create, count, members, *BESIDE):
        app.command()(command)
    return app


BESIDE = (*segment_life.COMMANDS, *segment_members.COMMANDS, *segment_why.COMMANDS)
