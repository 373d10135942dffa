"""Taking somebody's names out of texts and JSON that belong to others."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

GONE = "(erased)"
# What stands for a name where only a text of its kind is understood: nobody's, by the rules of
# those who give them out.
E_MAIL, PHONE = "erased@example.com", "+12025550100"
# Shorter names are looked for as whole values alone: as parts of texts they are words of others.
LEAST = 4


class Eraser:
    """Takes these names (in lower case) out of what it is given."""

    def __init__(self, names: Collection[str]) -> None:
        self.names = frozenset(names) - {""}
        longer = sorted((n for n in self.names if len(n) >= LEAST), key=len, reverse=True)
        listed = "|".join(map(re.escape, longer))
        self._within = re.compile(rf"(?<!\w)(?:{listed})(?!\w)", re.IGNORECASE) if longer else None

    def names_one(self, value: object) -> bool:
        """Whether a whole value is one of the names."""
        return (
            isinstance(value, str | int)
            and not isinstance(value, bool)
            and str(value).strip().lower() in self.names
        )

    def text(self, given: str) -> str:
        """A text without the names in it."""
        if self.names_one(given):
            return GONE
        return given if self._within is None else self._within.sub(GONE, given)

    def json(self, given: Any) -> Any:
        """Any JSON without the names: in its texts and its keys."""
        if isinstance(given, dict):
            return {self.text(key): self.json(value) for key, value in given.items()}
        if isinstance(given, list):
            return [self.json(value) for value in given]
        if isinstance(given, str):
            return self.text(given)
        return GONE if self.names_one(given) else given

    def condition(self, given: Any) -> Any:
        """A segment's condition that asks about nobody who was erased, and is still understood."""
        if isinstance(given, dict):
            return {key: self.condition(value) for key, value in given.items()}
        if isinstance(given, list):
            return [self.condition(value) for value in given]
        if isinstance(given, str) and self.names_one(given):
            return _like(given.strip())
        return given


def _like(name: str) -> str:
    if "@" in name:
        return E_MAIL
    return PHONE if re.fullmatch(r"\+?\d[\d ()/.-]{5,}", name) else GONE
