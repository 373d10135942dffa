"""What stands in the headers of a mail, however they were written: nothing here ever raises.

The library's modern policy takes apart every header that is looked at, in time that grows with the
square of its length, and raises for some. So headers are taken as they came, and read here.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import email.utils
import quopri
import re
from datetime import UTC, datetime
from email.message import Message
from typing import Any, TypeAlias

import charset_normalizer

from user360.channels.email.addresses import Address

Part: TypeAlias = "Message[Any, Any]"
LONGEST = 65_536  # characters of a header that are read
MOST = 200  # addresses or ids of a header that are read
SAMPLE = 32_768  # bytes by which a charset is guessed
ENOUGH = 40  # of them that are no ASCII
_WORD = re.compile(r"=\?([^?\s*]{1,60})(?:\*[^?\s]{0,20})?\?([bBqQ])\?([^?]*)\?=")
_BETWEEN = re.compile(r"(\?=)\s+(?==\?[^?\s]+\?[bBqQ]\?)")
_ID = re.compile(r"<\s*([^<>\s]{1,990})\s*>")
_BLANK = re.compile(r"[\s\x00-\x1f\x7f]+")
# Codecs that are no charsets, or take time that grows with the square of a text's length.
_NOT_CHARSETS = frozenset(("punycode", "idna", "unicode-escape", "raw-unicode-escape", "undefined"))
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufeff]")


def raw(part: Part, name: str) -> list[str]:
    """All headers of this name, as they came."""
    wanted = name.lower()
    return [str(value)[:LONGEST] for key, value in part.raw_items() if key.lower() == wanted]


def first(part: Part, name: str) -> str:
    """The first header of this name as text, empty without one."""
    found = raw(part, name)
    return text(found[0]) if found else ""


def text(given: str) -> str:
    """A header as text on one line: encoded words and 8-bit bytes decoded, nothing unseen."""
    plain = _unescaped(given)
    joined = _BETWEEN.sub(r"\1", plain)
    return _BLANK.sub(" ", seen(_words(joined))).strip()


def _unescaped(given: str) -> str:
    """Bytes that the parser could not read stand as lone surrogates."""
    if given.isascii():
        return given
    return decoded(given.encode("utf-8", "surrogateescape"), "utf-8")


def _words(joined: str) -> str:
    """Encoded words decoded; those side by side in one charset together, as one may be cut."""
    found: list[str] = []
    pending, charset, at = b"", "", 0
    for match in _WORD.finditer(joined):
        between = joined[at : match.start()]
        data = _word(match[2], match[3])
        if pending and (between or charset.lower() != match[1].lower()):
            found.append(decoded(pending, charset))
            pending = b""
        found.append(between)
        if data is None:
            found.append(match[0])
        else:
            pending, charset = pending + data, match[1]
        at = match.end()
    if pending:
        found.append(decoded(pending, charset))
    return "".join([*found, joined[at:]])


def _word(encoding: str, given: str) -> bytes | None:
    data = given.encode("utf-8", "surrogateescape")
    if encoding in "qQ":
        return quopri.decodestring(data.replace(b"_", b" "), header=False)
    try:
        return base64.b64decode(data + b"=" * (-len(data) % 4))
    except (binascii.Error, ValueError):
        return None


def decoded(data: bytes, charset: str) -> str:
    """Text out of bytes that say they are in this charset, which may be wrong or unknown."""
    try:
        name = codecs.lookup(charset.strip().strip("\"'")).name if charset else ""
        if name and name not in _NOT_CHARSETS:
            return data.decode(name)
    except (LookupError, ValueError):
        pass
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        sample = data[:SAMPLE]
    # Out of a few letters a guess is no better than what most people use.
    few = sum(byte > 127 for byte in sample) < ENOUGH
    best = None if few else charset_normalizer.from_bytes(sample).best()
    return data.decode("cp1252" if best is None else best.encoding, "replace")


def seen(given: str) -> str:
    """A text without what cannot be shown or kept."""
    return _UNSEEN.sub("", given)


def addresses(part: Part, name: str) -> list[Address]:
    """The addresses in all headers of this name.

    They are taken apart before names are decoded, so that no name can bring an address with it.
    """
    given = [_BLANK.sub(" ", _unescaped(value)) for value in raw(part, name)]
    try:
        pairs = email.utils.getaddresses(given)[:MOST]
    except Exception:  # noqa: BLE001 - what the library makes of nonsense differs by version
        return []
    return [Address(seen(address).strip(), text(called)) for called, address in pairs if address]


def ids(part: Part, name: str) -> list[str]:
    """The ids of mails in all headers of this name, without their brackets."""
    found = [each for value in raw(part, name) for each in _ID.findall(_unescaped(value))]
    return [seen(each) for each in found if seen(each)][-MOST:]


def date(part: Part) -> int | None:
    """When the mail says it was written, in microseconds."""
    try:
        found: datetime = email.utils.parsedate_to_datetime(first(part, "Date"))
        aware = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
        return int(aware.timestamp()) * 1_000_000
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None


def parameter(part: Part, name: str, key: str) -> str:
    """A parameter of a header, such as the `filename` of `Content-Disposition`; empty for none."""
    try:
        found = part.get_param(key, "", name)
        given = email.utils.collapse_rfc2231_value(found) if found else ""
    except Exception:  # noqa: BLE001 - what the library makes of nonsense differs by version
        return ""
    return text(str(given))


def content_type(part: Part) -> str:
    """The type of a part, `text/plain` where it says none that can be read."""
    try:
        return seen(part.get_content_type())
    except Exception:  # noqa: BLE001 - what the library makes of nonsense differs by version
        return "text/plain"


def parts(part: Part) -> list[Part]:
    """The parts of a part that has some."""
    payload = part.get_payload()
    return [p for p in payload if isinstance(p, Message)] if isinstance(payload, list) else []


def disposition(part: Part) -> str:
    """`attachment`, `inline`, or empty."""
    return first(part, "Content-Disposition").partition(";")[0].strip().lower()
