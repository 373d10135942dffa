"""What a conversation is known by in mails: signed, so that nobody can write into another's.

The id of a mail of ours is `<c17-0123456789abcdef.m230@domain>`, the token in a subject
`[c17-0123456789abcdef]`, in an address `support+c17-0123456789abcdef@domain`.
"""

from __future__ import annotations

import hmac
import re
from typing import NamedTuple

from user360 import ids
from user360.access.vault import Vault

SIGNED = 16  # hexadecimal digits
_TOKEN = rf"(c\d{{1,12}})-([0-9a-f]{{{SIGNED}}})"
_IN_ID = re.compile(rf"{_TOKEN}\.(m\d{{1,12}})@")
_IN_TEXT = re.compile(rf"(?<![\w-]){_TOKEN}(?![\w-])")
_IN_SUBJECT = re.compile(rf"\s*\[{_TOKEN}\]")


class Named(NamedTuple):
    """A conversation that a mail names, and the message of ours where its id is named."""

    conversation: int
    message: int | None = None


class Tokens:
    """The tokens of one workspace."""

    def __init__(self, vault: Vault, workspace: int) -> None:
        self._vault = vault
        self._workspace = workspace

    def token(self, conversation: int) -> str:
        """By which answers find back to a conversation."""
        return f"{ids.public_conversation_id(conversation)}-{self._signature(conversation)}"

    def message_id(self, conversation: int, message: int, domain: str) -> str:
        """The id of the mail that a message of ours is sent as; the same each time."""
        return f"{self.token(conversation)}.{ids.public_message_id(message)}@{domain}"

    def in_text(self, text: str) -> int | None:
        """The conversation that a subject or an address names; None without a genuine token."""
        for match in _IN_TEXT.finditer(text):
            if (found := self._genuine(match[1], match[2])) is not None:
                return found
        return None

    def in_id(self, message_id: str) -> Named | None:
        """What the id of a mail names, if it is one of ours."""
        match = _IN_ID.match(message_id)
        if match is None or (found := self._genuine(match[1], match[2])) is None:
            return None
        return Named(found, ids.parse_message_id(self._workspace, match[3]))

    def _genuine(self, public: str, signature: str) -> int | None:
        number = ids.parse_conversation_id(self._workspace, public)
        if number is None or not hmac.compare_digest(self._signature(number), signature):
            return None
        return number

    def _signature(self, conversation: int) -> str:
        return self._vault.digest(self._workspace, f"email:{conversation}")[:SIGNED]


def without(subject: str) -> str:
    """A subject without the tokens in it."""
    return _IN_SUBJECT.sub("", subject)
