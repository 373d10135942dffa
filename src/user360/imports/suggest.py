"""Which property each column of a file becomes, if nobody says otherwise.

First what such a column became last time, then the property of the same name, then one whose name
comes near; what is left becomes a custom property of its own. No property is given to two columns.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC
from typing import Literal

import msgspec

from user360.imports import synonyms
from user360.imports.files import Batch, Opened, distinct
from user360.records import values
from user360.records.properties import READ_ONLY, Catalogue, Type

How = Literal["used", "exact", "near", "new", "left"]

SAMPLES = 5
LONGEST_SAMPLE = 100
NEAR = 85.0  # of 100, by letters
SHORTEST_NEAR = 6
LONGEST_NAME = 64
# What a file exported from here has beside its properties; a record has them by itself.
OURS = frozenset({*READ_ONLY, "recordId"})

_WORD = re.compile(r"[A-Za-z0-9]+")
_KEPT = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}\Z")
# Digits that are a name rather than a quantity, and numbers that only a telephone has.
_LEADING_ZERO = re.compile(r"\s*[+-]?0[0-9]")
# What makes a value one that was meant as of a type, be it a good one or not.
_LOOKS = {
    Type.EMAIL: re.compile("@"),
    Type.PHONE: re.compile(r"([0-9].*){6}|[0-9][eE]\+?[0-9]"),
}
_ANYTHING = re.compile("")
_OF_NEW = (
    Type.BOOLEAN,
    Type.PHONE,
    Type.NUMBER,
    Type.DATE,
    Type.DATETIME,
    Type.TIME,
    Type.EMAIL,
    Type.URL,
    Type.LIST,
    Type.STRING,
)


class Suggestion(msgspec.Struct, frozen=True):
    """What a column would become: `property`, by which reason, of which type.

    `how` is "left", and `property` None, for a column that is not imported: one without a name or a
    value, or one that every record has by itself. `samples` are some of its values, as texts.
    """

    column: str
    property: str | None
    how: How
    type: Type
    samples: tuple[str, ...]


def suggest(
    opened: Opened,
    catalogue: Catalogue,
    remembered: Mapping[str, str],
    sample: Batch | None = None,
) -> list[Suggestion]:
    """A suggestion for each column, in the order of the file.

    `remembered` is what columns became last (header -> property); `sample` is the first batch of
    the file where somebody has read it already.
    """
    batch = sample if sample is not None else next(opened.batches(), None)
    return _Choosing(opened.headers, catalogue, remembered, seen(batch)).suggestions()


def seen(batch: Batch | None) -> dict[str, list[object]]:
    """The different values of each column of a batch that are not blank."""
    if batch is None:
        return {}
    return {
        name: [v for v in distinct(column)[0] if not values.is_blank(v)]
        for name, column in zip(batch.rows.schema.names, batch.rows.columns, strict=True)
    }


def shown(value: object) -> str:
    """A value as one line of text."""
    if isinstance(value, list):
        text = ";".join(map(str, value))
    elif isinstance(value, bool | int | float):
        text = values.text_of(value)
    else:
        text = str(value)
    return text[:LONGEST_SAMPLE]


class _Choosing:
    """Columns and properties that are still to be had, given away one reason after the other."""

    def __init__(
        self,
        headers: Sequence[str],
        catalogue: Catalogue,
        remembered: Mapping[str, str],
        sampled: Mapping[str, list[object]],
    ) -> None:
        self._headers = headers
        self._catalogue = catalogue
        self._remembered = remembered
        self._sampled = sampled
        self._plain = {plain(name): name for name in catalogue.by_name}
        self._words = {header: plain(header) for header in headers}
        self._synonyms = {
            word: name for name in catalogue.by_name for word in synonyms.WORDS.get(name, ())
        }
        self._given: dict[str, tuple[str, How]] = {}
        self._taken: set[str] = set()
        self._names = {n.lower() for n in (*catalogue.by_name, *OURS)}

    def suggestions(self) -> list[Suggestion]:
        self._pass("used", self._used)
        self._pass("exact", lambda h: h if h in self._catalogue.by_name else None)
        self._pass("exact", lambda h: self._plain.get(self._words[h]))
        self._pass("near", lambda h: self._synonyms.get(self._words[h]), fitting=True)
        self._pass("near", self._near, fitting=True)
        return [self._suggestion(place, header) for place, header in enumerate(self._headers, 1)]

    def _pass(self, how: How, find: Callable[[str], str | None], fitting: bool = False) -> None:
        for header in self._headers:
            if header in self._given:
                continue
            name = find(header)
            if name is None or name in self._taken or (fitting and not self._fits(header, name)):
                continue
            self._given[header] = name, how
            self._taken.add(name)

    def _used(self, header: str) -> str | None:
        name = self._remembered.get(header)
        return name if name in self._catalogue.by_name else None

    def _near(self, header: str) -> str | None:
        from rapidfuzz import fuzz, process  # only who looks at a file waits for it

        word = self._words[header]
        if len(word) < SHORTEST_NEAR or word in synonyms.OTHERS or header in OURS:
            return None
        found = process.extractOne(word, self._plain.keys(), scorer=fuzz.ratio, score_cutoff=NEAR)
        if found is None or _digits(found[0]) != _digits(word):
            return None
        return self._plain[found[0]]

    def _fits(self, header: str, name: str) -> bool:
        """Whether at least half of the values seen could be meant as this property."""
        sampled = self._sampled.get(header, [])
        meant = _LOOKS.get(self._catalogue.by_name[name].type, _ANYTHING)
        return 2 * sum(bool(meant.search(shown(v))) for v in sampled) >= len(sampled)

    def _suggestion(self, place: int, header: str) -> Suggestion:
        sampled = self._sampled.get(header, [])
        samples = tuple(shown(value) for value in sampled[:SAMPLES])
        if header in self._given:
            name, how = self._given[header]
            return Suggestion(header, name, how, self._catalogue.by_name[name].type, samples)
        kind = of_values(sampled)
        nameless = header == f"Column {place}" and not sampled
        if header in OURS or nameless:
            return Suggestion(header, None, "left", kind, samples)
        return Suggestion(header, self._new(place, header), "new", kind, samples)

    def _new(self, place: int, header: str) -> str:
        """A name that can be declared, and that nothing else has."""
        wanted = new_name(header) or f"column{place}"
        name, number = wanted, 2
        while name.lower() in self._names:
            ending = f"_{number}"
            name, number = wanted[: LONGEST_NAME - len(ending)] + ending, number + 1
        self._names.add(name.lower())
        return name


def plain(name: str) -> str:
    """A name without case, accents and separators: `First Name` is `firstname`."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in decomposed if c.isalnum())


