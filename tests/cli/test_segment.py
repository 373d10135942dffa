"""Segments from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from user360.cli import segment_members

PUNE = '{"property": "city", "op": "is", "values": ["Pune"]}'


def test_a_segment_is_made_counted_and_listed_with_its_members(at: Run, tmp_path: Path) -> None:
    for name, city in (("asha", "Pune"), ("ravi", "Pune"), ("meera", "Delhi")):
        assert at("user", "set", name, f"city={city}", f"firstName={name.title()}").code == 0

    made = at("segment", "create", "In Pune", "--where", PUNE, "--description", "Lives there")
    assert made.out == "Created segment 1: In Pune, 2 members\n"
    (tmp_path / "pilot.txt").write_text("meera\n\nasha\n")
    pilot = at("segment", "create", "Pilot", "--users", str(tmp_path / "pilot.txt"), "--json")
    assert (pilot.json["kind"], pilot.json["count"]) == ("static", 2)

    assert at("segment", "count", "in pune").out == "2\n"
    assert at("segment", "count", "2").out == "2\n"
    assert at("segment", "count", "--where", "@-", said=PUNE).out == "2\n"
    assert at("segment", "count", "Pilot", "--json").json["count"] == 2

    listed = at("segment", "list")
    assert listed.code == 0
    assert "In Pune" in listed.out
    assert "dynamic" in listed.out
    members = at("segment", "members", "Pilot", "--sort", "-city", "--limit", "1", "--json")
    assert [user["userId"] for user in members.json["users"]] == ["asha"]
    table = at("segment", "members", "Pilot", "--sort", "city").out
    assert table.index("Meera") < table.index("Asha")


def test_what_is_true_now_can_be_kept_as_a_list(at: Run) -> None:
    at("user", "set", "asha", "city=Pune")
    made = at("segment", "create", "Then in Pune", "--where", PUNE, "--static", "--json")
    assert (made.json["kind"], made.json["count"]) == ("static", 1)
    at("user", "set", "asha", "city=Delhi")
    assert at("segment", "count", "Then in Pune").out == "1\n"
    assert at("segment", "count", "--where", PUNE).out == "0\n"


def test_what_is_wrong_with_a_condition_is_named_by_place(at: Run) -> None:
    where = '{"all": [{"property": "town", "op": "is", "values": ["Pune"]}, {"property": "city"}]}'
    said = at("segment", "create", "Bad", "--where", where)
    assert said.code == 2
    assert "all.0.property" in said.err
    assert "all.1" in said.err
    assert at("segment", "list", "--json").json["segments"] == []


def test_what_cannot_be_understood_is_said_with_what_to_do(at: Run) -> None:
    assert "--where is not JSON" in at("segment", "count", "--where", "{city").err
    assert "cannot be read" in at("segment", "count", "--where", "@no-such-file").err
    unknown = at("segment", "count", "Nobody")
    assert unknown.code == 2
    assert "user360 segment list" in unknown.err
    for words in (["segment", "create", "Bad"], ["segment", "count"]):
        said = at(*words)
        assert said.code == 2
        assert "--where" in said.err


def test_an_edit_is_seen_before_it_is_saved_and_taken_back_after(at: Run) -> None:
    at("user", "set", "asha", "city=Pune")
    at("user", "set", "meera", "city=Delhi")
    at("segment", "create", "Where", "--where", PUNE)
    delhi = PUNE.replace("Pune", "Delhi")

    seen = at("segment", "edit", "Where", "--where", delhi, "--preview")
    assert seen.out.splitlines() == [
        'People for whom city is "Delhi".',
        "1 members; 1 enter, 1 leave",
        "  enter: meera",
        "  leave: asha",
    ]
    tried = at("segment", "preview", "--where", delhi).out
    assert tried == 'People for whom city is "Delhi".\n1 members: meera\n'
    assert at("segment", "count", "Where").out == "1\n"
    assert "--where" in at("segment", "edit", "Where", "--preview").err

    edited = at("segment", "edit", "Where", "--where", delhi, "--name", "In Delhi", "--announce")
    assert edited.out == "Version 2 of In Delhi: 1 members\n"
    listed = at("segment", "versions", "In Delhi", "--json").json["versions"]
    assert [(v["version"], v["name"]) for v in listed] == [(2, "In Delhi"), (1, "Where")]
    assert "Delhi" in at("segment", "versions", "In Delhi").out
    assert "Pune" in at("segment", "versions", "In Delhi", "--version", "1").out
    assert at("segment", "restore", "In Delhi", "1").out == "Version 3 of Where: 1 members\n"
    found = at("segment", "members", "Where", "--sort", "-since", "--json").json["users"]
    assert [user["userId"] for user in found] == ["asha"]
    assert found[0]["since"]
    moved = at("segment", "changes", "Where", "--json").json["changes"]
    assert {(c["userId"], c["change"], c["cause"]) for c in moved[:2]} == {
        ("asha", "enter", "edit"),
        ("meera", "exit", "edit"),
    }
    stays = at("segment", "history", "meera", "--json").json["stays"]
    assert [(s["name"], s["until"] is not None) for s in stays] == [("Where", True)]
    assert at("segment", "sizes", "Where", "--by", "week", "--json").json["sizes"][-1]["size"] == 1


def test_a_list_is_changed_by_hand_and_by_file(at: Run, tmp_path: Path) -> None:
    for name in ("asha", "ravi", "meera"):
        at("user", "set", name, "city=Pune")
    file = tmp_path / "pilot.csv"
    file.write_text("name,userId\nA,asha\nB,nobody\nR,ravi\n")
    made = at("segment", "create", "Pilot", "--file", str(file))
    assert made.out.splitlines() == [
        "Created segment 1: Pilot, 2 members",
        "  line 3: nobody is nobody",
    ]
    assert at("segment", "add", "Pilot", "meera", "asha", "x").out.splitlines() == [
        "1 added, 3 members",
        "  unknown: x",
    ]
    assert at("segment", "remove", "Pilot", "ravi", "ravi").out == "1 removed, 2 members\n"
    told = at("segment", "remove", "Pilot", "--file", str(file)).out.splitlines()
    assert told == [
        "3 lines: 1 removed, 1 absent, 1 unknown; 1 members",
        "  line 3: nobody is nobody",
    ]
    assert "Give userIds" in at("segment", "add", "Pilot").err
    then = at("segment", "snapshot", "Pilot", "Then")
    assert then.out == "Created segment 2: Then: 1 members\n"
    found = at("segment", "create", "Found", "--text", "ravi", "--json").json
    assert (found["kind"], found["count"]) == ("static", 1)


def test_a_long_file_goes_in_parts_and_its_lines_keep_their_numbers(
    at: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment_members, "AT_ONCE", 2)
    at("user", "set", "asha", "city=Pune")
    at("segment", "create", "Pilot", "--users", "-", said="")
    for header in ("userId\n", ""):
        file = tmp_path / "long.csv"
        file.write_text(header + "x1\nx2\nasha\nx4\nx5\n")
        told = at("segment", "add", "Pilot", "--file", str(file), "--json").json
        first = 2 if header else 1
        assert [u["line"] - first for u in told["unknown"]] == [0, 1, 3, 4]
        assert (told["lines"], told["count"], told["unknownLines"]) == (5, 1, 4)


def test_a_segment_rests_and_goes(at: Run) -> None:
    at("segment", "create", "Inner", "--where", PUNE)
    at("segment", "create", "Outer", "--where", '{"segment": 1}')
    assert at("segment", "archive", "Inner").out == "Archived: 0 members\n"
    assert "archived" in at("segment", "list", "--archived").out
    assert "Inner" not in at("segment", "list").out
    assert at("segment", "unarchive", "Inner").out == "Unarchived: 0 members\n"
    refused = at("segment", "delete", "Inner", "--yes")
    assert refused.code == 2
    assert "Outer" in refused.err
    assert at("segment", "delete", "Inner", said="n\n").code == 2
    assert at("segment", "delete", "Inner", "--yes", "--force").out == "Deleted Inner\n"
    assert "where asks about segment 1, which was deleted" in at("segment", "list").out
