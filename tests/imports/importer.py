"""Importing tables as files, without the queue: each import runs on the thread that asks for it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from user360 import ids
from user360.access.workspaces import Workspace
from user360.imports import engine, failures, options, undo
from user360.imports.engine import Result
from user360.imports.failures import Failed
from user360.imports.files import open_file
from user360.imports.undo import UndoPlan
from user360.jobs import store as jobs
from user360.jobs.job import Job, Stopped
from user360.jobs.work import Work
from user360.platform import Platform

Table = Sequence[Sequence[str]]


class Interrupted(Work):
    """A job at work that is told to stop when it has asked so many times."""

    patience = 1 << 30

    def check(self) -> None:
        self.patience -= 1
        if self.patience < 0:
            raise Stopped
        super().check()


class Importer:
    """Imports tables as CSV files into a workspace, and takes imports back."""

    def __init__(
        self, platform: Platform, folder: Path, workspace: Workspace | None = None
    ) -> None:
        self.platform, self.folder = platform, folder
        self.workspace = workspace or platform.default
        self.last: Job | None = None

    def write(self, table: Table) -> Path:
        path = self.folder / f"{ids.new_id()}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(table)
        return path

    def begin(self, kind: str = "import", **params: Any) -> Job:
        """A job that is on disk and at work."""
        now = self.platform.now()
        job = Job(
            id=ids.new_id(),
            workspace=self.workspace.id,
            kind=kind,
            actor="key:1",
            created_at=now,
            params=params,
        )

        def add(connection: Any) -> None:
            jobs.add(connection, job)
            jobs.begin(connection, job.id, now)

        self.platform.write(add)
        return job

    def stored(self, job: Job) -> Job:
        with self.platform.ledger.read() as connection:
            found = jobs.one(connection, job.id)
        assert found is not None
        return found

    def go_on(
        self, job: Job, table: Table, given: dict[str, Any], patience: int = 1 << 30
    ) -> Result:
        """Import a table, or go on where the job stands. Raises `Stopped` after some patience."""
        return self.go_on_with(job, self.write(table), given, patience)

    def go_on_with(
        self, job: Job, path: Path, given: dict[str, Any], patience: int = 1 << 30
    ) -> Result:
        """The same for a file of any kind, which its name tells."""
        work = Interrupted(self.platform, self.stored(job), resumed=bool(job.progress))
        work.patience = patience
        wanted = options.read({"defaultTag": False, **given})
        opened = open_file(path, path.name)
        do = engine.dry_run if wanted.dry_run else engine.run
        return do(work, opened, wanted)

    def run(self, table: Table, **given: Any) -> Result:
        """Import a table whose first row is its header."""
        self.last = self.begin()
        return self.go_on(self.last, table, given)

    def failed(self) -> list[Failed]:
        """The failed rows of the last import."""
        assert self.last is not None
        with self.platform.ledger.read() as connection:
            return list(failures.read(connection, self.last.id))

    def preview(self, job: Job | None = None) -> UndoPlan:
        """What undoing the last import, or another, would do."""
        wanted = job or self.last
        assert wanted is not None
        return undo.preview(self.platform, self.workspace, self.stored(wanted))

    def undo(self, job: Job | None = None, patience: int = 1 << 30) -> UndoPlan:
        """Take the last import back, or another."""
        wanted = job or self.last
        assert wanted is not None
        taking = self.begin("import-undo")
        while True:
            work = Interrupted(self.platform, self.stored(taking), resumed=True)
            work.patience = patience
            try:
                return undo.run(work, self.stored(wanted))
            except Stopped:
                continue

    def people(self) -> dict[str, dict[str, Any]]:
        """Every identified record by its userId: its properties. Others by their place."""
        from user360.identity import people, store

        with self.platform.ledger.read() as connection:
            dialect = self.platform.ledger.dialect
            first = ids.record_number(self.workspace.id, 0)
            numbers = store.living(connection, self.workspace.id, first, 100_000)
            shown = people.many(connection, dialect, self.workspace, numbers)
        return {
            each["userId"] or f"#{place}": each["properties"]
            for place, each in enumerate(sorted(shown, key=lambda each: int(each["id"][1:])))
        }
