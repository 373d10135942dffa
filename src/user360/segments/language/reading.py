"""The reading of one condition: gathers every fault, so that all are told at once."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from user360 import errors
from user360.records.properties import Catalogue, Property, Type
from user360.records.values import BadValue
from user360.segments.language import operands
from user360.segments.language.comparisons import Operand
from user360.segments.language.operators import Takes

LONGEST_SAID = 60  # of a name that is repeated in a message
DEEPEST = 32
MOST_NODES = 1000
MOST_VALUES = 1000
MOST_EVENTS = 100
MOST_FAULTS = 1000

# Comparing names takes longer than all the rest, so only the first few wrong ones get a guess.
_MOST_GUESSES = 10
_LONGEST_GUESSED = 64
_DESCENDS = "expected the lower value first"

# The two that every record has, beside the declared ones.
RECORD_TIMES = {
    name: Property(0, name, Type.DATETIME, system=True) for name in ("createdAt", "updatedAt")
}


def property_of(name: str, catalogue: Catalogue) -> Property | None:
    """What a condition means by the name of a property: a declared one, or a time of the record."""
    return catalogue.get(name) or RECORD_TIMES.get(name)


class Reader:
    """What is known while one condition is read. A method that leaves a fault answers None."""

    def __init__(self, catalogue: Catalogue, segments: Collection[int]) -> None:
        self.catalogue = catalogue
        self.segments = segments
        self.faults: list[errors.Fault] = []
        self.nodes = 0
        self.events = 0
        self._guesses = 0

    def fault(self, path: str, message: str, code: str = errors.InvalidCondition.code) -> None:
        """Note one offending place."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(errors.Fault(path, code, message))

    def counted(self, path: str) -> bool:
        """Count one more node; False, and once a fault, when there are too many."""
        self.nodes += 1
        if self.nodes == MOST_NODES + 1:
            self.fault(path, f"expected at most {MOST_NODES} nodes in a condition")
        return self.nodes <= MOST_NODES

    def only(self, given: Mapping[str, object], allowed: Sequence[str], path: str) -> None:
        """Leave a fault for every key that nobody reads."""
        for key in sorted(str(key) for key in given.keys() - set(allowed)):
            guess = self.guess(key, allowed) or f"there is {', '.join(allowed)}"
            self.fault(f"{path}.{key[:50]}", f"is not read here; {guess}")

    def guess(self, name: str, names: Iterable[str]) -> str:
        """`did you mean X?`, or nothing."""
        self._guesses += 1
        if self._guesses > _MOST_GUESSES or len(name) > _LONGEST_GUESSED:
            return ""
        folded = {each.lower(): each for each in names}
        near = difflib.get_close_matches(name.lower(), folded, n=1)
        return f"did you mean {folded[near[0]]}?" if near else ""

    def text(self, given: object, path: str, longest: int) -> str | None:
        """A text with something in it."""
        text = given.strip() if isinstance(given, str) else ""
        if not text or len(text) > longest or operands.is_unfit(text):
            self.fault(path, f"expected a text of 1 to {longest} characters")
            return None
        return text

    def flag(self, given: object, path: str) -> bool:
        """True or false."""
        if not isinstance(given, bool):
            self.fault(path, "expected true or false")
        return given is True

    def choice(self, given: object, choices: Sequence[str], path: str) -> str | None:
        """One of a few words."""
        if isinstance(given, str) and given in choices:
            return given
        guess = self.guess(given, choices) if isinstance(given, str) else ""
        self.fault(path, f"expected one of {', '.join(choices)}{'; ' + guess if guess else ''}")
        return None

    def values(
        self,
        given: object,
        takes: Takes,
        read: Callable[[object], Operand],
        path: str,
    ) -> tuple[Operand, ...] | None:
        """The values of an operator, each read by `read`, which raises `BadValue`."""
        if not isinstance(given, list):
            self.fault(path, "expected a list")
            return None
        if not _as_many(len(given), takes):
            self.fault(path, f"expected {takes.value}")
            return None
        if len(given) > MOST_VALUES:
            self.fault(path, f"expected at most {MOST_VALUES} values")
            return None
        return self._each(given, takes, read, path)

    def _each(
        self, given: list[object], takes: Takes, read: Callable[[object], Operand], path: str
    ) -> tuple[Operand, ...] | None:
        before, found = len(self.faults), []
        for i, value in enumerate(given):
            try:
                found.append(read(value))
            except BadValue as bad:
                self.fault(f"{path}.{i}", bad.message, errors.InvalidDataType.code)
        if len(self.faults) > before:
            return None
        if takes is Takes.PAIR and (wrong := _wrong_pair(*found)):
            self.fault(path, wrong)
            return None
        return tuple(found)


def _as_many(count: int, takes: Takes) -> bool:
    if takes is Takes.NOTHING:
        return count == 0
    if takes is Takes.AHEAD:
        return count <= 1
    return count == 2 if takes is Takes.PAIR else count >= 1


def _wrong_pair(first: Operand, second: Operand) -> str:
    """What is wrong with a pair, as far as can be told without a time zone; or nothing."""
    if isinstance(first, str) and isinstance(second, str):
        comparable = len(first) == len(second) <= len("YYYY-MM-DD")
        return _DESCENDS if comparable and first > second else ""
    if isinstance(first, int | float) and isinstance(second, int | float):
        return _DESCENDS if first > second else ""
    return "expected two values of one type"


def of_property(reader: Reader, given: Mapping[str, object], path: str) -> Property | None:
    """The property that a condition names."""
    name = given.get("property")
    if not isinstance(name, str):
        reader.fault(f"{path}.property", "expected the name of a property")
        return None
    found = property_of(name, reader.catalogue)
    if found is None:
        names = [*(each.name for each in reader.catalogue), *RECORD_TIMES]
        guess = reader.guess(name, names) or "declare it first"
        code = errors.InvalidProperty.code
        none = f"there is none called {name[:LONGEST_SAID]}"
        reader.fault(f"{path}.property", f"expected a declared property, {none}; {guess}", code)
    return found


def operator_of(reader: Reader, given: object, names: Sequence[str], path: str) -> str | None:
    """The name of an operator, one of `names`."""
    return reader.choice(given, names, f"{path}.op")
