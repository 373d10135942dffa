"""The warehouse's file and those beside it: its engine's log, a new one, one set aside."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path


def log_of(path: Path) -> Path:
    """What the engine logged for a file and did not write into it yet."""
    return path.with_name(path.name + ".wal")


def remove(path: Path) -> None:
    """Remove a file and what its engine logged; the log first, for it is nothing without it."""
    for each in (log_of(path), path):
        each.unlink(missing_ok=True)


def part_of(path: Path) -> Path:
    """Where a file is written that is to take the place of this one; nothing is there."""
    part = path.with_name(path.name + ".part")
    remove(part)
    return part


def put(part: Path, path: Path) -> None:
    """Put a file that is whole in the place of another."""
    log_of(path).unlink(missing_ok=True)
    part.rename(path)


def set_aside(path: Path) -> None:
    """Keep a damaged file for inspection under another name.

    Only the last one is kept, so that a failing disk does not fill up with them.
    """
    forget_damaged(path)
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    for each in (log_of(path), path):
        with contextlib.suppress(FileNotFoundError):
            each.rename(each.with_name(f"{each.name}.damaged-{stamp}"))


def forget_damaged(path: Path) -> None:
    """Remove what was set aside."""
    for old in path.parent.glob(f"{path.name}*.damaged-*"):
        old.unlink(missing_ok=True)
