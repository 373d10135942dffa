"""What arrives at the tracking API: a message of each kind, and the batch they come in.

Fields that mean nothing here are not read. An id may be a number, for some SDKs send one so.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from user360.errors import Fault, Malformed, Problem, TooLarge

Kind = TypeVar("Kind", bound="Common")
Id = str | int | None
MAX_MESSAGE = 32_768
# A batch of 4 MB holds some 20,000 messages as SDKs send them; only empty ones would be more.
MOST = 50_000


class Context(msgspec.Struct, rename="camel", gc=False):
    """Where a message comes from; RudderStack's SDKs put the traits of a person here."""

    channel: str | None = None
    traits: dict[str, Any] | None = None


class Common(msgspec.Struct, rename="camel", gc=False, tag_field="type"):
    """What every message has. Times are ISO 8601."""

    user_id: Id = None
    anonymous_id: Id = None
    message_id: Id = None
    timestamp: str | None = None
    original_timestamp: str | None = None
    sent_at: str | None = None
    context: Context | None = None


class Identify(Common, tag="identify"):
    """Who somebody is, and what is known of them."""

    traits: dict[str, Any] | None = None


class Track(Common, tag="track"):
    """What somebody did."""

    event: str = ""
    properties: dict[str, Any] | None = None


class Seen(Common):
    """A page or a screen that somebody looked at."""

    name: str | None = None
    category: str | None = None
    properties: dict[str, Any] | None = None


class Page(Seen, tag="page"):
    """A page that somebody looked at."""


class Screen(Seen, tag="screen"):
    """A screen that somebody looked at."""


class Group(Common, tag="group"):
    """The group that somebody belongs to, and what is known of it."""

    group_id: Id = None
    traits: dict[str, Any] | None = None


class Alias(Common, tag="alias"):
    """Whoever went by the previous id is the user from now on."""

    previous_id: Id = None


Message = Identify | Track | Page | Screen | Group | Alias
KINDS: dict[str, type[Common]] = {
    "identify": Identify,
    "track": Track,
    "page": Page,
    "screen": Screen,
    "group": Group,
    "alias": Alias,
}


class Batch(msgspec.Struct, rename="camel"):
    """Messages that were sent together; each is read by itself, so that a bad one fails alone."""

    batch: list[msgspec.Raw]
    sent_at: str | None = None
    context: Context | None = None


class Envelope(msgspec.Struct, rename="camel"):
    """The part of a body that says whose it is."""

    write_key: str | None = None


_read_batch = msgspec.json.Decoder(Batch).decode
_read_message = msgspec.json.Decoder(Message).decode
_read_envelope = msgspec.json.Decoder(Envelope).decode
_AT = re.compile(r" - at `([^`]*)`\Z")
_PLACE = re.compile(r"\[(\d+)\]|\[\.\.\.\]")


def write_key(body: bytes) -> str | None:
    """The write key in a body, None when there is none that can be read."""
    try:
        return _read_envelope(body).write_key
    except (ValueError, RecursionError):
        return None


def read_batch(body: bytes) -> Batch:
    """A batch, its messages not yet read. Raises `Malformed`, `TooLarge`."""
    try:
        found = _read_batch(body)
    except (ValueError, RecursionError) as error:
        raise _malformed(error) from None
    if len(found.batch) > MOST:
        raise TooLarge.at("batch", f"the batch holds {len(found.batch)} messages; at most {MOST}")
    return found


def read_message(raw: bytes | msgspec.Raw) -> Message:
    """A message whose `type` says what it is. Raises `Malformed`, `TooLarge`."""
    _fits(raw)
    try:
        message: Message = _read_message(raw)
    except (ValueError, RecursionError) as error:
        raise _malformed(error) from None
    return message


def read_kind(raw: bytes, kind: type[Kind]) -> Kind:
    """A message that was sent to the route of its kind. Raises `Malformed`, `TooLarge`."""
    _fits(raw)
    try:
        found: Kind = _reader(kind)(raw)
    except (ValueError, RecursionError) as error:
        raise _malformed(error) from None
    return found


@functools.cache
def _reader(kind: type[Common]) -> Callable[[bytes], Any]:
    return msgspec.json.Decoder(kind).decode


def _fits(raw: bytes | msgspec.Raw) -> None:
    size = len(raw)
    if size > MAX_MESSAGE:
        message = f"the message is {size} bytes; at most {MAX_MESSAGE} are accepted"
        raise TooLarge(message, faults=[Fault("", TooLarge.code, message)])


def _malformed(error: Exception) -> Problem:
    """The decoder's words as a problem with its place, without any value that was sent."""
    if isinstance(error, RecursionError):
        return Malformed.at("", "the JSON is nested too deeply")
    if isinstance(error, UnicodeDecodeError):
        return Malformed.at("", "the body is not UTF-8")
    text = str(error)
    found = _AT.search(text)
    path = _PLACE.sub(r".\1", found[1].removeprefix("$").removeprefix(".")) if found else ""
    path = path.strip(".")
    if path == "type" or "`type`" in text:
        return Malformed.at("type", f"type must be one of {', '.join(KINDS)}")
    return Malformed.at(path, _AT.sub("", text))
