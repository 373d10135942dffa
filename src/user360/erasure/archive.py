"""Everything held about one person as one archive: a ZIP of JSON files, of tables as CSV, and of
the files that were said with them.

Cells of the tables are harmless in a spreadsheet. What was merged into the person is part of it.
A file that is missing is named, and stands against nothing else.
"""

from __future__ import annotations

import csv
import io
import itertools
import zipfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Set
from typing import Any

import msgspec

from user360 import clock, ids
from user360.access import audit
from user360.access.workspaces import Workspace
from user360.conversations import attachments, kept, shown
from user360.erasure import filed, names, store
from user360.erasure.filed import Filed
from user360.erasure.texts import Eraser
from user360.events import timeline
from user360.exports.harmless import harmless
from user360.identity import history, merges, people
from user360.identity import store as identity_store
from user360.platform import Platform
from user360.records import settle, shape
from user360.segments import history as segment_history
from user360.sink import Sink
from user360.storage.ledger import Connection, Dialect
from user360.storage.warehouse import Warehouse

AT_ONCE = 1_000
Row = Mapping[str, Any]
Rows = Callable[[], Iterable[Row]]  # may be asked more than once


def pieces(platform: Platform, workspace: Workspace, number: int) -> Generator[bytes]:
    """The bytes of the archive of the person behind a record, as they are now.

    Raises `NotFound`, and `Unavailable` while the warehouse is being made anew.
    """
    warehouse = platform.wait()
    with platform.ledger.read() as connection:
        dialect = platform.ledger.dialect
        person = names.of(connection, dialect, workspace, number)
        record = people.many(connection, dialect, workspace, [number])[0]
        files = filed.placed(attachments.of_records(connection, dialect, person.records))
        held = dict(_from_ledger(connection, dialect, workspace, person, files))
    about = {
        "person": record,
        "madeAt": clock.to_iso(platform.now()),
        "workspace": workspace.name,
        "records": names.public(person.records),
    }
    members = _members(about, held, warehouse, workspace, person.records[0])
    yield from _zipped(
        itertools.chain(members, _files(platform, workspace, files, held["messages"]))
    )


def _from_ledger(
    connection: Connection,
    dialect: Dialect,
    workspace: Workspace,
    person: names.Names,
    files: Mapping[str, Filed],
) -> Iterator[tuple[str, list[Row]]]:
    """What the ledger holds of them, by the name of the file it goes into."""
    forest = people.grove(connection, dialect, person.records)
    yield "properties", list(_cells(forest, person.records))
    sessions = identity_store.sessions_of(connection, dialect, person.records)
    yield "sessions", [people.session(row) for row in sessions]
    merged: list[Row] = list(merges.of_person(connection, dialect, person.records[0]))
    yield "merges", merged
    yield "audit", _audit(connection, workspace, person, merged)
    sources = {cell.ref for n in person.records for cell in forest[n].cells.values()}
    yield "imports", [_job(row) for row in store.imports(connection, workspace.id, sources)]
    talks = kept.of_records(connection, dialect, person.records)
    yield "conversations", [shown.conversation(each, person.records[0]) for each in talks]
    said = kept.messages_of(connection, dialect, [each.id for each in talks])
    yield "messages", [filed.message(shown.message(each), each, files) for each in said]


def _cells(forest: settle.Forest, records: Iterable[int]) -> Iterator[Row]:
    """Every value that each record holds itself, in force or not, and where it came from."""
    for number in records:
        own = forest[number]
        about = {"record": ids.public_record_id(number), "userId": own.user_id}
        for name, cell in own.cells.items():
            if name != settle.COVER:
                told = shape.provenance(cell)
                yield {**about, "property": name, "value": cell.value, **told}


def _audit(
    connection: Connection, workspace: Workspace, person: names.Names, told: list[Row]
) -> list[Row]:
    """The lines that name them, one of their records or of their merges."""
    eraser = Eraser(person.texts)
    targets = {f"record:{each}" for each in names.public(person.records)}
    targets |= {f"merge:{each['id']}" for each in told}
    found, before = list[Row](), None
    while lines := audit.lines(connection, workspace.id, before, AT_ONCE):
        found += [line for line in lines if _names(line, targets, eraser)]
        before = lines[-1]["id"]
    return found


