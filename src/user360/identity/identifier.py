"""What may name a person: the userId, and the values that identify in its place.

The rules are the specification's (records, "Identity"): 1 to 255 characters, compared exactly,
and no placeholder, for one placeholder would make one person of thousands.
"""

from __future__ import annotations

import re

from user360.errors import InvalidUserId, Problem
from user360.records import values
from user360.records.properties import Type
from user360.records.values import Value

LONGEST = 255

# The types a workspace's identifier may have, beside `userId` itself.
IDENTIFYING = frozenset({Type.STRING, Type.NUMBER, Type.EMAIL, Type.PHONE})

# In any case.
PLACEHOLDERS = frozenset({"null", "undefined", "anonymous", "guest", "none", "n/a", "-1"})
# Only as programs write them: a person may well be called Nil or Nan.
WRITTEN_BY_PROGRAMS = frozenset({"nil", "nan", "NaN"})

_ZEROS_AND_DASHES = "0-‐‑‒–—―−"
_WRAPPING = "\"'`<>()[]{}"
# A template nobody filled in, an object nobody took the id from.
_UNRENDERED = re.compile(r"\{\{.*\}\}|\$\{.*\}|\[object [A-Za-z]+\]")


def clean_user_id(given: object, path: str = "userId") -> str:
    """The userId as it is kept and compared: trimmed, otherwise exactly as given.

    Raises `InvalidUserId` with a fault at `path` when it is not a text of 1 to 255 characters, or
    is a placeholder that many people would share.
    """
    if not isinstance(given, str):
        raise _refused(path, _not_a_text(given))
    user_id = given.strip()
    if not user_id:
        raise _refused(path, "must not be blank")
    if len(user_id) > LONGEST:
        raise _refused(path, f"must be at most {LONGEST} characters long")
    if not user_id.isprintable() and values.CONTROL.search(user_id):
        raise _refused(path, "must not hold control characters")
    if is_placeholder(user_id):
        raise _refused(path, "is a placeholder that many people would share")
    return user_id


def is_placeholder(user_id: str) -> bool:
    """Whether this trimmed text stands for "nobody known", in quotes or brackets or bare."""
    bare = user_id.strip(_WRAPPING)
    return (
        not bare.strip(_ZEROS_AND_DASHES)
        or bare.lower() in PLACEHOLDERS
        or bare in WRITTEN_BY_PROGRAMS
        or _UNRENDERED.search(user_id) is not None
    )


def identifying_value(identifier: str, kind: Type, value: Value, path: str = "") -> str:
    """The userId that a kept value of the workspace's identifier property stands for.

    `value` is what `values.parse` gave: a phone in E.164, an e-mail in lower case, a text trimmed;
    a number becomes its shortest text. Raises `InvalidUserId` at `path` (if not given, at
    `properties.<identifier>`) when it cannot name one person.
    """
    path = path or f"properties.{identifier}"
    if kind not in IDENTIFYING:
        raise _refused(path, f"is of type {kind}, which cannot identify a person")
    return clean_user_id(values.text_of(value), path)


def _refused(path: str, reason: str) -> Problem:
    return InvalidUserId.at(path, f"{path.rpartition('.')[2]} {reason}")


def _not_a_text(given: object) -> str:
    if given is None:
        return "must not be null"
    if isinstance(given, int | float) and not isinstance(given, bool):
        return "must be a text; put the number in quotes"
    return "must be a text"
