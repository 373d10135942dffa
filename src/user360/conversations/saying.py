"""What becomes of a conversation when something is said in it: pure decisions, in order."""

from __future__ import annotations

from user360.conversations import talk
from user360.conversations.floor import START, Floor, Told, changed, give, place, seen
from user360.conversations.talk import Conversation, Said
from user360.errors import Conflict


def say(
    conversation: Conversation, said: Said, at: int, floor: Floor, *, begun: bool
) -> list[Told]:
    """Take a message into a conversation; `begun` when it is the first of one just made.

    What a customer says to an ended conversation begins another: `goes_on` tells. Raises `Conflict`
    when an agent answers in a conversation that has ended, and for what yields to an agent.
    """
    was = (conversation.state, conversation.assignee)
    if said.sender == talk.CUSTOMER:
        _customer(conversation, at, floor, begun)
    elif said.sender == talk.BOT_SAYS:
        if said.yields:
            _need_untaken(conversation)
        _answered(conversation, at)
    elif said.sender == talk.AGENT:
        _agent(conversation, said, at, floor)
    conversation.updated_at = max(conversation.updated_at, at)
    told = [Told(START, seen(conversation))] if begun else []
    return told + changed(conversation, was, floor, begun=begun)


def goes_on(conversation: Conversation) -> bool:
    """Whether a customer who writes again is heard in this conversation."""
    return conversation.state not in talk.OVER


def _customer(conversation: Conversation, at: int, floor: Floor, begun: bool) -> None:
    if conversation.waiting_since is None:
        conversation.waiting_since = at
    if begun:
        if floor.desk.bot_of(conversation.channel):
            conversation.state = talk.BOT
        else:
            place(conversation, floor)
    elif conversation.kind == talk.TICKET and conversation.state in (talk.PENDING, talk.SOLVED):
        conversation.state = talk.OPEN
        conversation.ended_at = None


def _need_untaken(conversation: Conversation) -> None:
    """A bot has nothing more to say where it ended, or an agent has it or has answered last."""
    if conversation.state == talk.BOT:
        return
    if not goes_on(conversation):
        raise Conflict("This conversation has ended")
    if conversation.assignee is not None or conversation.last_from == talk.AGENT:
        message = "An agent has this conversation; only what says besideAgent is said beside them"
        raise Conflict.at("from", message)


def _answered(conversation: Conversation, at: int) -> None:
    conversation.waiting_since = None
    if conversation.first_reply_at is None:
        conversation.first_reply_at = at


def _agent(conversation: Conversation, said: Said, at: int, floor: Floor) -> None:
    """Whoever answers has it from then on, unless somebody else does."""
    if not goes_on(conversation):
        raise Conflict("This conversation has ended; reopen it first")
    member = member_of(said.author)
    if conversation.assignee is None and member is not None:
        give(conversation, member, floor)
    elif conversation.state == talk.BOT:
        place(conversation, floor)
    if conversation.kind == talk.TICKET and conversation.state in (talk.OPEN, talk.SOLVED):
        conversation.state, conversation.ended_at = talk.PENDING, None
    _answered(conversation, at)


def member_of(ref: str) -> int | None:
    """The member behind `member:7`, None for a key or a flow."""
    kind, _, number = ref.partition(":")
    return int(number) if kind == "member" and number.isdigit() else None
