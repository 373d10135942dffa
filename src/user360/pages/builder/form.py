"""The fields of the form, and the draft that they are: names with dots, in the order they stand in.

A draft is what somebody has built so far, whole or not: mappings whose leaves are texts, as fields
are. What stands in a list has a number for a key, which stays with it for as long as it is there;
so a browser keeps what it has of a field when others come and go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from user360.errors import Malformed

Draft = dict[str, Any]
ROOT = "b"
DEEPEST = 100  # parts of a name; what the language can say needs some seventy
MOST = 50_000  # fields

# A field of one line cannot hold these; signs stand for them, and an escape for the signs.
_SIGNS = {"\n": "␤", "\r": "␍"}
_ESCAPE = "␛"
_UNSIGNED = {sign: text for text, sign in _SIGNS.items()}
_SPECIAL = re.compile("[\n\r␤␍␛]")
_SIGNED = re.compile("␛[␤␍␛]|[␤␍]")


def shown(text: str) -> str:
    """A text as a field of one line holds it; `unshown` gives it back."""
    return _SPECIAL.sub(lambda found: _SIGNS.get(found[0], _ESCAPE + found[0]), text)


def unshown(text: str) -> str:
    """The text that a field of one line means."""
    return _SIGNED.sub(lambda found: _UNSIGNED.get(found[0], found[0][-1]), text)


def fields(draft: Draft, name: str = ROOT) -> Iterator[tuple[str, str]]:
    """Every field of a draft: its name and its value."""
    for key, value in draft.items():
        if isinstance(value, dict):
            yield from fields(value, f"{name}.{key}")
        else:
            yield f"{name}.{key}", value


def read(pairs: Iterable[tuple[str, str]]) -> Draft:
    """The draft in the fields of a form, which may hold others too. Raises `Malformed`."""
    draft: Draft = {}
    for count, (name, value) in enumerate(pairs):
        if count >= MOST:
            raise Malformed("The form has too many fields")
        if name.startswith(ROOT + "."):
            _put(draft, name.split(".")[1:], value)
    return draft


def _put(draft: Draft, parts: list[str], value: str) -> None:
    if len(parts) > DEEPEST:
        raise Malformed("The form is nested too deep")
    *way, last = parts
    for part in way:
        inner = draft.setdefault(part, {})
        if not isinstance(inner, dict):
            raise Malformed("The form is not one of ours")
        draft = inner
    if isinstance(draft.get(last), dict):
        raise Malformed("The form is not one of ours")
    draft[last] = value


def at(draft: Draft, name: str) -> Draft:
    """What is at the name of a part of a draft. Raises `Malformed` when nothing is."""
    found: Any = draft
    for part in name.split(".")[1:]:
        found = found.get(part) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        raise Malformed("This part of the form is gone; load the page again")
    return found


def part(draft: Draft, key: str) -> Draft:
    """What a draft has under a key, which is made if there is nothing."""
    found = draft.get(key)
    if not isinstance(found, dict):
        found = draft[key] = {}
    return found


def text(draft: Draft, key: str) -> str:
    """The text under a key; empty when there is none."""
    found = draft.get(key, "")
    return found if isinstance(found, str) else ""


class Keys:
    """Numbers that no part of a draft has yet."""

    def __init__(self, draft: Draft) -> None:
        self._last = max(_numbers(draft), default=0)

    def __call__(self) -> str:
        self._last += 1
        return str(self._last)

    def listed(self, items: Iterable[Any]) -> Draft:
        """Items under keys of their own, in their order."""
        return {self(): item for item in items}


def _numbers(draft: Draft) -> Iterator[int]:
    for key, value in draft.items():
        if key.isdecimal() and len(key) < 10:
            yield int(key)
        if isinstance(value, dict):
            yield from _numbers(value)
