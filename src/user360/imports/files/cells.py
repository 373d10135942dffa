"""The cells of an XLSX sheet, read as a stream: a row is forgotten as soon as it was told.

Workbook, styles and dates are openpyxl's; its reader of cells is not used because it keeps
something of every row, and believes whatever row numbers a file claims.
"""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from array import array
from collections.abc import Iterator
from typing import IO
from xml.parsers import expat

from user360.errors import Invalid

LONGEST_CELL = 1_000_000
MOST_COLUMNS = 20_000
LAST_ROW = 1_048_576
PIECE = 1 << 16
TOO_LONG = "\0"  # stands for a cell that is too long; no XML can hold it

Cell = tuple[int, str, str, str]  # place from 0, type, style, text


class Texts:
    """The shared texts of a workbook, kept in a file of their own rather than in memory."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._ends = array("Q", [0])

    def add(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        self._file.write(data)
        self._ends.append(self._ends[-1] + len(data))

    def __getitem__(self, place: int) -> str:
        if place < 0:
            raise IndexError(place)
        start, end = self._ends[place], self._ends[place + 1]
        self._file.seek(start)
        return self._file.read(end - start).decode()

    def close(self) -> None:
        self._file.close()


class _Reading(ABC):
    """What both readers of XML share: text gathered between tags, no document type."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self.begins
        self._parser.EndElementHandler = self.ends
        self._parser.StartDoctypeDeclHandler = self._refused
        self._text: list[str] = []
        self._length = 0

    def feed(self, data: bytes, last: bool = False) -> None:
        self._parser.Parse(data, last)

    @abstractmethod
    def begins(self, tag: str, given: dict[str, str]) -> None: ...

    @abstractmethod
    def ends(self, tag: str) -> None: ...

    def _refused(self, *_: object) -> None:
        raise Invalid("The workbook declares a document type, which none needs")

    def _listen(self) -> None:
        self._parser.CharacterDataHandler = self._said

    def _stop(self) -> None:
        self._parser.CharacterDataHandler = None

    def _said(self, text: str) -> None:
        self._length += len(text)
        if self._length <= LONGEST_CELL:
            self._text.append(text)

    def _taken(self) -> str:
        text = "".join(self._text) if self._length <= LONGEST_CELL else TOO_LONG
        self._text.clear()
        self._length = 0
        return text


class TextReader(_Reading):
    """Reads the shared texts; the pronunciation that stands beside some is left out."""

    def __init__(self, kept: Texts) -> None:
        super().__init__()
        self._kept = kept
        self._beside = False

    def begins(self, tag: str, given: dict[str, str]) -> None:  # noqa: ARG002 - expat's own
        name = tag if ":" not in tag else tag.rpartition(":")[2]
        if name == "rPh":
            self._beside = True
        elif name == "t" and not self._beside:
            self._listen()

    def ends(self, tag: str) -> None:
        name = tag if ":" not in tag else tag.rpartition(":")[2]
        if name == "t":
            self._stop()
        elif name == "rPh":
            self._beside = False
        elif name == "si":
            self._kept.add(self._taken())


class RowReader(_Reading):
    """Reads rows of cells; `rows` gathers them until they are taken."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[int, list[Cell]]] = []
        self._number = 0
        self._cells: list[Cell] = []
        self._places: dict[str, int] = {}
        self._cell = (0, "", "")
        self._place = -1
        self._beside = False

    def begins(self, tag: str, given: dict[str, str]) -> None:
        name = tag if ":" not in tag else tag.rpartition(":")[2]
        if name == "v" or (name == "t" and not self._beside):
            self._listen()
        elif name == "c":
            self._begin_cell(given)
        elif name == "row":
            self._begin_row(given)
        elif name == "rPh":
            self._beside = True

    def ends(self, tag: str) -> None:
        name = tag if ":" not in tag else tag.rpartition(":")[2]
        if name in ("v", "t"):
            self._stop()
        elif name == "c":
            text = self._taken()
            if text:
                self._cells.append((*self._cell, text))
        elif name == "row":
            self.rows.append((self._number, self._cells))
            self._cells = []
        elif name == "rPh":
            self._beside = False

    def _begin_row(self, given: dict[str, str]) -> None:
        number = int(given.get("r", self._number + 1))
        if not self._number < number <= LAST_ROW:
            raise Invalid(f"The sheet names row {number} after row {self._number}")
        self._number, self._place = number, -1

    def _begin_cell(self, given: dict[str, str]) -> None:
        letters = given.get("r", "").rstrip("0123456789")
        place = self._places.get(letters, -1) if letters else self._place + 1
        if place < 0:
            place = self._places[letters] = _place(letters)
        self._place = place
        self._cell = (place, given.get("t", "n"), given.get("s", ""))


def texts(source: IO[bytes], kept: Texts) -> None:
    """Read the shared texts of a workbook into `kept`."""
    reader = TextReader(kept)
    while data := source.read(PIECE):
        reader.feed(data)
    reader.feed(b"", last=True)


def rows(source: IO[bytes]) -> Iterator[tuple[list[tuple[int, list[Cell]]], int]]:
    """Rows of a sheet, some at a time, each with its number; and the bytes read so far."""
    reader = RowReader()
    done = 0
    while data := source.read(PIECE):
        done += len(data)
        fault = _fault(reader, data)
        if reader.rows:
            found, reader.rows = reader.rows, []
            yield found, done
        if fault:
            raise fault
    reader.feed(b"", last=True)


def _fault(reader: RowReader, data: bytes) -> Exception | None:
    """What is wrong with `data`; the rows before it have been read."""
    try:
        reader.feed(data)
    except (expat.ExpatError, ValueError, Invalid) as error:
        return error
    return None


def _place(letters: str) -> int:
    """`A` is 0, `AB` is 27."""
    place = 0
    for letter in letters:
        place = place * 26 + ord(letter) - 64
    if not (letters.isascii() and letters.isupper()) or not 0 < place <= MOST_COLUMNS:
        raise Invalid(f"The sheet has a column {letters[:10]}, which is none")
    return place - 1
