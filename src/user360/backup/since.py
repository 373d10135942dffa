"""Restoring an older backup without bringing back who was erased since."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from user360.access import vault
from user360.backup import restoring
from user360.backup.manifest import Manifest
from user360.backup.restoring import Progress
from user360.erasure import again
from user360.errors import StorageFailed
from user360.platform import LEDGER, Platform
from user360.settings import Settings


def restore(
    file: Path, directory: Path, places: Sequence[Path], settings: Settings, progress: Progress
) -> tuple[Manifest, again.Done]:
    """Restore a backup and erase again whom `places` know to have been erased since.

    A place is a data directory, which a server may hold, or a newer backup. Raises as
    `restoring.restore` does, and for a place that cannot be read or is of another installation;
    nothing is restored then.
    """
    known = [_known(place, directory.absolute().parent) for place in places]
    done = again.Done()

    def erase(part: Path) -> None:
        nonlocal done
        with Platform.open(part, msgspec.structs.replace(settings, ledger="")) as platform:
            for each in known:
                done = done.plus(again.again(platform, each))

    return restoring.restore(file, directory, progress, erase), done


def _known(place: Path, beside: Path) -> again.Known:
    if place.is_dir():
        return again.known(place)
    try:
        beside.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="user360-", dir=beside) as part:
            restoring.take(place, [LEDGER, vault.FILE], Path(part))
            return msgspec.structs.replace(again.known(Path(part)), where=place)
    except OSError as error:
        raise StorageFailed(f"{beside} cannot be written: {error.strerror}") from error
