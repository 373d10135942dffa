"""Whether a mail is from whom it says, by what the workspace's own mail server found (RFC 8601).

Anybody can write any sender into a mail. The server that took it in from outside checks who may
send for a domain (SPF, DKIM, DMARC) and says so in a header, `Authentication-Results`, that begins
with a name of its own. Others may have written such headers too, so only that name counts, and only
where that server wrote: at the top, before it was handed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from user360.channels.email import headers
from user360.channels.email.headers import Part

MOST = 20  # headers of the kind, and results in one, that are read
HEADER = "authentication-results"
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|[^\s;="]+|[;=]')
_METHOD = re.compile(r"([a-z0-9-]+)(?:/[0-9]+)?\Z")


class Result(msgspec.Struct, frozen=True):
    """What came of one method: `pass`, `fail`, `none` and others, with what it was found for."""

    method: str
    result: str
    properties: Mapping[str, str] = {}


class Stated(msgspec.Struct, frozen=True):
    """What one server says it found; `below` is how many servers had passed the mail on since."""

    server: str
    below: int
    results: tuple[Result, ...]


def read(part: Part) -> tuple[Stated, ...]:
    """What servers say of a mail, from the top; what is not written as it should be is left out."""
    found: list[Stated] = []
    received = 0
    for name, value in part.raw_items():
        if name.lower() == "received":
            received += 1
        elif name.lower() == HEADER and len(found) < MOST:
            stated = _stated(headers.text(str(value)[: headers.LONGEST]), received)
            found += [] if stated is None else [stated]
    return tuple(found)


def _stated(value: str, received: int) -> Stated | None:
    first, *rest = _parts(_without_comments(value))
    if not first:
        return None
    results = tuple(found for part in rest[:MOST] if (found := _result(part)) is not None)
    return Stated(first[0].lower(), received, results)


def _without_comments(value: str) -> str:
    """The value without what stands in parentheses; these stand within one another, too."""
    kept, depth, quoted, skip = [], 0, False, False
    for letter in value:
        if skip:
            skip = False
        elif letter == "\\":
            skip = True
        elif letter == '"' and not depth:
            quoted = not quoted
        elif letter == "(" and not quoted:
            depth += 1
        elif letter == ")" and depth:
            depth -= 1
            continue
        if not depth:
            kept.append(letter)
    return "".join(kept)


def _parts(value: str) -> list[list[str]]:
    """The tokens between the semicolons."""
    parts: list[list[str]] = [[]]
    for match in _TOKEN.finditer(value):
        if match[0] == ";":
            parts.append([])
        else:
            parts[-1].append(match[0] if match[1] is None else re.sub(r"\\(.)", r"\1", match[1]))
    return parts


def _result(tokens: Sequence[str]) -> Result | None:
    """One method with its result: `dkim=pass header.d=example.org`."""
    pairs = list(_pairs(tokens))
    if not pairs:
        return None
    (method, result), *rest = pairs
    named = _METHOD.match(method)
    return None if named is None else Result(named[1], result, dict(reversed(rest)))


def _pairs(tokens: Sequence[str]) -> Iterator[tuple[str, str]]:
    for at, token in enumerate(tokens):
        if token == "=" and 0 < at < len(tokens) - 1:
            yield tokens[at - 1].lower(), tokens[at + 1].lower()


def proves(stated: Sequence[Stated], server: str, address: str) -> bool:
    """Whether `server` found that the owner of an address' domain lets this mail be sent.

    DMARC decides where it was found to pass or to fail; else a signature (DKIM) or the envelope
    (SPF) of that very domain, or of one above it, is as good.
    """
    domain = address.rpartition("@")[2].lower()
    if not server or not domain:
        return False
    found: dict[str, list[Result]] = {}
    for each in _trusted(stated, server.lower()):
        fresh = {result.method for result in each.results} - found.keys()
        for result in each.results:
            if result.method in fresh:
                found.setdefault(result.method, []).append(result)
    for result in found.get("dmarc", ()):
        if result.result == "fail":
            return False
        if result.result == "pass" and result.properties.get("header.from", domain) == domain:
            return True
    return any(
        result.result == "pass" and _covers(_domain_of(result, *names), domain)
        for method, names in _BY
        for result in found.get(method, ())
    )


_BY = (("dkim", ("header.d", "header.i")), ("spf", ("smtp.mailfrom",)))


def _trusted(stated: Sequence[Stated], server: str) -> Iterator[Stated]:
    """What the server itself wrote: the first headers of its name, before the mail moved on."""
    below = None
    for each in stated:
        if each.server == server:
            below = each.below if below is None else below
            if each.below == below:
                yield each


def _domain_of(result: Result, *names: str) -> str:
    told = next((result.properties[name] for name in names if name in result.properties), "")
    return told.rpartition("@")[2].strip("<>")


def _covers(given: str, domain: str) -> bool:
    return "." in given and (domain == given or domain.endswith(f".{given}"))
