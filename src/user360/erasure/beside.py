"""Where somebody may be named in passing: audit, counted refusals, jobs, what these keep of their
rows, canned answers, flows, segments' texts.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from user360.access.change import Change
from user360.access.workspaces import Workspace
from user360.erasure import store
from user360.erasure.texts import Eraser
from user360.segments import changing
from user360.storage.ledger import Connection

JSON = ("detail", "params", "progress", "result")
WHERE = {
    "audit": "auditLines",
    "jobs": "jobs",
    "rejections": "rejections",
    "canned_answers": "cannedAnswers",
    "flows": "flows",
}


def clean(connection: Connection, workspace: Workspace, eraser: Eraser) -> Counter[str]:
    """Take the names out of every row beside people; how many rows of what held any."""
    found: Counter[str] = Counter()
    for table, where in WHERE.items():
        columns = store.BESIDE[table][1]
        changed = []
        for row, *texts in store.rows_beside(connection, table, workspace.id):
            values = dict(zip(columns, texts, strict=True))
            less = {name: _cleaned(eraser, name, text) for name, text in values.items()}
            if less != values:
                changed.append((row, less))
        if table == "rejections":  # they are told apart by these very texts
            store.delete_beside(connection, table, [row for row, _ in changed])
        else:
            store.rewrite_beside(connection, table, changed)
        found[where] += len(changed)
    return +found


def _cleaned(eraser: Eraser, name: str, text: str) -> str:
    if name not in JSON:
        return eraser.text(text)
    held = msgspec.json.decode(text)
    less = eraser.json(held)
    return text if less == held else msgspec.json.encode(less).decode()


def clean_segments(change: Change, eraser: Eraser) -> list[int]:
    """Take the names out of segments, and of what these were; the segments that held any.

    A condition goes on asking, for a value that nobody has.
    """
    found = set()
    for row in store.versions(change.connection, change.workspace.id):
        held = {"name": row.name, "description": row.description, "condition": row.condition}
        less = {
            "name": _renamed(eraser, row),
            "description": eraser.text(row.description),
            "condition": _asking(eraser, row.condition),
        }
        if less != held:
            store.rewrite_version(change.connection, row.segment_id, row.version, less)
            found.add(int(row.segment_id))
    if found:
        for number in sorted(found):
            change.tell("segment", id=number)
        changing.put_in_force(change)
    return sorted(found)


def _renamed(eraser: Eraser, row: Any) -> str:
    """Names are told apart, so another one gets the segment's number."""
    less = eraser.text(row.name)
    return less if less == row.name else f"{less} {row.segment_id}"


def _asking(eraser: Eraser, condition: str | None) -> str | None:
    if condition is None:
        return None
    held = msgspec.json.decode(condition)
    less = eraser.condition(held)
    return condition if less == held else msgspec.json.encode(less).decode()
