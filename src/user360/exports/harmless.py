"""Texts that a spreadsheet would run as a formula, written so that it does not.

A cell is such a text when it begins, after any apostrophes, with one of `= + - @`, a tab or a
carriage return. It gets one apostrophe more; numbers and phone numbers stay as they are.
"""

from __future__ import annotations

import re

# Both are patterns of RE2 too, for the engine does the same over whole columns: the first is
# looked for at the beginning, the second must fit the whole text.
FORMULA = r"^'*[=+\-@\t\r]"
PLAIN = (
    r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
    r"|\+[0-9](?:[ ().-]{0,3}[0-9]){6,14}"
)
MARK = "'"

_formula = re.compile(FORMULA)
_plain = re.compile(PLAIN)


def harmless(text: str) -> str:
    """The text as a cell that no spreadsheet runs."""
    if _formula.match(text) and not _plain.fullmatch(text):
        return MARK + text
    return text


def restored(text: str) -> str:
    """What `harmless` was given: an apostrophe goes exactly where it would have put one."""
    if text.startswith(MARK) and harmless(text[1:]) == text:
        return text[1:]
    return text
