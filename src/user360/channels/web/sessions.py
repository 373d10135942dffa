"""Sessions of the widget: a token that only this server can make names the one a browser has.

Nothing is kept for somebody who has said nothing yet: the token is all there is.
"""

from __future__ import annotations

import hmac

import msgspec

from user360 import ids
from user360.access.vault import Vault
from user360.errors import Problem

CHANNEL = "web"
LONGEST = 300  # characters of a token


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


def begin(workspace: int) -> Visitor:
    """A visitor with a session that nobody has had."""
    return Visitor(workspace, ids.new_id())


def token(vault: Vault, visitor: Visitor) -> str:
    """What the browser keeps, and shows with all it asks."""
    return f"{visitor.workspace}.{visitor.session}.{_signature(vault, visitor)}"


def read(vault: Vault, given: str) -> Visitor:
    """The visitor behind a token. Raises `NoSession` for one that was not made here."""
    workspace, _, rest = given[:LONGEST].partition(".")
    session, _, signature = rest.partition(".")
    if workspace.isascii() and workspace.isdigit() and len(workspace) < 10:
        visitor = Visitor(int(workspace), session)
        if hmac.compare_digest(_signature(vault, visitor).encode(), signature.encode()):
            return visitor
    raise NoSession


def file_key(vault: Vault, workspace: int, file: str) -> str:
    """What opens one attachment and nothing else, for links that carry no token."""
    return vault.digest(workspace, f"web file:{file}")[:32]


def _signature(vault: Vault, visitor: Visitor) -> str:
    return vault.digest(visitor.workspace, f"web session:{visitor.session}")
