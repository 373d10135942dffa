"""A message of the tracking API becomes calls of the one inner shape. Pure: nothing is looked up.

| message | what becomes of it |
|---|---|
| `identify` | a write of its traits; with both ids, the session is identified |
| `track` | an event |
| `page`, `screen` | an event `Page Viewed`, `Screen Viewed`; the name in `properties.name` |
| `group` | an event `Group` with the group's traits, and the property `groupId` |
| `alias` | whoever went by `previousId` is merged into `userId` |

Traits in the context count as traits. Beside an event they are a call of their own, so that a bad
trait does not take the event with it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Any

import msgspec

from user360 import clock
from user360.doors.segment import messages, traits
from user360.doors.segment.messages import Message
from user360.errors import Fault, Invalid
from user360.ingest.call import Call, Event, Session, Verb
from user360.records.values import CONTROL

CHANNEL = "web"
TOLERANCE = 600 * clock.SECOND
LONGEST_ID = 255


class Origin(msgspec.Struct, frozen=True):
    """What all messages of one request share.

    `received` is when it came (microseconds, never the same for two requests); `skew` is what the
    sender's clock is behind (microseconds), by the time the batch says it was sent; `context` is
    the batch's, for messages that have none.
    """

    workspace: int
    ref: str
    received: int
    zone: tzinfo
    undeclared: str = "create"
    skew: int = 0
    context: messages.Context | None = None


def translate(message: Message, origin: Origin, path: str = "", place: int = 0) -> list[Call]:
    """The calls that `message`, found at `path` and in `place` of its batch, asks for.

    Raises `Invalid` naming each field that no call can be made of; what a call holds is for the
    steps to judge.
    """
    faults: list[Fault] = []
    call = _call(message, origin, path, place, faults)
    _FILL[type(message)](message, call, faults)
    calls = [call]
    told = message.context.traits if message.context is not None else None
    if isinstance(message, messages.Identify):
        _write(call, traits_of(message), origin, "traits")
    elif told and not isinstance(message, messages.Alias):
        beside = _call(message, origin, path, place, [])
        _write(beside, told, origin, "context.traits")
        calls.append(beside)
    if faults:
        raise Invalid(faults[0].message, faults=faults)
    return calls


def traits_of(message: Message) -> dict[str, Any]:
    """The traits a message says of a person; those of its context give way to its own."""
    inside = message.context.traits if message.context is not None else None
    own = message.traits if isinstance(message, messages.Identify) else None
    return {**inside, **own} if inside and own else own or inside or {}


def id_of(given: messages.Id) -> str | None:
    """An id as text; a blank one is none."""
    if given is None:
        return None
    return (given if isinstance(given, str) else str(given)).strip() or None


def skew_of(sent_at: str, received: int, zone: tzinfo) -> int:
    """How far, in microseconds, a sender's clock is behind; 0 within ten minutes.

    Raises `ValueError` when `sent_at` is no ISO 8601.
    """
    skew = received - _microseconds(sent_at, zone)
    return skew if abs(skew) > TOLERANCE else 0


def _call(message: Message, origin: Origin, path: str, place: int, faults: list[Fault]) -> Call:
    """What every call of a message says: who, when, through what, under which id."""
    context = message.context or origin.context
    channel = (context.channel if context is not None else None) or CHANNEL
    user, anonymous = id_of(message.user_id), id_of(message.anonymous_id)
    if user is None and anonymous is None:
        faults.append(Fault("userId", "invalid", "userId or anonymousId is needed"))
    message_id = id_of(message.message_id)
    if message_id is not None:
        _sound("messageId", message_id, faults)
    return Call(
        workspace=origin.workspace,
        source="sdk",
        ref=origin.ref,
        at=_moment(message, origin, faults),
        message_id=message_id or f"{origin.received:020d}.{place:06d}",
        user_id=user,
        session=None if anonymous is None else Session(channel, anonymous),
        channel=channel,
        path=path,
    )


def _sound(name: str, text: str, faults: list[Fault]) -> None:
    if len(text) > LONGEST_ID or not (text.isprintable() or not CONTROL.search(text)):
        told = f"{name} must be text of at most {LONGEST_ID} characters, none of them control"
        faults.append(Fault(name, "invalid", told))


def _moment(message: Message, origin: Origin, faults: list[Fault]) -> int:
    """When it happened, in microseconds, corrected by what the sender's clock is behind."""
    given = message.timestamp or message.original_timestamp
    if given is None:
        return origin.received
    name = "timestamp" if message.timestamp else "originalTimestamp"
    skew = origin.skew
    try:
        at = _microseconds(given, origin.zone)
        if message.sent_at is not None:
            name = "sentAt"
            skew = skew_of(message.sent_at, origin.received, origin.zone)
    except ValueError:
        faults.append(not_a_time(name))
        return origin.received
    return at + skew


def _microseconds(text: str, zone: tzinfo) -> int:
    found = datetime.fromisoformat(text.strip())
    return clock.to_us(found if found.tzinfo else found.replace(tzinfo=zone))


def not_a_time(name: str) -> Fault:
    """What is said of a time that cannot be read."""
    return Fault(name, "invalid", f"{name} must be ISO 8601, such as 2026-11-22T10:00:00Z")


def _write(call: Call, given: dict[str, Any], origin: Origin, path: str) -> None:
    call.properties = traits.properties_of(given)
    call.properties_path = path
    call.undeclared = origin.undeclared


def _identify(_message: messages.Identify, _call: Call, _faults: list[Fault]) -> None:
    """All there is to it is who it is, and the traits."""


def _track(message: messages.Track, call: Call, _faults: list[Fault]) -> None:
    _happened(message, call, message.event, message.properties or {})


def _page(message: messages.Page, call: Call, _faults: list[Fault]) -> None:
    _happened(message, call, "Page Viewed", _seen(message))


def _screen(message: messages.Screen, call: Call, _faults: list[Fault]) -> None:
    _happened(message, call, "Screen Viewed", _seen(message))


def _seen(message: messages.Seen) -> dict[str, Any]:
    properties = message.properties or {}
    for name, given in (("category", message.category), ("name", message.name)):
        if given is not None:
            properties[name] = given
    return properties


def _group(message: messages.Group, call: Call, faults: list[Fault]) -> None:
    group = id_of(message.group_id)
    if group is None:
        faults.append(Fault("groupId", "invalid", "groupId is needed"))
    _happened(message, call, "Group", {**(message.traits or {}), "groupId": group})
    # The specification names this property: it is made whatever the setting for traits says.
    call.properties, call.undeclared = {"groupId": group}, "create"
    call.properties_path = "group"


def _alias(message: messages.Alias, call: Call, faults: list[Fault]) -> None:
    previous = id_of(message.previous_id) or id_of(message.anonymous_id)
    if previous is None:
        faults.append(Fault("previousId", "invalid", "previousId is needed"))
    else:
        _sound("previousId", previous, faults)
    if call.user_id is None and call.session is not None:
        faults.append(Fault("userId", "invalid", "userId is needed"))
    call.verb, call.previous, call.session = Verb.ALIAS, previous, None


def _happened(message: Message, call: Call, name: str, properties: dict[str, Any]) -> None:
    call.event = Event(name, properties, id_of(message.message_id) and call.message_id)


_FILL: dict[type, Callable[[Any, Call, list[Fault]], None]] = {
    messages.Identify: _identify,
    messages.Track: _track,
    messages.Page: _page,
    messages.Screen: _screen,
    messages.Group: _group,
    messages.Alias: _alias,
}
