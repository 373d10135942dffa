"""How the cells of a text file are set apart, found out from its first lines."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Sequence
from pathlib import Path

from user360.errors import Invalid
from user360.imports.files import bytes_of, encodings
from user360.imports.files.opened import Dialect

DELIMITERS = (",", ";", "\t", "|")
LOOKED_AT = 200  # rows
SAMPLE = 1 << 17  # bytes
DOUBLE, SINGLE = '"', "'"


def completed(given: Dialect, path: Path, size: int, name: str) -> Dialect:
    """`given` with what it leaves open filled in from the file. Raises `Invalid`."""
    encoding = given.encoding or encodings.found(bytes_of.blocks(path, size, given.compression))
    _refuse(encoding, given)
    raw = bytes_of.head(path, size, given.compression, SAMPLE)
    sample = codecs.getincrementaldecoder(encoding)("replace").decode(raw)
    quote = given.quote or _quote(sample)
    return Dialect(
        encoding=encoding,
        delimiter=given.delimiter or _delimiter(sample, quote, name),
        quote=quote,
        compression=given.compression,
        newline=newline(sample),
    )


def newline(sample: str) -> str:
    """The line break of a text, `"mixed"` where there are several."""
    both = sample.count("\r\n")
    lone = {"\n": sample.count("\n") - both, "\r": sample.removesuffix("\r").count("\r") - both}
    found = [mark for mark, count in {"\r\n": both, **lone}.items() if count > 0]
    return found[0] if len(found) == 1 else "mixed" if found else ""


def tells_delimiter(row: Sequence[str], dialect: Dialect) -> bool:
    """Whether a row is the line `sep=;` that spreadsheets write above the header."""
    line = dialect.delimiter.join(row).strip().removeprefix("\ufeff").lower()
    return line in ("sep=", f"sep={dialect.delimiter}")


def _refuse(encoding: str, given: Dialect) -> None:
    try:
        codecs.getincrementaldecoder(encoding)
        "".encode(encoding)
    except (LookupError, TypeError):
        message = f"{encoding} is no encoding that is known"
        raise Invalid.at("dialect.encoding", message) from None
    for field in ("delimiter", "quote"):
        character = getattr(given, field)
        if len(character) > 1 or (character and character in "\n\r\0 "):
            raise Invalid.at(f"dialect.{field}", f"{field} must be one character")
    if given.delimiter and given.delimiter == (given.quote or DOUBLE):
        raise Invalid.at("dialect.quote", "quote and delimiter must differ")


def _quote(sample: str) -> str:
    """A single quote only where every name of the header stands in some."""
    header = sample.lstrip().split("\n", 1)[0].strip()
    if DOUBLE in header or len(header) < 3:
        return DOUBLE
    for delimiter in DELIMITERS:
        cells = header.split(delimiter)
        if all(len(c) > 1 and c[0] == SINGLE == c[-1] for c in cells):
            return SINGLE
    return DOUBLE


def _delimiter(sample: str, quote: str, name: str) -> str:
    """The one that cuts most rows into as many cells as the header, and into the most."""
    told = _told(sample)
    if told:
        return told
    likely = "\t" if Path(name.lower().removesuffix(".gz")).suffix in (".tsv", ".tab") else ","
    best, score = likely, (0.0, 0)
    for delimiter in sorted(DELIMITERS, key=lambda d: d != likely):
        found = _fit(sample, delimiter, quote)
        if found[1] > 1 and found > score:
            best, score = delimiter, found
    return best


def _told(sample: str) -> str:
    line = sample[:20].removeprefix("\ufeff").strip().lower().splitlines()[:1]
    if line and line[0].strip('"').startswith("sep=") and len(line[0].strip('"')) == 5:
        return line[0].strip('"')[4]
    return "\t" if sample.lower().startswith("sep=\t") else ""


def _fit(sample: str, delimiter: str, quote: str) -> tuple[float, int]:
    """The share of rows as wide as the first, in tenths, and that width."""
    csv.field_size_limit(max(csv.field_size_limit(), SAMPLE))
    lines = io.StringIO(sample, newline="").readlines()[: 2 * LOOKED_AT]
    widths: list[int] = []
    try:
        for row in csv.reader(lines, delimiter=delimiter, quotechar=quote):
            if row:
                widths.append(len(row))
            if len(widths) > LOOKED_AT:
                break
    except csv.Error:
        pass
    if len(widths) > 2:
        widths.pop()  # the sample may end in the middle of it
    if not widths:
        return 0.0, 0
    return round(widths.count(widths[0]) / len(widths), 1), widths[0]
