"""A job: what was asked, by whom, how far it is, and what became of it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from user360.errors import Problem

Status = Literal["queued", "running", "completed", "failed", "cancelled", "undone"]
UNFINISHED = ("queued", "running")


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the queue; times are microseconds since 1970.

    `params`, `progress` and `result` are JSON as the job's kind means them; a failed job's
    `result` says why. `cancel` is set once somebody wants it to end early; `deaths` is how often in
    a row the process died with it in its hands, and it had not got on since.
    """

    id: str
    workspace: int
    kind: str
    actor: str
    created_at: int
    status: Status = "queued"
    params: dict[str, Any] = {}
    progress: dict[str, Any] = {}
    result: Any = None
    cancel: bool = False
    deaths: int = 0
    started_at: int | None = None
    finished_at: int | None = None

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.status not in UNFINISHED

    @property
    def reason(self) -> str:
        """Why it failed; empty when it did not."""
        return str(self.result["reason"]) if self.status == "failed" else ""


class Interrupted(Exception):
    """A job is asked to end where it is; what it has committed stays."""


class Cancelled(Interrupted):
    """Somebody cancelled the job."""


class Stopped(Interrupted):
    """The process ends; the job goes on where it was at the next start."""


def fatal(job: Job) -> dict[str, Any]:
    """Why a job is not taken up again, as its result."""
    reason = (
        f"The process died {job.deaths} times in a row while it was at work on this, so it is not"
        " tried again; what it had done by then stays"
    )
    return {"code": "fatal", "reason": reason, "errors": []}


def failure(error: Exception) -> dict[str, Any]:
    """Why a job failed, as its result. Of a defect only its kind is told: it may hold a value."""
    if isinstance(error, Problem):
        errors = [msgspec.to_builtins(fault) for fault in error.faults]
        return {"code": error.code, "reason": error.detail, "errors": errors}
    reason = f"The job brought out a defect ({type(error).__name__}); it has been logged"
    return {"code": "defect", "reason": reason, "errors": []}
