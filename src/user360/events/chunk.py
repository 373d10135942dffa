"""How the log keeps the entries of one commit: a chunk is one value of bytes.

Few entries stand as JSON rows, which costs next to nothing to write. From `MANY` on they stand as
compressed columns: a quarter of the size, and read back into columns without an object for each
entry, so that whoever follows the log takes no time from those who write it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import pyarrow as pa
import pyarrow.ipc

from user360.events import event

MANY = 64
COLUMNS = b"A"  # the first byte of compressed columns; JSON rows begin with a bracket
SCHEMA = pa.schema(
    [
        ("seq", pa.int64()),
        ("kind", pa.int8()),
        ("record", pa.int64()),
        ("name", pa.string()),
        ("at", pa.timestamp("us")),
        ("received", pa.timestamp("us")),
        ("id", pa.string()),
        ("source", pa.string()),
        ("channel", pa.string()),
        ("ref", pa.string()),
        ("properties", pa.string()),
    ]
)


def pack(entries: Sequence[event.Entry]) -> bytes:
    """Entries, in the order of their positions, as one chunk."""
    if len(entries) < MANY:
        return event.encode(entries)
    encode = event.encode
    rows = [
        (
            e.seq,
            e.kind,
            e.record,
            e.name,
            e.at,
            e.received,
            e.id,
            e.source,
            e.channel,
            e.ref,
            encode(e.properties).decode(),
        )
        for e in entries
    ]
    return pack_columns(_batch(rows))


def pack_columns(batch: pa.RecordBatch) -> bytes:
    """Entries that already are columns of `SCHEMA` as one chunk."""
    raw = batch.serialize()
    size: int = raw.size
    packed: bytes = _codec().compress(raw, asbytes=True)
    return COLUMNS + size.to_bytes(8, "little") + packed


def pack_table(table: pa.Table) -> bytes:
    """Entries that were unpacked, as one chunk again, in the order of their positions."""
    ordered = table.sort_by("seq").combine_chunks()
    if table.num_rows >= MANY:
        return pack_columns(ordered.to_batches()[0])
    times = ("at", "received")
    for name in times:
        place = SCHEMA.get_field_index(name)
        ordered = ordered.set_column(place, name, ordered[name].cast(pa.int64()))
    rows = zip(*(column.to_pylist() for column in ordered.columns), strict=True)
    return event.encode([(*row[:-1], msgspec.Raw(row[-1].encode())) for row in rows])


def unpack(chunks: Iterable[bytes]) -> pa.Table:
    """The entries of several chunks as one table of `SCHEMA`, in no particular order.

    Raises `ValueError` for bytes that are no chunk.
    """
    batches: list[pa.RecordBatch] = []
    rows: list[event.StoredEntry] = []
    for body in chunks:
        if body[:1] == COLUMNS:
            batches.append(_columns(body))
        else:
            rows.extend(_rows(body))
    if rows:
        told = [(*_fixed(e), bytes(e.properties).decode()) for e in rows]
        batches.append(_batch(told))
    return pa.Table.from_batches(batches, SCHEMA)


def _rows(body: bytes) -> list[event.StoredEntry]:
    try:
        return event.decode_chunk(body)
    except msgspec.DecodeError as error:
        raise ValueError("these bytes are no chunk of the log") from error


def _fixed(e: event.StoredEntry) -> tuple[object, ...]:
    return e.seq, e.kind, e.record, e.name, e.at, e.received, e.id, e.source, e.channel, e.ref


def _batch(rows: Sequence[Sequence[object]]) -> pa.RecordBatch:
    arrays = [
        pa.array(values, field.type)
        for values, field in zip(zip(*rows, strict=True), SCHEMA, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def _columns(body: bytes) -> pa.RecordBatch:
    size = int.from_bytes(body[1:9], "little")
    try:
        raw = _codec().decompress(memoryview(body)[9:], size)
        return pyarrow.ipc.read_record_batch(raw, SCHEMA)
    except (OSError, pa.ArrowException) as error:
        raise ValueError("these bytes are no chunk of the log") from error


def _codec() -> pa.Codec:
    return pa.Codec("zstd", compression_level=1)
