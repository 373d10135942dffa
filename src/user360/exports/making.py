"""An export being made: a view of the warehouse that stands still, and the bytes of the file.

Writers go on meanwhile; the file shows the position it was begun at.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import pyarrow as pa

from user360 import ids
from user360.access.workspaces import Workspace
from user360.errors import Invalid
from user360.exports import asked as asking
from user360.exports import said, store
from user360.exports.asked import EVENTS, TALKS, Asked
from user360.exports.columns import SEGMENTS, Column
from user360.exports.formats import table, xlsx
from user360.segments import conditions, stored
from user360.segments.compiler import compile as compiler
from user360.segments.language.nodes import Node
from user360.segments.store import STATIC, Segment
from user360.storage.warehouse import ORDERED, Snapshot, schema_of

if TYPE_CHECKING:
    from user360.platform import Platform

# Told how many rows were read by now; what it raises ends the export.
Reached = Callable[[int], None]
GZIP_LEVEL = 4
# How a row is called that cannot be written, by what the rows are in order.
ROW: Mapping[str, Callable[[int], str]] = {
    "r.id": ids.public_record_id,
    "e.seq": lambda seq: f"event {seq}",
    "c.id": lambda number: f"row {ids.public_record_id(number)[1:]}",
}


class Making(NamedTuple):
    """A file under way: what it shows, how many rows it will have, its bytes as they come."""

    position: int
    total: int
    columns: list[Column]
    parts: Iterator[bytes]


@contextlib.contextmanager
def begun(
    platform: Platform,
    workspace: Workspace,
    asked: Asked,
    reached: Reached = lambda _rows: None,
    at_least: int = 0,
) -> Iterator[Making]:
    """Make a file that shows position `at_least`, or more.

    Raises `Invalid` for what cannot be done, before the first byte where that can be seen then.
    """
    asking.check(asked, workspace)
    if asked.segment is not None or SEGMENTS in (asked.columns or ()):
        platform.keeper.settle(at_least)
    with _view_for(platform, workspace, asked, at_least) as view:
        columns = asking.columns_of(asked, workspace)
        view_of = _View(platform, workspace, view)
        rows = view_of.rows(asked, columns)
        total, parts = _count(asked, columns)(view, rows)
        form = table.FORMATS[asked.format]
        batches = _batches(view, rows, parts, form, columns, reached)
        made = form.encode(columns, batches)
        # Closed before the view is left, which cannot be while an answer is half read.
        with contextlib.closing(batches):
            yield Making(view.position, total, columns, packed(made) if asked.gzip else made)


def _count(
    asked: Asked, columns: Sequence[Column]
) -> Callable[[Snapshot, store.Rows], tuple[int, list[store.Part]]]:
    """How the rows are counted and parted."""
    if asked.what in TALKS:
        return store.talk_parts
    if asked.what == EVENTS:
        return store.event_parts
    return lambda view, rows: store.record_parts(view, rows, len(columns))


def _view_for(
    platform: Platform, workspace: Workspace, asked: Asked, at_least: int
) -> contextlib.AbstractContextManager[Snapshot]:
    if asked.what in TALKS:
        return said.view(platform, workspace, asked)
    return _view(platform, workspace, at_least)


@contextlib.contextmanager
def _view(platform: Platform, workspace: Workspace, at_least: int) -> Iterator[Snapshot]:
    """A view in which every declared property has its column."""
    while True:
        version = workspace.catalogue.version
        warehouse = platform.wait(max(at_least, version))
        with warehouse.snapshot() as view:
            if workspace.catalogue.version == version:
                yield view
                return


class _View(NamedTuple):
    """Whom an export is about, asked of one view."""

    platform: Platform
    workspace: Workspace
    view: Snapshot

    def rows(self, asked: Asked, columns: Sequence[Column]) -> store.Rows:
        """The rows of the file."""
        workspace = self.workspace
        selects = self._selects(asked)
        if selects:
            store.choose(self.view, selects)
        schema, chosen = schema_of(workspace.id), bool(selects)
        if asked.what == EVENTS:
            since, until = asking.period(asked, workspace)
            return store.events(schema, chosen, asked.names, since, until)
        if asked.what in TALKS:
            return store.talks(schema, chosen)
        held = any(column.sql == "h.segments" for column in columns)
        if held:
            self._hold()
        return store.records(schema, chosen, held)

    def _selects(self, asked: Asked) -> list[str]:
        """SQL that selects the ids of those whom each part of what was asked names."""
        found = []
        if (number := asking.segment_of(asked, self.workspace)) is not None:
            found.append(self._members(self.workspace.segments[number]))
        if (numbers := asking.records_of(asked, self.workspace)) is not None:
            found.append(store.named(schema_of(self.workspace.id), numbers))
        node = asking.node_of(asked, self.workspace)
        if node is not None or (asked.text or "").strip():
            found.append(self._selected(node, asked.text))
        return found

    def _members(self, segment: Segment) -> str:
        """The stored members; of a segment that is being filled those its condition is true of."""
        fresh = segment.kind == STATIC or (
            segment.filled == segment.version
            and self.platform.keeper.freshness(self.workspace.id, segment.id) is not None
        )
        if fresh:
            return self._stored([segment.id])
        return self._selected(conditions.node_of(segment, self.workspace), None)

    def _hold(self) -> None:
        active = {s.id: s.name for s in self.workspace.segments.values() if s.archived_at is None}
        store.hold(self.view, self._stored(list(active)), active)

    def _stored(self, segments: Sequence[int]) -> str:
        mapped = store.mapped(self.view, schema_of(self.workspace.id))
        return stored.selected(schema_of(self.workspace.id), segments, mapped)

    def _selected(self, node: Node | None, text: str | None) -> str:
        frame = compiler.Frame(
            schema=schema_of(self.workspace.id),
            catalogue=self.workspace.catalogue,
            zone=self.workspace.zone,
            now=self.platform.clock.now(),
            mapped=store.mapped(self.view, schema_of(self.workspace.id)),
            segments=conditions.Conditions(self.workspace),
        )
        select = compiler.select_ids(node, msgspec.structs.replace(frame, ordered=ORDERED))
        if text and text.strip():
            select = select.where(compiler.text_search(text.strip()), copy=False)
        return compiler.to_sql(select, self.platform.projector.warehouse.dialect)


def _batches(
    view: Snapshot,
    rows: store.Rows,
    parts: Iterable[store.Part],
    form: table.Format,
    columns: Sequence[Column],
    reached: Reached,
) -> Generator[pa.RecordBatch, None, None]:
    """All rows, part after part."""
    lines, done = form.lines(columns) if form.lines else None, 0
    for part in parts:
        if form is table.XLSX:
            _refuse_long(view, rows, part, columns)
        with contextlib.closing(store.read(view, rows, part, columns, lines)) as found:
            for batch in found:
                yield batch
                done += batch.num_rows
                reached(done)


def _refuse_long(
    view: Snapshot, rows: store.Rows, part: store.Part, columns: Sequence[Column]
) -> None:
    """Raises `Invalid` for a cell that a sheet would cut off."""
    found = store.longer(view, rows, part, xlsx.long_columns(columns), xlsx.LONGEST)
    if found is not None:
        number, name = found
        where = ROW[rows.order](number)
        raise Invalid.at(
            "format",
            f"{name} of {where} is longer than a cell of XLSX can be ({xlsx.LONGEST:,}"
            " characters); choose another format, or leave the column out",
        )


def packed(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes as gzip; without a time in it, so that the same rows are the same bytes."""
    packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, 31)
    for part in parts:
        if found := packer.compress(part):
            yield found
    yield packer.flush()
