"""Deleting and tagging all that a condition is true of: asked for, watched, told."""

from __future__ import annotations

import time
from typing import Any

from user360.cli.api import Api, Refused
from user360.cli.connected import confirm
from user360.errors import Fault

UNFINISHED = ("queued", "running")
FIRST_LOOK, LOOK = 0.05, 0.5  # seconds between two questions


def delete(api: Api, condition: Any, yes: bool) -> dict[str, Any]:
    """Delete all a condition is true of; how many there were."""
    total = _count(api, condition)
    confirm(f"Delete {total:,} customers with all their events?", yes)
    body = {"where": condition, "expect": total}
    return _whole(api, api.post("users", "delete", body=body), "deleted")


def tag(api: Api, condition: Any, tags: dict[str, list[str]], yes: bool) -> dict[str, Any]:
    """Add and remove tags of all a condition is true of; how many there were."""
    total = _count(api, condition)
    confirm(f"Change the tags of {total:,} customers?", yes)
    body = {"where": condition, "expect": total, **tags}
    return _whole(api, api.post("users", "tag", body=body), "tagged")


def _count(api: Api, condition: Any) -> int:
    return int(api.post("segments", "preview", body={"where": condition})["count"])


def _whole(api: Api, told: dict[str, Any], done: str) -> dict[str, Any]:
    """The answer, once it is one: of very many it is a job, which is watched to its end.

    Raises `Refused` when the job did not come to its end by itself; it says how far it got.
    """
    if done in told:
        return told
    job = _followed(api, told, "Deleting" if done == "deleted" else "Tagging")
    progress = job["progress"]
    if job["status"] != "completed":
        reason = job["reason"] or f"it was {job['status']}"
        message = f"{done.title()} {progress.get('changed', 0):,}, then {reason}"
        raise Refused(message, faults=[Fault("", job["status"], message)])
    return {done: progress["changed"], "missing": [], "left": progress["left"], "job": job["id"]}


def _followed(api: Api, job: dict[str, Any], what: str) -> dict[str, Any]:
    from user360.cli import progress

    pause = FIRST_LOOK
    with progress.bar(what) as reached:
        while (job := api.get("jobs", job["id"]))["status"] in UNFINISHED:
            if told := job["progress"]:
                reached(told["done"], told["total"])
            time.sleep(pause)
            pause = min(2 * pause, LOOK)
        if told := job["progress"]:
            reached(told["done"], told["total"])
    return job
