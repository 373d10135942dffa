"""The original's dialect and the one inner shape, in both directions. Pure: nothing is looked up.

Bodies are flat, answers wrap every value with the kind of its property; phone numbers read without
their `+`, and `emailOptIn` means `emailOptin`. A user's own id is `<bot>_<userId>`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from user360.errors import Fault, Invalid, Problem
from user360.events.event import SYSTEM_NAMES
from user360.records.properties import Catalogue, Type

ALIASES = {"emailOptIn": "emailOptin"}
# What the steps call the parts of an event.
PLACES = {"name": "eventName", "properties": "payload"}
CUSTOM, SYSTEM = "CUSTOM", "SYSTEM"


class Value(msgspec.Struct, rename="camel", omit_defaults=True):
    """One value of a user, and the kind of the property it belongs to."""

    value: Any
    property_type: Literal["System", "Custom"] | msgspec.UnsetType = msgspec.UNSET


class Happened(msgspec.Struct, rename="camel"):
    """An event as it is answered when it was created."""

    id: str
    bot_id: str
    user_id: str | None
    event: str
    source: str
    payload: dict[str, Any]
    created_at: str


class Listed(Happened):
    """An event as it is listed."""

    updated_at: str


def properties_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The properties in a flat body; the userId is none, and a name goes before its alias."""
    found = {ALIASES.get(name, name): value for name, value in body.items() if name in ALIASES}
    return found | {n: v for n, v in body.items() if n not in ALIASES and n != "userId"}


def user_id_of(body: Mapping[str, Any]) -> str:
    """The userId in a flat body, a number as its text. Raises `Invalid`."""
    given = body.get("userId")
    if isinstance(given, bool) or not isinstance(given, str | int):
        raise Invalid.at("userId", "userId is required, as a text")
    return given if isinstance(given, str) else str(given)


def user(record: Mapping[str, Any], bot: str, catalogue: Catalogue) -> dict[str, Value]:
    """A record, as the product shows it, in the original's shape."""
    shown: dict[str, Value] = {}
    if record["userId"] is not None:
        shown["userId"] = Value(record["userId"], "System")
    for name, value in record["properties"].items():
        declared = catalogue.get(name)
        if declared is None:
            continue
        told = value.removeprefix("+") if declared.type is Type.PHONE else value
        shown[name] = Value(told, "System" if declared.system else "Custom")
    own = record["id"] if record["userId"] is None else record["userId"]
    return shown | {
        "id": Value(f"{bot}_{own}"),
        "botId": Value(bot),
        "createdAt": Value(record["createdAt"], "System"),
        "updatedAt": Value(record["updatedAt"], "System"),
        "profileComplete": Value(record["profileComplete"]),
    }


FIXED = ("id", "botId", "createdAt", "updatedAt", "profileComplete")


def chosen(
    shown: dict[str, Value], names: list[str] | None, with_user_id: bool, catalogue: Catalogue
) -> dict[str, Value]:
    """Only the properties that were asked for; all when `names` is None. Raises `Invalid`."""
    unknown = [n for n in names or () if n not in FIXED and catalogue.get(_canonical(n)) is None]
    if unknown:
        faults = [Fault(n[:64], "invalidProperty", "is not declared") for n in unknown]
        raise Invalid("There is no such property", faults=faults)
    kept = shown if names is None else {_canonical(n) for n in names} | {"userId", *FIXED}
    return {n: v for n, v in shown.items() if n in kept and (n != "userId" or with_user_id)}


def _canonical(name: str) -> str:
    return ALIASES.get(name, name)


def listed(event: Mapping[str, Any], bot: str) -> Listed:
    """An event of a timeline in the original's shape."""
    return Listed(
        id=event["id"],
        bot_id=bot,
        user_id=event["userId"],
        event=event["name"],
        source=SYSTEM if event["name"] in SYSTEM_NAMES else CUSTOM,
        payload=event["properties"],
        created_at=event["timestamp"],
        updated_at=event["receivedAt"],
    )


def told(problem: Problem) -> str:
    """What is wrong, in one line that names every offending place."""
    places = [
        ": ".join(part for part in (_place(f.path), f"{f.message} ({f.code})") if part)
        for f in problem.faults
    ]
    return "; ".join(places) or problem.detail


def _place(path: str) -> str:
    return PLACES.get(path, path.removeprefix("properties."))