def new_name(header: str) -> str:
    """A name for a custom property, as near to the header as names can be; may be empty."""
    if _KEPT.match(header):
        return header
    words = _WORD.findall(unicodedata.normalize("NFKD", header).encode("ascii", "ignore").decode())
    if not words:
        return ""
    first, *others = words
    name = _lowered(first) + "".join(word[0].upper() + word[1:] for word in others)
    return (name if name[0].isalpha() else f"n{name}")[:LONGEST_NAME]


def of_values(sampled: Iterable[object]) -> Type:
    """The narrowest type that keeps all these values as they are; text where there is none."""
    given = list(sampled)
    if not given:
        return Type.STRING
    return next((kind for kind in _OF_NEW if all(_is_meant(kind, v) for v in given)), Type.STRING)


def _is_meant(kind: Type, value: object) -> bool:
    """Whether a value is one of this type, and not only readable as one."""
    if isinstance(value, str):
        if kind is Type.LIST or (kind is Type.NUMBER and _LEADING_ZERO.match(value)):
            return False
        if kind is Type.PHONE and not value.strip().startswith("+"):
            return False
    elif kind is Type.PHONE:
        return False
    return _is_one(kind, value)


def _is_one(kind: Type, value: object) -> bool:
    try:
        return values.parse(kind, value, UTC) is not None
    except values.BadValue:
        return False


def _digits(word: str) -> str:
    return "".join(filter(str.isdigit, word))


def _lowered(word: str) -> str:
    """`Monthly` -> `monthly`, `ID` -> `id`; `iPhone` stays."""
    return word.lower() if word.isupper() else word[0].lower() + word[1:]
