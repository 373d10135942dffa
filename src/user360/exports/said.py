"""Conversations and messages for a file: the ledger has them, so they are put beside a view."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from user360.access.workspaces import Workspace
from user360.conversations import kept
from user360.exports import asked as asking
from user360.exports import store
from user360.exports.asked import CONVERSATIONS, Asked
from user360.storage.ledger import Connection
from user360.storage.warehouse import Snapshot

if TYPE_CHECKING:
    from user360.platform import Platform

NUMBERS = frozenset(
    {
        *("id", "conversation_id", "record_id", "group_id", "assignee", "messages"),
        *("at", "received_at", "created_at", "updated_at"),
        *("assigned_at", "first_reply_at", "ended_at"),
    }
)


@contextlib.contextmanager
def view(platform: Platform, workspace: Workspace, asked: Asked) -> Iterator[Snapshot]:
    """The warehouse and what was said, both as they are at one position."""
    since, until = asking.period(asked, workspace)
    read = kept.conversations if asked.what == CONVERSATIONS else kept.messages
    with _together(platform, workspace) as (connection, snapshot):
        columns, rows = read(connection, workspace.id, since, until)
        schema = pa.schema(
            [(name, pa.int64() if name in NUMBERS else pa.string()) for name in columns]
        )
        snapshot.put(store.SAID, _batches(rows, schema), schema)
        yield snapshot


@contextlib.contextmanager
def _together(platform: Platform, workspace: Workspace) -> Iterator[tuple[Connection, Snapshot]]:
    """Ledger and warehouse at one position, at which every declared property has its column."""
    while True:
        version = workspace.catalogue.version
        with platform.projector.together() as (connection, snapshot, _):
            if workspace.catalogue.version == version:
                yield connection, snapshot
                return


def _batches(
    parts: Iterable[Sequence[Sequence[Any]]], schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    for part in parts:
        arrays = [
            pa.array(column, kind)
            for column, kind in zip(zip(*part, strict=True), schema.types, strict=True)
        ]
        yield pa.record_batch(arrays, schema=schema)
