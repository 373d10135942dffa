"""What somebody wrote, apart from what they answer to, which most programs put below it."""

from __future__ import annotations

import re

# "On Monday, Asha wrote:", in the languages people write to shops in; the date makes it sure.
_WROTE = re.compile(
    r"^(?=.*(?:\d|@)).{0,400}\b(?:wrote|writes|schrieb|schreef|a écrit|escribió|escreveu|ha scritto"
    r"|skrev|napisał\(?a?\)?|написал\(?а?\)?|yazdı)(?:\b.{0,200}:|\s?:?)\s*$",
    re.IGNORECASE,
)
_WROTE_CJK = re.compile(r"^(?=.*\d).{0,400}(?:写道|寫道|のメール|작성)[：:]?\s*$")
_BEGINS = re.compile(r"^(?:on|am|le|el|em|il|op|den|dnia|w dniu)\b", re.IGNORECASE)
_LINE = re.compile(
    r"^\s*-{2,}\s*(?:original message|forwarded message|reply message|ursprüngliche nachricht"
    r"|message d'origine|mensaje original|messaggio originale|mensagem original"
    r"|oorspronkelijk bericht)\s*-{2,}\s*$",
    re.IGNORECASE,
)
_RULE = re.compile(r"^\s*_{20,}\s*$")
_FROM = re.compile(r"^\*?(?:from|von|de|da|van|från|fra|od|от)\s?:\*?\s+\S", re.IGNORECASE)
_SENT = re.compile(
    r"^\*?(?:sent|date|gesendet|datum|envoyé|enviado( el)?|fecha|inviato|data|verzonden|skickat"
    r"|sendt|wysłano|отправлено)\s?:\*?\s+\S",
    re.IGNORECASE,
)
_LONGEST_LINE = 500  # characters that are looked at


class _Lines:
    """Lines of a text, and for each place how many quoted and other ones come from there on."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.quoted, self.own = [0], [0]
        for line in reversed(self.lines):
            is_quoted = line.lstrip().startswith(">")
            self.quoted.append(self.quoted[-1] + is_quoted)
            self.own.append(self.own[-1] + (not is_quoted and bool(line.strip())))
        self.quoted.reverse()
        self.own.reverse()

    def at(self, i: int) -> str:
        """A line, as much of it as is looked at; empty after the last."""
        return self.lines[i][:_LONGEST_LINE] if i < len(self.lines) else ""

    def is_older(self, i: int) -> bool:
        """Whether nothing new stands from here on: all is quoted, or nothing is marked so."""
        return not self.quoted[min(i, len(self.lines))] or not self.own[min(i, len(self.lines))]


def folded(text: str) -> tuple[str, str]:
    """The text that is new, and the older one below it; that is empty where all is new.

    What stands between quoted lines is an answer to them, so there nothing is folded.
    """
    lines = _Lines(text)
    at = _begin(lines)
    if at is None:
        return text.strip(), ""
    new = "\n".join(lines.lines[:at]).strip()
    return (new, "\n".join(lines.lines[at:]).strip()) if new else (text.strip(), "")


def _begin(lines: _Lines) -> int | None:
    """Where the older text begins."""
    for i in range(len(lines.lines)):
        line = lines.at(i)
        if _LINE.match(line) or _is_head(lines, i) or _says_who_wrote(lines, i, line):
            return i
        if _RULE.match(line) and (_is_head(lines, i + 1) or _is_head(lines, i + 2)):
            return i
    return _tail(lines)


def _is_head(lines: _Lines, i: int) -> bool:
    """Whether here stand the headers of an older mail, as Outlook puts them."""
    if not _FROM.match(lines.at(i)):
        return False
    return any(_SENT.match(lines.at(n)) for n in (i + 1, i + 2))


def _says_who_wrote(lines: _Lines, i: int, line: str) -> bool:
    """Whether a line, or it with the next, says who wrote what stands below it."""
    if _WROTE.match(line) or _WROTE_CJK.match(line):
        return lines.is_older(i + 1)
    # It may be cut in two: `On Monday, Asha Rao <asha@shop.test>` and `wrote:`.
    if not _BEGINS.match(line):
        return False
    both = f"{line.rstrip()} {lines.at(i + 1).strip()}"
    return bool(_WROTE.match(both)) and lines.is_older(i + 2)


def _tail(lines: _Lines) -> int | None:
    """Where the quoted lines at the very end begin, when there are more than two."""
    at = len(lines.lines)
    while at and not lines.own[at - 1]:
        at -= 1
    return at if lines.quoted[at] > 2 else None
