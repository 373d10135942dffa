"""Who asks: the browser behind a request, its session and its place in the network."""

from __future__ import annotations

from typing import Any

from litestar import Request

from user360.access.workspaces import Workspace
from user360.channels.web import sessions
from user360.channels.web.sessions import CHANNEL, NoSession, Visitor
from user360.doors import gate
from user360.doors.widget.pace import ANYTHING, Pace
from user360.errors import Forbidden
from user360.platform import Platform

Asked = Request[Any, Any, Any]
HEADER = "x-user360-session"


class SwitchedOff(Forbidden):
    """The chat of this workspace is switched off."""

    code = "switchedOff"


def pace_of(request: Asked) -> Pace:
    """What counts how fast is asked."""
    pace: Pace = request.app.state.web_pace
    return pace


def place_of(request: Asked) -> str:
    """The address of the network a request came from.

    Behind a proxy it is what the proxy has put last into the header that the setting
    `USER360_CLIENT_HEADER` names.
    """
    named = gate.platform_of(request).settings.client_header
    told: str = request.headers.get(named, "").rpartition(",")[2].strip() if named else ""
    return told or ("" if request.client is None else request.client.host)


def visitor_of(request: Asked) -> tuple[Visitor, Workspace]:
    """The session a request shows, and its workspace; counted. Raises `NoSession`, `TooFast`."""
    visitor, workspace, _ = session_of(request)
    return visitor, workspace


def session_of(request: Asked) -> tuple[Visitor, Workspace, str]:
    """As `visitor_of`, with the token to ask with from now on; empty while the one shown is fresh.

    Raises `NoSession`, `TooFast`.
    """
    pace_of(request).at(place_of(request), ANYTHING)
    platform = gate.platform_of(request)
    held = sessions.read(platform.vault, request.headers.get(HEADER, ""))
    workspace = platform.workspaces.get(held.visitor.workspace)
    if workspace is None:
        raise NoSession
    need_open(workspace)
    now = platform.clock.now()
    if sessions.is_over(held, workspace, now):
        raise NoSession
    old = sessions.is_old(held, workspace, now)
    return held.visitor, workspace, sessions.token(platform.vault, held.visitor, now) if old else ""


def workspace_named(platform: Platform, name: str) -> Workspace:
    """The workspace a page names. Raises `NotFound`, `SwitchedOff`."""
    workspace = platform.workspace(name)
    need_open(workspace)
    return workspace


def need_open(workspace: Workspace) -> None:
    """Raises `SwitchedOff` when the workspace has no chat on pages now.

    Anybody may write by it, so it is there only once somebody has switched it on.
    """
    channel = workspace.desk.channels.get(CHANNEL)
    if channel is None or not channel.active:
        raise SwitchedOff
