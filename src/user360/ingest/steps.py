"""The order of things: what happens to a batch of calls, step by step.

Each step is a short function over the whole batch, timed under its name. A call that fails gets
its outcome and takes no part in what follows; the others go on. Everything is written in the
transaction the batch was given, by the last steps, set by set.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

from prometheus_client import Histogram

from user360 import ids
from user360.errors import Fault, PersonErased, Problem, PropertiesRequired
from user360.events import store as event_store
from user360.identity import resolve
from user360.identity import store as identity_store
from user360.ingest import facts, save, talks
from user360.ingest.batch import Batch, Work
from user360.ingest.call import Call, Outcome, Verb
from user360.ingest.check import check
from user360.observe import metrics


def run(batch: Batch) -> list[Outcome]:
    """Take a batch through all steps; returns an outcome for each call, in order."""
    for step in STEPS:
        started = time.perf_counter()
        step(batch)
        _seconds_of(step.__name__).observe(time.perf_counter() - started)
    return [outcome for work in batch.work if (outcome := work.outcome) is not None]


@functools.cache
def _seconds_of(step: str) -> Histogram:
    return metrics.STEP_SECONDS.labels(step)


def remember(batch: Batch) -> None:
    """An event whose id was ever stored is answered as a duplicate and does nothing more."""
    asked: dict[str, list[Work]] = {}
    for work in batch.pending():
        if work.call.event is not None and work.call.event.id:
            work.digest = ids.digest(batch.workspace.id, work.call.event.id)
            asked.setdefault(work.digest, []).append(work)
    if not asked:
        return
    for digest in event_store.remembered(batch.connection, batch.dialect, asked.keys()):
        for work in asked[digest]:
            assert work.call.event is not None
            work.outcome = Outcome(status="duplicate", event_id=work.call.event.id)


def find(batch: Batch) -> None:
    """Load the people, sessions and merges that the calls name."""
    users: set[str] = set()
    writers: set[str] = set()
    sessions: set[resolve.Session] = set()
    numbers: set[int] = set()
    merges: set[int] = set()
    for work in batch.pending():
        call = work.call
        if call.user_id is not None:
            (writers if work.brings else users).add(call.user_id)
        if call.session is not None:
            sessions.add((call.session.channel, call.session.id))
        if call.previous is not None:
            users.add(call.previous)
            sessions.add((work.channel, call.previous))
        if call.merge is not None:
            merges.add(call.merge)
        numbers.update(n for n in (call.record, call.other) if n is not None)
    where = (batch.connection, batch.dialect, batch.workspace.id)
    identity_store.load_users(*where, users - writers, batch.known)
    identity_store.load_users(*where, writers, batch.known, batch.held)
    identity_store.load_sessions(*where, sessions, batch.known)
    numbers |= identity_store.load_merges(*where, merges, batch.known)
    identity_store.load_people(*where, numbers, batch.known)


def decide(batch: Batch) -> None:
    """Who each call is about, in order: the pure decisions of `identity.resolve`."""
    stored: set[str] = set()
    for work in batch.pending():
        if work.digest is not None and work.digest in stored:
            assert work.call.event is not None
            work.outcome = Outcome(status="duplicate", event_id=work.call.event.id)
            continue
        try:
            _refuse_erased(batch, work.call)
            if talks.said_already(batch, work):
                continue
            work.decision = _decision(work, batch.known)
            talks.decided(batch, work)
        except Problem as problem:
            batch.fail(work, problem)
            continue
        if work.digest is not None:
            stored.add(work.digest)
        if work.decision.mapped and work.call.session is not None:
            session = (work.call.session.channel, work.call.session.id)
            batch.mapped[session] = work.decision.leaf


def _refuse_erased(batch: Batch, call: Call) -> None:
    """Nobody who was erased comes back by a late event, a replay or an old file.

    A session of theirs that was mapped to somebody else since is theirs no more.
    """
    erased = batch.workspace.erased
    if not erased:
        return
    for path, named in (("userId", call.user_id), ("previousId", call.previous)):
        if named is not None and erased.holds(named):
            raise PersonErased.at(path, f"The person of this {path} was erased")
    if call.session is not None and call.user_id is None:
        session = (call.session.channel, call.session.id)
        if session not in batch.known.by_session and erased.holds_session(session):
            raise PersonErased.at("session", "The person of this session was erased")


def _decision(work: Work, known: resolve.Known) -> resolve.Decision:
    call = work.call
    session = (call.session.channel, call.session.id) if call.session is not None else None
    wanted = resolve.Wanted(call.user_id, session, call.record, call.if_missing, call.if_exists)
    if call.verb is Verb.WRITE:
        _refuse_incomplete(work, known)
        return resolve.decide(wanted, known)
    if call.verb is Verb.DELETE:
        return resolve.delete(wanted, known)
    if call.verb is Verb.UNMERGE:
        assert call.merge is not None
        return resolve.unmerge(call.merge, known)
    if call.verb is Verb.MERGE:
        assert call.other is not None
        return resolve.merge_by_hand(wanted, call.other, known)
    if call.verb is Verb.PART:
        return resolve.part(session, known)
    assert call.previous is not None
    previous = known.by_user.get(call.previous)
    if known.alive(previous) is None:
        previous = known.by_session.get((work.channel, call.previous))
    return resolve.alias(wanted, previous, known)


def _refuse_incomplete(work: Work, known: resolve.Known) -> None:
    """A record made, or made anew, by a complete write must have every required property."""
    call = work.call
    if not work.required or (_exists(call, known) and call.if_exists != "replace"):
        return
    path = call.properties_path
    faults = [
        Fault(f"{path}.{name}", "propertiesRequired", f"{name} is required")
        for name in work.required
    ]
    raise PropertiesRequired(faults=faults)


def _exists(call: Call, known: resolve.Known) -> bool:
    """Whether the call writes to a record that is there already."""
    if call.record is not None:
        return True
    if call.user_id is not None:
        return known.of_user(call.user_id) is not None
    session = call.session
    return session is not None and known.of_session((session.channel, session.id)) is not None


STEPS: tuple[Callable[[Batch], None], ...] = (
    check,
    remember,
    talks.find_talks,
    find,
    decide,
    facts.load,
    facts.settle_calls,
    talks.tell,
    save.people,
    talks.save_talks,
    save.log,
)
