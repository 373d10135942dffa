"""The how-tos on segments, done as they say on people of whom it is known where they belong."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.cli.conftest import Run
from user360.clock import SECOND
from user360.ingest.call import Call, Event
from user360.platform import Platform

HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to"
DAY = 86_400 * SECOND
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Part(NamedTuple):
    """A section of a page: its files by name, and its commands."""

    heading: str
    files: dict[str, str]
    commands: list[list[str]]


def parts(name: str) -> list[Part]:
    """The sections of a page; a block that is no command is the file named last before it."""
    found = []
    for section in re.split(r"^##? ", (HOW_TO / name).read_text(encoding="utf-8"), flags=re.M)[1:]:
        files, commands = {}, []
        for block in BLOCK.finditer(section):
            if block[1] == "console":
                commands.append(shlex.split(block[2])[1:])
            elif block[1] in ("json", "csv"):
                named = re.findall(r"`([\w-]+\.(?:json|csv))`", section[: block.start()])
                files[named[-1]] = block[2]
        found.append(Part(section.splitlines()[0], files, commands))
    return found


Settle = Callable[..., None]


@pytest.fixture
def settle(directory: Path) -> Settle:
    """Writes people with their events, each so many days ago."""

    def settle(people: dict[str, tuple[dict[str, Any], list[tuple[Any, ...]]]]) -> None:
        with Platform.open(directory) as platform:
            now, where = platform.now(), {"workspace": platform.default.id, "source": "api"}
            calls = []
            for user, (properties, events) in people.items():
                given: dict[str, Any] = {**where, "ref": "test", "user_id": user}
                calls.append(Call(at=now, message_id=user, properties=properties, **given))
                for i, (days, name, *held) in enumerate(events):
                    event = Event(name, held[0] if held else {})
                    at = now - int(days * DAY)
                    calls.append(Call(at=at, message_id=f"{user}{i}", event=event, **given))
            assert all(outcome.problem is None for outcome in platform.settle(calls))

    return settle


@pytest.fixture
def follow(at: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Part], list[str]]:
    """Does what a section says; returns what its commands answered."""
    monkeypatch.chdir(tmp_path)

    def follow(part: Part) -> list[str]:
        for name, text in part.files.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        said = []
        for words in part.commands:
            told = at(*words)
            assert told.code == 0, (words, told.err)
            said.append(told.out)
        return said

    return follow


def members(at: Run, segment: str) -> set[str]:
    return {u["userId"] for u in at("segment", "members", segment, "--json").json["users"]}


PRICES = {"name": "Pricing & plans"}
SOON, LATER = date.today() + timedelta(days=3), date.today() + timedelta(days=60)
PEOPLE: dict[str, tuple[dict[str, Any], list[tuple[Any, ...]]]] = {
    "buyer": ({"email": "buyer@example.com"}, [(2, "Order Completed"), (1, "Page Viewed")]),
    "silent": ({"emailOptin": False, "email": "silent@example.com"}, [(1, "Order Completed")]),
    "gone": ({}, [(40, "Page Viewed"), (41, "Order Completed")]),
    "new": ({}, [(3, "Signed Up"), (3, "Page Viewed")]),
    "settled": ({}, [(5, "Signed Up"), (4, "Profile Completed")]),
    "old": ({}, [(20, "Signed Up")]),
    "cart": ({}, [(2.5, "Order Completed"), (2, "Product Added")]),
    "bought": ({}, [(2, "Product Added"), (1, "Order Completed")]),
    "forgot": ({}, [(9, "Product Added")]),
    "child": ({"dob": SOON.replace(year=2004).isoformat()}, []),
    "adult": ({"dob": LATER.replace(year=1980, day=1).isoformat()}, []),
    "lead": ({}, [(n, "Page Viewed", PRICES) for n in (1, 2, 3)]),
    "curious": ({}, [(n, "Page Viewed", PRICES) for n in (1, 2, 20)]),
    "ends": ({"renewsOn": SOON.isoformat()}, []),
    "renews": ({"renewsOn": SOON.isoformat(), "renewsItself": True}, []),
    "lasts": ({"renewsOn": LATER.isoformat()}, []),
}
EXPECTED = {
    "Active this week": {"buyer", "silent", "cart", "bought"},
    "Inactive": {"gone"},
    "Onboarding": {"new"},
    "Renewal is near": {"ends"},
    "Abandoned carts": {"cart"},
    "Birthday soon": {"child"},
    "Active and may be mailed": {"buyer"},
    "Potential leads": {"lead"},
}


def test_each_segment_for_a_common_purpose_finds_whom_it_should(
    at: Run, settle: Settle, follow: Callable[[Part], list[str]]
) -> None:
    sections = parts("segments-for-common-purposes.md")
    declaring = next(part for part in sections if part.heading == "Renewal")
    follow(declaring._replace(files={}, commands=declaring.commands[:2]))
    settle(PEOPLE)
    for part in sections:
        follow(part._replace(commands=[c for c in part.commands if c[0] == "segment"]))
    listed = at("segment", "list", "--json").json["segments"]
    assert {s["name"] for s in listed} == EXPECTED.keys()
    assert {s["name"]: members(at, s["name"]) for s in listed} == EXPECTED
    assert not any(segment["error"] for segment in listed)


def test_a_segment_is_edited_as_the_page_says(
    at: Run, settle: Settle, follow: Callable[[Part], list[str]]
) -> None:
    bought = [(2, "Order Completed")]
    settle({"asha@example.com": ({}, bought), "ravi": ({}, [(20, "Order Completed")])})
    said = [told for part in parts("edit-a-segment.md") for told in follow(part)]
    made, seen, saved, versions, back, changes, sizes, history, archived, deleted = said
    assert made == "Created segment 1: Active, 1 members\n"
    assert "2 members; 1 enter, 0 leave\n  enter: ravi" in seen
    assert saved == "Version 2 of Active: 2 members\n"
    assert "1" in versions
    assert back == "Version 3 of Active: 1 members\n"
    assert "edit" in changes
    assert "1" in sizes
    assert "Active" in history
    assert archived.startswith("Archived")
    assert deleted == "Deleted Active\n"
    assert at("segment", "list", "--archived", "--json").json["segments"] == []


def test_a_list_is_kept_as_the_page_says(
    at: Run, settle: Settle, follow: Callable[[Part], list[str]]
) -> None:
    names = ("asha@example.com", "ravi@example.com", "meera@example.com")
    settle({name: ({"city": "Pune", "firstName": name[:4]}, []) for name in names})
    said = [told for part in parts("keep-a-list.md") for told in follow(part)]
    page = (HOW_TO / "keep-a-list.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert said[0] == shown
    assert members(at, "Pilot") == members(at, "Pilot as it was") == {names[0], names[2]}
    assert members(at, "Named Ravi") == {names[1]}
    assert members(at, "From Pune in November") == set(names)


def test_why_somebody_is_in_a_segment_is_told_as_the_page_says(
    settle: Settle, follow: Callable[[Part], list[str]]
) -> None:
    orders = [(days, "Order Completed") for days in (1, 2, 20)]
    settle({"asha@example.com": ({"city": "Pune"}, orders), "meera@example.com": ({}, [])})
    said = [told for part in parts("find-out-why.md") for told in follow(part)]
    page = (HOW_TO / "find-out-why.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    made, why, unsaved, told = said
    assert made == "Created segment 1: Loyal, 1 members\n"
    times = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
    assert times.sub("", why) == times.sub("", shown)
    assert unsaved.startswith("meera@example.com is in\n└── ✓ ")
    assert '"member": false' in told
