"""From decisions to facts: cells settled, system events told, custom events appended, in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from user360 import clock, ids
from user360.events import definitions, event
from user360.identity import resolve
from user360.identity import store as identity_store
from user360.ingest.batch import Batch, Work
from user360.ingest.call import Event, Outcome, Verb
from user360.records import countries, settle
from user360.records.settle import Cell

# What these say in a deletion is read back, so no property of such a name may stand there.
OURS = ("mergeId", "recordIds")
Changes = Mapping[str, tuple[Any, Any]]
Done = tuple[bool, int | None]  # whether the record changed, and the merge that was made


def load(batch: Batch) -> None:
    """Load the cells of every record that is going to be written, with what was merged into it."""
    numbers: set[int] = set()
    trees: set[int] = set()
    for work in batch.pending():
        decision = work.decision
        assert decision is not None
        work.writes = _touches_cells(work, decision)
        if not work.writes:
            continue
        involved = {decision.leaf, decision.root}
        if decision.merged is not None:
            involved.add(decision.merged)
        if decision.unmerged is not None:
            involved |= {decision.unmerged.merged, decision.unmerged.survivor}
        numbers |= involved
        if decision.unmerged is not None or work.call.verb is Verb.DELETE:
            trees |= involved
        trees |= {n for n in involved if batch.known.people[n].merges}
    where = (batch.connection, batch.dialect)
    batch.forest = identity_store.load_forest(*where, numbers, trees, batch.held)
    batch.places = {number: own.place for number, own in batch.forest.items()}


def _touches_cells(work: Work, decision: resolve.Decision) -> bool:
    call = work.call
    return bool(
        work.brings
        or decision.status != "unchanged"
        or call.if_exists == "replace"
        or call.verb is not Verb.WRITE
    )


def settle_calls(batch: Batch) -> None:
    """Turn each call, in order, into changed cells and entries of the log."""
    for work in batch.pending():
        decision = work.decision
        assert decision is not None
        facts = FACTS[work.call.verb] if work.writes else _nothing
        changed, merge = facts(batch, work, decision)
        event_id = _happened(batch, work, decision)
        updated = changed and decision.status == "unchanged"
        work.outcome = Outcome(
            status="updated" if updated else decision.status,
            record=decision.root,
            created=decision.created,
            changed=changed,
            merge=merge,
            event_id=event_id,
        )


def _happened(batch: Batch, work: Work, decision: resolve.Decision) -> str | None:
    """Append the call's own event, and count it for its definition."""
    happened = work.call.event
    if happened is None:
        return None
    entry = batch.note(work, event.CUSTOM, decision.leaf, happened.name, happened.properties)
    _seen(batch, happened).add(work.call.at, happened.properties)
    if work.digest is not None:
        batch.digests.add(work.digest)
    return entry.id


def _seen(batch: Batch, happened: Event) -> definitions.Seen:
    seen = batch.seen.get(happened.name)
    if seen is None:
        known = batch.workspace.definitions
        definition = known.setdefault(happened.name, definitions.Definition(happened.name))
        seen = batch.seen[happened.name] = definitions.Seen(definition)
    return seen


def _nothing(_batch: Batch, _work: Work, _decision: resolve.Decision) -> Done:
    """A call that only tells of an event changes no record."""
    return False, None


def _write(batch: Batch, work: Work, decision: resolve.Decision) -> Done:
    """Properties, tags and the making, naming or merging of the record they are written to."""
    merge: int | None = None
    if decision.created:
        _create(batch, decision.leaf)
    if decision.merged is not None:
        if decision.created:  # a new user is there before it takes anybody in
            _tell_created(batch, work, decision.root)
        merge = _merge(batch, work, decision.merged, decision.root)
    if decision.status == "skipped":
        return merge is not None, merge
    cells = cells_of(batch, work, decision)
    changes: dict[str, tuple[Any, Any]] = {}
    if cells:
        changes = settle.write(batch.forest, decision.leaf, decision.root, cells)
        batch.dirty.add(decision.leaf)
    if decision.assigned is not None:
        batch.forest[decision.root].user_id = decision.assigned
        changes = {"userId": (None, decision.assigned), **changes}
    if decision.created and merge is None:
        _tell_created(batch, work, decision.root)
    elif changes:
        _tell_changed(batch, work, decision.root, changes)
    return bool(changes) or decision.created or merge is not None, merge


def _create(batch: Batch, number: int) -> None:
    user_id = batch.known.people[number].user_id
    batch.forest[number] = settle.Own(number, user_id, {}, batch.now, batch.now)
    batch.dirty.add(number)


def cells_of(batch: Batch, work: Work, decision: resolve.Decision) -> dict[str, Cell]:
    """The cells this call writes, each with its provenance."""
    call = work.call

    def cell(value: Any, source: str) -> Cell:
        return Cell(value, call.at, call.message_id, batch.now, source, call.ref)

    cells = {name: cell(value, call.source) for name, value in work.values.items()}
    if call.if_exists == "replace":
        cells[settle.COVER] = cell(None, call.source)
    cells |= {n: cell(v, "auto") for n, v in work.auto.items() if n not in work.values}
    country = _country_of_session(batch, work, decision, cells)
    if country is not None:
        # Dated before all else, so that whatever anybody says of the country stands above it.
        cells["country"] = Cell(country, clock.EARLIEST, "", batch.now, "auto", call.ref)
    for position, tag in enumerate(work.add_tags):
        cells[settle.TAG + tag] = settle.tag(cell(None, call.source), True, position)
    for tag in work.remove_tags:
        cells[settle.TAG + tag] = settle.tag(cell(None, call.source), False)
    return cells


