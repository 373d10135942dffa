"""Whether the files of conversations are on disk as the ledger knows them: what the doctor asks."""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from user360.conversations import attachments
from user360.storage.ledger import Connection, Dialect, Ledger


class Wrong(NamedTuple):
    """What is wrong with the files of a workspace, by their ids.

    `missing` are known and not there, `sizes` have another size, `orphans` nobody knows.
    """

    missing: list[str]
    sizes: list[str]
    orphans: list[str]


def examine(data: Path, ledger: Ledger, workspace: int, now: float | None = None) -> Wrong:
    """Compare what the ledger knows of a workspace's files with what is in the directory.

    What comes and goes meanwhile is looked at once more. A file that nobody knows yet may be on its
    way in for as long as the sweep leaves it alone.
    """
    unknown = set(dict(attachments.held(data)).get(workspace, ()))
    missing, sizes = list[str](), list[str]()
    with ledger.read() as connection:
        for part in attachments.all_of(connection, workspace):
            unknown.difference_update(kept.id for kept in part)
            for kept in part:
                size = _size(attachments.path_of(data, workspace, kept.id))
                if size is None:
                    missing.append(kept.id)
                elif size != kept.size:
                    sizes.append(kept.id)
    with ledger.read() as connection:
        there = set(_known(connection, ledger.dialect, workspace, [*missing, *unknown]))
    at = time.time() if now is None else now
    return Wrong(
        [each for each in missing if each in there],
        sizes,
        [
            each
            for each in sorted(unknown)
            if each not in there and _is_left(data, workspace, each, at)
        ],
    )


def _known(
    connection: Connection, dialect: Dialect, workspace: int, names: Collection[str]
) -> Collection[str]:
    return attachments.load(connection, dialect, workspace, names).keys() if names else ()


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _is_left(data: Path, workspace: int, name: str, at: float) -> bool:
    """Whether the sweep would have removed it by now."""
    path = attachments.path_of(data, workspace, name)
    try:
        return attachments.stale(path, at)
    except OSError:
        return False
