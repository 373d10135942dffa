"""The files of somebody's conversations in their archive: each under a name that harms nowhere."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from user360 import ids
from user360.conversations import attachments
from user360.conversations.attachments import Kept
from user360.conversations.talk import Message

PIECE = 1 << 16
LONGEST = 100  # bytes of what a file is called: with what stands before it, it fits everywhere
_HARMFUL = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')
MEDIA = "media"  # where a message tells of a file that its channel holds
MISSING = "it is not there any more"
ELSEWHERE = "it is kept elsewhere"
UNFETCHED = "it was not fetched from the channel"


class Filed(msgspec.Struct):
    """A file with its place in the archive; `wrong` is why that holds less than the whole of it."""

    kept: Kept
    place: str
    wrong: str = ""


def placed(found: Iterable[Kept]) -> dict[str, Filed]:
    """Where each file goes, by its id: `files/m230-1-parcel.jpg`.

    The number of the message and a count stand first, so that no two are the same in any system,
    and none has a name that means something there.
    """
    counts: Counter[int] = Counter()
    placed = {}
    for kept in found:
        assert kept.message is not None  # only what was said is anybody's
        counts[kept.message] += 1
        said = ids.public_message_id(kept.message)
        place = f"files/{said}-{counts[kept.message]}-{safe(kept.name)}"
        placed[kept.id] = Filed(kept, place)
    return placed


def safe(name: str) -> str:
    """A file's name that can be written in any system and leads nowhere; its ending stays."""
    clean = _HARMFUL.sub("_", "".join(c if c.isprintable() else "_" for c in name)).strip(" .")
    stem, dot, ending = clean.rpartition(".")
    if not dot or len(ending.encode()) > LONGEST // 4:
        return _short(clean, LONGEST) or "file"
    return f"{_short(stem, LONGEST - len(ending.encode()) - 1)}.{ending}"


def _short(text: str, most: int) -> str:
    return text.encode()[:most].decode(errors="ignore").rstrip(" .")


def message(told: dict[str, Any], held: Message, filed: Mapping[str, Filed]) -> dict[str, Any]:
    """A message as the archive tells it: each file of it with its place in here."""
    files = [
        {**each, "file": filed[kept.id].place} if kept.id in filed else each
        for each, kept in zip(told["attachments"], held.attachments, strict=True)
    ]
    return {**told, "attachments": files}


def content(data: Path, workspace: int, filed: Filed) -> Iterator[bytes]:
    """What a file holds, a piece at a time; what cannot be read of it is noted, never raised."""
    size = 0
    try:
        with attachments.path_of(data, workspace, filed.kept.id).open("rb") as file:
            while piece := file.read(PIECE):
                size += len(piece)
                yield piece
    except FileNotFoundError:
        filed.wrong = MISSING
    except OSError as error:
        filed.wrong = f"it cannot be read: {error.strerror}"
    else:
        if size != filed.kept.size:
            filed.wrong = f"it has {size:,} bytes instead of {filed.kept.size:,}"


def absent(messages: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The files that messages (as the archive tells them) name and that are not in here, with why:
    kept elsewhere, gone, or not fetched from the channel.
    """
    for told in messages:
        about = {"file": "", "messageId": told["id"]}
        for each in told["attachments"]:
            if "file" not in each:
                wrong = ELSEWHERE if each["url"] else MISSING
                yield {**about, **each, "wrong": wrong}
        pending = told["detail"].get(MEDIA)
        if isinstance(pending, dict) and not told["attachments"]:
            known = {name: pending.get(name, "") for name in ("name", "type")}
            yield {**about, **known, "wrong": UNFETCHED}


def row(filed: Filed) -> dict[str, Any]:
    """How the list of files tells one."""
    kept = filed.kept
    assert kept.message is not None
    return {
        "file": filed.place,
        "messageId": ids.public_message_id(kept.message),
        "name": kept.name,
        "type": kept.type,
        "size": kept.size,
        "id": kept.id,
        "wrong": filed.wrong,
    }
