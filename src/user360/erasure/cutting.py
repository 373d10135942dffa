"""Cutting the dead out of the whole log, piece by piece, going on where it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set
from typing import NamedTuple

import pyarrow as pa

from user360.erasure import log, receipts, store
from user360.erasure.receipts import Person
from user360.jobs.job import Stopped
from user360.jobs.work import Work
from user360.storage.ledger import Connection

PIECE = 4 << 20  # bytes of the log that are looked at together


class Piece(NamedTuple):
    """Chunks that are to be written anew, and the position their piece of the log ends at."""

    cuts: Sequence[tuple[store.Chunk, log.Cut]]
    last: int


def cut_log(work: Work, found: Sequence[Person]) -> None:
    """Cut whoever is not there any more out of the log up to `until`, and count for whom."""
    partners = _partners(found)
    while work.progress["after"] < work.progress["until"]:
        if work.stopped.is_set():
            raise Stopped
        _one_piece(work, found, partners)


def _partners(found: Sequence[Person]) -> log.Partners:
    told: dict[int, dict[int, frozenset[tuple[str, str]]]] = {}
    for person in found:
        for merge, record in person.names.partners:
            told.setdefault(record, {})[merge] = frozenset(person.names.pairs)
    return told


def _one_piece(work: Work, found: Sequence[Person], partners: log.Partners) -> None:
    """Cut the next piece; in the warehouse first, so that nobody who is killed leaves it there."""
    piece = _looked_at(work, partners, frozenset(n for p in found for n in p.names.before))
    for chunk, cut in piece.cuts:
        if cut.amended:
            warehouse = work.platform.projector.warehouse
            warehouse.amend(chunk.workspace, _columns(cut.amended))
    before = work.progress["after"]
    try:
        work.platform.write(lambda c: _keep(c, work, found, piece))
    except BaseException:
        work.progress["after"] = before
        raise


def _looked_at(work: Work, partners: log.Partners, before: Set[int]) -> Piece:
    after, until = work.progress["after"], work.progress["until"]
    cuts = []
    with work.platform.ledger.read() as connection:
        chunks = store.chunks(connection, after, until, PIECE)
        for chunk in chunks:
            table, records = log.records_in(chunk.body)
            dead = records - store.present(connection, work.platform.ledger.dialect, records)
            if dead or not records.isdisjoint(partners):
                cuts.append((chunk, log.cut(table, dead, partners, before)))
    written = [(chunk, cut) for chunk, cut in cuts if cut.body is not None]
    return Piece(written, chunks[-1].last if chunks else until)


def _columns(amended: Sequence[tuple[int, str]]) -> pa.Table:
    positions, properties = zip(*amended, strict=True)
    return pa.table(
        {"seq": pa.array(positions, pa.int64()), "properties": pa.array(properties, pa.string())}
    )


def _keep(connection: Connection, work: Work, found: Sequence[Person], piece: Piece) -> None:
    counts: dict[str, Counter[str]] = {person.job: Counter() for person in found}
    for chunk, cut in piece.cuts:
        assert cut.body is not None
        store.rewrite(connection, chunk.first, cut.body)
        store.count_less(connection, chunk.workspace, cut.names)
        for person in found:
            told = counts[person.job]
            told["logEntries"] += sum(cut.entries[n] for n in person.names.records)
            told["events"] += sum(cut.events[n] for n in person.names.records)
    for job, told in counts.items():
        receipts.removed(connection, job, told)
    work.keep(connection, after=piece.last)
