"""Until when a customer may be answered in words of one's own: 24 hours on WhatsApp.

Counted is from what the customer said last in the session, in whichever conversation of it.
Templates, which WhatsApp has approved, may be said at any time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from user360.clock import SECOND
from user360.conversations import talk
from user360.conversations.desk import Desk
from user360.conversations.talk import Conversation, Message, Said
from user360.errors import Conflict
from user360.storage.ledger import Connection, Dialect, array, run

# How long after a customer's last message, by the channels that have such a rule.
LASTS = {"whatsapp": 24 * 60 * 60 * SECOND}
# In a message's detail: the template by which it is said.
TEMPLATE = "template"
SPEAKERS = (talk.AGENT, talk.BOT_SAYS)
NAMED = 5  # templates that are named to who may send nothing else
LATE = 20  # messages: these may have come in another order than they were said


def until(
    connection: Connection, dialect: Dialect, conversations: Collection[Conversation]
) -> dict[int, int | None]:
    """Until when (microseconds) each may be answered in free words, where its channel has a rule.

    None where the customer never said anything; it is not there for other channels.
    """
    held = [each for each in conversations if each.channel in LASTS]
    if not held:
        return {}
    query = (
        "SELECT c.id, ("
        + _HEARD.format("c.workspace_id", "c.channel", "c.session_id")
        + f") FROM {dialect.values('asked')} AS asked"
        " CROSS JOIN conversations c WHERE c.id = asked.value"
    )
    rows = run(connection, query, {"asked": array([each.id for each in held])})
    heard: dict[int, int | None] = dict(map(tuple, rows))
    return {each.id: _ends(each.channel, heard.get(each.id)) for each in held}


# When the customer said something last; what is said to have been said later came by then.
_HEARD = (
    "SELECT max(CASE WHEN s.at < s.received_at THEN s.at ELSE s.received_at END) FROM ("
    "SELECT m.at, m.received_at FROM conversations o"
    " CROSS JOIN messages m ON m.conversation_id = o.id"
    " WHERE o.workspace_id = {} AND o.channel = {} AND o.session_id = {}"
    f" AND m.sender = 'customer' ORDER BY o.id DESC, m.id DESC LIMIT {LATE}) AS s"
)


def _ends(channel: str, heard: int | None) -> int | None:
    return None if heard is None else heard + LASTS[channel]


def need(
    connection: Connection,
    workspace: int,
    desk: Desk,
    conversation: Conversation,
    said: Said,
    before: Iterable[tuple[Message, str | None]],
    now: int,
) -> None:
    """Raises `Conflict` for what the channel would not take any more.

    `before` are messages of the same batch, which are not written yet.
    """
    channel = conversation.channel
    if channel not in LASTS or said.sender not in SPEAKERS or TEMPLATE in said.detail:
        return
    if not desk.ways(channel, said.sender):
        return  # nothing is sent from here
    mine = (m for m, _ in before if m.conversation == conversation.id)
    if any(m.sender == talk.CUSTOMER and m.at + LASTS[channel] > now for m in mine):
        return
    ends = ending(connection, workspace, channel, conversation.session)
    if ends is None or ends <= now:
        raise Conflict.at(TEMPLATE, _why(desk, channel, ends))


def ending(connection: Connection, workspace: int, channel: str, session: str) -> int | None:
    """Until when (microseconds) a session of a channel in `LASTS` is answered in free words.

    None where the customer never said anything.
    """
    query = _HEARD.format(":workspace", ":channel", ":session")
    given = {"workspace": workspace, "channel": channel, "session": session}
    return _ends(channel, run(connection, query, given)[0][0])


def _why(desk: Desk, channel: str, ends: int | None) -> str:
    since = "The customer wrote more than 24 hours ago"
    if ends is None:
        since = "The customer has not written yet"
    held = desk.channels[channel].settings.get("templates", ())
    named = [f"{each['name']} ({each['language']})" for each in held[:NAMED]]
    others = f" and {len(held) - NAMED} more" if len(held) > NAMED else ""
    there = f"such as {', '.join(named)}{others}" if named else "which the channel has none of yet"
    return f"{since}, and WhatsApp takes nothing but a template then, {there}"
