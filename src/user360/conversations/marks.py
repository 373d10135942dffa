"""What becomes known of a message after it was said: that it was sent, came, was read, or failed.

Marks come in any order and more than once; what stands in the end is the same. The rule is pure,
its SQL stands below it. Put them with `platform.tell(lambda c: marks.put(c, ...))`: who looks on
is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from user360.conversations import store
from user360.conversations.news import News
from user360.conversations.talk import DELIVERY, FAILED, Attachment, Message
from user360.storage.ledger import Connection, Dialect, array, run

# Whoever has read it has it, whatever was told of it besides.
ORDER = ("", *DELIVERY[:-1], FAILED, DELIVERY[-1])
LONGEST_ERROR = 500


class Part(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of the pieces a message is brought in, as its channel calls it once it was taken.

    The last may stand for the `rest` that could not be sent, and why.
    """

    external: str = ""
    delivery: str = DELIVERY[0]
    error: str = ""
    rest: bool = False


REST = -1


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of a message's way to the customer: one of `talk.DELIVERY`, or `failed`.

    `part` says of which piece it is told, where it is brought in several; else of all.
    """

    message: int
    delivery: str
    error: str = ""
    external: str = ""
    part: int = REST


def further(held: str, told: str) -> str:
    """How far a message is that was `held` this far, now that this is `told`."""
    return max(held, told, key=ORDER.index)


def together(parts: Sequence[Part]) -> tuple[str, str]:
    """How far a message is whose pieces are so far, and why it failed, if any of them did."""
    failed = [part for part in parts if part.delivery == FAILED]
    if failed:
        return FAILED, failed[0].error
    return min((part.delivery for part in parts), key=ORDER.index), ""


def marked(message: Message, mark: Mark) -> Message:
    """The message once this is told of it; an equal one when that was known."""
    pieces = parts_of(message)
    if pieces:
        return with_parts(message, _marked_pieces(pieces, mark))
    delivery = further(message.delivery, mark.delivery)
    error = (message.error or _why(mark)) if delivery == FAILED else ""
    external = mark.external or message.external
    return msgspec.structs.replace(message, delivery=delivery, error=error, external=external)


def _marked_pieces(pieces: list[Part], mark: Mark) -> list[Part]:
    if mark.part >= sum(not part.rest for part in pieces) or mark.part < REST:
        return pieces
    if mark.part != REST:
        pieces[mark.part] = _marked_piece(pieces[mark.part], mark)
        return pieces
    if mark.delivery == FAILED:
        return pieces if pieces[-1].rest else [*pieces, Part("", FAILED, _why(mark), rest=True)]
    return [part if part.rest else _marked_piece(part, mark) for part in pieces]


def _marked_piece(piece: Part, mark: Mark) -> Part:
    delivery = further(piece.delivery, mark.delivery)
    error = (piece.error or _why(mark)) if delivery == FAILED else ""
    return Part(mark.external or piece.external, delivery, error)


def _why(mark: Mark) -> str:
    """Why it failed; what is said of anything else is no reason."""
    return mark.error[:LONGEST_ERROR] if mark.delivery == FAILED else ""


def parts_of(message: Message) -> list[Part]:
    """The pieces a message is brought in, none when it goes in one."""
    return msgspec.convert(message.detail.get("parts", ()), list[Part])


def with_parts(message: Message, parts: list[Part]) -> Message:
    """The message brought in these pieces: as far as the last of them."""
    delivery, error = together(parts)
    return msgspec.structs.replace(
        message,
        detail={**message.detail, "parts": msgspec.to_builtins(parts)},
        external=parts[0].external,
        delivery=delivery,
        error=error,
    )


def put(
    connection: Connection, dialect: Dialect, workspace: int, marks: Iterable[Mark]
) -> list[News]:
    """Put marks on messages of a workspace; the news of those that changed. Unknown ones are left.

    A customer's message has no way to the customer, and a note none at all.
    """
    told: dict[int, list[Mark]] = {}
    for mark in marks:
        told.setdefault(mark.message, []).append(mark)

    def after(message: Message) -> Message:
        if not message.delivery:
            return message
        for mark in told[message.id]:
            message = marked(message, mark)
        return message

    return alter(connection, dialect, workspace, told, after)


def again(connection: Connection, dialect: Dialect, workspace: int, number: int) -> list[News]:
    """A message that failed is on its way once more; the news of it."""
    return alter(connection, dialect, workspace, [number], anew)


def anew(message: Message) -> Message:
    """The message before it is sent once more; its pieces that arrived are not sent again."""
    if message.delivery != FAILED:
        return message
    pieces = [part for part in parts_of(message) if not part.rest]
    if pieces:
        held = [Part() if part.delivery == FAILED else part for part in pieces]
        return with_parts(message, held)
    return msgspec.structs.replace(message, delivery=DELIVERY[0], error="", external="")


def alter(
    connection: Connection,
    dialect: Dialect,
    workspace: int,
    numbers: Iterable[int],
    after: Callable[[Message], Message],
) -> list[News]:
    """Keep what `after` makes of these messages' way, attachments and details; the news of it."""
    changed: dict[int, list[Message]] = {}
    for message in of(connection, dialect, workspace, numbers).values():
        altered = after(message)
        if altered != message:
            _save(connection, altered)
            changed.setdefault(message.conversation, []).append(altered)
    found = store.load(connection, dialect, workspace, changed)
    return [News(workspace, found[n], changed=messages) for n, messages in changed.items()]


def of(
    connection: Connection, dialect: Dialect, workspace: int, numbers: Iterable[int]
) -> dict[int, Message]:
    """Those of these messages that the workspace has, by number."""
    query = (
        f"SELECT {store.MESSAGE} FROM messages m WHERE m.workspace_id = :workspace"
        f" AND m.id IN {dialect.values('numbers')}"
    )
    rows = run(connection, query, {"workspace": workspace, "numbers": array(list(numbers))})
    return {row[0]: store.message(row) for row in rows}


def named(connection: Connection, workspace: int, channel: str, external: str) -> int | None:
    """The message that a channel calls so; the newest, should it have done so twice."""
    query = (
        "SELECT max(m.id) FROM messages m JOIN conversations c ON c.id = m.conversation_id"
        " WHERE m.workspace_id = :workspace AND m.external = :external AND c.channel = :channel"
    )
    given = {"workspace": workspace, "external": external, "channel": channel}
    found: int | None = run(connection, query, given)[0][0]
    return found


def attach(message: Message, attachments: tuple[Attachment, ...]) -> Message:
    """The message with attachments that came after it."""
    return msgspec.structs.replace(message, attachments=(*message.attachments, *attachments))


def _save(connection: Connection, m: Message) -> None:
    query = (
        "UPDATE messages SET delivery = :delivery, error = :error, external = :external,"
        " attachments = :attachments, detail = :detail WHERE id = :id"
    )
    given = {
        "delivery": m.delivery,
        "error": m.error,
        "external": m.external or None,
        "attachments": array(m.attachments),
        "detail": array(m.detail),
        "id": m.id,
    }
    run(connection, query, given)
