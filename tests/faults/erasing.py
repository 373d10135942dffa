"""Erases somebody in a data directory until it is killed, at a moment that is chosen.

    python erasing.py DIRECTORY MOMENT

It says `now` when the moment has come and then stands still. Moments are the names of the steps
that are about to be taken.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

from user360.erasure import cutting, erase, jobs, purge, receipts
from user360.identity import saving
from user360.identity import store as identity_store
from user360.platform import Platform
from user360.settings import Settings
from user360.storage.ledger import Ledger
from user360.storage.projector import Projector

WHO = "zelda-7"
MOMENTS: dict[str, tuple[Any, str]] = {
    "deleting": (saving, "delete_people"),
    "cutting": (cutting, "_one_piece"),
    "keeping": (cutting, "_keep"),
    "texts": (purge, "_clean_beside"),
    "files": (purge, "_remove_files"),
    "warehouse": (Projector, "_go_on_with"),
    "ledger": (Ledger, "vacuum"),
    "receipt": (receipts, "whole"),
}


def stand_still_at(moment: str) -> None:
    """Let a step never begin."""
    owner, name = MOMENTS[moment]

    def step(*_given: Any, **_named: Any) -> None:
        sys.stdout.write("now\n")
        sys.stdout.flush()
        threading.Event().wait()

    setattr(owner, name, step)


def main() -> None:
    directory, moment = sys.argv[1:]
    platform = Platform.open(directory, Settings())
    jobs.register(platform)
    with platform.ledger.read() as connection:
        number = identity_store.of_user(connection, platform.default.id, WHO)
    assert number is not None
    stand_still_at(moment)
    told, _ = erase.ask(platform, platform.default, number, "key:1")
    platform.jobs.wait(told["id"])


if __name__ == "__main__":
    main()
