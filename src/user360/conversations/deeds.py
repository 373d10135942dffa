"""What is done to a conversation by agents, bots and the clock: pure decisions, in order."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from user360.conversations import talk
from user360.conversations.desk import Desk
from user360.conversations.floor import Floor, Told, changed, end, give, place
from user360.conversations.talk import Conversation
from user360.errors import Conflict, Fault, Invalid

LONGEST_REASON = 200
MOST_TAGS = 50


class Deed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something done to a conversation, by the member, key or flow `by`.

    `action` is one of `ACTIONS`. `assign` to a member or a group (to neither: as the settings
    say; `if_free` only when nobody has it), `hand_over` from the bot to agents (of a `group`, with
    `skills`, as a `ticket` with a `subject`), `place` gives a waiting one to an agent who has room
    now, `bot` gives it back to the bot, `state` moves a ticket, `resolve` ends with a `reason`,
    `miss` ends what nobody answered, `reopen` begins again what has ended, `edit` changes subject,
    priority and tags, `flow` keeps where a flow stands, `leave` gives all up that an agent has.
    With `unless_since` (microseconds) nothing is done when anything happened later than that, with
    `with_bot` nothing once the bot has it no more.
    """

    action: str
    by: str = ""
    assignee: int | None = None
    group: int | None = None
    if_free: bool = False
    kind: str = ""
    subject: str | None = None
    priority: str | None = None
    skills: tuple[str, ...] = ()
    state: str = ""
    reason: str = ""
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    flow: str = ""
    unless_since: int | None = None
    with_bot: bool = False

    @property
    def begins_again(self) -> bool:
        """Whether it lets go on what has ended."""
        return self.action == "reopen" or (self.action == "state" and self.state not in talk.ENDED)


def carry_out(conversation: Conversation, deed: Deed, floor: Floor) -> list[Told]:
    """Do a deed to a conversation. Raises `Invalid` naming what is wrong, `Conflict`."""
    if deed.unless_since is not None and conversation.updated_at > deed.unless_since:
        return []
    if deed.with_bot and conversation.state != talk.BOT:
        return []
    was = (conversation.state, conversation.assignee)
    tags = _tags(conversation, deed)  # what is refused is refused before anything is done
    ACTIONS[deed.action](conversation, deed, floor)
    conversation.tags = tags
    if deed.action != "flow":
        conversation.updated_at = max(conversation.updated_at, floor.now)
    return changed(conversation, was, floor, begun=False)


def _tags(conversation: Conversation, deed: Deed) -> tuple[str, ...]:
    kept = [t for t in conversation.tags if t not in deed.remove_tags]
    kept += [t for t in dict.fromkeys(deed.add_tags) if t not in kept]
    if len(kept) > MOST_TAGS:
        raise Invalid.at("tags", f"A conversation has at most {MOST_TAGS} tags")
    return tuple(kept)


def faults_of(deed: Deed, desk: Desk) -> list[Fault]:
    """What is wrong with a deed, whatever it is done to."""
    found = []
    gone = deed.action == "leave"  # whoever leaves is no agent any more
    if deed.assignee is not None and deed.assignee not in desk.agents and not gone:
        found.append(Fault("assignee", "invalid", "assignee must be a member who may answer"))
    if deed.group is not None and deed.group not in desk.groups:
        found.append(Fault("group", "invalid", "There is no such group"))
    if deed.priority is not None and deed.priority not in talk.PRIORITIES:
        message = f"priority must be one of {', '.join(talk.PRIORITIES)}"
        found.append(Fault("priority", "invalid", message))
    if deed.kind and deed.kind not in talk.KINDS:
        found.append(Fault("kind", "invalid", f"kind must be one of {', '.join(talk.KINDS)}"))
    if deed.subject is not None:
        found += talk.text_faults("subject", deed.subject, talk.LONGEST_SUBJECT, empty=True)
    found += talk.text_faults("reason", deed.reason, LONGEST_REASON, empty=True)
    for i, tag in enumerate((*deed.add_tags, *deed.remove_tags)):
        found += talk.text_faults(f"tags.{i}", tag, 100)
    return found


