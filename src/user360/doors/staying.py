"""Who stays: members who do something in the inbox, and answers that go on."""

from __future__ import annotations

from typing import Any

from user360.doors import gate

STREAM = "user360.stream"


def note(connection: gate.Anyone, action: str) -> None:
    """A member who does something in the inbox is there, with whatever program they do it."""
    actor = gate.actor_of(connection)
    if action == "inbox.write" and actor.sign_in is not None:
        inbox = connection.app.state.inbox
        inbox.attendance.seen(actor.workspace.id, actor.sign_in.member)


def mark_stream(request: gate.Anyone) -> None:
    """Note that an answer goes on until its reader leaves or the process ends."""
    request.scope["state"][STREAM] = True


def is_stream(scope: Any) -> bool:
    """Whether the answer of a request goes on for so long."""
    return STREAM in scope.get("state", {})