def _names(line: Row, targets: Set[str], eraser: Eraser) -> bool:
    target, detail = line["target"], line["detail"]
    return target in targets or eraser.text(target) != target or eraser.json(detail) != detail


def _job(row: Any) -> Row:
    return {"id": row.id, "kind": row.kind, "at": clock.to_iso(row.created_at)}


def _members(
    about: Row,
    held: Mapping[str, list[Row]],
    warehouse: Warehouse,
    workspace: Workspace,
    number: int,
) -> Iterator[tuple[str, Iterator[bytes]]]:
    """The files of the archive with what they hold."""
    tables: dict[str, Rows] = {name: rows.__iter__ for name, rows in held.items()}
    tables["events"] = lambda: _events(warehouse, workspace, number)
    tables["history"] = lambda: _history(warehouse, workspace, number)
    tables["segments"] = lambda: _segments(warehouse, workspace, number)
    yield "person.json", iter([msgspec.json.format(msgspec.json.encode(about))])
    for name, rows in tables.items():
        yield f"{name}.json", _as_json(rows())
        yield f"{name}.csv", _as_csv(rows)


def _files(
    platform: Platform, workspace: Workspace, files: Mapping[str, Filed], messages: list[Row]
) -> Iterator[tuple[str, Iterator[bytes]]]:
    """The files themselves, then the list of them, which says what is wrong with any."""
    for each in files.values():
        yield each.place, filed.content(platform.directory, workspace.id, each)
    rows: list[Row] = [*map(filed.row, files.values()), *filed.absent(messages)]
    yield "files.json", _as_json(rows)
    yield "files.csv", _as_csv(rows.__iter__)


def _events(warehouse: Warehouse, workspace: Workspace, number: int) -> Iterator[Row]:
    """All of them, those of the product itself too, the newest first."""
    cursor, wanted = None, timeline.Wanted(record=number)
    while True:
        page = timeline.timeline(warehouse, workspace.id, wanted, limit=AT_ONCE, cursor=cursor)
        yield from page.events
        cursor = page.cursor
        if cursor is None:
            return


def _history(warehouse: Warehouse, workspace: Workspace, number: int) -> Iterator[Row]:
    """What was changed when, old values and new."""
    cursor = None
    while True:
        found, cursor = history.changes(warehouse, workspace.id, number, AT_ONCE, cursor)
        for each in found:
            for name, pair in each["changes"].items():
                about = {key: value for key, value in each.items() if key != "changes"}
                yield {**about, "property": name, **pair}
        if cursor is None:
            return


def _segments(warehouse: Warehouse, workspace: Workspace, number: int) -> Iterator[Row]:
    for stay in segment_history.stays(warehouse, workspace, number):
        segment = workspace.segments.get(stay.segment)
        yield {
            "id": stay.segment,
            "name": segment.name if segment else None,
            "since": clock.to_iso(stay.since),
            "until": None if stay.until is None else clock.to_iso(stay.until),
        }


def _as_json(rows: Iterable[Row]) -> Iterator[bytes]:
    before = b"[\n"
    for row in rows:
        yield before + msgspec.json.encode(row)
        before = b",\n"
    yield b"\n]\n" if before == b",\n" else b"[]\n"


def _as_csv(rows: Rows) -> Iterator[bytes]:
    """A table with every column that any row has; what is no text stands as JSON."""
    columns = list(dict.fromkeys(name for row in rows() for name in row))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in rows():
        writer.writerow([_cell(row.get(name)) for name in columns])
        if text.tell() > 1 << 16:
            yield _taken(text)
    yield _taken(text)


def _taken(text: io.StringIO) -> bytes:
    found = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return found


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return harmless(value if isinstance(value, str) else msgspec.json.encode(value).decode())


def _zipped(members: Iterable[tuple[str, Iterator[bytes]]]) -> Iterator[bytes]:
    sink = Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members:
            with packed.open(name, "w", force_zip64=True) as file:
                for piece in content:
                    file.write(piece)
                    if sink.waiting:
                        yield sink.taken()
    yield sink.taken()
