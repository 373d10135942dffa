"""What commands print."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from user360.cli import output
from user360.cli.output import Answer
from user360.errors import Fault, Invalid

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(ANYTHING)
def test_a_cell_never_moves_the_cursor(value: object) -> None:
    assert output.cell(value) == "" or output.cell(value).isprintable()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (True, "yes"),
        (1234567, "1,234,567"),
        (0.5, "0.5"),
        (["vip", "press"], "vip; press"),
        ({"amount": 14.99}, '{"amount":14.99}'),
        ("\x1b[31mred", "\N{REPLACEMENT CHARACTER}[31mred"),
        ("[bold]no markup[/bold]", "[bold]no markup[/bold]"),
    ],
)
def test_a_value_in_a_table(value: object, shown: str) -> None:
    assert output.cell(value) == shown


def test_a_table_in_a_pipe_is_whole_and_without_colour(capsys: pytest.CaptureFixture[str]) -> None:
    long = "x" * 500
    output.show(
        output.table({}, [{"name": long, "count": 3}], name="name", count="how many"), False
    )
    printed = capsys.readouterr().out
    assert long in printed
    assert "\x1b" not in printed
    assert "how many" in printed


def test_an_answer_in_json_is_its_data_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    output.show(Answer({"count": 3, "name": "é"}, "three"), True)
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"count": 3, "name": "é"}
    assert printed.err == ""


def test_a_problem_names_every_place(capsys: pytest.CaptureFixture[str]) -> None:
    faults = [Fault("dob", "invalid", "expected a date"), Fault("b.0", "invalid", "too long")]
    output.problem(Invalid("expected a date", faults=faults))
    output.problem(Invalid("two things are wrong", faults=faults))
    output.problem(
        Invalid("dob must be a date", faults=[Fault("dob", "invalid", "dob must be a date")])
    )
    printed = capsys.readouterr()
    assert printed.err.splitlines() == [
        "Error: dob: expected a date",
        "  b.0: too long",
        "Error: two things are wrong",
        "  dob: expected a date",
        "  b.0: too long",
        "Error: dob must be a date",
    ]
    assert printed.out == ""
