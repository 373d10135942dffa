"""Sessions of the widget: a token that only this server can make names the one a browser has.

Nothing is kept for somebody who has said nothing yet: the token is all there is. It is good for
some days, and whoever uses the chat gets a new one in time, so that it ends for those alone who
have not come for so long.
"""

from __future__ import annotations

import hmac

import msgspec

from user360 import ids
from user360.access.vault import Vault
from user360.access.workspaces import Workspace
from user360.channels.declared import Web
from user360.clock import SECOND
from user360.errors import Problem

CHANNEL = "web"
LONGEST = 300  # characters of a token
DAY = 86_400  # seconds
FRESH = 10  # a token is renewed once this part of its life has passed


class NoSession(Problem):
    """The chat has to be started anew: this session is not known here."""

    status = 401
    code = "noSession"


class Visitor(msgspec.Struct, frozen=True):
    """Whose browser it is: a session of the channel `web` in a workspace."""

    workspace: int
    session: str

    @property
    def ref(self) -> str:
        """How provenance names them."""
        return f"session:{CHANNEL}/{self.session}"


class Held(msgspec.Struct, frozen=True):
    """What a browser shows: whose it is, and when that was given to it (seconds)."""

    visitor: Visitor
    given_at: int

    def age(self, now: int) -> int:
        """How old it is at a time in microseconds; the clock may have been set back meanwhile."""
        return abs(now // SECOND - self.given_at)


def life_of(workspace: Workspace) -> int:
    """For how many seconds a token is good that is not used."""
    channel = workspace.desk.channels.get(CHANNEL)
    settings = {} if channel is None else channel.settings
    return int(settings.get("sessionDays", Web().session_days)) * DAY


def is_over(held: Held, workspace: Workspace, now: int) -> bool:
    """Whether a token is good no more."""
    return held.age(now) > life_of(workspace)


def is_old(held: Held, workspace: Workspace, now: int) -> bool:
    """Whether it is time to give a new token for the same session."""
    return held.age(now) > life_of(workspace) // FRESH


def begin(workspace: int) -> Visitor:
    """A visitor with a session that nobody has had."""
    return Visitor(workspace, ids.new_id())


def token(vault: Vault, visitor: Visitor, now: int) -> str:
    """What the browser keeps from a time on (microseconds), and shows with all it asks."""
    held = Held(visitor, now // SECOND)
    return f"{_told(held)}.{_signature(vault, held)}"


def read(vault: Vault, given: str) -> Held:
    """What a token holds, however old. Raises `NoSession` for one that was not made here."""
    parts = given[:LONGEST].split(".")
    if len(parts) == 4 and _is_number(parts[0]) and _is_number(parts[2]):
        held = Held(Visitor(int(parts[0]), parts[1]), int(parts[2]))
        if hmac.compare_digest(_signature(vault, held).encode(), parts[3].encode()):
            return held
    raise NoSession


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 12


def _told(held: Held) -> str:
    return f"{held.visitor.workspace}.{held.visitor.session}.{held.given_at}"


def file_key(vault: Vault, workspace: int, file: str) -> str:
    """What opens one attachment and nothing else, for links that carry no token."""
    return vault.digest(workspace, f"web file:{file}")[:32]


def vouched(vault: Vault, visitor: Visitor) -> str:
    """What a browser is given of whom the page's server has said who they are."""
    return vault.digest(visitor.workspace, f"web known:{visitor.session}")[:32]


def _signature(vault: Vault, held: Held) -> str:
    return vault.digest(held.visitor.workspace, f"web session:{_told(held)}")
