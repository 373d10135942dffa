"""Brings answers to WhatsApp: the text in pieces that fit, then each attachment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from user360.channels import calling, settings
from user360.channels.bringing import Delivery, Permanent, Temporary
from user360.channels.declared import WhatsApp
from user360.channels.whatsapp import graph, hearing, templates
from user360.channels.whatsapp.graph import Graph
from user360.conversations import attachments, marks, window
from user360.conversations.marks import Mark, Part
from user360.conversations.talk import Attachment, Conversation, Message
from user360.platform import Platform

if TYPE_CHECKING:
    import httpx

LONGEST_TEXT = 4_096
# What can be shown as what it is; the rest is sent as a document.
SHOWN = {
    "image/jpeg": "image",
    "image/png": "image",
    "video/mp4": "video",
    "video/3gpp": "video",
    "audio/aac": "audio",
    "audio/amr": "audio",
    "audio/mpeg": "audio",
    "audio/mp4": "audio",
    "audio/ogg": "audio",
}
MOST_BUTTONS, LONGEST_BUTTON, LONGEST_ABOVE = 3, 20, 1_024
Content = dict[str, Any]


class Numbers:
    """The API of the numbers that workspaces have set."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self._client: httpx.Client | None = None
        self._lock = threading.Lock()

    def of(self, number: int) -> Graph:
        """The API as a workspace uses it.

        Raises `Permanent` when it is not set up, `Temporary` while it is switched off.
        """
        workspace = self.platform.workspaces[number]
        channel = workspace.desk.channels.get(hearing.CHANNEL)
        if channel is None or not channel.active:
            raise Temporary("The channel whatsapp is switched off")
        with self._lock:
            self._client = self._client or calling.client(self.platform)
        whole = settings.whole(self.platform, workspace, hearing.CHANNEL, WhatsApp)
        return Graph(self._client, whole)

    def close(self) -> None:
        """Let go of the connections."""
        with self._lock:
            if self._client is not None:
                self._client.close()


class WhatsAppSender:
    """Sends by the number that each workspace has set. What WhatsApp has reported is not sent."""

    reports_within = graph.REPORT_SECONDS

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._numbers = Numbers(platform)

    def send(self, delivery: Delivery, message: Message, conversation: Conversation) -> str:
        """Send what was not sent yet of a message; see `Sender`."""
        api = self._numbers.of(delivery.workspace)
        pieces = pieces_of(message)
        if len(pieces) == 1 and message.external:
            return message.external  # it was taken, and reported before that could be noted
        if len(pieces) == 1:
            return self._send(api, delivery, conversation, pieces[0], 0)
        held = marks.parts_of(message)
        if len(held) < len(pieces):
            held = [*held, *(Part() for _ in pieces[len(held) :])]
            self._keep(delivery, lambda m: marks.with_parts(m, held))
        for i, piece in enumerate(pieces):
            if not held[i].external:
                named = self._send(api, delivery, conversation, piece, i)
                self._keep(delivery, _sent(i, named))
        return ""

    def close(self) -> None:
        """Let go of the connections; see `Holding`."""
        self._numbers.close()

    def _send(
        self, api: Graph, delivery: Delivery, conversation: Conversation, piece: Piece, i: int
    ) -> str:
        who = conversation.session
        # Where customers hide their number they are written to by what stands for it.
        to = {"to": who} if hearing.NUMBER.match(who) else {"recipient": who}
        marked = hearing.mark_of(delivery.message, i)
        content = self._content(api, delivery.workspace, piece)
        return api.send({**to, **content, "biz_opaque_callback_data": marked})

    def _content(self, api: Graph, workspace: int, piece: Piece) -> Content:
        if not isinstance(piece, Attachment):
            return piece
        kind = SHOWN.get(piece.type, "document")
        about: dict[str, Any] = {"filename": piece.name} if kind == "document" else {}
        if piece.url:
            return {"type": kind, kind: {"link": piece.url, **about}}
        path = self._file(workspace, piece.id)
        return {"type": kind, kind: {"id": api.upload(path, piece.name, piece.type), **about}}

    def _file(self, workspace: int, name: str) -> Path:
        """Where a file of the workspace is; a name alone is nothing to trust."""
        ledger = self._platform.ledger
        with ledger.read() as connection:
            found = attachments.load(connection, ledger.dialect, workspace, [name])
        path = attachments.path_of(self._platform.directory, workspace, name)
        if not found or not path.exists():
            raise Permanent("The file of this message is not there any more")
        return path

    def _keep(self, delivery: Delivery, after: Callable[[Message], Message]) -> None:
        """Note how far it is, so that what was sent is not sent again."""
        dialect = self._platform.ledger.dialect
        where = (dialect, delivery.workspace, [delivery.message])
        self._platform.tell(lambda c: marks.alter(c, *where, after))


Piece = Content | Attachment


def _sent(piece: int, named: str) -> Callable[[Message], Message]:
    def after(message: Message) -> Message:
        mark = Mark(message=message.id, delivery="sent", external=named or "?", part=piece)
        return marks.marked(message, mark)

    return after


def pieces_of(message: Message) -> list[Piece]:
    """What is sent for a message, in its order."""
    if window.TEMPLATE in message.detail:
        return [templates.payload(message.detail[window.TEMPLATE])]
    texts = split(message.text, LONGEST_TEXT)
    pieces: list[Piece] = [_text(text) for text in texts]
    buttons = choices_of(message)
    if buttons and texts and len(texts[-1]) <= LONGEST_ABOVE:
        pieces[-1] = _buttons(texts[-1], buttons)
    return [*pieces, *message.attachments]


def _text(text: str) -> Content:
    return {"type": "text", "text": {"preview_url": False, "body": text}}


def choices_of(message: Message) -> list[str]:
    """The answers that a message offers, where WhatsApp can show them as buttons."""
    given = message.detail.get("choices")
    found = [c.get("title") if isinstance(c, dict) else c for c in given or ()]
    fit = [c for c in found if isinstance(c, str) and 1 <= len(c.strip()) <= LONGEST_BUTTON]
    usable = len(fit) == len(found) == len(set(fit)) and len(fit) <= MOST_BUTTONS
    return fit if usable else []


def _buttons(text: str, choices: list[str]) -> Content:
    buttons = [
        {"type": "reply", "reply": {"id": f"choice-{i}", "title": choice}}
        for i, choice in enumerate(choices)
    ]
    above = {"type": "button", "body": {"text": text}, "action": {"buttons": buttons}}
    return {"type": "interactive", "interactive": above}


def split(text: str, most: int) -> list[str]:
    """A text in pieces of at most so many characters, parted at line ends or blanks if there are.

    Nothing is lost but the white space at which it is parted.
    """
    pieces = []
    rest = text.strip()
    while len(rest) > most:
        cut = max(rest.rfind(mark, most // 2, most + 1) for mark in ("\n", " "))
        cut = cut if cut > 0 else most
        pieces.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*pieces, rest] if rest else pieces
