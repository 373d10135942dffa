"""The builder: every tree comes back from its form as it was; what is missing is said where."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.segments import conditions, people
from user360.access.workspaces import Workspace, WorkspaceSettings
from user360.errors import Invalid, Malformed
from user360.events.definitions import Definition
from user360.pages import render
from user360.pages.builder import choices, deeds, form, opened, trees, view
from user360.pages.builder.form import Draft
from user360.records.properties import Type
from user360.segments.language import operators, tree
from user360.segments.language.operators import Takes
from user360.segments.store import DYNAMIC, STATIC, Segment

HOSTILE = '"><img src=x onerror=alert(1)>'
INDIA = {"property": "country", "op": "is", "values": ["IN"]}
OPTED = {"property": "emailOptin", "op": "isTrue"}
BOUGHT = {"event": "Purchase", "occurred": True, "count": {"op": "gte", "value": 3}}


def segment(number: int, name: str, condition: str | None = None) -> Segment:
    kind = STATIC if condition is None else DYNAMIC
    return Segment(number, name, "", kind, condition, 0, 0, 0, None, 1, False, 1)


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    """The properties of the random conditions, and the segments that they ask about."""
    made = Workspace(1, "default", WorkspaceSettings(), 0)
    made.catalogue = people.CATALOGUE
    made.segments = {people.STATIC: segment(people.STATIC, HOSTILE)}
    made.definitions = {"Purchase": Definition("Purchase", properties={"amount": ["number"]})}
    return made


class Inputs(HTMLParser):
    """The fields that a browser would send of a page: those of inputs and selects."""

    def __init__(self) -> None:
        super().__init__()
        self.pairs: list[tuple[str, str]] = []
        self.tags: list[str] = []
        self._options: list[tuple[str, bool]] | None = None
        self._name = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        if tag == "input":
            self.pairs.append((given["name"] or "", given.get("value") or ""))
        elif tag == "select":
            self._name, self._options = given["name"] or "", []
        elif tag == "option" and self._options is not None:
            self._options.append((given["value"] or "", "selected" in given))

    def handle_endtag(self, tag: str) -> None:
        if tag == "select" and self._options:
            chosen = [value for value, selected in self._options if selected]
            self.pairs.append((self._name, (chosen or [self._options[0][0]])[0]))
            self._options = None


def inputs(shown: view.View) -> Inputs:
    """What the real template makes of a draft, read back."""
    page = Inputs()
    page.feed(render.environment().get_template("builder/form.html").render(builder=shown))
    page.close()
    return page


def parsed(given: Any) -> Any:
    return tree.parse(given, people.CATALOGUE, "where", {people.STATIC})


def written(draft: Draft) -> tuple[Any, dict[str, str]]:
    writer = trees.Writer(people.CATALOGUE)
    return writer.write(draft), writer.missing


@settings(max_examples=200)
@given(data=st.data(), place=conditions.worlds())
def test_every_tree_survives_its_fields(data: st.DataObject, place: Any) -> None:
    given = data.draw(conditions.trees(people.world(*place)))
    back, missing = written(form.read(form.fields(opened.draft(given))))
    assert missing == {}
    assert parsed(back) == parsed(given)


@settings(max_examples=200)
@given(data=st.data(), place=conditions.worlds())
def test_every_tree_survives_the_page(
    workspace: Workspace, data: st.DataObject, place: Any
) -> None:
    given = data.draw(conditions.trees(people.world(*place)))
    shown = view.view(workspace, given)
    assert (shown.whole, shown.node) == (True, parsed(given))
    again = view.of_draft(workspace, form.read(inputs(shown).pairs))
    assert (again.missing, again.wrong) == ({}, {})
    assert again.node == shown.node
    assert again.says == shown.says


@pytest.mark.parametrize(
    "given",
    [
        {"any": [INDIA]},
        {"all": [INDIA]},
        {"any": [{"all": [INDIA]}]},
        {"any": [{"all": [INDIA, OPTED]}, BOUGHT]},
        {"not": INDIA},
        {"not": {"not": {"any": [INDIA, {"not": {"all": [OPTED]}}]}}},
        {"event": "a\nb\r␤␛", "occurred": False},
    ],
)
def test_a_tree_keeps_its_shape(workspace: Workspace, given: Any) -> None:
    pairs = inputs(view.view(workspace, given)).pairs
    assert view.submitted(workspace, pairs) == given


@given(st.text(alphabet="ab␤␍␛\n\r"))
def test_texts_of_many_lines_fit_in_one(text: str) -> None:
    shown = form.shown(text)
    assert "\n" not in shown
    assert "\r" not in shown
    assert form.unshown(shown) == text


def test_nothing_chosen_is_everybody(workspace: Workspace) -> None:
    shown = view.view(workspace, None)
    assert (shown.whole, shown.where, shown.says) == (True, None, "Everybody.")
    for verb in ("property", "event", "sequence", "segment", "group"):
        deeds.do(shown.draft, f"{verb} b.nodes.1")
    assert view.of_draft(workspace, shown.draft).where is None


def start(workspace: Workspace, *what: str) -> tuple[Draft, list[str]]:
    """An empty form to which these were added; the names of what is new."""
    draft = view.view(workspace, None).draft
    return draft, [deeds.do(draft, deed) for deed in what]


def test_a_newcomers_segment_is_built_step_by_step(workspace: Workspace) -> None:
    draft, (who, bought, left) = start(workspace, *3 * ["event b.nodes.1"])
    form.at(draft, who).update(kind="property", property="country")
    shown = view.of_draft(workspace, draft)
    assert shown.missing[f"{bought}.event"] == "Choose an event"
    assert any(said == "Enter a value" for said in shown.missing.values())
    next(iter(form.at(draft, who)["values"].values()))["text"] = "IN"
    form.at(draft, bought).update(event="Purchase", count={"op": "gte", "value": "3"})
    form.at(draft, left).update(event="Downgrade", did="no")
    shown = view.of_draft(workspace, draft)
    assert shown.where == {"all": [INDIA, BOUGHT, {"event": "Downgrade", "occurred": False}]}


def test_sets_are_joined_by_or_and_an_empty_one_is_taken_out(workspace: Workspace) -> None:
    draft = opened.draft({"all": [INDIA, OPTED]})
    name = deeds.do(draft, "set b")
    shown = view.of_draft(workspace, draft)
    assert list(shown.missing.values()) == ["Choose a property"]
    (only,) = form.at(draft, f"{name}.nodes")
    form.at(draft, f"{name}.nodes.{only}")["property"] = "emailOptin"
    assert view.of_draft(workspace, draft).where == {"any": [{"all": [INDIA, OPTED]}, OPTED]}
    deeds.do(draft, f"remove {name}.nodes.{only}")
    assert view.of_draft(workspace, draft).where == {"all": [INDIA, OPTED]}


def test_the_last_condition_can_be_taken_out(workspace: Workspace) -> None:
    shown = view.view(workspace, INDIA)
    (key,) = shown.draft["nodes"]
    (leaf,) = shown.draft["nodes"][key]["nodes"]
    deeds.do(shown.draft, f"remove b.nodes.{key}.nodes.{leaf}")
    assert view.of_draft(workspace, shown.draft).where is None


def test_another_property_begins_anew_and_another_operator_keeps_what_it_can(
    workspace: Workspace,
) -> None:
    draft = view.view(workspace, {**INDIA, "values": ["IN", "US"]}).draft
    (leaf,) = next(iter(draft["nodes"].values()))["nodes"].values()
    leaf["op"] = "isNot"
    assert view.of_draft(workspace, draft).where == {
        "property": "country",
        "op": "isNot",
        "values": ["IN", "US"],
    }
    leaf["property"] = "points"
    shown = view.of_draft(workspace, draft)
    assert (leaf["op"], len(leaf["values"]), shown.whole) == ("is", 1, False)
    leaf["op"] = "between"
    view.of_draft(workspace, draft)
    assert len(leaf["values"]) == 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"property": "points", "op": "gt", "values": ["many"]}, "Enter a number"),
        ({"property": "dob", "op": "is", "values": ["1990-13-01"]}, "Expected a date"),
        ({"property": "gone", "op": "is", "values": ["x"]}, "Expected a declared property"),
        ({"property": "email", "op": "is", "values": ["nobody"]}, "Expected a valid e-mail"),
        ({"segment": 99, "in": True}, "Expected the number of a segment"),
        ({"property": "dob", "op": "inLast", "values": [{"amount": "", "unit": "days"}]}, "Enter"),
        ({"event": "A", "count": {"op": "gte", "value": 1.5}}, "Expected a whole number"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(workspace: Workspace, given: Any, message: str) -> None:
    shown = view.of_draft(workspace, opened.draft({"all": [given, OPTED]}))
    said = shown.missing | shown.wrong
    assert not shown.whole
    assert [each for each in said.values() if each.startswith(message)]
    page = inputs(shown)
    names = {name for name, _ in page.pairs}
    assert [name for name in said if name in names]
    with pytest.raises(Invalid) as problem:
        view.submitted(workspace, page.pairs)
    assert [fault.message for fault in problem.value.faults] == list(said.values())


def test_what_others_wrote_is_only_text(workspace: Workspace) -> None:
    where = {"all": [{"segment": people.STATIC, "in": True}, {"event": HOSTILE}]}
    assert "img" not in inputs(view.view(workspace, where)).tags


def test_the_edited_segment_cannot_ask_about_itself() -> None:
    made = Workspace(1, "default", WorkspaceSettings(), 0)
    made.segments = {1: segment(1, "One", "{}"), 2: segment(2, "Two")}
    assert view.view(made, None, 1).segments() == [("2", "Two")]
    assert [name for _, name in view.view(made, None).segments()] == ["One", "Two"]


@pytest.mark.parametrize(
    "pairs",
    [
        [("b.nodes.1", "x"), ("b.nodes.1.kind", "property")],
        [("b.nodes.1.kind", "x"), ("b.nodes.1", "x")],
        [("b." + "1." * 200, "x")],
    ],
)
def test_no_form_of_ours_is_refused(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(Malformed):
        form.read(pairs)
    with pytest.raises(Malformed):
        deeds.do({"nodes": {}}, "remove b.nodes.7.nodes.8")
    with pytest.raises(Malformed):
        deeds.do({"nodes": {}}, "explode b")


def test_every_operator_can_be_chosen() -> None:
    for kind in Type:
        assert {name for name, _ in choices.of_property(kind)} == set(operators.names(kind))
    assert {name for name, _ in choices.in_events()} == set(operators.EVENT_NAMES)
    assert all(choices.kinds(name) for name in operators.EVENT_NAMES if takes_values(name))


def takes_values(name: str) -> bool:
    return choices.takes(name) in (Takes.VALUES, Takes.PARTS, Takes.ALL, Takes.PAIR)
