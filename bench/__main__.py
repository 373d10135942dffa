"""`python -m bench` lists the benchmarks, `python -m bench NAME` runs one, `all` runs each."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import msgspec

from bench import (
    bulk,
    bulk_out,
    following,
    footprint,
    freshness,
    inbox,
    machine,
    pages,
    peers,
    report,
    segments,
    segments_large,
    why,
    writes,
)
from bench.population import Size


class Options(msgspec.Struct, frozen=True):
    """What a benchmark is told."""

    cache: Path
    size: Size
    rounds: int


Benchmark = Callable[[Options], report.Result]

BENCHMARKS: dict[str, Benchmark] = {
    "ingest": lambda o: writes.ingest(o.cache, o.rounds),
    "identify": lambda o: writes.identify(o.cache, o.rounds),
    "segments": lambda o: segments.measure(o.cache, o.size, o.rounds),
    "segments-large": lambda o: segments_large.measure(o.cache, o.size, o.rounds),
    "freshness": lambda o: freshness.measure(o.cache, o.size),
    "following": lambda o: following.measure(o.cache, o.size),
    "why": lambda o: why.measure(o.cache, o.size),
    "bulk": lambda o: bulk.measure(o.cache, o.size.records),
    "bulk-out": lambda o: bulk_out.measure(o.cache, o.size.records, o.rounds),
    "inbox": lambda o: inbox.measure(o.cache, o.size, o.rounds),
    "pages": lambda o: pages.measure(o.cache, o.size, o.rounds),
    "footprint": lambda o: footprint.measure(o.cache, o.size, o.rounds),
    "floors": lambda o: peers.measure(o.cache, o.size, o.rounds),
}
MEANINGS = {
    "ingest": "batches of events over HTTP, against bare SQLite",
    "identify": "single identify calls over HTTP, against bare SQLite",
    "segments": "three questions, against DuckDB, ClickHouse and PostgreSQL",
    "segments-large": "one of them over ten million people, against DuckDB and ClickHouse",
    "freshness": "from the answer to an event until a preview counts it",
    "following": "from a write until segments tell of who enters and leaves",
    "why": "why somebody is in a segment, over HTTP",
    "bulk": "files imported, imported again and undone, against sqlite-utils and DuckDB",
    "bulk-out": "exports of everybody, against DuckDB's own",
    "inbox": "messages in and out to screens, a chat opened, a connected widget",
    "pages": "every page as one who signed in asks for it",
    "footprint": "memory and seconds of a start",
    "floors": "the floors and peers by themselves, without the product",
    "all": "all but the floors, which the others measure in their own runs",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", nargs="?", choices=list(MEANINGS), help="which one to run")
    parser.add_argument("--cache", type=Path, default=Path(".bench"), help="kept between runs")
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--rounds", type=int, default=7, help="measurements of each side")
    given = parser.parse_args()
    if given.name is None:
        print("\n".join(f"{name:14} {meaning}" for name, meaning in MEANINGS.items()))
        return
    given.cache.mkdir(parents=True, exist_ok=True)
    options = Options(given.cache, Size(given.records, given.events), given.rounds)
    alone = [name for name in BENCHMARKS if name != "floors"]
    for name in alone if given.name == "all" else [given.name]:
        run(name, options)


def run(name: str, options: Options) -> None:
    """Measure one benchmark, say what came out, keep it."""
    print(f"{name}: {MEANINGS[name]} ...", flush=True)
    facts = machine.facts()
    result = msgspec.structs.replace(BENCHMARKS[name](options), machine=facts)
    for figure in result.figures:
        print(f"  {figure.what:50} {report.shown(figure):>20}  {report.promise(figure)}")
    report.publish(result)


if __name__ == "__main__":
    main()
