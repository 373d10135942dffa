"""A condition reads as one English sentence."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.segments import conditions, people
from tests.segments.people import CATALOGUE
from user360.records.properties import Catalogue
from user360.segments.language import tree
from user360.segments.language.describe import describe

INDIA = {"property": "country", "op": "is", "values": ["IN", "US"]}
OPTED = {"property": "emailOptin", "op": "isTrue"}
BORN = {"property": "dob", "op": "anniversary"}
DEAR = {"path": "price", "op": "gt", "values": [100]}
WEEK = {"amount": 1, "unit": "weeks"}


def said(given: dict[str, Any]) -> str:
    sentence = describe(tree.parse(given, CATALOGUE, segments=(7,)), CATALOGUE)
    assert sentence.startswith("People for whom ")
    assert sentence.endswith(".")
    return sentence.removeprefix("People for whom ").removesuffix(".")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (INDIA, 'country is "IN" or "US"'),
        ({"all": [INDIA, OPTED]}, 'country is "IN" or "US", and emailOptin is true'),
        (
            {"any": [OPTED, {"all": [INDIA, {"not": OPTED}]}]},
            'emailOptin is true, or (country is "IN" or "US", and it is not so that'
            " (emailOptin is true))",
        ),
        ({"all": [{"any": [OPTED]}]}, "emailOptin is true"),
        (
            {"property": "points", "op": "between", "values": [1, 2.5]},
            "points is between 1 and 2.5",
        ),
        ({"property": "tags", "op": "hasAll", "values": ["a", "b"]}, 'tags has all of "a" and "b"'),
        ({"property": "tags", "op": "isEmpty"}, "tags is empty"),
        (
            {"property": "email", "op": "domainIs", "values": ["@a.org"]},
            "email has the domain a.org",
        ),
        (BORN, "dob has its anniversary today"),
        ({**BORN, "values": [{"inNext": WEEK}]}, "dob has its anniversary in the next 1 week"),
        (
            {
                "property": "lastVisit",
                "op": "wasExactly",
                "values": [{"amount": 2, "unit": "days"}],
            },
            "lastVisit was exactly 2 days ago",
        ),
        ({"event": "Purchase"}, '"Purchase" happened'),
        ({"event": "Purchase", "occurred": False}, '"Purchase" never happened'),
        (
            {
                "event": "Purchase",
                "count": {"op": "gte", "value": 3},
                "during": {"after": "2026-01-01"},
                "where": [{"path": "item.sku", "op": "is", "values": ["x", 5]}],
                "sum": {"path": "amount", "op": "lt", "value": 99.5},
            },
            '"Purchase" (where item.sku is "x" or 5) happened at least 3 times since 2026-01-01'
            " with its amount adding up to less than 99.5",
        ),
        (
            {"event": "A", "occurred": False, "count": {"op": "is", "value": 1}},
            'it is not so that ("A" happened exactly 1 time)',
        ),
        ({"event": "A", "during": {"period": "lastWeek"}}, '"A" happened last week'),
        ({"event": "A", "during": {"last": WEEK}}, '"A" happened in the last 1 week'),
        (
            {"event": "A", "during": {"between": ["2026-01-01", "2026-02-01"]}},
            '"A" happened from 2026-01-01 until before 2026-02-01',
        ),
        ({"segment": 7, "in": False}, "they are not in segment 7"),
        (
            {"sequence": [{"event": "A"}, {"event": "B", "where": [DEAR]}, {"event": "A"}]},
            '"A", then "B" (where price is more than 100), then "A" happened',
        ),
        (
            {
                "event": "A",
                "where": [DEAR, {"path": "at", "op": "isAfter", "values": ["2026-01-31"]}],
            },
            '"A" (where price is more than 100, and at is after 2026-01-31) happened',
        ),
        (
            {"sequence": [{"event": "A"}, {"event": "B"}], "within": WEEK, "completed": False},
            'it is not so that ("A", then "B" happened, all within 1 week)',
        ),
        (
            {
                "any": [
                    {
                        "sequence": [{"event": "A"}, {"event": "B"}],
                        "within": {"amount": 48, "unit": "hours"},
                        "during": {"period": "thisMonth"},
                    },
                    OPTED,
                ]
            },
            '("A", then "B" happened, all within 48 hours and this month), or emailOptin is true',
        ),
        (
            {"sequence": [{"event": "A"}, {"event": "B"}], "during": {"on": "2026-01-31"}},
            '"A", then "B" happened on 2026-01-31',
        ),
        ({"property": "tags", "op": "hasNot", "values": ["a"]}, 'tags does not have "a"'),
    ],
    ids=str,
)
def test_a_condition_reads_as_a_sentence(given: dict[str, Any], sentence: str) -> None:
    assert said(given) == sentence


def test_segments_go_by_their_names_where_these_are_known() -> None:
    given = {"all": [{"segment": 7}, {"segment": 7, "in": False}]}
    node = tree.parse(given, CATALOGUE, segments=(7,))
    assert describe(node, CATALOGUE, {7: 'The "best"'}) == (
        'People for whom they are in the segment "The \\"best\\"",'
        ' and they are not in the segment "The \\"best\\"".'
    )


def test_no_condition_is_everybody() -> None:
    assert describe(None, CATALOGUE) == "Everybody."


def test_a_property_that_has_gone_since_is_still_named() -> None:
    node = tree.parse({"property": "points", "op": "gt", "values": [5]}, CATALOGUE)
    assert describe(node, Catalogue()) == "People for whom points gt 5."


@settings(max_examples=40)
@given(data=st.data(), place=conditions.worlds())
def test_every_tree_can_be_said_with_every_name_in_it(
    data: st.DataObject, place: tuple[str, datetime]
) -> None:
    given = data.draw(conditions.trees(people.world(*place)))
    sentence = said(given)
    for name in names_in(given):
        assert name in sentence


def names_in(given: Any) -> list[str]:
    if isinstance(given, list):
        return [name for each in given for name in names_in(each)]
    if not isinstance(given, dict):
        return []
    own = [given[key] for key in ("property", "path") if key in given]
    return own + [name for key, each in given.items() if key != "values" for name in names_in(each)]
