"""The rows of an import that were not written, each as it was given and with what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from user360.errors import PersonErased
from user360.imports import store
from user360.storage.ledger import Connection

NAME = "failed"


class Wrong(msgspec.Struct, frozen=True):
    """One thing that is wrong with a row; `column` and `property` are null for the row itself."""

    column: str | None
    property: str | None
    code: str
    message: str


class Failed(msgspec.Struct, frozen=True, omit_defaults=True):
    """One row: the line it begins at, its cells by column, and all that is wrong.

    Of a row that could not be read `row` is empty and `text` holds it as it was given, cut.
    """

    line: int
    row: dict[str, Any]
    errors: tuple[Wrong, ...]
    text: str = ""


_encode = msgspec.json.Encoder().encode_lines
decode = msgspec.json.Decoder(Failed).decode_lines


def write(connection: Connection, job: str, part: int, failed: Sequence[Failed]) -> None:
    """Keep failed rows in the order of their lines; `part` puts them behind those before.

    Of people who were erased nothing is kept but the line.
    """
    if failed:
        kept = [bare(each) if _is_erased(each) else each for each in failed]
        store.save_part(connection, job, NAME, part, _encode(kept))


def bare(failed: Failed) -> Failed:
    """A failed row without what was given in it."""
    return msgspec.structs.replace(failed, row={}, text="")


def _is_erased(failed: Failed) -> bool:
    return any(wrong.code == PersonErased.code for wrong in failed.errors)


def read(connection: Connection, job: str) -> Iterator[Failed]:
    """All failed rows of an import in the order of their lines, some thousands in memory."""
    for _, body in store.parts(connection, job, NAME):
        yield from decode(body)
