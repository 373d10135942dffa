"""Why somebody is in a segment, from the command line."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Run

WHERE = """{"all": [
  {"property": "city", "op": "is", "values": ["Pune"]},
  {"not": {"event": "Order Completed", "occurred": false}}
]}"""


@pytest.fixture
def town(at: Run) -> Run:
    assert at("user", "set", "asha", "city=Pune").code == 0
    assert at("event", "send", "Order Completed", "--user", "asha").code == 0
    assert at("user", "set", "meera", "firstName=Meera").code == 0
    assert at("segment", "create", "Buyers", "--where", WHERE).code == 0
    return at


def test_the_tree_has_a_mark_and_a_reason_at_every_node(town: Run) -> None:
    said = town("segment", "why", "buyers", "asha")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0].startswith("asha is in")
    starts = [
        "✓ all of",
        '✓ city is "Pune"',
        "city: Pune, from api at 20",
        "✓ not",
        '✗ "Order Completed" never happened',
        "1 time; last 20",
    ]
    shown = [line.lstrip("│├└─ ") for line in lines[1:]]
    assert [line[: len(start)] for line, start in zip(shown, starts, strict=True)] == starts


def test_who_is_not_in_it_sees_what_is_missing(town: Run) -> None:
    said = town("segment", "why", "Buyers", "meera")
    assert said.out.startswith("meera is not in\n")
    assert "✗ city is" in said.out
    assert "city is unknown" in said.out
    assert "0 times" in said.out


def test_a_condition_is_asked_before_it_is_saved(town: Run) -> None:
    where = (
        '{"event": "Order Completed", "during": {"last": {"amount": 7, "unit": "days"}},'
        ' "sum": {"path": "amount", "op": "lt", "value": 5}}'
    )
    said = town("segment", "why", "asha", "--where", where)
    assert said.out.startswith("asha is in\n")
    assert "adding up to 0" in said.out
    told = town("segment", "why", "r1", "--where", where, "--json").json
    assert (told["member"], told["why"]["events"]["count"]) == (True, 1)


def test_when_it_will_turn_is_said(town: Run) -> None:
    where = '{"event": "Order Completed", "during": {"last": {"amount": 7, "unit": "days"}}}'
    said = town("segment", "why", "asha", "--where", where)
    flips = town("segment", "why", "asha", "--where", where, "--json").json["why"]["flipsAt"]
    assert f"turns false at {flips}" in said.out


def test_steps_and_segments_within_are_told(town: Run) -> None:
    steps = '{"sequence": [{"event": "Order Completed"}, {"event": "Refunded"}]}'
    said = town("segment", "why", "asha", "--where", steps)
    assert "Order Completed: reached, 1 time" in said.out
    assert "Refunded: not reached, 0 times" in said.out
    inner = town("segment", "why", "asha", "--where", '{"segment": 1, "in": false}')
    assert "✗ " in inner.out
    assert "Buyers" in inner.out
    assert '✓ city is "Pune"' in inner.out


def test_what_was_typed_wrong_is_said(town: Run) -> None:
    for words in (["Buyers"], ["Buyers", "asha", "--where", "{}"]):
        said = town("segment", "why", *words)
        assert said.code == 2
        assert "--where" in said.err
    assert "no user" in town("segment", "why", "Buyers", "nobody").err
    assert "user360 segment list" in town("segment", "why", "Nowhere", "asha").err
