"""Whoever follows a job is told when it comes on, so that nobody has to ask again and again."""

from __future__ import annotations

from collections.abc import Callable

Heard = Callable[[str], None]


class Hearing:
    """Tells listeners the id of each job that comes on; once `closed`, nobody need listen on.

    Listeners are called on the threads of jobs and must return at once.
    """

    def __init__(self) -> None:
        self._heard: dict[int, Heard] = {}
        self._next = 0
        self.closed = False

    def listen(self, heard: Heard) -> Callable[[], None]:
        """Have `heard` called from now on; returns what ends that."""
        self._next += 1
        number = self._next
        self._heard[number] = heard

        def end() -> None:
            self._heard.pop(number, None)

        return end

    def tell(self, job_id: str) -> None:
        """A job has come on."""
        for heard in list(self._heard.values()):
            heard(job_id)

    def close(self) -> None:
        """The process ends: whoever listens is told so, with no id."""
        self.closed = True
        self.tell("")