def _country_of_session(
    batch: Batch, work: Work, decision: resolve.Decision, cells: Mapping[str, Cell]
) -> str | None:
    """A WhatsApp session is a phone number; the number tells the country of who writes there.

    An identifying call says nothing of it: what the session's record knows reaches the user by
    the rules of merging, and a record made for another userId begins empty.
    """
    session = work.call.session
    if session is None or session.channel != "whatsapp" or "country" in cells:
        return None
    if work.call.user_id is not None and not (decision.created and cells):
        return None
    if settle.settled(batch.forest, decision.root, ["country"])["country"] is not None:
        return None
    return countries.country_of_phone("+" + session.id.strip().lstrip("+"))


def _tell_created(batch: Batch, work: Work, number: int) -> None:
    batch.note(work, event.SYSTEM, number, event.USER_CREATE, state(batch, number))


def _tell_changed(batch: Batch, work: Work, number: int, changes: Changes) -> None:
    batch.forest[number].updated_at = batch.now
    batch.dirty.add(number)
    batch.note(work, event.SYSTEM, number, event.USER_UPDATE, payload(changes))


def payload(changes: Changes) -> dict[str, Any]:
    """What just changed, `null` where unset (specification: records, "Events")."""
    return {
        "newPayload": {name: new for name, (_, new) in changes.items()},
        "oldPayload": {name: old for name, (old, _) in changes.items()},
    }


def state(batch: Batch, number: int) -> dict[str, Any]:
    """A record's whole state, flat, as its creation and deletion events tell it."""
    cells = settle.view(batch.forest, number)
    return {
        "id": ids.public_record_id(number),
        "userId": batch.forest[number].user_id,
        **{name: cell.value for name, cell in cells.items() if name not in OURS},
    }


def _merge(batch: Batch, work: Work, merged: int, survivor: int) -> int:
    """Merge: the survivor's view gains, the merged record disappears. Returns the merge's number.

    The number is the position of its event, so that it is never given twice.
    """
    forest, call = batch.forest, work.call
    before = settle.view(forest, survivor)
    gone = state(batch, merged)
    merge = batch.position.take()
    settle.attach(forest, survivor, settle.Edge(call.at, merged, merge))
    changes = settle.difference(before, settle.view(forest, survivor))
    told = {"mergeId": str(merge), "recordId": gone["id"], **payload(changes)}
    batch.note(work, event.SYSTEM, survivor, event.USER_MERGE, told, seq=merge)
    batch.note(work, event.SYSTEM, merged, event.USER_DELETE, {**gone, "mergeId": str(merge)})
    if changes:
        _tell_changed(batch, work, survivor, changes)
    batch.dirty |= {merged, survivor}
    batch.merges[merge] = {
        "id": merge,
        "workspace": batch.workspace.id,
        "survivor": survivor,
        "merged": merged,
        "at": call.at,
        "written": batch.now,
        "source": call.source,
        "ref": call.ref,
        "reason": call.reason or call.verb.value,
        "took": event.encode({name: new for name, (_, new) in changes.items()}).decode(),
    }
    return merge


def _merge_by_hand(batch: Batch, work: Work, decision: resolve.Decision) -> Done:
    assert decision.merged is not None
    return True, _merge(batch, work, decision.merged, decision.root)


def _delete(batch: Batch, work: Work, decision: resolve.Decision) -> Done:
    """The person is gone, with every record that was merged into it."""
    dead = settle.members(batch.forest, decision.root)
    told = {**state(batch, decision.root), "recordIds": [ids.public_record_id(n) for n in dead]}
    batch.note(work, event.SYSTEM, decision.root, event.USER_DELETE, told)
    batch.dead.update(dead)
    return True, None


def _unmerge(batch: Batch, work: Work, decision: resolve.Decision) -> Done:
    """Forget the edge of a merge: both records are again what their own cells say."""
    undone, forest = decision.unmerged, batch.forest
    assert undone is not None
    before = settle.view(forest, decision.root)
    settle.detach(forest, undone.survivor, undone.merged)
    changes = settle.difference(before, settle.view(forest, decision.root))
    back = state(batch, undone.merged)
    told = {"mergeId": str(undone.id), "recordId": back["id"], **payload(changes)}
    batch.note(work, event.SYSTEM, decision.root, event.USER_UNMERGE, told)
    batch.note(
        work, event.SYSTEM, undone.merged, event.USER_UNMERGE, {**back, "mergeId": str(undone.id)}
    )
    if changes:
        _tell_changed(batch, work, decision.root, changes)
    batch.dirty |= {undone.merged, undone.survivor}
    batch.undone[undone.id] = work.call.ref
    return True, undone.id


FACTS: dict[Verb, Callable[[Batch, Work, resolve.Decision], Done]] = {
    Verb.WRITE: _write,
    Verb.DELETE: _delete,
    Verb.MERGE: _merge_by_hand,
    Verb.UNMERGE: _unmerge,
    Verb.ALIAS: _write,
    Verb.PART: _write,
}
