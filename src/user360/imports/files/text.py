"""The lines of a text file, counted, with their ends, in blocks of bounded size."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterable, Iterator

import msgspec

from user360.imports.files.bytes_of import Block

LONGEST_LINE = 4_000_000
KEPT_OF_LONGER = 2_000

# What no row may hold: zeros, and what stands for bytes that the encoding does not know.
UNREADABLE = re.compile("[\0\ud800-\udfff]")
REPLACED = re.compile("[\0\ufffd]")


class Lines(msgspec.Struct, frozen=True):
    """Lines that follow one another; `first` is the number of the first.

    `doubtful`: some may hold what `UNREADABLE` finds. `cut`: it is one line, too long to be kept
    whole. `last`: nothing follows, because of `fault` if there is one.
    """

    lines: list[str]
    first: int
    at: float
    weight: int
    doubtful: bool = False
    cut: bool = False
    last: bool = False
    fault: str = ""


class _Decoder:
    """Bytes to text; what cannot be decoded is kept in a form that is recognised later."""

    def __init__(self, encoding: str) -> None:
        make = codecs.getincrementaldecoder(encoding)
        wide = "16" in encoding or "32" in encoding
        self._strict = make("strict")
        self._lenient = make("replace" if wide else "surrogateescape")
        self.unreadable = REPLACED if wide else UNREADABLE

    def text(self, data: bytes, last: bool) -> tuple[str, bool]:
        before = self._strict.getstate()
        try:
            text = self._strict.decode(data, last)
            return text, "\0" in text
        except UnicodeError:
            self._lenient.setstate(before)
            text = self._lenient.decode(data, last)
            self._strict.setstate(self._lenient.getstate())
            return text, True


def unreadable(encoding: str) -> re.Pattern[str]:
    """What tells a row that could not be decoded."""
    return _Decoder(encoding).unreadable


def lines(blocks: Iterable[Block], encoding: str) -> Iterator[Lines]:
    """All lines; every line but the last ends with its own line break.

    A lone carriage return ends a line as well. A line beyond `LONGEST_LINE` comes cut, alone.
    """
    splitter = _Splitter(encoding)
    at = 0.0
    for block in blocks:
        at = block.at
        yield from splitter.taken(block)
        if block.fault:
            yield splitter.ended(at, block.fault)
            return
    yield from splitter.taken(Block(b"", 1.0), last=True)
    yield splitter.ended(1.0, "")


class _Splitter:
    def __init__(self, encoding: str) -> None:
        self._decoder = _Decoder(encoding)
        self._rest = ""
        self._rest_doubtful = False
        self._number = 1
        self._cutting = False

    def taken(self, block: Block, last: bool = False) -> Iterator[Lines]:
        text, doubtful = self._decoder.text(block.data, last)
        doubtful = doubtful or self._rest_doubtful
        pieces = io.StringIO(self._rest + text, newline="").readlines()
        self._rest = ""
        if pieces and not last and not pieces[-1].endswith("\n"):
            self._rest = pieces.pop()
        self._rest_doubtful = doubtful and bool(self._rest)
        if self._cutting and pieces:
            yield self._cut(pieces.pop(0), block.at, doubtful)
        if pieces:
            weight = len(text)
            yield Lines(pieces, self._number, block.at, weight, doubtful)
            self._number += len(pieces)
        if len(self._rest) > LONGEST_LINE:
            self._cutting, self._rest = True, self._rest[:KEPT_OF_LONGER]

    def _cut(self, line: str, at: float, doubtful: bool) -> Lines:
        self._cutting = False
        self._number += 1
        return Lines([line], self._number - 1, at, KEPT_OF_LONGER, doubtful, cut=True)

    def ended(self, at: float, fault: str) -> Lines:
        """The end; a line that a fault broke off is not told as a line."""
        return Lines([], self._number, at, 0, last=True, fault=fault)
