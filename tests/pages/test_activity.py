"""Every action that the code writes down is told in a sentence of its own."""

from __future__ import annotations

import re
from pathlib import Path

from user360.access.workspaces import Workspace, WorkspaceSettings
from user360.pages import activity_words
from user360.pages.activity_words import DONE, KINDS, Names

SOURCE = Path(__file__).resolve().parents[2] / "src/user360"
WRITTEN = re.compile(
    r"(?:audit\.note|\.audit|_told|_noted|\btold|\bnote|_audit)\(\s*[^)]*?"
    r'"([a-z]+\.[a-z]+|merge|unmerge)"(?: if \w+ else "([a-z.]+)")?'
)


def names() -> Names:
    return Names(Workspace(1, "default", WorkspaceSettings(), 0), {}, {})


def test_each_action_has_its_words_and_its_kind() -> None:
    written = {
        action
        for path in SOURCE.rglob("*.py")
        for pair in WRITTEN.findall(path.read_text("utf-8"))
        for action in pair
        if action
    }
    assert {"segment.archive", "segment.unarchive", "merge", "import.ask", "key.create"} <= written
    assert written <= set(DONE)
    assert {action.removeprefix("un").partition(".")[0] for action in DONE} <= set(KINDS)


def test_what_is_gone_is_told_all_the_same() -> None:
    row = {"id": 1, "at": "2026-11-22T05:40:00Z", "detail": {"role": "agent", "changed": []}}
    told = activity_words.line(
        {**row, "actor": "member:9", "action": "member.role", "target": "member:8"}, names()
    )
    assert (told.who, told.before, told.thing) == (
        "Somebody who left (no. 9)",
        "gave ",
        "Somebody who left (no. 8)",
    )
    assert (told.after, told.more) == (" another role", "role: agent")
    told = activity_words.line(
        {**row, "actor": "key:3", "action": "segment.delete", "target": "segment:4"}, names()
    )
    assert (told.who, told.thing, told.address) == (
        "A revoked key (no. 3)",
        "no. 4, deleted since",
        "",
    )
    told = activity_words.line(
        {**row, "actor": "segments", "action": "some.newThing", "target": "x:1"}, names()
    )
    assert (told.who, told.before, told.thing) == ("User 360", "some new thing ", "x 1")