def _assign(conversation: Conversation, deed: Deed, floor: Floor) -> None:
    _need_active(conversation)
    if deed.if_free and conversation.assignee not in (None, deed.assignee):
        raise Conflict("Somebody else has taken this conversation")
    if deed.group is not None:
        conversation.group = deed.group
    if deed.assignee is not None:
        give(conversation, deed.assignee, floor)
    else:
        conversation.assignee = None
        place(conversation, floor)


def _hand_over(conversation: Conversation, deed: Deed, floor: Floor) -> None:
    _need_active(conversation)
    if conversation.state != talk.BOT:
        return  # an agent has it, or it waits for one: said twice is done once
    conversation.kind = deed.kind or conversation.kind
    conversation.group = deed.group if deed.group is not None else conversation.group
    conversation.skills = deed.skills or conversation.skills
    conversation.subject = deed.subject or conversation.subject
    conversation.flow = ""
    place(conversation, floor)


def _replace(conversation: Conversation, _deed: Deed, floor: Floor) -> None:
    """Give a waiting conversation to somebody who has room now, if there is anybody."""
    if conversation.assignee is None and conversation.state in talk.WAITING:
        place(conversation, floor)


def _bot(conversation: Conversation, _deed: Deed, _floor: Floor) -> None:
    _need_active(conversation)
    conversation.state, conversation.assignee = talk.BOT, None
    conversation.queued_at = None


def _state(conversation: Conversation, deed: Deed, floor: Floor) -> None:
    allowed = (talk.OPEN, talk.PENDING, talk.ON_HOLD, talk.SOLVED, talk.CLOSED)
    if conversation.kind != talk.TICKET:
        raise Invalid.at("state", "Only a ticket is moved from state to state; resolve a chat")
    if deed.state not in allowed:
        raise Invalid.at("state", f"state must be one of {', '.join(allowed)}")
    if deed.state in talk.ENDED:
        end(conversation, deed.state, deed.reason, floor)
    else:
        conversation.state, conversation.ended_at = deed.state, None


def _resolve(conversation: Conversation, deed: Deed, floor: Floor) -> None:
    if not conversation.active:
        raise Conflict("This conversation has ended already")
    ended = talk.SOLVED if conversation.kind == talk.TICKET else talk.RESOLVED
    end(conversation, ended, deed.reason, floor)


def _miss(conversation: Conversation, deed: Deed, floor: Floor) -> None:
    """Only what still waits for somebody is missed."""
    if conversation.kind == talk.CHAT and conversation.state in talk.WAITING:
        end(conversation, talk.MISSED, deed.reason, floor)


def _reopen(conversation: Conversation, _deed: Deed, floor: Floor) -> None:
    if conversation.active:
        raise Conflict("This conversation has not ended")
    conversation.ended_at, conversation.reason = None, ""
    if conversation.assignee is not None:
        give(conversation, conversation.assignee, floor)
    else:
        place(conversation, floor)


def _leave(conversation: Conversation, deed: Deed, floor: Floor) -> None:
    """An agent who leaves gives up what is still hers; somebody else gets it."""
    if conversation.active and conversation.assignee == deed.assignee:
        conversation.assignee = None
        place(conversation, floor)


def _edit(conversation: Conversation, deed: Deed, _floor: Floor) -> None:
    if deed.subject is not None:
        conversation.subject = deed.subject
    if deed.priority is not None:
        conversation.priority = deed.priority


def _flow(conversation: Conversation, deed: Deed, _floor: Floor) -> None:
    if conversation.state == talk.BOT:
        conversation.flow = deed.flow


def _need_active(conversation: Conversation) -> None:
    if not conversation.active:
        raise Conflict("This conversation has ended; reopen it first")


ACTIONS: dict[str, Callable[[Conversation, Deed, Floor], None]] = {
    "assign": _assign,
    "hand_over": _hand_over,
    "place": _replace,
    "bot": _bot,
    "state": _state,
    "resolve": _resolve,
    "miss": _miss,
    "reopen": _reopen,
    "leave": _leave,
    "edit": _edit,
    "flow": _flow,
}
