"""Files of people over HTTP: imported, imported again, taken back; what that leaves for others.

Everything is done to a server in a process of its own, as its users would: the time is that from
the first byte of the request until the import is visible.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from bench import bulk_files, http_load, loaded, messages, server, timing
from bench.clickhouse import PEERS
from bench.population import Size
from bench.report import Figure, Result, at_least, at_most
from bench.server import Failed, Server

PEOPLE = 100_000  # who are there while others write and ask during an import
BATCH = 500
CLIENTS = 2
BATCHES = 400
LARGE = 5_000_000_000  # bytes
_BOUNDARY = "bench-boundary"
_OPTIONS = {"userId": "userId", "createProperties": True, "defaultTag": False}
_LOOK = 0.2  # seconds between two looks at a job
PATH = "/api/v1/segments/preview"
WHERE = {"property": "city", "op": "is", "values": ["Berlin"]}


class Step(msgspec.Struct, frozen=True):
    """One job: seconds until it was visible, processor seconds, and MB above idle at its peak."""

    seconds: float
    processor: float
    memory: float


def measure(cache: Path, rows: int) -> Result:
    """Import, import again, undo both; the peers on one file; a large one; others meanwhile."""
    first, second = bulk_files.first(cache, rows), bulk_files.second(cache, rows)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        steps = _steps(Path(folder), first, second, rows)
        utils, duck = _peers(Path(folder), first)
    large = bulk_files.large(cache, LARGE * rows // 1_000_000)
    with tempfile.TemporaryDirectory(dir=cache) as folder, server.running(Path(folder)) as running:
        steps["a large file"] = _import(running, large, running.memory()["VmRSS"])
    meanwhile = _meanwhile(cache, first)
    return Result(
        name="bulk",
        title="Imports",
        method=(
            f"A CSV of {rows:,} rows with a userId and twelve properties of seven types goes over "
            "HTTP into an empty workspace, every cell checked; then a second one in which one row "
            f"of {bulk_files.CHANGED} differs, as `update`; then both are undone. A time is that "
            "from the first byte sent until all of it is visible; memory is the most the server "
            "held, less what it held idle. Beside it `sqlite-utils insert` and DuckDB's own "
            "reading of the first file, one after the other, neither of which checks anything. "
            f"The large file has {large.stat().st_size / 1e9:.1f} GB. Ingest is of batches of "
            f"{BATCH} events from {CLIENTS} clients, by itself and during an import."
        ),
        figures=[*_figures(steps, utils + duck, rows), *meanwhile],
    )


def _figures(steps: dict[str, Step], peers: float, rows: int) -> list[Figure]:
    first, memory = steps["new"], max(step.memory for step in steps.values())
    wanted = {"new": 40, "again, 1 % changed": 30, "undo of that": 30}
    reach = rows / 1_000_000
    return [
        *(at_most(name, steps[name].seconds, most * reach, "s") for name, most in wanted.items()),
        Figure("undo of all", steps["undo of all"].seconds, "s"),
        at_least("speed of the import / both peers together", peers / first.seconds, 0.5),
        Figure("sqlite-utils and DuckDB, one after the other", peers, "s"),
        at_most("memory above idle, the most of all", memory, 500, "MB"),
        *(Figure(f"{n}: processor time", s.processor, "s") for n, s in steps.items()),
        *(Figure(f"{n}: memory above idle", s.memory, "MB") for n, s in steps.items()),
        Figure("a large file", steps["a large file"].seconds, "s"),
    ]


def _steps(folder: Path, first: Path, second: Path, rows: int) -> dict[str, Step]:
    """Each in a server that was started anew, so that each peak is its own."""
    data = folder / "data"
    steps: dict[str, Step] = {}
    for name, file in (("new", first), ("again, 1 % changed", second)):
        with server.running(data) as running:
            steps[name] = _import(running, file, running.memory()["VmRSS"])
    with server.running(data) as running:
        found = running.ask("GET", "/api/v1/imports")["imports"]
        told = [(job["new"], job["changed"]) for job in found]
        if told != [(0, rows // bulk_files.CHANGED), (rows, 0)]:
            raise Failed(f"the imports came to {told}")
    for name, job in zip(("undo of that", "undo of all"), found, strict=True):
        with server.running(data) as running:
            steps[name] = _undo(running, job["id"])
    return steps


def _import(running: Server, file: Path, idle: float) -> Step:
    with _step(running, idle) as finish:
        job = upload(running.port, file)
        wait(running, f"/api/v1/imports/{job}")
        return finish()


def _undo(running: Server, job: str) -> Step:
    with _step(running, running.memory()["VmRSS"]) as finish:
        undo = running.ask("POST", f"/api/v1/imports/{job}/undo")["undo"]
        wait(running, f"/api/v1/jobs/{undo}")
        return finish()


@contextlib.contextmanager
def _step(running: Server, idle: float) -> Iterator[Callable[[], Step]]:
    began, busy = time.perf_counter(), running.processor_seconds()

    def finish() -> Step:
        seconds = time.perf_counter() - began
        used = running.processor_seconds() - busy
        return Step(seconds, used, running.memory()["VmHWM"] - idle)

    yield finish


def upload(port: int, file: Path) -> str:
    """Send a file as a form, a piece at a time; the id of its import."""
    options = msgspec.json.encode(_OPTIONS).decode()
    part = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="options"\r\n\r\n{options}\r\n'
    named = f'form-data; name="file"; filename="{file.name}"'
    head = f"{part}--{_BOUNDARY}\r\nContent-Disposition: {named}\r\n\r\n".encode()
    tail = f"\r\n--{_BOUNDARY}--\r\n".encode()
    connection = http.client.HTTPConnection(server.HOST, port, timeout=600)
    with contextlib.closing(connection), file.open("rb") as body:
        connection.putrequest("POST", "/api/v1/imports")
        connection.putheader("x-api-key", server.KEY)
        connection.putheader("content-type", f"multipart/form-data; boundary={_BOUNDARY}")
        size = len(head) + file.stat().st_size + len(tail)
        connection.putheader("content-length", str(size))
        connection.endheaders(head)
        while piece := body.read(1 << 20):
            connection.send(piece)
        connection.send(tail)
        answer = connection.getresponse()
        text = answer.read()
    if answer.status != 202:
        raise Failed(f"the import was answered {answer.status}: {text[:500].decode()}")
    return str(msgspec.json.decode(text)["id"])


def wait(running: Server, path: str) -> dict[str, Any]:
    """A job once it has completed. Raises `Failed` when it ends otherwise."""
    with contextlib.closing(server.line(running.port)) as connection:
        while True:
            found: dict[str, Any] = server.ask(connection, "GET", path)
            if found["status"] not in ("queued", "running"):
                break
            time.sleep(_LOOK)
    if found["status"] != "completed":
        raise Failed(f"{path} is {found['status']}: {found}")
    return found


def _peers(folder: Path, file: Path) -> tuple[float, float]:
    """Seconds of `sqlite-utils insert` and of DuckDB's own reading of the same file."""
    command = [sys.executable, "-m", "sqlite_utils", "insert", str(folder / "peer.sqlite")]
    given = [*command, "people", str(file), "--csv", "--silent"]
    found = os.environ | {"PYTHONPATH": str(PEERS)}
    utils = timing.seconds(lambda: subprocess.run(given, check=True, env=found))

    def load() -> None:
        with duckdb.connect(str(folder / "peer.duckdb")) as connection:
            connection.execute("create table people as from read_csv($1)", [str(file)])

    return utils, timing.seconds(load)


