"""The compiled text of a condition, kept while the clock goes on.

Compiling takes about a millisecond, and of a condition with moving windows only the moments change
from one time to the next. Where they do, they are put into the text that is there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec

from user360.segments.compiler.compile import Frame
from user360.segments.following import clock
from user360.segments.language import sql
from user360.segments.language.periods import When

Windows = Sequence[clock.Moving | clock.Returning]
Make = Callable[[Frame], str]  # compiles something for a frame

# Another time, at which another text must come out: an odd number of microseconds later.
_LATER = 86_400_000_000 * 3 + 7_654_321


class Current:
    """SQL for whatever frame comes, compiled where it has to be: `make` compiles it, `windows` are
    those that move in it.
    """

    def __init__(self, make: Make, windows: Windows) -> None:
        self._make = make
        self._windows = windows
        self._made: dict[tuple[str, bool], Text] = {}

    def at(self, given: Frame) -> str:
        """The text as of `given.now`."""
        place = (given.schema, given.mapped)
        text = self._made.get(place)
        found = None if text is None else text.at(given)
        if found is None:
            made = self._made[place] = Text(self._make, self._windows, given)
            found = made.sql
        return found


class Text:
    """SQL that was compiled for one frame, and can be had for the same frame at other times."""

    def __init__(self, make: Make, windows: Windows, given: Frame) -> None:
        self._windows = windows
        self._when = _places(windows, given)
        self.sql = make(given)
        self._moments = self._moving(make, given)

    def at(self, given: Frame) -> str | None:
        """The text as of `given.now`; None where it has to be compiled anew."""
        places = _places(self._windows, given)
        if places == self._when:
            return self.sql
        moved = self._replacements(places)
        return None if moved is None or self._moments is None else self._put(moved)

    def _moving(self, make: Make, given: Frame) -> re.Pattern[str] | None:
        """What finds the moments of moving windows in the text; None where that cannot be relied
        on: putting in those of another time must give the very text that is compiled for it.
        """
        if not self._windows or any(_by_day(each) for each in self._windows):
            return None
        later = msgspec.structs.replace(given, now=given.now + _LATER)
        moved = self._replacements(_places(self._windows, later))
        if not moved:
            return None
        self._moments = re.compile("|".join(map(re.escape, moved)))
        return self._moments if self._put(moved) == make(later) else None

    def _put(self, moved: dict[str, str]) -> str:
        assert self._moments is not None
        return self._moments.sub(lambda found: moved[found.group()], self.sql)

    def _replacements(self, places: list[list[int | None]]) -> dict[str, str] | None:
        """The moments in the text, each with the one to come; None where one would become two."""
        moved: dict[str, str] = {}
        for before, after in zip(self._when, places, strict=True):
            for old, new in zip(before, after, strict=True):
                if old is None or new is None:
                    if old != new:
                        return None
                    continue
                written = sql.written(new)
                if moved.setdefault(sql.written(old), written) != written:
                    return None
        return moved


def _by_day(window: clock.Moving | clock.Returning) -> bool:
    return isinstance(window, clock.Returning) or window.is_date


def _places(windows: Windows, given: Frame) -> list[list[int | None]]:
    """Where the edges of the windows are."""
    when = When(given.now, given.zone)
    return [each.at(when) for each in windows]
