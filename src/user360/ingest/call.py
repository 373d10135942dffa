"""The one shape inside: what every door translates its dialect into, and what comes back."""

from __future__ import annotations

import enum
from typing import Any

import msgspec

from user360.conversations.deeds import Deed
from user360.conversations.talk import Said
from user360.errors import Problem


class Verb(enum.Enum):
    """What a call wants done with the person it names."""

    WRITE = "write"
    DELETE = "delete"
    MERGE = "merge"
    UNMERGE = "unmerge"
    ALIAS = "alias"
    PART = "part"  # whoever speaks in the session is not who it was taken for


class Session(msgspec.Struct, frozen=True):
    """One conversation or device on one channel."""

    channel: str
    id: str


class Event(msgspec.Struct, frozen=True, gc=False):
    """Something that happened: `properties` is any JSON object, `id` makes it idempotent.

    Without an `id` a fresh one is given, and sending it again stores it again.
    """

    name: str
    properties: dict[str, Any]
    id: str | None = None


class Call(msgspec.Struct, kw_only=True, gc=False):
    """One thing asked of the product, by whichever door it came.

    A person is named by `user_id`, `session` or `record`; with a `user_id` and one of the others
    whoever that is is identified (specification: records, "Identity"). `at` is the event time in
    microseconds; of two writes to one property the later (`at`, `message_id`) wins.

    `said` is a message in the session, or in the `conversation` that is named; `deed` is done to a
    conversation. Naming one alone names its person.

    `if_missing` is create or refuse; `if_exists` update, replace, skip or refuse; `undeclared`
    says what a property nobody declared becomes: create, ignore or reject.
    """

    workspace: int
    source: str
    ref: str
    at: int
    message_id: str
    verb: Verb = Verb.WRITE
    user_id: Any = None  # as it was given; the first step lets only text through
    session: Session | None = None
    channel: str = ""
    record: int | None = None
    properties: dict[str, Any] = msgspec.field(default_factory=dict)
    auto: dict[str, Any] = msgspec.field(default_factory=dict)
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    event: Event | None = None
    said: Said | None = None
    deed: Deed | None = None
    conversation: int | None = None
    other: int | None = None
    merge: int | None = None
    previous: str | None = None  # the id that `alias` says was used before
    reason: str = ""
    if_missing: str = "create"
    if_exists: str = "update"
    undeclared: str = "reject"
    complete: bool = False
    path: str = ""
    properties_path: str = "properties"


class Outcome(msgspec.Struct, kw_only=True, gc=False):
    """What became of one call.

    `status` is one of `created`, `assigned`, `merged`, `switched`, `unchanged`, `updated`,
    `skipped`, `deleted`, `unmerged`, `duplicate`, `dropped`, `failed`. `record` is the living
    record the call ended at, `seq` the position at which a reader sees it.
    """

    status: str
    record: int | None = None
    created: bool = False
    changed: bool = False
    merge: int | None = None
    event_id: str | None = None
    conversation: int | None = None
    message: int | None = None
    seq: int = 0
    problem: Problem | None = None
