"""How the characters of a file are encoded, found out from its first bytes that are not ASCII."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from user360.imports.files.bytes_of import Block

UTF8, WINDOWS = "utf-8", "cp1252"
# How far the first byte beyond ASCII is looked for; later ones are read as UTF-8.
FAR = 1 << 30
SAMPLE = 1 << 16

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BEYOND = re.compile(rb"[\x80-\xff]")
_LETTER = re.compile(rb"[A-Za-z\x80-\xff]")
_UNDEFINED = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
# In a text of Latin letters a third of them never has an accent.
_MANY = 0.3


def found(blocks: Iterator[Block]) -> str:
    """The name of the encoding, as Python knows it."""
    first = next(blocks, Block(b"", 1.0)).data
    marked = of_mark(first)
    if marked:
        return marked
    sample, read = _beyond_ascii(first), len(first)
    while not sample and read < FAR and (block := next(blocks, None)):
        sample = _beyond_ascii(block.data)
        read += len(block.data)
    return of_sample(sample) if sample else UTF8


def of_mark(data: bytes) -> str:
    """The encoding that a byte order mark, or the zeros of UTF-16, tell; or nothing."""
    for mark, name in _BOMS:
        if data.startswith(mark):
            return name
    start = data[:4096]
    even, odd = start[::2].count(0), start[1::2].count(0)
    if (
        len(start) >= 4
        and max(even, odd) > 0.3 * len(start) / 2
        and min(even, odd) * 4 < max(even, odd)
    ):
        return "utf-16-be" if even > odd else "utf-16-le"
    return ""


def of_sample(sample: bytes) -> str:
    """The encoding of bytes that are not all ASCII.

    One damaged row does not make a UTF-8 file one of Windows': what most of it is, counts.
    """
    text = sample.decode(UTF8, "surrogateescape")
    beyond = [c for c in text if c > "\x7f"]
    broken = sum("\udc80" <= c <= "\udcff" for c in beyond)
    if broken <= len(beyond) - broken + 3 and broken < len(beyond):
        return UTF8
    share = len(_BEYOND.findall(sample)) / max(1, len(_LETTER.findall(sample)))
    if share < _MANY and not _UNDEFINED.search(sample):
        return WINDOWS
    return _guessed(sample)


def _guessed(sample: bytes) -> str:
    """Another alphabet: Cyrillic, Greek, Japanese, ..."""
    from charset_normalizer import from_bytes  # slow to load, and rarely needed

    best = from_bytes(sample).best()
    return best.encoding if best is not None else WINDOWS


def _beyond_ascii(data: bytes) -> bytes:
    if data.isascii():
        return b""
    found_at = _BEYOND.search(data)
    start = found_at.start() if found_at else 0
    return data[max(0, start - 200) : start + SAMPLE]
