"""Exports of everybody: how long each kind of file takes, and in how much memory."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from bench import timing
from bench.report import Figure, Result, at_most
from user360 import ids
from user360.access.change import Change
from user360.exports import making
from user360.exports.asked import Asked
from user360.platform import WAREHOUSE, Platform
from user360.records import declare
from user360.records.properties import Type
from user360.settings import Settings

FORMATS = ("csv", "parquet", "jsonl", "xlsx")
# The twelve properties beside the userId, and what each is made from.
PROPERTIES = {
    "firstName": "'First ' || i % 1000",
    "lastName": "'Last, ' || i % 5000",
    "gender": "if(i % 2 = 0, 'f', 'm')",
    "country": "if(i % 5 < 3, 'IN', 'US')",
    "city": "'City ' || i % 300",
    "email": "'user' || i || '@example.com'",
    "phone": "'+9198' || lpad((i % 100000000)::varchar, 8, '0')",
    "dob": "date '1960-01-01' + (i % 15000)::integer",
    "emailOptin": "i % 3 = 0",
    "tags": "['import', 'batch ' || i % 20]",
    "lifetimeValue": "(i % 100000) / 8",
    "lastOrder": "timestamp '2026-01-01' + to_seconds(i % 20000000)",
}
CUSTOM = {"lifetimeValue": Type.NUMBER, "lastOrder": Type.DATETIME}


class Run(msgspec.Struct):
    """One export: seconds, and MB of memory before it and at its peak."""

    seconds: float
    idle: float
    peak: float


def measure(cache: Path, records: int, rounds: int) -> Result:
    """Export everybody, each kind of file in a process of its own; beside it DuckDB's own COPY."""
    data = directory(cache, records)
    target = cache / "exported"
    sides: dict[str, Callable[[], Run]] = {}
    for kind in FORMATS:
        sides[kind] = functools.partial(_exported, data, kind, target)
    for kind in FORMATS[:3]:
        sides[f"COPY {kind}"] = functools.partial(_copied, data, kind, target)
    runs = timing.in_turns(sides, rounds)
    target.unlink()
    middle = {name: timing.median([run.seconds for run in each]) for name, each in runs.items()}
    most = {k: max(run.peak - run.idle for run in runs[k]) for k in FORMATS}
    return Result(
        name="bulk-out",
        title="Exports of everybody",
        method=(
            f"{records:,} records with a userId and 12 properties of all kinds, in the order of"
            " their numbers, into a file on the same disk: the product in a process of its own for"
            " each export, from asking to the last byte; DuckDB's own COPY of the same columns of"
            " the same file, in the same order and with as many threads, without anything that"
            " makes cells harmless or lists readable. Memory is the most that the process held"
            f" above what it held when it had opened the directory. Medians of {rounds} rounds in"
            " turns; of memory the worst."
        ),
        figures=[
            at_most("CSV", middle["csv"], 10, "s"),
            at_most("Parquet", middle["parquet"], 5, "s"),
            at_most("most memory above idle", max(most.values()), 500, "MB"),
            Figure("JSON lines", middle["jsonl"], "s"),
            Figure("XLSX", middle["xlsx"], "s"),
            *(
                Figure(f"{kind} / DuckDB's COPY", middle[kind] / middle[f"COPY {kind}"], "ratio")
                for kind in FORMATS[:3]
            ),
            *(Figure(f"memory above idle: {kind}", most[kind], "MB") for kind in FORMATS),
        ],
    )


def directory(cache: Path, records: int) -> Path:
    """A directory with so many people, filled straight into the warehouse; made once."""
    kept = cache / f"people-{records}"
    if not kept.exists():
        part = kept.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        _fill(part, records, _columns(part))
        part.rename(kept)
    return kept


def _columns(path: Path) -> dict[str, str]:
    with Platform.open(path) as platform:

        def make(connection: Any) -> None:
            change: Change = platform.change(connection, platform.default, "bench")
            for name, kind in CUSTOM.items():
                declare.declare(change, name, kind)

        platform.write(make)
        platform.wait()
        catalogue = platform.default.catalogue
        return {name: catalogue.by_name[name].column for name in PROPERTIES}


def _fill(path: Path, records: int, columns: dict[str, str]) -> None:
    base = ids.record_number(1, 1)
    made = ", ".join(PROPERTIES[name] for name in columns)
    with duckdb.connect(str(path / WAREHOUSE)) as connection:
        connection.execute(
            "INSERT INTO w1.records (id, user_id, created_at, updated_at,"
            f" {', '.join(columns.values())}) SELECT {base} + i, 'user-' || i,"
            f" timestamp '2026-01-01', timestamp '2026-01-01', {made} FROM range({records}) t(i)"
        )
        connection.execute("CHECKPOINT")


def _exported(data: Path, kind: str, target: Path) -> Run:
    command = [sys.executable, "-m", "bench.bulk_out", str(data), kind, str(target)]
    done = subprocess.run(command, check=True, capture_output=True)
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Run)


def _copied(data: Path, kind: str, target: Path) -> Run:
    form = {"jsonl": "FORMAT json", "csv": "FORMAT csv, HEADER", "parquet": "FORMAT parquet"}[kind]
    settings: dict[str, Any] = {"threads": Settings().warehouse_threads}
    with duckdb.connect(str(data / WAREHOUSE), read_only=True, config=settings) as connection:
        columns = "* EXCLUDE (id, created_at, updated_at)"
        select = f"SELECT {columns} FROM w1.records ORDER BY id"
        copy = f"COPY ({select}) TO '{target}' ({form})"
        return Run(timing.seconds(lambda: connection.execute(copy).fetchall()), 0, 0)


def one(data: Path, kind: str, target: Path) -> Run:
    """Export everybody once, in this process."""
    with Platform.open(data) as platform:
        platform.wait()
        idle = _memory("VmRSS")
        began = time.perf_counter()
        begun = making.begun(platform, platform.default, Asked(format=kind))
        with begun as made, target.open("wb") as file:
            for part in made.parts:
                file.write(part)
        return Run(time.perf_counter() - began, idle, _memory("VmHWM"))


def _memory(line: str) -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition(f"{line}:")[2].split()[0]) / 1024


if __name__ == "__main__":
    print(msgspec.json.encode(one(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))).decode())