def _meanwhile(cache: Path, file: Path) -> list[Figure]:
    """Ingest by itself, then ingest and previews while a file is imported."""
    with loaded.copy(cache, Size(PEOPLE, 0)) as data, server.running(data) as running:
        alone = _ingest(running, 1)
        running.settled()
        job = upload(running.port, file)
        with ThreadPoolExecutor(1) as beside:
            asking = beside.submit(_previews, running.port, f"/api/v1/imports/{job}")
            busy = _ingest(running, 2)
            previews = asking.result()
        wait(running, f"/api/v1/imports/{job}")
    p95 = timing.percentile(previews, 95)
    return [
        at_least("ingest during an import / by itself", busy / alone, 0.5),
        Figure("ingest by itself", alone, "events/s"),
        Figure("ingest during an import", busy, "events/s"),
        at_most("a preview during an import, p95", p95, 300, "ms"),
        Figure("a preview during an import, p50", timing.percentile(previews, 50), "ms"),
    ]


def _previews(port: int, path: str) -> list[float]:
    """How long previews take, in milliseconds, until the import at `path` is done."""
    took: list[float] = []
    with contextlib.closing(server.line(port)) as connection:
        while server.ask(connection, "GET", path)["status"] in ("queued", "running"):
            began = time.perf_counter()
            server.ask(connection, "POST", PATH, {"where": WHERE})
            took.append((time.perf_counter() - began) * 1_000)
            time.sleep(_LOOK)
    return took


def _ingest(running: Server, seed: int) -> float:
    """Events a second that are answered."""
    with http_load.prepared(running.port, _batches, seed) as send:
        load = send()
    return len(load.answers) * BATCH / load.seconds


def _batches(seed: int) -> list[list[bytes]]:
    bodies = messages.batches(BATCHES, BATCH, PEOPLE, seed, datetime.now(UTC))
    requests = [http_load.post("/v1/batch", body) for body in bodies]
    return [requests[k::CLIENTS] for k in range(CLIENTS)]
