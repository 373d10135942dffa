"""`user360 event`: which events there are, sending one, taking one in or not."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from user360.cli import given, output
from user360.cli.api import Api
from user360.cli.connected import connected
from user360.cli.output import Answer
from user360.errors import Invalid

app = typer.Typer(help="What customers do: which events there are.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The event's name.")]


@app.command("list")
@connected
def list_(api: Api) -> Answer:
    """List the events that are known, with how often and since when they were seen.

    Examples:

        user360 event list
    """
    found = api.get("event-definitions")
    return output.table(
        found,
        found["definitions"],
        name="event",
        active="active",
        volume="seen",
        firstSeen="first",
        lastSeen="last",
        description="description",
    )


@app.command()
@connected
def send(
    api: Api,
    name: Name,
    user: Annotated[str | None, typer.Option("--user", help="The userId of who did it.")] = None,
    session: Annotated[
        str | None, typer.Option("--session", help="CHANNEL/ID of the session it happened in.")
    ] = None,
    properties: Annotated[
        str | None, typer.Option("--properties", help="A JSON object; @FILE reads it from a file.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", help="When it happened, in ISO 8601; else now.")
    ] = None,
    event_id: Annotated[
        str | None, typer.Option("--id", help="Sent twice with the same id, it is stored once.")
    ] = None,
) -> Answer:
    """Send an event.

    Examples:

        user360 event send Purchase --user cdnow-00111 --properties '{"amount": 14.99}'
    """
    body: dict[str, Any] = {"name": name, "userId": user, "timestamp": at, "id": event_id}
    if session is not None:
        channel, sign, number = session.partition("/")
        if not sign:
            raise Invalid("--session is CHANNEL/ID, such as web/visit-17")
        body["session"] = {"channel": channel, "id": number}
    if properties is not None:
        body["properties"] = given.json(properties, "--properties")
    kept = {key: value for key, value in body.items() if value is not None}
    outcome = api.post("events", body=kept)["outcomes"][0]
    return Answer(outcome, TOLD[outcome["status"]].format(name=name))


TOLD = {
    "stored": "Stored {name}",
    "duplicate": "This {name} was stored before; nothing changed",
    "dropped": "Dropped: {name} is not active; `user360 event activate` takes it in again",
}


@app.command()
@connected
def activate(api: Api, name: Name) -> Answer:
    """Take events of this name in again.

    Examples:

        user360 event activate "Page Viewed"
    """
    return _active(api, name, True)


@app.command()
@connected
def deactivate(api: Api, name: Name) -> Answer:
    """Drop events of this name from now on; they are counted, not kept.

    Examples:

        user360 event deactivate "Page Viewed"
    """
    return _active(api, name, False)


def _active(api: Api, name: str, active: bool) -> Answer:
    kept = api.patch("event-definitions", name, body={"active": active})
    return Answer(kept, f"{name} is {'active' if active else 'not active: it is dropped'}")
