"""JSON lines: an object a line."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import msgspec
import pyarrow as pa

from user360.errors import Invalid
from user360.imports.files import batching, bytes_of, columns, text
from user360.imports.files.batching import Part, Row
from user360.imports.files.opened import ROWS, BadRow, Batch, Dialect, Note, told
from user360.imports.files.text import Lines

MOST_KEYS = 20_000
# So much is read of a file of which only the beginning is wanted.
BEGINNING = 1 << 20

NOT_JSON = "the line is not JSON: {}"
NOT_OBJECT = 'the line is JSON, but not an object such as {"userId": "42"}'


class JsonLines:
    """An opened file of JSON lines; its columns are all keys of all objects."""

    format: ClassVar[str] = "jsonl"

    def __init__(self, path: Path, size: int, dialect: Dialect, whole: bool) -> None:
        self.path, self.size = path, size
        self.dialect = msgspec.structs.replace(dialect, delimiter="", quote="")
        self.notes: tuple[Note, ...] = ()
        self._keys(whole)

    def batches(
        self, rows: int = ROWS, skip: int = 0, columns: Collection[str] | None = None
    ) -> Iterator[Batch]:
        """See `opened.Opened.batches`."""
        want = batching.wanted(self.headers, columns, _typed)
        yield from batching.batched(self._parts(), want, rows, skip)

    def _keys(self, whole: bool) -> None:
        """All keys, in the order in which they first appear, and the number of rows."""
        decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
        keys: dict[str, None] = {}
        count, read = 0, 0
        for block in self._lines():
            for line in block.lines:
                count += bool(line.strip())
                try:
                    keys.update(dict.fromkeys(decoder.decode(line)))
                except (msgspec.MsgspecError, UnicodeError, RecursionError):
                    continue
            if len(keys) > MOST_KEYS:
                raise Invalid(f"The rows have more than {MOST_KEYS:,} different keys")
            read += block.weight
            if not whole and read > BEGINNING:
                break
        else:
            whole = True
        if not keys:
            raise Invalid("No line of the file holds a JSON object with keys")
        self.headers = tuple(keys)
        self.count: int | None = count if whole else None

    def _lines(self) -> Iterator[Lines]:
        found = bytes_of.blocks(self.path, self.size, self.dialect.compression)
        return text.lines(found, self.dialect.encoding)

    def _parts(self) -> Iterator[Part]:
        unreadable = text.unreadable(self.dialect.encoding)
        for block in self._lines():
            rows, lines = list[Row | BadRow](), list[int]()
            for line, given in enumerate(block.lines, start=block.first):
                if not given.strip():
                    continue
                if block.cut:
                    rows.append(told(line, given, "rowTooLong", "the row is too long"))
                elif block.doubtful and unreadable.search(given):
                    message = f"the row is not {self.dialect.encoding} throughout"
                    rows.append(told(line, given, "encoding", message))
                else:
                    rows.append(self._row(line, given))
                lines.append(line)
            if block.fault:
                rows.append(told(block.first, "", "cutOff", block.fault))
                lines.append(block.first)
            yield Part(rows, lines, block.at, block.weight)

    def _row(self, line: int, given: str) -> Row | BadRow:
        try:
            found = msgspec.json.decode(given)
        except (msgspec.MsgspecError, UnicodeError) as error:
            return told(line, given, "notJson", NOT_JSON.format(error))
        except RecursionError:
            return told(line, given, "notJson", NOT_JSON.format("it is nested too deeply"))
        if not isinstance(found, dict):
            return told(line, given, "notJson", NOT_OBJECT)
        return list(map(found.get, self.headers))


def _typed(values: Sequence[object]) -> pa.Array:
    return columns.typed(values)
