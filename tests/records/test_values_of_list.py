"""Lists: in their order, without duplicates, and back from their text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records.reading import parse, refusal
from user360.records import values
from user360.records.properties import Type
from user360.records.values import Value


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["b", "a", "b"], ["b", "a"]),
        ([" a ", "a", "", "  "], ["a"]),
        (["a;b"], ["a;b"]),
        ("gold; new ;;gold", ["gold", "new"]),
        ("gold", ["gold"]),
        (["e\u0301", "\u00e9"], ["\u00e9"]),
        (("a", "b"), ["a", "b"]),
        ([], None),
        ([""], None),
        (";;", None),
    ],
)
def test_a_list_keeps_its_order_without_duplicates(given: object, kept: Value | None) -> None:
    assert parse(Type.LIST, given) == kept


@pytest.mark.parametrize(
    "given", [[1], [None], [["a"]], ["a", True], 7, ["x" * 256], "a;" + "x" * 256, ["a\nb"]]
)
def test_a_list_holds_only_texts(given: object) -> None:
    refusal(Type.LIST, given)


AWKWARD = st.lists(
    st.text(st.sampled_from('a;[]"\\, =')).map(str.strip).filter(bool),
    min_size=1,
    max_size=4,
    unique=True,
)


@given(AWKWARD)
def test_a_list_is_read_back_from_its_text_whatever_its_items_hold(items: list[str]) -> None:
    assert parse(Type.LIST, values.text_of(items)) == items


def test_a_list_is_written_as_json_only_where_it_must_be() -> None:
    assert values.text_of(["a", "b[0]"]) == "a;b[0]"
    assert values.text_of(["a;b", "c"]) == '["a;b","c"]'
    assert values.text_of(["[0]"]) == '["[0]"]'
    assert parse(Type.LIST, "[a;b") == ["[a", "b"]
    assert parse(Type.LIST, "[1,2]") == ["[1,2]"]


def test_a_list_holds_at_most_1000_values() -> None:
    names = [f"tag {i}" for i in range(1000)]
    assert parse(Type.LIST, names) == names
    assert parse(Type.LIST, names * 3) == names
    assert "1000" in refusal(Type.LIST, [*names, "one more"])
