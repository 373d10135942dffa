"""The people and events every benchmark asks about: made from a seed, the same on every machine.

Records have Segment-like traits; their activity follows a Pareto law (a few people do most of what
is done). Events come in the order of their time, spread evenly over `DAYS` days, as Arrow batches
that need no more memory than one batch, whatever the size of the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

SEED = 360
START = datetime(2026, 8, 1, tzinfo=UTC)
DAYS = 90
SINCE = START + timedelta(days=60)  # the date the questions ask "since"
BATCH = 1_000_000
PLAIN = 50_000_000

# Event names with their share of all events.
NAMES: dict[str, float] = {
    "Page Viewed": 0.38,
    "Product Viewed": 0.22,
    "Product Searched": 0.09,
    "Product Added": 0.09,
    "Signed In": 0.07,
    "Purchase": 0.06,
    "Checkout Started": 0.05,
    "Email Opened": 0.03,
    "Support Requested": 0.006,
    "Plan Downgraded": 0.004,
}
COUNTRIES: dict[str | None, float] = {
    "IN": 0.22,
    "US": 0.20,
    "BR": 0.12,
    "ID": 0.11,
    "DE": 0.08,
    "GB": 0.08,
    "MX": 0.07,
    "AE": 0.07,
    None: 0.05,
}
CITIES = ["Pune", "Austin", "Recife", "Bandung", "Köln", "Leeds", "Puebla", "Dubai", "Mumbai"]
FIRST = ["Asha", "Bruno", "Chen", "Dana", "Emil", "Fatima", "Georg", "Hana", "Ivan", "Jaya"]
LAST = ["Adeyemi", "Bauer", "Costa", "Das", "Eriksen", "Fischer", "Gupta", "Haddad", "Ito", "Jain"]
PLANS: dict[str | None, float] = {"free": 0.6, "pro": 0.25, "team": 0.1, None: 0.05}
OPTIN: dict[bool | None, float] = {True: 0.5, False: 0.3, None: 0.2}

RECORD_SCHEMA = pa.schema(
    [
        ("userId", pa.string()),
        ("firstName", pa.string()),
        ("lastName", pa.string()),
        ("country", pa.string()),
        ("city", pa.string()),
        ("email", pa.string()),
        ("emailOptin", pa.bool_()),
        ("plan", pa.string()),  # a custom property of type string
        ("lifetimeValue", pa.float64()),  # a custom property of type number
    ]
)
EVENT_SCHEMA = pa.schema(
    [
        ("record", pa.int32()),  # place of the person among the records, from 0
        ("name", pa.string()),
        ("at", pa.int64()),  # microseconds since 1970, UTC
        ("id", pa.string()),
        ("properties", pa.string()),  # a JSON object
    ]
)
HAPPENED_SCHEMA = pa.schema([EVENT_SCHEMA.field(i) for i in range(3)])

_PARETO = 1.5  # the shape of the Pareto law
_SLOTS = 4  # draws in the table of activity for a person of the least activity
_CAP = 1_000  # nobody is more than this many times as active as the least active
_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)

Ints = npt.NDArray[np.int64]


class Size(msgspec.Struct, frozen=True):
    """How many people and events a population holds."""

    records: int
    events: int

    def __str__(self) -> str:
        return f"{self.records}x{self.events}"

    @property
    def plain(self) -> bool:
        """Whether events are so many that they are made without ids and properties."""
        return self.events > PLAIN


def user_id(n: int) -> str:
    """The userId of the n-th person, from 0."""
    return f"u{n:08d}"


def records(size: Size, seed: int = SEED, batch: int = BATCH) -> Iterator[pa.RecordBatch]:
    """All people, in batches of `RECORD_SCHEMA`, the n-th row being person n."""
    for k, first in enumerate(range(0, size.records, batch)):
        rows = min(batch, size.records - first)
        rng = np.random.default_rng([seed, 1, k])
        yield _record_batch(rng, first, rows)


def events(size: Size, seed: int = SEED, batch: int = BATCH) -> Iterator[pa.RecordBatch]:
    """All events in the order of their time, in batches of `EVENT_SCHEMA`."""
    for rng, who, at in _drawn(size, seed, batch):
        yield _event_batch(rng, who, at)


def happened(size: Size, seed: int = SEED, batch: int = BATCH) -> Iterator[pa.RecordBatch]:
    """The same events without ids and properties, which take most of the time to make."""
    for rng, who, at in _drawn(size, seed, batch):
        kind = _draw(rng, list(NAMES.values()), len(who))
        names = pa.array(list(NAMES)).take(pa.array(kind))
        columns = [pa.array(who), names, pa.array(at)]
        yield pa.RecordBatch.from_arrays(columns, schema=HAPPENED_SCHEMA)


def _drawn(
    size: Size, seed: int, batch: int
) -> Iterator[tuple[np.random.Generator, npt.NDArray[np.int32], Ints]]:
    """Who did something when, with the source of chance that makes the rest of a batch."""
    table = _activity(size.records, seed)
    start, period = _us(START), DAYS * 86_400_000_000
    for k, first in enumerate(range(0, size.events, batch)):
        rows = min(batch, size.events - first)
        rng = np.random.default_rng([seed, 2, k])
        at = start + np.sort(
            rng.integers(
                period * first // size.events, period * (first + rows) // size.events, rows
            )
        )
        yield rng, table[rng.integers(0, len(table), rows)], at


def _us(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _activity(people: int, seed: int) -> npt.NDArray[np.int32]:
    """A table in which person n stands as often as they are active: a draw from it is a person."""
    rng = np.random.default_rng([seed, 0])
    weight = np.minimum((1.0 - rng.random(people)) ** (-1.0 / _PARETO), _CAP)
    return np.repeat(np.arange(people, dtype=np.int32), np.round(weight * _SLOTS).astype(np.int64))


def _record_batch(rng: np.random.Generator, first: int, rows: int) -> pa.RecordBatch:
    numbers = pc.utf8_lpad(
        pa.array(np.arange(first, first + rows)).cast(pa.string()), width=8, padding="0"
    )
    ids = pc.binary_join_element_wise("u", numbers, "")
    value = np.round(rng.random(rows) ** 4 * 5_000, 2)
    columns = [
        ids,
        _even(rng, FIRST, rows),
        _even(rng, LAST, rows),
        _share(rng, COUNTRIES, rows),
        _even(rng, CITIES, rows),
        pc.binary_join_element_wise(ids, "example.com", "@"),
        _share(rng, OPTIN, rows),
        _share(rng, PLANS, rows),
        pa.array(value),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=RECORD_SCHEMA)


def _event_batch(rng: np.random.Generator, who: npt.NDArray[np.int32], at: Ints) -> pa.RecordBatch:
    rows = len(who)
    kind = _draw(rng, list(NAMES.values()), rows)
    columns = [
        pa.array(who),
        pa.array(list(NAMES)).take(pa.array(kind)),
        pa.array(at),
        hex_ids(rng, rows),
        _properties(rng, kind),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=EVENT_SCHEMA)


def _properties(rng: np.random.Generator, kind: Ints) -> pa.Array:
    """The JSON text of each event's properties, by what kind of event it is."""
    rows = len(kind)
    cents = pa.array(rng.integers(100, 50_000, rows) / 100).cast(pa.string())
    item = pa.array(rng.integers(1_000, 10_000, rows)).cast(pa.string())
    shapes = [
        pc.binary_join_element_wise('{"path": "/p/', item, '"}', ""),
        pc.binary_join_element_wise('{"sku": "S', item, '"}', ""),
        pc.binary_join_element_wise('{"amount": ', cents, ', "sku": "S', item, '"}', ""),
        pa.scalar("{}"),
    ]
    shape = {"Page Viewed": 0, "Product Viewed": 1, "Product Added": 1, "Purchase": 2}
    chosen = np.array([shape.get(name, 3) for name in NAMES])[kind]
    return pc.choose(pa.array(chosen), *shapes)


def hex_ids(rng: np.random.Generator, rows: int) -> pa.Array:
    """Random identifiers of 32 hexadecimal digits, as incompressible as a real client's."""
    raw = rng.integers(0, 256, (rows, 16), dtype=np.uint8)
    text = np.empty((rows, 32), dtype=np.uint8)
    text[:, 0::2] = _HEX[raw >> 4]
    text[:, 1::2] = _HEX[raw & 15]
    offsets = np.arange(0, 32 * rows + 1, 32, dtype=np.int32)
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(text))


def _even(rng: np.random.Generator, values: list[str], rows: int) -> pa.Array:
    return pa.array(values).take(pa.array(rng.integers(0, len(values), rows)))


def _share(rng: np.random.Generator, shares: Mapping[Any, float], rows: int) -> pa.Array:
    return pa.array(list(shares)).take(pa.array(_draw(rng, list(shares.values()), rows)))


def _draw(rng: np.random.Generator, shares: list[float], rows: int) -> Ints:
    edges = np.cumsum(shares)[:-1]
    return np.searchsorted(edges, rng.random(rows), side="right")
