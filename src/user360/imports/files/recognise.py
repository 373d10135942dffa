"""What kind of file this is, by what it holds; its name only decides where both would do."""

from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path

import msgspec

from user360.errors import Invalid
from user360.imports.files import bytes_of, dialects, encodings
from user360.imports.files.opened import Dialect, Opened

GZIP = "gzip"
HEAD = 1 << 14
STRANGE = 64  # bytes of a beginning that no text holds; some rows with a few are only bad rows
_KNOWN = "CSV (also packed with gzip), XLSX, JSON lines and Parquet are read"
_OTHERS = (
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"BZh", "packed with bzip2"),
    (b"\xfd7zXZ", "packed with xz"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd"),
    (b"SQLite format 3", "a SQLite database"),
    (b"ORC", "an ORC file"),
    (b"Obj\x01", "an Avro file"),
)
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"


def open_file(
    path: Path, name: str, *, dialect: Dialect | None = None, whole: bool = True
) -> Opened:
    """The file at `path`, which its sender called `name`, ready to be read.

    `dialect` settles what would be found out otherwise. With `whole` False only the beginning of a
    file of JSON lines is looked at, so that keys that come later are not known. Raises `Invalid`
    with a reason for what cannot be read at all.
    """
    size = _size(path)
    given = dialect or Dialect()
    start = bytes_of.head(path, size, "", HEAD)
    if start.startswith(bytes_of.GZIP):
        given = msgspec.structs.replace(given, compression=GZIP)
        start = bytes_of.head(path, size, GZIP, HEAD)
        if not start:
            raise Invalid("The compressed file is empty, damaged or cut off at its beginning")
    if given.compression and given.compression != GZIP:
        raise Invalid.at("dialect.compression", "compression must be gzip")
    return _of_kind(path, size, name, given, start, whole)


def _of_kind(path: Path, size: int, name: str, given: Dialect, start: bytes, whole: bool) -> Opened:
    from user360.imports.files.json_lines import JsonLines
    from user360.imports.files.parquet import Parquet
    from user360.imports.files.separated import Separated
    from user360.imports.files.workbook import Workbook

    packed = bool(given.compression)
    if start.startswith(b"PAR1"):
        _refuse_packed(packed, "Parquet")
        return Parquet(path, size)
    if start.startswith((_ZIP, _EMPTY_ZIP)):
        _refuse_packed(packed, "XLSX")
        _refuse_other_zip(path)
        return Workbook(path, size)
    _refuse_others(start, name, given)
    found = dialects.completed(given, path, size, name)
    if _is_json(start, found, name):
        return JsonLines(path, size, found, whole)
    return Separated(path, size, found)


def _size(path: Path) -> int:
    try:
        found = os.stat(path)
    except OSError as error:
        raise Invalid(f"The file cannot be opened: {error.strerror}") from None
    if stat.S_ISDIR(found.st_mode):
        raise Invalid("This is a directory, not a file")
    if not stat.S_ISREG(found.st_mode):
        raise Invalid("This is a device or a pipe, not a file")
    if not os.access(path, os.R_OK):
        raise Invalid("The file cannot be opened: permission denied")
    if not found.st_size:
        raise Invalid("The file is empty")
    return found.st_size


def _refuse_packed(packed: bool, kind: str) -> None:
    if packed:
        raise Invalid(f"{kind} packed with gzip is not read; unpack the file first")


def _refuse_other_zip(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise Invalid("The file is a damaged or incomplete XLSX workbook or zip archive") from None
    if "xl/workbook.bin" in names:
        raise Invalid("The file is an XLSB workbook; save it as XLSX")
    if "content.xml" in names:
        raise Invalid("The file is an OpenDocument; save it as XLSX or CSV")
    if "[Content_Types].xml" not in names:
        raise Invalid("The file is a zip archive; unpack it and import what is inside")


def _refuse_others(start: bytes, name: str, given: Dialect) -> None:
    if start.startswith(_OLD_OFFICE):
        raise Invalid(
            "The file is an old Excel workbook (XLS) or one with a password; save it as XLSX"
        )
    for mark, what in _OTHERS:
        if start.startswith(mark):
            raise Invalid(f"The file is {what}; {_KNOWN}")
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text[:1] == b"[" and text[1:].lstrip()[:1] in (b"{", b"]"):
        raise Invalid("The file is one JSON array; write its objects one a line, without brackets")
    if text[:1] == b"<" and any(
        mark in text[:2000].lower() for mark in (b"<html", b"<?xml", b"<!doc", b"<table")
    ):
        raise Invalid(f"The file is a web page or XML; {_KNOWN}")
    if not given.encoding and not encodings.of_mark(start) and _binary(start):
        raise Invalid(f"The file is not text; {_KNOWN}")
    suffix = Path(name.lower()).suffix
    if suffix in (".xlsx", ".parquet"):
        kind = "an XLSX workbook" if suffix == ".xlsx" else "a Parquet file"
        raise Invalid(f"The file is called {suffix} but is not {kind}; it seems to be plain text")


def _binary(start: bytes) -> bool:
    """Whether many of the bytes are ones that no text holds."""
    strange = sum(start.count(byte) for byte in b"\0\x01\x02\x03\x04\x05\x06\x07\x0e\x0f\x10\x11")
    return strange > max(STRANGE, len(start) / 50)


def _is_json(start: bytes, dialect: Dialect, name: str) -> bool:
    text = start.decode(dialect.encoding, "ignore").lstrip("\ufeff \t\r\n")
    if not text.startswith("{"):
        return False
    stem = name.lower().removesuffix(".gz")
    if stem.endswith((".jsonl", ".ndjson", ".json")):
        return True
    line = text.splitlines()[0]
    try:
        return isinstance(msgspec.json.decode(line), dict)
    except (msgspec.MsgspecError, UnicodeError):
        return False
