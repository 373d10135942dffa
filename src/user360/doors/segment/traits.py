"""Traits become properties: reserved names, nested objects, names that are no property's.

| trait | property |
|---|---|
| `firstName`, `lastName`, `email`, `phone`, `gender` and every other system name | the same |
| `name` | `firstName` and `lastName`, when neither is given |
| `birthday` | `dob`; of a time, its day |
| `address.city`, `address.country` | `city`, `country` |
| `id`, `createdAt`, `updatedAt`, `profileComplete` | `sourceId`, ...: the product has its own |
| `company.name` | `company_name`, at any depth |
| `favorite color` | `favorite_color` |

A trait that has the very name of a property goes before one that is translated to it. `userId` and
`anonymousId` among the traits say who, not what; they are left out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from user360.records import values

WHO = frozenset({"userId", "anonymousId"})
PARTS = ("firstName", "lastName")
ADDRESS = {"address.city": "city", "address.country": "country"}
OURS = frozenset({"id", "userid", "createdat", "updatedat", "profilecomplete"})
LONGEST = 200
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_OTHER = re.compile(r"[^A-Za-z0-9]+")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(?=[T ]\d)")
Entry = tuple[str, str, Any]  # the dotted path of a trait, its property, the value


def properties_of(traits: dict[str, Any]) -> dict[str, Any]:
    """Traits as properties: name -> value.

    Never raises: what no property keeps is left as it is, for the first step to refuse by name.
    """
    found: dict[str, Any] = {}
    for path, name, value in entries(traits):
        if path == name or name not in found:
            found[name] = value
    return found


def origins(traits: dict[str, Any]) -> dict[str, str]:
    """The path, in the traits as sent, of the trait that each property came from."""
    found: dict[str, str] = {}
    for path, name, _ in entries(traits):
        if path == name or name not in found:
            found[name] = path
    return found


def entries(traits: dict[str, Any]) -> Iterator[Entry]:
    """Every trait with its path and the property it becomes."""
    for key, value in traits.items():
        if key in WHO:
            continue
        if key == "name" and not isinstance(value, dict):
            yield from _split(traits, value)
        elif key == "birthday":
            yield key, "dob", _day(value)
        elif isinstance(value, dict):
            yield from _nested(key, value)
        else:
            yield key, named(key), _plain(value)


def _nested(key: str, inner: dict[str, Any]) -> Iterator[Entry]:
    """The traits inside an object; a stack, for it may be nested as deep as JSON can be."""
    waiting = [(key, iter(inner.items()))]
    while waiting:
        prefix, items = waiting[-1]
        for name, value in items:
            path = f"{prefix}.{name}"
            if isinstance(value, dict):
                waiting.append((path, iter(value.items())))
                break
            yield path, ADDRESS.get(path) or named(path), _plain(value)
        else:
            waiting.pop()


def _split(traits: dict[str, Any], name: Any) -> Iterator[Entry]:
    """A whole name in its parts, unless the parts are given: the first word, and the rest."""
    if traits.get("firstName") is not None or traits.get("lastName") is not None:
        return
    words = name.split(maxsplit=1) if isinstance(name, str) else [name]
    yield from (("name", part, word) for part, word in zip(PARTS, words, strict=False))


def _day(value: Any) -> Any:
    moment = _MOMENT.match(value.strip()) if isinstance(value, str) else None
    return moment[0] if moment else value


def _plain(value: Any) -> Any:
    """A list of texts and numbers as a list of texts, which is what a property keeps."""
    if isinstance(value, list):
        return [values.text_of(v) if isinstance(v, int | float) else v for v in value]
    return value


def named(path: str) -> str:
    """The property name that a trait's path is given.

    A name that is far too long, or of which no letter is left, stays as it is, for the first step
    to refuse.
    """
    return _named(path) if len(path) <= LONGEST else path


@lru_cache(maxsize=10_000)
def _named(path: str) -> str:
    name = path
    if not _NAME.fullmatch(name):
        parts = unicodedata.normalize("NFKD", name)
        plain = "".join(part for part in parts if not unicodedata.combining(part))
        name = _OTHER.sub("_", plain).strip("_")
        if name[:1].isdigit():
            name = f"trait_{name}"
        if not name:
            return path
    if name.lower() in OURS:
        return f"source{name[0].upper()}{name[1:]}"
    return name
