"""What commands about segments have in common: naming one, and showing its members."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from user360.cli.api import Api
from user360.errors import NotFound

Name = Annotated[str, typer.Argument(help="The segment's name, or its id.")]
Where = Annotated[
    str | None,
    typer.Option("--where", help="A condition as JSON; @FILE reads it from a file, @- from stdin."),
]
Announce = Annotated[
    bool,
    typer.Option("--announce", help="Tell of everybody who enters and leaves when it is filled."),
]
Limit = Annotated[int, typer.Option("--limit", min=1, help="At most so many.")]
Since = Annotated[str | None, typer.Option("--from", help="From this time on.")]
Until = Annotated[str | None, typer.Option("--to", help="Before this time.")]
COLUMNS = {
    "id": "id",
    "userId": "userId",
    "firstName": "first name",
    "lastName": "last name",
    "city": "city",
    "country": "country",
    "email": "email",
}


def number(api: Api, name: str) -> str:
    """The id of the segment of this name, or with this id. Raises `NotFound`."""
    segments = api.get("segments")["segments"]
    for segment in segments:
        if segment["name"].lower() == name.strip().lower():
            return str(segment["id"])
    if any(str(segment["id"]) == name for segment in segments):
        return name
    raise NotFound(f"There is no segment {name}; `user360 segment list` shows those there are")


def row(user: dict[str, Any]) -> dict[str, Any]:
    """A record as a row of a list."""
    return {**user["properties"], **{k: v for k, v in user.items() if k != "properties"}}


def people(users: list[dict[str, Any]]) -> str:
    """Some records in a line: the userIds, or the ids of those without."""
    return ", ".join(user["userId"] or user["id"] for user in users)
