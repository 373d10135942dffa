"""A flow is read whole or refused by line: whatever is written, somebody is told what is wrong."""

from __future__ import annotations

import textwrap

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from user360.flows.language import loading, reading
from user360.flows.language.kinds import KINDS
from user360.flows.language.loading import Troubled

SOUND = """
start: hello
nodes:
  hello:
    message: Hello {{{user.firstName|there}}}!
    next: ask
  ask:
    prompt:
      kind: email
      ask: What is your e-mail?
      variable: mail
    next: bye
  bye:
    end:
"""


def troubles(text: str) -> list[tuple[int, str]]:
    _, found, _ = reading.read(textwrap.dedent(text))
    return [(each.line, each.message) for each in found]


def test_a_sound_flow_has_no_troubles() -> None:
    flow = reading.parse(SOUND)
    assert list(flow.nodes) == ["hello", "ask", "bye"]
    assert flow.hand_over_words == ("agent", "human")


@pytest.mark.parametrize(
    ("was", "written", "line", "says"),
    [
        ("start: hello", "start: helo", 2, "did you mean hello?"),
        ("    next: ask", "    next: aks", 6, "did you mean ask?"),
        ("    next: ask\n", "", 4, "has no next"),
        ("message:", "mesage:", 4, "did you mean message?"),
        ("kind: email", "kind: mail", 9, "did you mean email?"),
        ("variable: mail", "varable: mail", 11, "did you mean variable?"),
        ("|there}}}", "|there}}", 5, "{{{ stands alone"),
        ("{{{user.firstName|there}}}", "{{user.firstName}}", 5, "three braces"),
        ("{{{user.firstName|there}}}", "{{{person.name}}}", 5, "nothing is called person.name"),
        ("{{{user.firstName|there}}}", "{{{flow.mial}}}", 5, "did you mean mail?"),
        ("  bye:\n    end:", "  bye:\n    end: {why: x}", 14, "why is not read here"),
        ("start: hello", "start: ask", 4, "nothing leads to the node hello"),
        ("end:", "message: Bye\n    next: hello\n  other: {end: }", 16, "nothing leads to"),
        ("    end:", "    handOver: {kind: tickets}", 14, "did you mean ticket?"),
    ],
)
def test_each_fault_names_its_line_and_what_would_be_right(
    was: str, written: str, line: int, says: str
) -> None:
    changed = SOUND.replace(was, written, 1)
    assert changed != SOUND
    assert any(n == line and says in told for n, told in troubles(changed)), troubles(changed)


def test_one_mistake_is_told_once() -> None:
    changed = SOUND.replace("kind: email", "kind: choise\n      choices: [a, b]")
    assert [line for line, _ in troubles(changed)] == [9]


def test_going_round_without_asking_is_refused_and_with_asking_is_not() -> None:
    round_trip = """
        start: a
        nodes:
          a: {message: A, next: b}
          b: {message: B, next: a}
    """
    assert [line for line, _ in troubles(round_trip)] == [4]
    asking = """
        start: a
        nodes:
          a: {message: A, next: b}
          b: {prompt: {kind: text, ask: B, variable: x}, next: a}
    """
    assert troubles(asking) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: &x [1]\nb: *x", "repeats another place"),
        ("[" * 60, "nested more than"),
        ("a: 1\na: 2", "twice"),
        ("a: !!python/object:os.system x", "tags"),
        ("a: '\x07'", "YAML"),
        ('a: "\\x07"', "control characters"),
        ('a: "\\ud800"', "control characters"),
        ("a: [", "not YAML"),
        ("a: 1\n---\nb: 2", "not YAML"),
        ("x" * (loading.LONGEST + 1), "at most"),
    ],
)
def test_what_could_do_harm_is_not_read_at_all(text: str, says: str) -> None:
    with pytest.raises(Troubled, match=says):
        loading.load(text)


def test_texts_stay_texts() -> None:
    loaded = loading.load("a: [no, 10:30, 2026-01-31, 0123, +91, 12, 1.5, true, ~, 'true']")
    expected = ["no", "10:30", "2026-01-31", "0123", "+91", 12, 1.5, True, None, "true"]
    assert loaded.value["a"] == expected


@pytest.mark.parametrize(
    ("url", "sound"),
    [
        ("https://shop.example/orders/{{{user.email}}}", True),
        ("https://shop.example/?q={{{message.text}}}", True),
        ("https://{{{user.email}}}/orders", False),
        ("https://shop.example{{{user.email}}}/orders", False),
        ("https://shop.example:{{{user.email}}}/", False),
        ("https://a@shop.example/{{{user.email}}}", False),
        ("{{{user.email}}}", False),
        ("ftp://shop.example/", False),
        ("https:///orders", False),
    ],
)
def test_the_host_of_a_call_stands_in_the_flow(url: str, sound: bool) -> None:
    text = f"start: a\nnodes:\n  a: {{call: {{url: '{url}'}}, next: b}}\n  b: {{end: }}\n"
    assert (troubles(text) == []) == sound


_WORD = st.sampled_from([*KINDS, "start", "nodes", "next", "else", "if", "kind", "ask", "a", "b"])
_LEAF = st.one_of(_WORD, st.text(max_size=8), st.integers(), st.booleans(), st.none())
_TREE = st.recursive(
    _LEAF,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORD, inner, max_size=4),
    max_leaves=20,
)


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    flow, found, _ = reading.read(text)
    assert flow is not None or found


@given(_TREE)
def test_any_tree_of_our_own_words_is_read_or_refused(tree: object) -> None:
    text = yaml.safe_dump(tree, allow_unicode=True)
    flow, found, _ = reading.read(text)
    assert flow is not None or found
    assert all(fault.message.startswith("line ") for fault in reading.refused(found).faults)


@given(st.dictionaries(st.sampled_from("abc"), _TREE, min_size=1, max_size=3))
def test_any_nodes_are_read_or_refused(nodes: dict[str, object]) -> None:
    text = yaml.safe_dump({"start": "a", "nodes": nodes})
    _, found, _ = reading.read(text)
    assert all(each.line >= 1 and each.message for each in found)
