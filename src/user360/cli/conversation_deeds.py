"""What is done to conversations from the command line: answering, assigning, resolving, moving."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from user360.cli.api import Api
from user360.cli.connected import connected
from user360.cli.output import Answer
from user360.errors import Invalid

Id = Annotated[str, typer.Argument(help="The conversation's id, such as c17.")]
As = Annotated[
    str | None,
    typer.Option("--agent", help="On whose behalf: a member's number or e-mail address."),
]


@connected
def reply(
    api: Api,
    conversation: Id,
    text: Annotated[str, typer.Argument(help="What to say.")],
    agent: As = None,
    note: Annotated[bool, typer.Option("--note", help="A note that only agents see.")] = False,
    copy: Annotated[
        list[str] | None,
        typer.Option("--cc", help="By e-mail: who gets a copy; may be given several times."),
    ] = None,
) -> Answer:
    """Answer the customer, or leave a note.

    Examples:

        user360 conversation reply c17 "It is on its way." --agent dev@example.com

        user360 conversation reply c18 "To both of you." --cc ravi@example.com
    """
    path = "notes" if note else "reply"
    body = {"text": text, "cc": copy or [], **_whose("agent", agent)}
    said = api.post("conversations", conversation, path, body=body)
    done = "Noted" if note else "Said"
    return Answer(said, f"{done} as {said['message']['id']} in {conversation}")


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


@connected
def reopen(api: Api, conversation: Id) -> Answer:
    """Begin a conversation again that has ended; whoever had it has it again.

    Examples:

        user360 conversation reopen c17
    """
    held = api.post("conversations", conversation, "reopen", body={})
    return Answer(held, f"{conversation} is {held['state']}")


@connected
def hand_over(
    api: Api,
    conversation: Id,
    group: Annotated[int | None, typer.Option("--group", help="To this group.")] = None,
    skill: Annotated[
        list[str] | None, typer.Option("--skill", help="To somebody with this skill.")
    ] = None,
    ticket: Annotated[bool, typer.Option("--ticket", help="As a ticket.")] = False,
    subject: Annotated[str | None, typer.Option("--subject", help="What it is about.")] = None,
) -> Answer:
    """Hand a conversation over from the bot to agents.

    Examples:

        user360 conversation handover c17 --ticket --subject "A parcel is late"
    """
    kind = {"kind": "ticket"} if ticket else {}
    body = {"group": group, "skills": skill or [], "subject": subject, **kind}
    held = api.post("conversations", conversation, "handover", body=body)
    return Answer(held, f"{conversation} is {held['state']}")


@connected
def to_bot(api: Api, conversation: Id) -> Answer:
    """Give a conversation to the bot of its channel.

    Examples:

        user360 conversation bot c17
    """
    held = api.post("conversations", conversation, "bot", body={})
    return Answer(held, f"{conversation} is with the bot")


@connected
def move(
    api: Api,
    conversation: Id,
    state: Annotated[str, typer.Argument(help="open, pending, onHold, solved or closed.")],
    reason: Annotated[str, typer.Option("--reason", help="Why.")] = "",
) -> Answer:
    """Move a ticket to another state.

    Examples:

        user360 conversation move c17 onHold
    """
    body = {"state": state, "reason": reason}
    held = api.post("conversations", conversation, "state", body=body)
    return Answer(held, f"{conversation} is {held['state']}")


@connected
def edit(
    api: Api,
    conversation: Id,
    subject: Annotated[str | None, typer.Option("--subject", help="What it is about.")] = None,
    priority: Annotated[
        str | None, typer.Option("--priority", help="low, normal, high or urgent.")
    ] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", help="Add this tag.")] = None,
    untag: Annotated[list[str] | None, typer.Option("--untag", help="Take this tag off.")] = None,
) -> Answer:
    """Change a conversation's subject, priority and tags.

    Examples:

        user360 conversation edit c17 --priority high --tag delivery
    """
    asked = {"subject": subject, "priority": priority, "addTags": tag, "removeTags": untag}
    body = {name: value for name, value in asked.items() if value is not None}
    if not body:
        raise Invalid("Give --subject, --priority, --tag or --untag")
    held = api.patch("conversations", conversation, body=body)
    tags = f", tagged {', '.join(held['tags'])}" if held["tags"] else ""
    return Answer(held, f"{conversation} has the priority {held['priority']}{tags}")


def _whose(name: str, given: str | None) -> dict[str, Any]:
    """A member in a body, by number or address, if there is one."""
    if given is None:
        return {}
    return {name: int(given) if given.isascii() and given.isdigit() else given}


COMMANDS = {
    "reply": reply,
    "assign": assign,
    "resolve": resolve,
    "reopen": reopen,
    "handover": hand_over,
    "bot": to_bot,
    "move": move,
    "edit": edit,
}
