"""Segments from the command line."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run

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
