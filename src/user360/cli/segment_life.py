"""`user360 segment`: what becomes of a segment over time."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from user360.cli import connected, given, output
from user360.cli.api import Api
from user360.cli.named import Announce, Name, Where, number, people
from user360.cli.output import Answer
from user360.errors import Invalid


@connected.connected
def preview(
    api: Api,
    where: Annotated[
        str, typer.Option("--where", help="A condition as JSON; @FILE reads it from a file.")
    ],
) -> Answer:
    """Count those a condition is true of, and show the newest ten.

    Examples:

        user360 segment preview --where '{"event": "Purchase", "during": {"period": "today"}}'
    """
    found = api.post("segments", "preview", body={"where": given.json(where, "--where")})
    sample = f": {people(found['sample'])}" if found["sample"] else ""
    return Answer(found, f"{found['says']}\n{found['count']:,} members{sample}")


@connected.connected
def edit(
    api: Api,
    name: Name,
    rename: Annotated[str | None, typer.Option("--name", help="A new name.")] = None,
    description: Annotated[
        str | None, typer.Option("--description", help="What it is for.")
    ] = None,
    where: Where = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Only show who would enter and leave.")
    ] = False,
    announce: Announce = False,
) -> Answer:
    """Change a segment; with --preview see first what a new condition would do.

    Examples:

        user360 segment edit "Loyal in India" --where @loyal.json --preview

        user360 segment edit "Loyal in India" --where @loyal.json
    """
    asked = {"name": rename, "description": description}
    body: dict[str, Any] = {key: value for key, value in asked.items() if value is not None}
    if where is not None:
        body["where"] = given.json(where, "--where")
    if preview and "where" not in body:
        raise Invalid("Give --where to see what it would do")
    segment = number(api, name)
    if preview:
        return _moves(api.post("segments", segment, "preview", body={"where": body["where"]}))
    kept = api.patch("segments", segment, body={**body, "announce": announce})
    return _shown(kept, f"Version {kept['version']} of {kept['name']}")


def _moves(found: dict[str, Any]) -> Answer:
    lines = [found["says"]]
    lines += [f"{found['count']:,} members; {found['enter']:,} enter, {found['leave']:,} leave"]
    for word, users in (("enter", found["entering"]), ("leave", found["leaving"])):
        if users:
            lines.append(f"  {word}: {people(users)}")
    return Answer(found, "\n".join(lines))


def _shown(segment: dict[str, Any], done: str) -> Answer:
    count = segment["count"]
    size = segment["error"] if count is None else f"{count:,} members"
    return Answer(segment, f"{done}: {size}")


@connected.connected
def versions(
    api: Api,
    name: Name,
    version: Annotated[
        int | None, typer.Option("--version", min=1, help="Only this one, with its condition.")
    ] = None,
) -> Answer:
    """List the versions of a segment, the newest first.

    Examples:

        user360 segment versions "Loyal in India"

        user360 segment versions "Loyal in India" --version 2 --json
    """
    if version is not None:
        found = api.get("segments", number(api, name), "versions", str(version))
        return output.pairs(found, found)
    found = api.get("segments", number(api, name), "versions")
    columns = {"version": "version", "at": "since", "actor": "by", "name": "name"}
    return output.table(found, found["versions"], **columns, where="where")


@connected.connected
def restore(
    api: Api,
    name: Name,
    version: Annotated[int, typer.Argument(min=1, help="Which version.")],
    announce: Announce = False,
) -> Answer:
    """Put an older version of a segment in force again, as a new version.

    Examples:

        user360 segment restore "Loyal in India" 2
    """
    path = ("segments", number(api, name), "versions", str(version), "restore")
    kept = api.post(*path, body=None, announce="true" if announce else None)
    return _shown(kept, f"Version {kept['version']} of {kept['name']}")


@connected.connected
def archive(api: Api, name: Name) -> Answer:
    """Archive a segment: it goes on where it is used, and is not offered any more.

    Examples:

        user360 segment archive "Loyal in India"
    """
    return _shown(api.post("segments", number(api, name), "archive", body=None), "Archived")


@connected.connected
def unarchive(api: Api, name: Name) -> Answer:
    """Take a segment out of the archive.

    Examples:

        user360 segment unarchive "Loyal in India"
    """
    return _shown(api.post("segments", number(api, name), "unarchive", body=None), "Unarchived")


@connected.connected
def delete(
    api: Api,
    name: Name,
    force: Annotated[
        bool,
        typer.Option("--force", help="Though others ask about it: they will show an error."),
    ] = False,
    yes: connected.Yes = False,
) -> Answer:
    """Delete a segment; its members stay as they are.

    Examples:

        user360 segment delete "Pilot" --yes
    """
    segment = number(api, name)
    connected.confirm(f"Delete the segment {name}?", yes)
    api.delete("segments", segment, force="true" if force else None)
    return Answer({"id": int(segment), "deleted": True}, f"Deleted {name}")


@connected.connected
def snapshot(
    api: Api,
    name: Name,
    copy: Annotated[str, typer.Argument(help="What to call the list.")],
    description: Annotated[str, typer.Option("--description", help="What it is for.")] = "",
) -> Answer:
    """Save those who are in a segment now as a list that stays as it is.

    Examples:

        user360 segment snapshot "Loyal in India" "Loyal in November"
    """
    body = {"name": copy, "description": description}
    made = api.post("segments", number(api, name), "snapshot", body=body)
    return _shown(made, f"Created segment {made['id']}: {made['name']}")


COMMANDS = (preview, edit, versions, restore, archive, unarchive, delete, snapshot)
