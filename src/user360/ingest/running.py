"""What tools over the whole product need of it: what `user360.platform.Platform` offers them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from user360.access.workspaces import Workspace
from user360.clock import Clock
from user360.ingest.committer import Committer
from user360.storage.ledger import Connection, Ledger
from user360.storage.projector import Projector

Result = TypeVar("Result")


class Running(Protocol):
    """An open data directory."""

    directory: Path
    clock: Clock
    ledger: Ledger
    committer: Committer
    projector: Projector
    workspaces: dict[int, Workspace]

    def write(self, job: Callable[[Connection], Result]) -> Result:
        """Run a job in the writer's transaction and wait until it is on disk."""
        ...
