"""A server of the product in a process of its own: started, asked, measured, stopped by its id."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

KEY = "bench-key-for-one-run-only"
HOST = "127.0.0.1"
_PATIENCE = 120.0  # seconds until what does not happen is given up
_END = 30.0  # seconds a server has to end by itself


class Failed(Exception):
    """The server did not start, or answered something else than was expected."""


class Server(msgspec.Struct, frozen=True):
    """A server that is ready; `started` is the time from its start until then, in seconds."""

    pid: int
    port: int
    started: float

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The decoded answer of one call. Raises `Failed` for any status but 2xx."""
        with contextlib.closing(line(self.port)) as connection:
            return ask(connection, method, path, body)

    def position(self) -> int:
        """The position of the newest entry of the log."""
        with contextlib.closing(line(self.port)) as connection:
            return _positions(connection)[0]

    def settled(self) -> float:
        """Wait until the warehouse shows all that was answered; how long that took, in seconds."""
        began = time.perf_counter()
        with contextlib.closing(line(self.port)) as connection:
            _until(lambda: _level(connection), "the warehouse never caught up")
        return time.perf_counter() - began

    def memory(self) -> dict[str, float]:
        """Resident memory in MB: as it is (`VmRSS`), and the most it ever was (`VmHWM`)."""
        lines = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines()
        told = {name: rest for name, _, rest in (text.partition(":") for text in lines)}
        return {name: int(told[name].split()[0]) / 1_024 for name in ("VmRSS", "VmHWM")}

    def processor_seconds(self) -> float:
        """The processor time used so far, in the server's own code and in the system's for it."""
        told = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def running(data: Path) -> Iterator[Server]:
    """A ready server on a data directory; it is told to stop at the end, and waited for."""
    port = _free_port()
    command = [sys.executable, "-m", "user360", "serve", "--data", str(data)]
    settings = {"USER360_ADMIN_KEY": KEY, "USER360_LOG_LEVEL": "warning"}
    began = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--host", HOST, "--port", str(port)],
        env=os.environ | settings,
        stdout=subprocess.DEVNULL,
    )
    try:
        _until(lambda: _ready(process, port), "the server never got ready")
        yield Server(process.pid, port, time.perf_counter() - began)
    finally:
        _stop(process)


def line(port: int) -> http.client.HTTPConnection:
    """A connection that is kept open from call to call."""
    return http.client.HTTPConnection(HOST, port, timeout=_PATIENCE)


def ask(connection: http.client.HTTPConnection, method: str, path: str, body: Any = None) -> Any:
    """The decoded answer of one call. Raises `Failed` for any status but 2xx."""
    content = None if body is None else msgspec.json.encode(body)
    text = _answer(connection, method, path, content)
    return msgspec.json.decode(text) if text else None


def _answer(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None
) -> bytes:
    headers = {"x-api-key": KEY, "content-type": "application/json"}
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    text = response.read()
    if response.status >= 300:
        raise Failed(f"{method} {path} answered {response.status}: {text[:500].decode()}")
    return text


def _level(connection: http.client.HTTPConnection) -> bool:
    ledger, projected = _positions(connection)
    return ledger == projected


def _positions(connection: http.client.HTTPConnection) -> tuple[int, int]:
    """How far the log goes, and how much of it the warehouse shows."""
    text = _answer(connection, "GET", "/metrics", None).decode()
    told = dict(row.rsplit(" ", 1) for row in text.splitlines() if not row.startswith("#"))
    ledger, projected = "user360_ledger_position", "user360_projected_position"
    return int(float(told[ledger])), int(float(told[projected]))


def _ready(process: subprocess.Popen[bytes], port: int) -> bool:
    if process.poll() is not None:
        raise Failed(f"the server ended by itself with status {process.returncode}")
    with contextlib.suppress(OSError, Failed), contextlib.closing(line(port)) as connection:
        return bool(_answer(connection, "GET", "/readyz", None))
    return False


def _until(happened: Any, otherwise: str) -> None:
    """Ask again every few milliseconds. Raises `Failed` with `otherwise` after too long."""
    end = time.perf_counter() + _PATIENCE
    while not happened():
        if time.perf_counter() > end:
            raise Failed(otherwise)
        time.sleep(0.005)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
