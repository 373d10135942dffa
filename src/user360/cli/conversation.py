"""`user360 conversation`: finding conversations, reading one, answering, assigning, resolving."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from user360.cli import output
from user360.cli.api import Api
from user360.cli.connected import connected
from user360.cli.output import Answer
from user360.errors import Invalid

app = typer.Typer(
    help="Conversations with customers: chats and tickets, and what was said in them.",
    no_args_is_help=True,
)
Id = Annotated[str, typer.Argument(help="The conversation's id, such as c17.")]
As = Annotated[
    str | None,
    typer.Option("--agent", help="On whose behalf: a member's number or e-mail address."),
]


@app.command("list")
@connected
def list_(
    api: Api,
    user: Annotated[str | None, typer.Option("--user", help="Of this userId.")] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="chat or ticket.")] = None,
    state: Annotated[
        list[str] | None, typer.Option("--state", help="In these states: open, resolved, ...")
    ] = None,
    channel: Annotated[str | None, typer.Option("--channel", help="On this channel.")] = None,
    assignee: Annotated[
        str | None, typer.Option("--assignee", help="A member's number or e-mail, or nobody.")
    ] = None,
    tag: Annotated[str | None, typer.Option("--tag", help="With this tag.")] = None,
    segment: Annotated[
        int | None, typer.Option("--segment", help="Of people in this segment, by its number.")
    ] = None,
    search: Annotated[
        str | None, typer.Option("--search", help="Words that were said, or who it is with.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="At most so many.")] = 50,
) -> Answer:
    """List conversations, the newest first.

    Examples:

        user360 conversation list --state open --state queued

        user360 conversation list --user asha@example.com --search refund
    """
    found = api.get(
        "conversations",
        userId=user,
        kind=kind,
        state=state,
        channel=channel,
        assignee=assignee,
        tag=tag,
        segment=segment,
        q=search,
        limit=limit,
    )
    return output.table(
        found,
        found["conversations"],
        id="conversation",
        channel="channel",
        kind="kind",
        state="state",
        assignee="assignee",
        recordId="record",
        updatedAt="last",
        lastText="said last",
    )


@app.command()
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


@app.command()
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


@app.command()
@connected
def reply(
    api: Api,
    conversation: Id,
    text: Annotated[str, typer.Argument(help="What to say.")],
    agent: As = None,
    note: Annotated[bool, typer.Option("--note", help="A note that only agents see.")] = False,
) -> Answer:
    """Answer the customer, or leave a note.

    Examples:

        user360 conversation reply c17 "It is on its way." --agent dev@example.com
    """
    path = "notes" if note else "reply"
    body = {"text": text, **_whose("agent", agent)}
    said = api.post("conversations", conversation, path, body=body)
    done = "Noted" if note else "Said"
    return Answer(said, f"{done} as {said['message']['id']} in {conversation}")


@app.command()
@connected
def assign(
    api: Api,
    conversation: Id,
    to: Annotated[
        str | None, typer.Option("--to", help="A member's number or e-mail address.")
    ] = None,
    group: Annotated[int | None, typer.Option("--group", help="A group by its number.")] = None,
) -> Answer:
    """Give a conversation to a member or a group; to neither: as the inbox is set.

    Examples:

        user360 conversation assign c17 --to dev@example.com

        user360 conversation assign c17 --group 2
    """
    body = {**_whose("assignee", to), "group": group}
    held = api.post("conversations", conversation, "assign", body=body)
    whose = "nobody yet" if held["assignee"] is None else f"member {held['assignee']}"
    return Answer(held, f"{conversation} is {held['state']}; {whose} has it")


@app.command()
@connected
def resolve(
    api: Api,
    conversation: Id,
    reason: Annotated[str, typer.Option("--reason", help="Why it ends.")] = "",
    tag: Annotated[list[str] | None, typer.Option("--tag", help="Add this tag.")] = None,
) -> Answer:
    """End a conversation: a chat is resolved, a ticket solved.

    Examples:

        user360 conversation resolve c17 --reason answered --tag delivery
    """
    body = {"reason": reason, "tags": tag or []}
    held = api.post("conversations", conversation, "resolve", body=body)
    return Answer(held, f"{conversation} is {held['state']}")


def _whose(name: str, given: str | None) -> dict[str, Any]:
    """A member in a body, by number or address, if there is one."""
    if given is None:
        return {}
    return {name: int(given) if given.isascii() and given.isdigit() else given}


def _head(held: dict[str, Any], record: dict[str, Any] | None) -> str:
    who = "somebody who is gone" if record is None else record["userId"] or record["id"]
    parts = [held["id"], held["kind"], held["state"], f"on {held['channel']}", f"with {who}"]
    return f"{' '.join(parts)}  {held['subject']}".rstrip()


def _line(message: dict[str, Any]) -> str:
    files = "".join(f" [{each['name'] or each['url']}]" for each in message["attachments"])
    text = message["text"].replace("\n", "\n    ")
    return f"{message['timestamp'][:16]}  {message['from']}: {text}{files}"
