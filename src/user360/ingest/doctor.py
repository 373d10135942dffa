"""The doctor: does the warehouse say what the ledger says, and does the ledger hold together?

Both are looked at as they are at one position; writers go on meanwhile. What is long is compared
piece by piece: records as whole columns, events by a checksum of each stretch of positions that
does not care for their order. Only where these differ is it found out what differs.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from user360.access import workspaces
from user360.access.workspaces import Workspace
from user360.conversations import shelf
from user360.errors import StorageFailed, Unavailable
from user360.ingest import compare, health
from user360.ingest.finding import Finding as Finding
from user360.ingest.finding import Tally
from user360.ingest.running import Running
from user360.storage.ledger import Connection

Progress = Callable[[int, int], None]
FILES = "files"


class Report(msgspec.Struct, frozen=True):
    """What the doctor found, and how much it looked at. No findings: all is well."""

    position: int
    records: int
    events: int
    findings: list[Finding]

    @property
    def healthy(self) -> bool:
        return not self.findings


def examine(platform: Running, progress: Progress = lambda _done, _total: None) -> Report:
    """Compare ledger and warehouse, and check each by itself.

    A running platform goes on; one that was opened without being started is brought up to its
    ledger's position first. While the warehouse is being made anew only the ledger is checked.
    `progress` is told how many records and entries of the log were compared by now, and of how
    many.
    """
    tally = Tally("")
    tally.add("ledger", "is damaged", platform.ledger.damage())
    try:
        with platform.projector.together() as (connection, snapshot, position):
            findings = _inside(connection)
            compute = platform.projector.warehouse.compute
            dialect = platform.ledger.dialect
            found = workspaces.all_workspaces(connection)
            looked = _counting(progress, compare.extent(snapshot, position, found))
            places = compare.Places(connection, dialect, snapshot, position, compute, looked)
            seen = [_compared(platform, places, w, findings) for w in found]
        findings += [finding for w in found for finding in _files(platform, w)]
    except Unavailable as problem:
        tally.add("warehouse", f"cannot be compared: {problem.detail}", count=1)
        with platform.ledger.read() as connection:
            return Report(0, 0, 0, tally.findings() + _inside(connection))
    except StorageFailed as problem:
        tally.add("ledger", f"cannot be read: {problem.detail}", count=1)
        return Report(0, 0, 0, tally.findings())
    of_all = [*tally.findings(), *findings, *(f for c in seen for f in c.tally.findings())]
    return Report(position, sum(c.records for c in seen), sum(c.events for c in seen), of_all)


def _counting(progress: Progress, total: int) -> Callable[[int], None]:
    """Tell `progress` the sum of what is told piece by piece."""
    done = 0

    def looked(more: int) -> None:
        nonlocal done
        done += more
        progress(done, total)

    return looked


def _inside(connection: Connection) -> list[Finding]:
    """What does not hold within the ledger."""
    names = {w.id: w.name for w in workspaces.all_workspaces(connection)}
    tallies: dict[str, Tally] = {}
    for check in health.CHECKS:
        for workspace, example in health.offending(connection, check):
            name = names.get(workspace, "")
            tallies.setdefault(name, Tally(name)).add(check.part, check.wrong, [example])
    return [finding for tally in tallies.values() for finding in tally.findings()]


def _files(platform: Running, workspace: Workspace) -> list[Finding]:
    """Which files of conversations are not on disk as the ledger knows them."""
    wrong = shelf.examine(platform.directory, platform.ledger, workspace.id)
    tally = Tally(workspace.name)
    tally.add(FILES, "are not in the directory", wrong.missing)
    tally.add(FILES, "have another size than was kept", wrong.sizes)
    tally.add(FILES, "are in the directory and nobody knows them", wrong.orphans)
    return tally.findings()


def _compared(
    platform: Running, places: compare.Places, workspace: Workspace, inside: list[Finding]
) -> compare.Compared:
    """Compare one workspace, as it was declared at the position looked at."""
    now = platform.workspaces.get(workspace.id, workspace)
    unlike = platform.projector.warehouse.unlike(workspace.id, workspace.catalogue.columns())
    declared_since = now.catalogue.columns().keys() - workspace.catalogue.columns().keys()
    compared = compare.Compared(Tally(workspace.name))
    compared.tally.add("columns", "are not as declared", sorted(set(unlike) - declared_since))
    compare.records(places, workspace, set(unlike), compared)
    if not any(finding.what == health.CIRCLE for finding in inside):
        compare.merged(places, workspace, compared)
    compare.events(places, workspace, compared)
    compare.members(places, workspace, compared)
    return compared
