"""A tree that can be understood comes back as it was; one that cannot is told every reason."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.segments import conditions, people
from user360 import errors
from user360.records.properties import Catalogue
from user360.segments.language import nodes, reading, tree

CATALOGUE = people.CATALOGUE
KNOWN = {"property": "country", "op": "known"}


def faults(given: Any, catalogue: Catalogue = CATALOGUE) -> dict[str, str]:
    """The offending paths with what is said about each."""
    with pytest.raises(errors.InvalidCondition) as refused:
        tree.parse(given, catalogue, segments=(7,))
    assert all(fault.message and fault.code for fault in refused.value.faults)
    return {fault.path: fault.message for fault in refused.value.faults}


@settings(max_examples=60)
@given(data=st.data(), place=conditions.worlds())
def test_a_tree_written_out_and_read_again_is_the_same(data: st.DataObject, place: Any) -> None:
    given = data.draw(conditions.trees(people.world(*place)))
    node = tree.parse(given, CATALOGUE, segments=(7,))
    dumped = tree.dump(node)
    assert tree.parse(dumped, CATALOGUE, segments=(7,)) == node
    assert tree.dump(tree.parse(dumped, CATALOGUE, segments=(7,))) == dumped


@pytest.mark.parametrize(
    "given",
    [
        {"all": [{"property": "country", "op": "is", "values": ["IN", "US"]}]},
        {"any": [KNOWN, {"not": {"property": "points", "op": "between", "values": [1, 2.5]}}]},
        {"property": "dob", "op": "anniversary"},
        {
            "property": "dob",
            "op": "anniversary",
            "values": [{"inNext": {"amount": 7, "unit": "days"}}],
        },
        {"property": "updatedAt", "op": "inLast", "values": [{"amount": 2, "unit": "hours"}]},
        {"property": "lastVisit", "op": "isBefore", "values": ["2026-11-22 05:40:00"]},
        {
            "event": "Purchase",
            "occurred": False,
            "count": {"op": "gte", "value": 3},
            "during": {"between": ["2026-01-01", "2026-02-01"]},
            "where": [{"path": "item.sku", "op": "is", "values": ["5", 5, True]}],
            "sum": {"path": "amount", "op": "lt", "value": 99.5},
        },
        {"event": "Purchase", "occurred": True, "during": {"last": {"amount": 1, "unit": "weeks"}}},
        {"event": "Purchase", "occurred": True, "during": {"period": "lastMonth"}},
        {"event": "Purchase", "occurred": True, "during": {"on": "2026-01-31"}},
        {"segment": 7, "in": False},
        {
            "sequence": [
                {"event": "A", "where": [{"path": "a", "op": "is", "values": ["5", 5]}]},
                {"event": "B"},
            ],
            "completed": False,
            "within": {"amount": 48, "unit": "hours"},
            "during": {"between": ["2026-01-01", "2026-02-01"]},
        },
        {"sequence": [{"event": "A"}, {"event": "A"}], "completed": True},
    ],
    ids=str,
)
def test_canonical_json_is_kept_word_for_word(given: dict[str, Any]) -> None:
    assert tree.dump(tree.parse(given, CATALOGUE, segments=(7,))) == given


def test_values_are_brought_into_the_form_in_which_they_are_kept() -> None:
    node = tree.parse({"property": "phone", "op": "is", "values": ["91 98765 43210"]}, CATALOGUE)
    assert isinstance(node, nodes.PropertyTest)
    assert node.values == ("+919876543210",)
    node = tree.parse({"property": "plan", "op": "contains", "values": [" e\u0301 "]}, CATALOGUE)
    assert isinstance(node, nodes.PropertyTest)
    assert node.values == ("é",)


def test_every_wrong_place_is_told_at_once() -> None:
    found = faults(
        {
            "all": [
                {"property": "Country", "op": "is", "values": ["IN"]},
                {"property": "country", "op": "equals", "values": ["IN"]},
                {"property": "points", "op": "gt", "values": [1, "many", None, ""]},
                {"any": [{"not": {"property": "dob", "op": "is", "values": ["2026-02-30"]}}]},
                {"sequence": [{"event": "A"}], "within": {"amount": 1, "unit": "hours"}},
                {"segment": 8, "in": True},
                {
                    "event": " ",
                    "occurred": "yes",
                    "cuont": 1,
                    "count": {"op": "over", "value": 1.5},
                    "during": {"last": {"amount": 1, "unit": "years"}},
                    "where": [{"path": "a..b", "op": "iss"}, 5],
                    "sum": {"path": "", "op": "gte", "value": "9"},
                },
            ]
        }
    )
    assert set(found) == {
        "where.all.0.property",
        "where.all.1.op",
        "where.all.2.values.1",
        "where.all.2.values.2",
        "where.all.2.values.3",
        "where.all.3.any.0.not.values.0",
        "where.all.4.sequence",
        "where.all.5.segment",
        "where.all.6.event",
        "where.all.6.occurred",
        "where.all.6.cuont",
        "where.all.6.count.op",
        "where.all.6.count.value",
        "where.all.6.during.last",
        "where.all.6.where.0.path",
        "where.all.6.where.0.op",
        "where.all.6.where.1",
        "where.all.6.sum.path",
        "where.all.6.sum.value",
    }
    assert "country" in found["where.all.0.property"]
    assert "count" in found["where.all.6.cuont"]
    assert "startsWith" in found["where.all.1.op"]


def asked(name: str, op: str, *values: Any) -> dict[str, Any]:
    """A condition on a property."""
    return {"property": name, "op": op, "values": list(values)}


def event(**rest: Any) -> dict[str, Any]:
    """A condition on events."""
    return {"event": "E", **rest}


def within(op: str, *values: Any) -> dict[str, Any]:
    """A condition on what an event holds."""
    return {"event": "E", "where": [{"path": "a", "op": op, "values": list(values)}]}


def sequence(*steps: Any, **rest: Any) -> dict[str, Any]:
    """A condition on a sequence: of two events, and of these steps."""
    return {"sequence": [{"event": "A"}, {"event": "B"}, *steps], **rest}


def span(amount: Any, unit: Any) -> dict[str, Any]:
    """A length of time."""
    return {"amount": amount, "unit": unit}


@pytest.mark.parametrize(
    ("given", "path"),
    [
        (None, "where"),
        ([], "where"),
        ("country", "where"),
        ({}, "where"),
        ({"al": []}, "where"),
        ({"all": []}, "where.all"),
        ({"any": {}}, "where.any"),
        ({"not": None}, "where.not"),
        ({"all": [KNOWN], "any": [KNOWN]}, "where"),
        ({"all": [KNOWN], "limit": 5}, "where.limit"),
        ({"property": 5, "op": "known"}, "where.property"),
        ({"property": ["country"], "op": "known"}, "where.property"),
        ({"property": "id", "op": "known"}, "where.property"),
        ({"property": "country"}, "where.op"),
        ({"property": "country", "op": {}}, "where.op"),
        (asked("country", "known", "x"), "where.values"),
        ({"property": "country", "op": "is"}, "where.values"),
        (asked("country", "is"), "where.values"),
        ({"property": "country", "op": "is", "values": "IN"}, "where.values"),
        (asked("country", "is", "\x00"), "where.values.0"),
        (asked("country", "is", "\ud800"), "where.values.0"),
        (asked("country", "is", "x" * 256), "where.values.0"),
        (asked("country", "is", 5), "where.values.0"),
        (asked("country", "gt", "a"), "where.op"),
        (asked("points", "gt", True), "where.values.0"),
        (asked("points", "between", 1), "where.values"),
        (asked("points", "between", 2, 1), "where.values"),
        (asked("wakesAt", "between", "10:00:00", "09:00:00"), "where.values"),
        (asked("phone", "is", "12"), "where.values.0"),
        (asked("email", "domainIs", "nobody@"), "where.values.0"),
        (asked("dob", "is", "2026-01-01 10:00:00"), "where.values.0"),
        (asked("dob", "inLast", 7), "where.values.0"),
        (asked("dob", "inLast", span(True, "days")), "where.values.0"),
        (asked("dob", "inLast", span(10**9, "days")), "where.values.0"),
        (asked("dob", "inLast", span(1, ["days"])), "where.values.0"),
        (asked("dob", "anniversary", span(1, "days")), "where.values.0"),
        (asked("dob", "anniversary", {"inNext": span(1, "hours")}), "where.values.0"),
        (asked("lastVisit", "is", "soon"), "where.values.0"),
        ({"event": 5}, "where.event"),
        ({"event": "x" * 201}, "where.event"),
        ({"event": "a\x00b"}, "where.event"),
        (event(count=3), "where.count"),
        (event(count={"op": "gte", "value": -1}), "where.count.value"),
        (event(count={"op": "gte", "value": True}), "where.count.value"),
        (event(count={"op": "gte", "value": 10**30}), "where.count.value"),
        (event(during="today"), "where.during"),
        (event(during={}), "where.during"),
        (event(during={"on": "2026-01-01", "after": "2026-01-01"}), "where.during"),
        (event(during={"period": "nextWeek"}), "where.during.period"),
        (event(during={"on": "2026-01-01 10:00:00"}), "where.during.on"),
        (event(during={"between": ["2026-01-01", "2026-01-01"]}), "where.during.between"),
        (event(during={"between": ["2026-01-01"]}), "where.during.between"),
        (event(where={}), "where.where"),
        (event(where=[{"path": 5, "op": "known"}]), "where.where.0.path"),
        (within("domainIs", "a.b"), "where.where.0.op"),
        (within("gt", "5"), "where.where.0.values.0"),
        (within("contains", ""), "where.where.0.values.0"),
        (within("between", 5, "2026-01-01"), "where.where.0.values"),
        (event(sum={"path": "a", "op": "gte", "value": None}), "where.sum.value"),
        (event(sum={"path": "a", "op": "gte", "value": 1e999}), "where.sum.value"),
        ({"sequence": {"event": "A"}}, "where.sequence"),
        ({"sequence": [{"event": "A"}]}, "where.sequence"),
        (sequence(*[{"event": "C"}] * 9), "where.sequence"),
        (sequence("C"), "where.sequence.2"),
        (sequence({}), "where.sequence.2.event"),
        (sequence({"event": ""}), "where.sequence.2.event"),
        (sequence({"event": "C", "count": 1}), "where.sequence.2.count"),
        (sequence({"event": "C", "where": 1}), "where.sequence.2.where"),
        (
            sequence({"event": "C", "where": [{"path": "a", "op": "gt", "values": ["5"]}]}),
            "where.sequence.2.where.0.values.0",
        ),
        (sequence(within=48), "where.within"),
        (sequence(within=span(-1, "hours")), "where.within"),
        (sequence(within=span(1, "years")), "where.within"),
        (sequence(within=span(1, "days") | {"from": 0}), "where.within"),
        (sequence(completed="yes"), "where.completed"),
        (sequence(during={"period": "now"}), "where.during.period"),
        (sequence(occurred=True), "where.occurred"),
        ({"sequence": [], "event": "A"}, "where"),
        ({"segment": True, "in": True}, "where.segment"),
        ({"segment": 7, "in": 1}, "where.in"),
        ({"segment": [7], "in": True}, "where.segment"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_at_its_place(given: Any, path: str) -> None:
    assert list(faults(given)) == [path]


def test_paths_begin_where_the_caller_says() -> None:
    with pytest.raises(errors.InvalidCondition) as refused:
        tree.parse({"all": [5]}, CATALOGUE, path="segments.3.where")
    assert [fault.path for fault in refused.value.faults] == ["segments.3.where.all.0"]


def test_unknown_and_unfitting_have_the_codes_that_records_use() -> None:
    given = {"all": [asked("nope", "known"), asked("points", "is", "x")]}
    with pytest.raises(errors.InvalidCondition) as refused:
        tree.parse(given, CATALOGUE)
    assert [fault.code for fault in refused.value.faults] == ["invalidProperty", "invalidDataType"]


def nested(depth: int) -> dict[str, Any]:
    given: dict[str, Any] = KNOWN
    for _ in range(depth - 1):
        given = {"not": given}
    return given


def test_trees_may_be_deep_but_not_bottomless() -> None:
    assert tree.parse(nested(reading.DEEPEST), CATALOGUE)
    assert "32" in next(iter(faults(nested(reading.DEEPEST + 1)).values()))
    assert len(faults(nested(100_000))) == 1


def test_trees_may_be_wide_but_not_endless() -> None:
    assert tree.parse({"all": [KNOWN] * 999}, CATALOGUE)
    assert list(faults({"all": [KNOWN] * 100_000})) == ["where.all.999"]
    where = [{"path": "a", "op": "known"}] * 5000
    assert list(faults({"event": "E", "where": where})) == ["where.where.999"]


def test_conditions_on_events_are_fewer_because_each_is_a_scan() -> None:
    assert tree.parse({"all": [{"event": "E"}] * 100}, CATALOGUE)
    assert list(faults({"all": [{"event": "E"}] * 500})) == ["where.all.100"]
    assert tree.parse({"all": [sequence()] * 50}, CATALOGUE)
    assert list(faults({"all": [sequence()] * 51})) == ["where.all.50.sequence.0"]


def test_a_condition_takes_a_thousand_values() -> None:
    many = [str(i) for i in range(1001)]
    assert tree.parse({"property": "country", "op": "is", "values": many[:1000]}, CATALOGUE)
    assert list(faults({"property": "country", "op": "is", "values": many})) == ["where.values"]


def test_a_thousand_wrong_names_are_refused_in_no_time() -> None:
    given = {"all": [{"property": f"coutnry{i}", "op": "is", "values": []} for i in range(999)]}
    found = faults(given)
    assert len(found) == 999
    assert sum("did you mean" in message for message in found.values()) <= 10


WORDS = [
    "all", "any", "not", "property", "op", "values", "event", "occurred", "count", "during",
    "where", "sum", "path", "value", "amount", "unit", "period", "last", "between", "segment", "in",
    "sequence", "within", "completed", "inNext",
]  # fmt: skip
MEANT = ["country", "points", "dob", "is", "gte", "between", "days", "2026-01-01"]

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
json_values = st.recursive(
    scalars | st.sampled_from(MEANT),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=300)
@given(given=json_values)
def test_any_json_at_all_is_understood_or_refused_with_a_reason(given: Any) -> None:
    refused: errors.InvalidCondition | None = None
    try:
        node = tree.parse(given, CATALOGUE)
    except errors.InvalidCondition as problem:
        refused = problem
    if refused is None:
        assert tree.parse(tree.dump(node), CATALOGUE) == node
    else:
        assert refused.faults
