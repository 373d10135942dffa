"""Erasing again, after a restore, who was erased since the backup was made.

A backup holds everybody who was there when it was made. Whom another directory or a newer backup of
the same installation keeps away is looked for by the same digests, and erased under the same ids.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import msgspec

from user360 import ids
from user360.access import erased
from user360.access.erased import Kept
from user360.access.vault import Vault
from user360.access.workspaces import Workspace
from user360.erasure import deleted, erase, receipts, store
from user360.erasure.names import Traces
from user360.errors import Invalid, NotFound
from user360.identity import people
from user360.identity import store as identity_store
from user360.jobs import store as job_store
from user360.jobs.job import Job
from user360.platform import LEDGER, Platform
from user360.storage.ledger import Connection, Ledger

ACTOR = "restore"


class Erasure(msgspec.Struct, frozen=True):
    """An erasure as another directory keeps it, with its job and its receipt."""

    kept: Kept
    job: Job
    receipt: receipts.Receipt


class Known(msgspec.Struct, frozen=True):
    """What a directory keeps of erasures, and by which key its digests were made."""

    where: Path
    vault: Vault
    erasures: list[Erasure]


class Done(msgspec.Struct, frozen=True):
    """What became of them here: how many were found and `erased`, how many are `absent` here and
    kept away from now on, and the ids of records that stand `merged` with somebody who was not
    erased, which are left as they are.
    """

    erased: int = 0
    absent: int = 0
    merged: list[str] = []

    def plus(self, other: Done) -> Done:
        return Done(
            self.erased + other.erased, self.absent + other.absent, self.merged + other.merged
        )


def known(directory: Path) -> Known:
    """What a directory keeps of erasures; a server may be running on it.

    Raises `NotFound` where there is no ledger, and `StorageFailed` where one cannot be read.
    """
    path = directory / LEDGER
    if not path.exists():
        raise NotFound(f"There is no User 360 data in {directory}")
    ledger = Ledger(f"sqlite:///{path}")
    try:
        with ledger.read() as connection:
            found = [_erasure(connection, kept) for kept in erased.all_kept(connection)]
    finally:
        ledger.close()
    return Known(directory, Vault.open(directory, used=True), [e for e in found if e is not None])


def _erasure(connection: Connection, kept: Kept) -> Erasure | None:
    job = job_store.one(connection, kept.job, kept.workspace)
    return None if job is None else Erasure(kept, job, receipts.load(connection, kept.job))


def again(platform: Platform, told: Known) -> Done:
    """Erase whom another directory knows to have been erased and this one does not.

    What is left of them in files is removed by jobs, as after any erasure. May be done twice.
    Raises `Invalid` for a directory of another installation: its digests say nothing here.
    """
    if told.vault.digest(0, "") != platform.vault.digest(0, ""):
        raise Invalid(f"{told.where} is of another installation: its vault.key is not the same")
    done = Done()
    for workspace in list(platform.workspaces.values()):
        with platform.ledger.read() as connection:
            new = [
                erasure
                for erasure in told.erasures
                if erasure.kept.workspace == workspace.id
                and job_store.one(connection, erasure.kept.job) is None
            ]
        if new:
            done = done.plus(_in_workspace(platform, workspace, new))
    return done


def _in_workspace(platform: Platform, workspace: Workspace, new: list[Erasure]) -> Done:
    found = _found(platform, workspace, [erasure.kept for erasure in new])
    done = Done()
    for erasure in new:
        traces, merged = _apart(platform, workspace, erasure.kept, found[erasure.kept.job])
        done = done.plus(Done(merged=merged))
        if traces.records or traces.user_ids:
            erase.ask_again(platform, workspace, erasure.kept, traces, ACTOR)
            done = done.plus(Done(erased=1))
        elif not merged:
            _keep_away(platform, workspace, erasure)
            done = done.plus(Done(absent=1))
    return done


def _found(platform: Platform, workspace: Workspace, kept: Iterable[Kept]) -> dict[str, Traces]:
    """What is here of those that were erased, by the job that did it."""
    job_of = {digest: each.job for each in kept for digest in each.digests}
    of_user, of_session = workspace.erased.of_user, workspace.erased.of_session
    found: defaultdict[str, Traces] = defaultdict(lambda: Traces([], []))
    with platform.ledger.read() as connection:
        for number, user_id in store.users(connection, workspace.id):
            if (job := job_of.get(of_user(user_id))) is not None:
                found[job].records.append(number)
                found[job].user_ids.append(user_id)
        for number, channel, session_id in store.unidentified_sessions(connection, workspace.id):
            if (job := job_of.get(of_session((channel, session_id)))) is not None:
                found[job].records.append(number)
    for user_id in deleted.user_ids(platform.wait(), workspace):
        job = job_of.get(of_user(user_id))
        if job is not None and user_id not in found[job].user_ids:
            found[job].user_ids.append(user_id)
    return found


def _apart(
    platform: Platform, workspace: Workspace, kept: Kept, found: Traces
) -> tuple[Traces, list[str]]:
    """What may be erased, by living records, and the ids of living records that may not.

    A merge that was undone after the backup stands here again. Whoever is in it and was not erased
    is not erased with the other.
    """
    own: list[int] = []
    others: list[int] = []
    theirs = set(kept.digests)
    with platform.ledger.read() as connection:
        dialect = platform.ledger.dialect
        for root in sorted(identity_store.roots_of(connection, dialect, found.records)):
            forest = people.grove(connection, dialect, [root])
            user_ids = [held.user_id for held in forest.values() if held.user_id is not None]
            strangers = [u for u in user_ids if workspace.erased.of_user(u) not in theirs]
            (others if strangers else own).append(root)
    merged = [ids.public_record_id(root) for root in others]
    return Traces(own, [] if others else found.user_ids), merged


def _keep_away(platform: Platform, workspace: Workspace, erasure: Erasure) -> None:
    """Nobody is here to be erased: they stay away, and the receipt says what was removed there."""
    kept = erasure.kept

    def keep(connection: Connection) -> None:
        erased.keep(connection, workspace.id, kept.digests, kept.at, kept.job)
        job_store.add(connection, msgspec.structs.replace(erasure.job, status="completed"))
        receipts.save(connection, kept.job, erasure.receipt)
        workspace.erased.load(connection)

    platform.write(keep)
