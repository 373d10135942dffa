"""A data directory of ten times the size, filled straight into the warehouse.

Through the ledger two hundred million events would take hours. The workspace and its declarations
are made by the product; people and events are copied into its relations from the peer's table, in
the order and with the places that compaction gives them. No ledger stands behind them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from bench import loaded, population
from bench.population import Size
from user360 import ids
from user360.platform import WAREHOUSE, Platform

SLICE = 8_000_000  # events written at once
_NAMES = {
    "id": "{base} + id",
    "user_id": "user_id",
    "created_at": "timestamp '{start:%Y-%m-%d}'",
    "updated_at": "timestamp '{start:%Y-%m-%d}'",
}
# What the peer's table calls the columns that the product numbers.
_PROPERTIES = {
    "firstName": "first_name",
    "lastName": "last_name",
    "country": "country",
    "city": "city",
    "email": "email",
    "emailOptin": "email_optin",
    "plan": "plan",
    "lifetimeValue": "lifetime_value",
}


def directory(cache: Path, size: Size, arrival: Path) -> Path:
    """The directory with this population, made first from the peer's file when it is not there."""
    kept = cache / f"data-{size}"
    if not kept.exists():
        part = kept.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        _fill(part, size, arrival, _columns(part))
        part.rename(kept)
    return kept


def _columns(path: Path) -> dict[str, str]:
    """The columns of people in a new directory, each with what it is made from."""
    with Platform.open(path) as platform:
        platform.write(lambda connection: loaded.declare(platform, connection))
        platform.projector.prepare()
        platform.wait()
        catalogue = platform.default.catalogue
        base = ids.record_number(platform.default.id, 1)
    fixed = {c: text.format(base=base, start=population.START) for c, text in _NAMES.items()}
    return fixed | {catalogue.by_name[n].column: column for n, column in _PROPERTIES.items()}


def _fill(path: Path, size: Size, arrival: Path, columns: dict[str, str]) -> None:
    config: dict[str, Any] = {"memory_limit": "4GB", "temp_directory": str(path / "spilled")}
    with duckdb.connect(str(path / WAREHOUSE), config=config) as connection:
        connection.execute(f"attach '{arrival}' as peer (read_only)")
        names, made = ", ".join(columns), ", ".join(columns.values())
        connection.execute(
            f"insert into w1.records ({names}) select {made} from peer.records order by id"
        )
        base = columns["id"].partition(" ")[0]
        for done, (name, start, end) in enumerate(_slices(size), 1):
            connection.execute(_EVENTS.format(base=base), [name, start, end])
            print(f"  filled {done} slices of events   ", end="\r", flush=True)
        connection.execute("checkpoint")


_EVENTS = """
    insert into w1.events_sorted
    select rowid + 1, {base} + record, name, happened, happened, id, 'csv', '', properties,
           row_number() over (partition by record order by happened desc, rowid desc)
    from peer.events where name = $1 and record >= $2 and record < $3
    order by record, happened, rowid
"""


def _slices(size: Size) -> Iterator[tuple[str, int, int]]:
    """Names in order, each with its people in as many parts as its share asks for."""
    for name in sorted(population.NAMES):
        parts = int(size.events * population.NAMES[name] / SLICE) + 1
        for part in range(parts):
            yield name, size.records * part // parts, size.records * (part + 1) // parts
