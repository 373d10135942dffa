"""Texts with places to be filled: `Hello {{{user.firstName|there}}}`.

A text is read once, and what fills a place is never read again: nothing that somebody wrote into a
property is a template. How a value is written depends on where it goes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import msgspec

from user360.records import values

LONGEST_VALUE = 1_000  # characters that fill one place
_PLACE = re.compile(r"\{\{\{(.*?)\}\}\}", re.DOTALL)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)?\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NO_HEADER = re.compile(r"[^\x20-\x7e]")


class Place(msgspec.Struct, frozen=True):
    """A place to be filled with what is called `name`, or with `default` where that is unknown."""

    name: str
    default: str = ""


class Template(msgspec.Struct, frozen=True):
    """A text in parts: those that stand, and the places between them."""

    parts: tuple[str | Place, ...] = ()

    @property
    def places(self) -> list[Place]:
        return [part for part in self.parts if isinstance(part, Place)]

    def __bool__(self) -> bool:
        return bool(self.parts)


class BadTemplate(ValueError):
    """What is wrong with a text as a template."""


ValueOf = Callable[[str], Any]  # what a name stands for; None where it is unknown
Write = Callable[[str], str]


def read(text: str) -> Template:
    """The template that a text is. Raises `BadTemplate`."""
    parts: list[str | Place] = []
    end = 0
    for found in _PLACE.finditer(text):
        parts.append(_standing(text[end : found.start()]))
        parts.append(_place(found[1]))
        end = found.end()
    parts.append(_standing(text[end:]))
    return Template(tuple(part for part in parts if part != ""))


def _standing(text: str) -> str:
    for sign in ("{{{", "}}}"):
        if sign in text:
            raise BadTemplate(f"{sign} stands alone; write {{{{{{user.firstName|there}}}}}}")
    if "{{" in text:
        raise BadTemplate("a place has three braces: {{{user.firstName|there}}}")
    return text


def _place(inside: str) -> Place:
    name, _, default = inside.partition("|")
    if not _NAME.match(name.strip()) or "{" in default:
        raise BadTemplate(
            f"{inside.strip()[:60]!r} is no name of a value; write {{{{{{user.firstName|there}}}}}}"
        )
    return Place(name.strip(), default.strip())


def fill(template: Template, value_of: ValueOf, write: Write | None = None) -> str:
    """The text with its places filled; `write` makes each value fit where it goes."""
    written = write or plain
    return "".join(
        part if isinstance(part, str) else written(_shown(part, value_of))
        for part in template.parts
    )


def value(template: Template, value_of: ValueOf) -> Any:
    """What a template comes to: a single place keeps the type of what fills it."""
    if len(template.parts) == 1 and isinstance(place := template.parts[0], Place):
        found = value_of(place.name)
        return found if found is not None else (place.default or None)
    return fill(template, value_of)


def filled(given: Any, value_of: ValueOf) -> Any:
    """Any value with the templates within it filled: as JSON, texts need no more than that."""
    if isinstance(given, Template):
        return value(given, value_of)
    if isinstance(given, list):
        return [filled(each, value_of) for each in given]
    if isinstance(given, dict):
        return {key: filled(each, value_of) for key, each in given.items()}
    return given


def _shown(place: Place, value_of: ValueOf) -> str:
    found = value_of(place.name)
    text = "" if found is None else text_of(found)
    return text if text.strip() else place.default


def text_of(found: Any) -> str:
    """A value as people read it."""
    if isinstance(found, list) and all(isinstance(each, str) for each in found):
        return ", ".join(found)
    if isinstance(found, str | bool | int | float):
        return values.text_of(found)
    return msgspec.json.encode(found).decode()


def plain(text: str) -> str:
    """For a message: without control characters but line breaks, and not too long."""
    return _CONTROL.sub("", text)[:LONGEST_VALUE]


def in_address(text: str) -> str:
    """For a URL: a value is one segment or one parameter, whatever it holds."""
    kept = plain(text)
    # Dots alone would lead elsewhere even when they are encoded, for servers decode them.
    return "" if kept.strip() in (".", "..") else quote(kept, safe="")


def in_header(text: str) -> str:
    """For a header: visible ASCII, so that no value can begin another line."""
    return _NO_HEADER.sub("", text)[:LONGEST_VALUE].strip()
