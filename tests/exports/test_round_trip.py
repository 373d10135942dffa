"""A file exported from here imports here again: the same people come out of another workspace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exports import world
from user360 import ids
from user360.access.workspaces import Workspace
from user360.exports.asked import Asked
from user360.imports import jobs as imports
from user360.imports import options
from user360.jobs.job import Job
from user360.platform import Platform
from user360.settings import Settings

KINDS = ("jsonl", "csv", "xlsx", "parquet")


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform.temporary(Settings()) as made:
        imports.register(made)
        yield made


def imported(platform: Platform, into: Workspace, name: str, content: bytes) -> Job:
    """A file imported as it is, without a tag that tells of it."""
    job_id = ids.new_id()
    imports.upload_path(platform, job_id).write_bytes(content)
    wanted = options.read({"defaultTag": False})
    imports.ask(platform, into, "test", job_id, name, wanted)
    job = platform.jobs.wait(job_id, 60)
    assert job.status == "completed", job.result
    assert job.result["failed"] == 0, job.result
    return job


def known(people: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """People of whom something is known whatever becomes of the rest: an empty row is nobody."""
    return [{**person, "a_boolean": True} for person in people]


@settings(max_examples=6)
@given(st.lists(world.person(), min_size=1, max_size=10).map(known))
def test_what_comes_out_goes_in_and_comes_out_the_same(
    platform: Platform, people: list[dict[str, Any]]
) -> None:
    home = world.workspace(platform)
    world.write(platform, home, people)
    for kind in KINDS:
        content = world.file(platform, home, Asked(format=kind))
        away = world.workspace(platform)
        imported(platform, away, f"people.{kind}", content)
        again = world.file(platform, away, Asked(format=kind))
        assert world.rows(kind, again, away) == world.rows(kind, content, home), kind
        if kind in ("jsonl", "csv"):
            assert again == content


def test_a_file_changes_nothing_where_it_came_from(platform: Platform) -> None:
    home = world.workspace(platform)
    people: list[dict[str, Any]] = [
        {"userId": "=1+1", "firstName": "-5", "tags": ["a;b", "c"], "a_number": 0.1},
        {"userId": "+919876543210", "phone": "+919876543210", "a_list": ["[", "=x"]},
        {"userId": "'quoted", "a_text": '"', "a_datetime": "2026-11-22T05:40:00.123Z"},
        {"userId": "plain", "dob": "1990-02-28", "a_time": "05:40:00", "emailOptin": False},
    ]
    world.write(platform, home, people)
    before = world.shown(platform, home)
    for kind in KINDS:
        told = imported(platform, home, f"p.{kind}", world.file(platform, home, Asked(format=kind)))
        assert (told.result["new"], told.result["conflicting"]) == (0, 4), kind
        assert told.result["changed"] == 0, kind
    assert world.shown(platform, home) == before
