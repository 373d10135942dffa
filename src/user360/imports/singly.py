"""Rows written one by one, by the steps that every other call goes through.

What differs is kept here: a row that changes nothing writes nothing, not even where its values came
from; tags may be united whatever becomes of the rest; and what was there before is noted, so that
it can be put back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from user360.errors import Fault, Problem
from user360.identity import resolve
from user360.imports.plan import TAGS, Plan
from user360.ingest import facts, save, steps
from user360.ingest.batch import Batch, Work
from user360.ingest.call import Call, Outcome, Verb
from user360.ingest.check import check
from user360.records import settle
from user360.records.settle import Cell

Before = dict[str, Cell | None]


class Row(msgspec.Struct, frozen=True):
    """One row: its number in the file, and what it gives."""

    place: int
    user_id: str | None
    properties: dict[str, Any]


class Told(msgspec.Struct):
    """What became of one row.

    `status` is `new`, `changed`, `same`, `skipped` or `failed`. `record` is the living one,
    `leaf` the one that was written to and `before` the cells that were replaced in it.
    """

    status: str
    record: int = 0
    leaf: int = 0
    before: Before = {}
    changes: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


def write(batch: Batch, plan: Plan) -> list[Told]:
    """Write the calls of a batch, as `calls` made them, in the transaction it was given."""
    told = _settled(batch, plan)
    save.people(batch)
    save.log(batch)
    return told


def tried(batch: Batch, plan: Plan) -> list[Told]:
    """What `write` would come to; nothing is written, but the batch's workspace is used up."""
    return _settled(batch, plan)


def calls(rows: Sequence[Row], plan: Plan, workspace: int, job: str) -> list[Call]:
    """The rows as calls: of two for one person the later in the file is the later one."""
    return [_call(row, plan, workspace, job) for row in rows]


def message_id(place: int) -> str:
    """What orders the rows of one import among each other; `place` is a row's number."""
    return f"{place:010d}"


def _call(row: Row, plan: Plan, workspace: int, job: str) -> Call:
    own = row.properties.get(TAGS, []) if plan.merge_tags else []
    given = row.properties
    if plan.merge_tags:
        given = {name: value for name, value in given.items() if name != TAGS}
    return Call(
        workspace=workspace,
        source="csv",
        ref=job,
        at=plan.at,
        message_id=message_id(row.place),
        user_id=row.user_id,
        properties=given,
        add_tags=tuple(dict.fromkeys([*own, *plan.tags])),
        if_exists=plan.on_conflict,
        complete=True,
    )


def _settled(batch: Batch, plan: Plan) -> list[Told]:
    for step in (check, steps.find, steps.decide, facts.load):
        step(batch)
    return [_row(batch, work, plan) for work in batch.work]


def _row(batch: Batch, work: Work, plan: Plan) -> Told:
    if work.outcome is not None:
        return Told("failed", faults=_faults(work.outcome.problem))
    decision = work.decision
    assert decision is not None
    leaf, root = decision.leaf, decision.root
    work.outcome = Outcome(status=decision.status, record=root)
    if decision.created:
        work.add_tags = [*work.add_tags, *_default(plan)]
        facts.FACTS[Verb.WRITE](batch, work, decision)
        return Told("new", root, leaf)
    if decision.status == "skipped":
        if not (plan.merge_tags and work.add_tags):
            return Told("skipped", root)
        # Of a record that is skipped its tags alone are united.
        decision.status, work.values, work.call.if_exists = "unchanged", {}, "update"
    elif plan.merge_tags and plan.on_conflict == "replace":
        work.add_tags = list(dict.fromkeys([*_tags(batch, root), *work.add_tags]))
    status = "skipped" if plan.on_conflict == "skip" else "same"
    if not work.writes or not (changes := _would_change(batch, work, decision)):
        return Told(status, root)
    work.add_tags = [*work.add_tags, *_default(plan)]
    before = dict(batch.forest[leaf].cells)
    facts.FACTS[Verb.WRITE](batch, work, decision)
    replaced = _replaced(before, batch.forest[leaf].cells)
    return Told("changed", root, leaf, replaced, tuple(changes))


def _default(plan: Plan) -> list[str]:
    return [] if plan.default_tag is None else [plan.default_tag]


def _would_change(batch: Batch, work: Work, decision: resolve.Decision) -> dict[str, Any]:
    """What of the record these cells change, tried on a copy."""
    own = batch.forest[decision.leaf]
    copy = msgspec.structs.replace(own, cells=dict(own.cells))
    alone = not own.edges and decision.leaf == decision.root
    forest = {own.id: copy} if alone else {**batch.forest, own.id: copy}
    cells = facts.cells_of(batch, work, decision)
    return settle.write(forest, decision.leaf, decision.root, cells)


def _tags(batch: Batch, root: int) -> list[str]:
    cell = settle.settled(batch.forest, root, [settle.TAGS])[settle.TAGS]
    return list(settle.value_of(cell) or ())


def _replaced(before: dict[str, Cell], after: dict[str, Cell]) -> Before:
    return {key: before.get(key) for key, cell in after.items() if before.get(key) is not cell}


def _faults(problem: Problem | None) -> tuple[Fault, ...]:
    """What is wrong, each at the name of its property or of nothing."""
    if problem is None:
        return ()
    faults = problem.faults or (Fault("", problem.code, problem.detail),)
    return tuple(
        Fault(f.path.removeprefix("properties.").partition(".")[0], f.code, f.message)
        for f in faults
    )


def changes_of(told: Sequence[Told]) -> Counter[str]:
    """On how many records each property changes."""
    return Counter(name for each in told for name in each.changes)
