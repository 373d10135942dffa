"""Erasing somebody: at once from everything that answers, refused from then on, with a receipt.

What is done here is one transaction. What may still be found in files is removed by `purge`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from user360 import clock, ids
from user360.access import erased
from user360.access.change import Change
from user360.access.erased import Kept
from user360.access.workspaces import Workspace
from user360.conversations import attachments, kept
from user360.erasure import deleted, names, receipts, store
from user360.erasure.names import Names, Traces
from user360.errors import NotFound
from user360.events import event
from user360.events import store as event_store
from user360.identity import saving
from user360.identity import store as identity_store
from user360.platform import Platform
from user360.storage.ledger import Connection

KIND = "erasure"


def ask(
    platform: Platform, workspace: Workspace, number: int, actor: str
) -> tuple[dict[str, Any], int]:
    """Erase the person behind a record; the receipt, and the position from which nobody sees them.

    Answers once that is on disk; the rest is done by a job. Raises `NotFound`, and `Unavailable`
    while the warehouse is being made anew.
    """
    dialect = platform.ledger.dialect
    with platform.ledger.read() as connection:
        known = names.of(connection, dialect, workspace, number)
    told = deleted.states(platform.wait(), workspace, known.user_ids)
    before = deleted.records(workspace, told)

    def erase(change: Change) -> tuple[Names, int]:
        person = names.of(change.connection, dialect, workspace, number)
        person = msgspec.structs.replace(person, before=before)
        seq = _tell(change, person)
        return person, seq

    return _asked(platform, workspace, actor, erase)


def ask_deleted(
    platform: Platform, workspace: Workspace, user_id: str, actor: str
) -> tuple[dict[str, Any], int]:
    """Erase somebody who was deleted before, of whom the log still tells. Raises as `ask` does."""
    user_id = user_id.strip()
    told = deleted.states(platform.wait(), workspace, [user_id])
    if not told:
        raise NotFound("There is no user with this userId, and none was deleted")
    person = deleted.names(workspace, [user_id], told)
    return _asked(
        platform, workspace, actor, lambda _change: (person, platform.committer.position.last)
    )


def ask_again(
    platform: Platform, workspace: Workspace, kept: Kept, found: Traces, actor: str
) -> None:
    """Do an erasure again that another directory keeps, on what is found of that person here.

    It keeps its id, and keeps away whom it kept away there. Raises as `ask` does.
    """
    told = deleted.states(platform.wait(), workspace, found.user_ids)

    def erase(change: Change) -> tuple[Names, int]:
        where = (change.connection, change.dialect, workspace)
        people = [names.of(*where, number) for number in found.records]
        if told:
            people.append(deleted.names(workspace, found.user_ids, told))
        person = names.together(people)
        erased.keep(change.connection, workspace.id, kept.digests, kept.at, kept.job)
        return person, _tell(change, person)

    _asked(platform, workspace, actor, erase, kept.job)


def _asked(
    platform: Platform,
    workspace: Workspace,
    actor: str,
    erase: Callable[[Change], tuple[Names, int]],
    job: str | None = None,
) -> tuple[dict[str, Any], int]:
    """Queue an erasure, and in the same transaction take out of every table what it can."""
    job = job or ids.new_id()
    positions: list[int] = []
    files: list[tuple[int, str]] = []

    def beside(connection: Connection) -> None:
        change = platform.change(connection, workspace, actor)
        person, seq = erase(change)
        told = _receipt(change, person)
        _keep_away(change, person, job)
        files.extend(saving.delete_people(connection, change.dialect, person.records))
        change.audit("user.erase", f"record:{told['records'][0]}", erasure=job)
        receipts.begin(connection, platform.vault, job, told, person)
        workspace.erased.load(connection)
        positions.append(seq)

    platform.jobs.ask(workspace.id, KIND, {}, actor, job, beside)
    # What a crash leaves of these now is swept, for nothing knows it any more.
    attachments.remove(platform.directory, files)
    return find(platform, workspace, job), positions[-1]


def _receipt(change: Change, person: Names) -> dict[str, Any]:
    """What this transaction removes from where."""
    where = (change.connection, change.dialect)
    said = kept.counted(*where, person.records)
    return {
        "records": names.public(person.records),
        "at": clock.to_iso(change.now),
        "removed": {
            "records": len(store.present(*where, person.records)),
            "sessions": len(person.sessions),
            "merges": len(identity_store.merges_of(*where, person.records)),
            "lists": store.listed(*where, person.records),
            "conversations": said.conversations,
            "messages": said.messages,
        },
        "purged": False,
        "purgedAt": None,
        "backups": [],
    }


def _keep_away(change: Change, person: Names, job: str) -> None:
    held = change.workspace.erased
    digests = {held.of_user(u) for u in (*person.user_ids, *person.others)}
    digests |= {held.of_session(session) for session in person.sessions}
    erased.keep(change.connection, change.workspace.id, digests, change.now, job)


def _tell(change: Change, person: Names) -> int:
    """The one entry that stays of them: that these records are gone. Returns its position."""
    seq = change.take()
    gone = names.public(person.records)
    entry = event.Entry(
        seq,
        event.SYSTEM,
        person.records[0],
        event.USER_DELETE,
        change.now,
        change.now,
        f"s{seq}",
        "api",
        "",
        change.actor,
        {"id": gone[0], "erased": True, "recordIds": gone},
    )
    event_store.append(change.connection, change.workspace.id, [entry])
    return seq


def find(platform: Platform, workspace: Workspace, job: str) -> dict[str, Any]:
    """The receipt of an erasure, as far as it is done by now. Raises `NotFound`."""
    found = platform.jobs.find(workspace.id, job)
    if found.kind != KIND:
        raise NotFound("There is no such erasure")
    with platform.ledger.read() as connection:
        return {"id": job, **receipts.load(connection, job)}


def allow(platform: Platform, workspace: Workspace, user_id: str, actor: str) -> int:
    """Let somebody who was erased come again, by any of their userIds; the number of erasures this
    takes back is returned. What was removed stays removed. Raises `NotFound`.
    """

    def forget(connection: Connection) -> int:
        change = platform.change(connection, workspace, actor)
        digest = workspace.erased.of_user(user_id.strip())
        found = erased.erasures_of(connection, change.dialect, workspace.id, [digest])
        if not found:
            raise NotFound("Nobody of this userId was erased")
        for job in found:
            erased.forget(connection, workspace.id, job)
            change.audit("user.allow", f"erasure:{job}")
        workspace.erased.load(connection)
        return len(found)

    return platform.write(forget)


def allow_erasure(platform: Platform, workspace: Workspace, job: str, actor: str) -> None:
    """The same by the erasure's id, for whoever had no userId. Raises `NotFound`."""

    def forget(connection: Connection) -> None:
        change = platform.change(connection, workspace, actor)
        if not erased.forget(connection, workspace.id, job):
            raise NotFound("There is no such erasure, or it was taken back")
        change.audit("user.allow", f"erasure:{job}")
        workspace.erased.load(connection)

    platform.write(forget)
