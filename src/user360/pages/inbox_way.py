"""How its channel lets a conversation be answered: freely until when, and in what trouble."""

from __future__ import annotations

from typing import NamedTuple

from user360 import clock
from user360.access.workspaces import Workspace
from user360.channels import health
from user360.channels.health import Trouble
from user360.channels.whatsapp import templates
from user360.clock import SECOND
from user360.conversations import talk, window
from user360.conversations.talk import Conversation
from user360.platform import Platform
from user360.storage.ledger import Connection


class Way(NamedTuple):
    """What a channel that sends from here lets be said now.

    Free text until `until` (microseconds; `day` in words), `seconds` from now; None where the
    customer never wrote.
    `limited` says that there is such a time, `templates` that there are some to choose from.
    """

    free: bool
    limited: bool
    until: int | None
    day: str
    seconds: int
    templates: bool
    trouble: Trouble | None


def of(
    connection: Connection, platform: Platform, workspace: Workspace, held: Conversation
) -> Way | None:
    """How a conversation can be answered; None where nothing is sent from here."""
    if not workspace.desk.ways(held.channel, talk.AGENT):
        return None
    ends = window.until(connection, platform.ledger.dialect, [held])
    until, now = ends.get(held.id), platform.clock.now()
    limited = held.id in ends
    left = 0 if until is None else max(0, until - now)
    return Way(
        free=not limited or left > 0,
        limited=limited,
        until=until,
        day="" if until is None else _day(until, workspace),
        seconds=-(-left // SECOND),
        templates=held.channel == templates.CHANNEL and bool(templates.of(workspace)),
        trouble=health.sending(connection, workspace.id, held.channel),
    )


def _day(at: int, workspace: Workspace) -> str:
    """`Monday, 23 November, 22:49`, where the workspace is."""
    local = clock.to_datetime(at).astimezone(workspace.zone)
    return f"{local:%A}, {local.day} {local:%B}, {local:%H:%M}"
