"""What is known while a flow is read: every fault is gathered with its line, and all are told."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from user360.flows.language import templates
from user360.flows.language.loading import Loaded, Trouble
from user360.flows.language.templates import BadTemplate, Template

MOST_TROUBLES = 200
LONGEST_TEXT = 4_000
NODE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}\Z")
VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}\Z")
# What fills a place in any text, by the first part of its name.
EVERYWHERE = ("user", "flow", "message", "conversation")
OF_MESSAGE, OF_CONVERSATION = ("text",), ("id", "channel")


class Reader:
    """Reads parts of a flow; a method that leaves a trouble answers something harmless."""

    def __init__(self, loaded: Loaded) -> None:
        self.loaded = loaded
        self.troubles: list[Trouble] = []
        self.variables: dict[str, str] = {}  # those that are asked for, with the path of each
        self.known: set[str] = set()  # those that something fills

    def trouble(self, path: str, message: str) -> None:
        """Note what is wrong at a path."""
        if len(self.troubles) < MOST_TROUBLES:
            self.troubles.append(Trouble(self.loaded.line(path), path, message))

    def mapping(self, path: str, given: Any, allowed: Sequence[str]) -> Mapping[str, Any]:
        """A mapping of these fields."""
        if not isinstance(given, dict):
            self.trouble(path, f"{_last(path)} is a list of fields: {', '.join(allowed)}")
            return {}
        for name in given:
            if name not in allowed:
                meant = near(name, allowed) or f"there is {', '.join(allowed)}"
                self.trouble(f"{path}.{name}", f"{name[:60]} is not read here; {meant}")
        return given

    def text(self, path: str, given: Any, longest: int = LONGEST_TEXT) -> str:
        """A text with something in it; numbers are taken as they are written."""
        found = str(given) if isinstance(given, int | float) and given is not True else given
        if isinstance(given, bool) or not isinstance(found, str) or not found.strip():
            self.trouble(path, f"{_last(path)} is a text")
            return ""
        if len(found) > longest:
            self.trouble(path, f"{_last(path)} has at most {longest:,} characters")
            return ""
        return found.strip()

    def texts(self, path: str, given: Any, longest: int = 100, most: int = 50) -> tuple[str, ...]:
        """A list of texts."""
        if not isinstance(given, list) or not 1 <= len(given) <= most:
            self.trouble(path, f"{_last(path)} is a list of 1 to {most} texts")
            return ()
        found = [self.text(f"{path}.{i}", each, longest) for i, each in enumerate(given)]
        return tuple(dict.fromkeys(each for each in found if each))

    def template(self, path: str, given: Any, more: Collection[str] = ()) -> Template:
        """A text with places to be filled, by what is known everywhere and by `more`."""
        text = self.text(path, given)
        try:
            found = templates.read(text)
        except BadTemplate as bad:
            self.trouble(path, str(bad))
            return Template()
        for place in found.places:
            self._source(path, place.name, more)
        return found

    def _source(self, path: str, name: str, more: Collection[str]) -> None:
        source, _, of = name.partition(".")
        if name in more or (of and source in more):
            return
        if source not in EVERYWHERE or not of:
            there = ", ".join([*(f"{each}...." for each in EVERYWHERE), *sorted(more)])
            self.trouble(path, f"nothing is called {name[:60]}; there is {there}")
        elif source == "flow":
            self.variables.setdefault(of, path)
        elif source == "message" and of not in OF_MESSAGE:
            self.trouble(path, f"there is no {name}; there is message.text")
        elif source == "conversation" and of not in OF_CONVERSATION:
            message = f"there is no {name}; there is conversation.id and conversation.channel"
            self.trouble(path, message)

    def fills(self, path: str, given: Any) -> str:
        """The name of a variable that is filled here."""
        if not isinstance(given, str) or not VARIABLE.match(given):
            message = "a variable's name is a letter, then letters, digits and _, at most 64"
            self.trouble(path, message)
            return ""
        self.known.add(given)
        return given

    def target(self, path: str, given: Any) -> str:
        """The name of a node to go to; whether there is one is seen once all are read."""
        if not isinstance(given, str) or not NODE.match(given):
            self.trouble(path, f"{_last(path)} names the node to go to")
            return ""
        return given

    def choice(self, path: str, given: Any, choices: Sequence[str]) -> str:
        """One of a few words; empty when it is none of them."""
        if given in choices:
            return str(given)
        meant = near(str(given), choices)
        listed = f"{_last(path)} is one of {', '.join(choices)}"
        self.trouble(path, f"{listed}; {meant}" if meant else listed)
        return ""

    def number(self, path: str, given: Any, low: float, high: float) -> float:
        """A number between two, both included."""
        if isinstance(given, bool) or not isinstance(given, int | float):
            self.trouble(path, f"{_last(path)} is a number from {low} to {high}")
            return low
        if not low <= given <= high:
            self.trouble(path, f"{_last(path)} is a number from {low} to {high}")
        return given

    def flag(self, path: str, given: Any) -> bool:
        """True or false."""
        if not isinstance(given, bool):
            self.trouble(path, f"{_last(path)} is true or false")
        return given is True


def near(name: str, names: Iterable[str]) -> str:
    """`did you mean X?`, or nothing."""
    folded = {each.lower(): each for each in names}
    found = difflib.get_close_matches(name.lower()[:64], folded, n=1)
    return f"did you mean {folded[found[0]]}?" if found else ""


def _last(path: str) -> str:
    parts = [part for part in path.split(".") if not part.isdigit()]
    return parts[-1] if parts else "a flow"
