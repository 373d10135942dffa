"""Editing a property: the field for its type, and what the field sends back."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, NamedTuple

from user360.records import values
from user360.records.properties import Property, Type

# What a browser offers for each type; text where it would only stand in the way.
INPUTS: Mapping[Type, str] = {
    Type.EMAIL: "email",
    Type.PHONE: "tel",
    Type.URL: "url",
    Type.DATE: "date",
    Type.DATETIME: "datetime-local",
    Type.TIME: "time",
}
HINTS: Mapping[Type, str] = {
    Type.LIST: "One value a line.",
    Type.PHONE: "With its country code, such as +919876543210.",
    Type.NUMBER: "A number, such as 12 or 12.5.",
    Type.URL: "With https:// before it.",
}
CHOICES = (("", "not known"), ("true", "yes"), ("false", "no"))


class Field(NamedTuple):
    """How a property is edited: `kind` is select, lines or the type of an input."""

    kind: str
    value: str
    hint: str


def field(declared: Property, held: Any, zone: datetime.tzinfo) -> Field:
    """The field for a property that holds `held` (None: nothing)."""
    hint = HINTS.get(declared.type, "")
    match declared.type:
        case Type.BOOLEAN:
            return Field("select", "" if held is None else values.text_of(held), hint)
        case Type.LIST:
            return Field("lines", "\n".join(held or ()), hint)
        case Type.DATETIME if held is not None:
            local = datetime.datetime.fromisoformat(held).astimezone(zone)
            return Field("datetime-local", f"{local:%Y-%m-%dT%H:%M:%S}", f"In {zone}.")
    return Field(
        INPUTS.get(declared.type, "text"), "" if held is None else values.text_of(held), hint
    )


def sent(declared: Property, text: str) -> Any:
    """What a field's text means; None clears the property."""
    if not text.strip():
        return None
    match declared.type:
        case Type.LIST:
            return [line for line in text.splitlines() if line.strip()]
        case Type.TIME if text.count(":") == 1:
            return f"{text}:00"
        case _:
            return text.strip()
