"""`user360 conversation`: finding conversations, reading one, and saying something in one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from user360.cli import conversation_deeds, given, named, output
from user360.cli.api import Api
from user360.cli.connected import connected
from user360.cli.conversation_deeds import Id
from user360.cli.named import Since, Until, Where
from user360.cli.output import Answer
from user360.errors import Invalid

PAGE = 200  # conversations in one answer of the API
COUNTS = {
    "conversations": "conversations",
    "active": "active",
    "resolved": "resolved",
    "missed": "missed",
}
TIMES = {
    "firstResponse": "first response",
    "agentResponse": "by an agent",
    "resolution": "resolved after",
}
States = Annotated[
    list[str] | None, typer.Option("--state", help="In these states: open, resolved, ...")
]
Search = Annotated[
    str | None, typer.Option("--search", help="Words that were said, or who it is with.")
]


@connected
def list_(
    api: Api,
    user: Annotated[str | None, typer.Option("--user", help="Of this userId.")] = None,
    record: Annotated[str | None, typer.Option("--record", help="Of this record's person.")] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="chat or ticket.")] = None,
    state: States = None,
    channel: Annotated[str | None, typer.Option("--channel", help="On this channel.")] = None,
    assignee: Annotated[
        str | None, typer.Option("--assignee", help="A member's number or e-mail, or nobody.")
    ] = None,
    group: Annotated[
        str | None, typer.Option("--group", help="A group by its number, or none.")
    ] = None,
    tag: Annotated[str | None, typer.Option("--tag", help="With this tag.")] = None,
    segment: Annotated[
        str | None, typer.Option("--segment", help="Of its members: a name, or an id.")
    ] = None,
    where: Where = None,
    search: Search = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 50,
) -> Answer:
    """List conversations, the newest first: those for which all holds that is given.

    Examples:

        user360 conversation list --state open --state queued

        user360 conversation list --user asha@example.com --search refund

        user360 conversation list --where '{"property": "city", "op": "is", "values": ["Pune"]}'
    """
    asked = {
        "where": None if where is None else given.json(where, "--where"),
        "segment": None if segment is None else int(named.number(api, segment)),
        "q": search,
        "userId": user,
        "recordId": record,
        "kind": kind,
        "state": state or [],
        "channel": channel,
        "assignee": assignee,
        "group": group,
        "tag": tag,
    }
    found = _found(api, {name: value for name, value in asked.items() if value}, limit)
    return output.table(
        {"conversations": found},
        found,
        id="conversation",
        channel="channel",
        kind="kind",
        state="state",
        assignee="assignee",
        recordId="record",
        updatedAt="last",
        lastText="said last",
    )


def _found(api: Api, asked: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    """The first `limit` conversations that are asked for, a page at a time."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        wanted = min(PAGE, limit - len(found))
        body = {**asked, "limit": wanted, **({"cursor": cursor} if cursor else {})}
        page = api.post("conversations", "search", body=body)
        found += page["conversations"]
        cursor = page["cursor"]
        if cursor is None or len(found) >= limit:
            return found


@connected
def show(
    api: Api,
    conversation: Id,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="So many messages.")] = 50,
) -> Answer:
    """Show a conversation with its newest messages.

    Examples:

        user360 conversation show c17
    """
    found = api.get("conversations", conversation, limit=limit)
    lines = [_head(found["conversation"], found["record"])]
    lines += ["(earlier messages are left out)"] if found["more"] else []
    lines += [_line(message) for message in found["messages"]]
    return Answer(found, "\n".join(lines))


@connected
def say(
    api: Api,
    session: Annotated[str, typer.Argument(help="CHANNEL/ID of the session.")],
    text: Annotated[str, typer.Argument(help="What is said.")],
    by: Annotated[str, typer.Option("--from", help="customer, bot or agent.")] = "customer",
    user: Annotated[str | None, typer.Option("--user", help="Who it is, by userId.")] = None,
    message_id: Annotated[
        str | None, typer.Option("--id", help="Sent twice with the same id, it is said once.")
    ] = None,
) -> Answer:
    """Say something in a session, as its customer would: to try how the inbox is set.

    Examples:

        user360 conversation say api/visit-17 "Where is my order?"
    """
    channel, _, name = session.partition("/")
    if not channel or not name:
        raise Invalid("A session is given as CHANNEL/ID")
    body = {"from": by, "text": text, "userId": user, "id": message_id}
    said = api.post("sessions", channel, name, "messages", body=body)
    return Answer(said, f"Said as {said['message']['id']} in {said['conversationId']}")


@connected
def report(
    api: Api,
    by: Annotated[
        str,
        typer.Option(
            "--by", help="channel, day, hour, tag, segment, agent, state, or topic: what rises."
        ),
    ] = "channel",
    since: Since = None,
    until: Until = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", help="Write it as CSV to this file instead.")
    ] = None,
) -> Answer:
    """Report on the conversations that began in a period, the last 30 days unless it is said.

    Times are the median, in seconds.

    Examples:

        user360 conversation report --by agent --from 2026-11-01

        user360 conversation report --by day --csv days.csv
    """
    asked = {"by": by, "from": since, "to": until}
    if csv is not None:
        api.download(csv, "reports", "inbox", format="csv", **asked)
        return Answer({"file": str(csv)}, f"Wrote {csv}")
    found = api.get("reports", "inbox", **asked)
    lines = [*found["lines"], {"name": "total", "numbers": found["total"]}]
    return output.table(found, [_counted(line) for line in lines], **_columns(by))


def _columns(by: str) -> dict[str, str]:
    before = {"before": "before"} if by == "topic" else {}
    return {"name": by, **COUNTS, **before, **TIMES}


def _counted(line: dict[str, Any]) -> dict[str, Any]:
    """A line of a report as a row."""
    numbers = line["numbers"]
    medians = {name: round(held["median"]) for name in TIMES if (held := numbers[name]) is not None}
    return {**numbers, **dict.fromkeys(TIMES), **medians, "name": line["name"]}


def _head(held: dict[str, Any], record: dict[str, Any] | None) -> str:
    who = "somebody who is gone" if record is None else record["userId"] or record["id"]
    parts = [held["id"], held["kind"], held["state"], f"on {held['channel']}", f"with {who}"]
    return f"{' '.join(parts)}  {held['subject']}".rstrip()


def _line(message: dict[str, Any]) -> str:
    files = "".join(f" [{each['name'] or each['url']}]" for each in message["attachments"])
    text = message["text"].replace("\n", "\n    ")
    return f"{message['timestamp'][:16]}  {message['from']}: {text}{files}"


def group() -> typer.Typer:
    """All commands about conversations: these, and what is done to one."""
    app = typer.Typer(
        help="Conversations with customers: chats and tickets, and what was said in them.",
        no_args_is_help=True,
    )
    app.command("list")(list_)
    for command in (show, say, report):
        app.command()(command)
    for name, deed in conversation_deeds.COMMANDS.items():
        app.command(name)(deed)
    return app
