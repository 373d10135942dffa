"""What people type, as values: conditions, property values, lists from files."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from user360.errors import Invalid

FROM_FILE = "@"
STDIN = "-"


def json(text: str, option: str) -> Any:
    """JSON, or with `@FILE` what a file holds (`@-`: standard input). Raises `Invalid`."""
    if text.startswith(FROM_FILE):
        text = content(text.removeprefix(FROM_FILE))
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Invalid(f"{option} is not JSON: {error}") from error


def content(name: str) -> str:
    """The text of a file; `-` is standard input. Raises `Invalid`."""
    try:
        return sys.stdin.read() if name == STDIN else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise Invalid(f"{name} cannot be read: {reason}") from error


def lines(name: str) -> list[str]:
    """The lines of a file that hold something."""
    return [line.strip() for line in content(name).splitlines() if line.strip()]


def assignments(given: Iterable[str]) -> dict[str, str]:
    """`NAME=VALUE` pairs. Raises `Invalid` naming those that are not."""
    found = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise Invalid(f"{text} is not NAME=VALUE")
        found[name.strip()] = value
    return found


def values(given: Iterable[str], types: Mapping[str, str]) -> dict[str, Any]:
    """`NAME=VALUE` pairs as values of the declared types; an empty value clears.

    The values of a list stand between `;`, as in a file. What does not fit stays as it is typed:
    the product says what is wrong with it.
    """
    return {
        name: value(text.strip(), types.get(name, "string"))
        for name, text in assignments(given).items()
    }


def value(text: str, kind: str) -> Any:
    """One value of a declared type; None for no text."""
    if not text:
        return None
    if kind == "list":
        return [item.strip() for item in text.split(";") if item.strip()]
    return number(text) if kind == "number" else text


def number(text: str) -> Any:
    """A JSON number, or the text when it is none."""
    try:
        return msgspec.json.decode(text, type=int | float)
    except msgspec.MsgspecError:
        return text
