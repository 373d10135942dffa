"""The compactor: keeps events in order in the background, a slice at a time, with long pauses."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection

import structlog

from user360.errors import Unavailable
from user360.observe import metrics
from user360.storage.warehouse import Damaged, Warehouse

log = structlog.get_logger()
# A sweep begins when so many, and such a share of all, are not in order: each event is then
# rewritten some ten times in its life, however many there are.
LEAST = 250_000
SHARE = 0.1
# Seconds between two looks whether there is anything to do.
LOOK = 5.0
# After a slice, so many times as long as it took belongs to the others.
REST = 3.0


class Compactor:
    """Sweeps over the events of one warehouse on a thread of its own.

    `warehouse` answers None while there is none; `workspaces` are those it holds.
    """

    def __init__(
        self,
        warehouse: Callable[[], Warehouse | None],
        workspaces: Callable[[], Collection[int]],
    ) -> None:
        self.warehouse = warehouse
        self.workspaces = workspaces
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="compactor", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Let the slice that is being written be finished, and stop."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()

    def _loop(self) -> None:
        while not self._closing.wait(LOOK):
            try:
                self.look()
            except Unavailable:
                continue  # it is being made anew, and will be in order then
            except Damaged:
                self._tell()
            except Exception as error:
                log.error("compaction failed", exc_info=error)

    def _tell(self) -> None:
        if (held := self.warehouse()) is not None:
            held.on_damage()

    def look(self) -> None:
        """Sweep over every workspace that needs it; say how much is not in order."""
        total = 0
        for workspace in self.workspaces():
            held = self.warehouse()
            if held is None or self._closing.is_set():
                return
            waiting, every = held.uncounted(workspace)
            if waiting >= max(LEAST, SHARE * every):
                self._sweep(held, workspace)
                waiting, _ = held.uncounted(workspace)
            total += waiting
        metrics.UNORDERED.set(total)

    def _sweep(self, held: Warehouse, workspace: int) -> None:
        began = time.perf_counter()
        slices = 0
        more = True
        while more and self.warehouse() is held and not self._closing.is_set():
            started = time.perf_counter()
            more = held.compact(workspace, 1)
            took = time.perf_counter() - started
            slices += more
            metrics.COMPACT_SECONDS.observe(took)
            self._closing.wait(REST * took)
        log.info("events put in order", slices=slices, seconds=round(time.perf_counter() - began))
