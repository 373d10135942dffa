"""What is shown before the customer writes: the channel's own words, or how its flow begins."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flows.counter import Counter
from user360.channels import settings
from user360.errors import Invalid
from user360.flows import greeting, managing, store
from user360.flows.greeting import Greeting
from user360.platform import Platform

FLOW = """
    start: hello
    nodes:
      hello:
        message: Hello {{{user.firstName|there}}}!
        next: hours
      hours:
        message: We are here from 9 to 5.
        next: echo
      echo:
        message: You wrote {{{message.text}}}
        next: agents
      agents:
        handOver: {}
"""


@pytest.fixture
def counter(platform: Platform) -> Counter:
    return Counter(platform, FLOW)


def greets(counter: Counter, **known: Any) -> Greeting:
    with counter.platform.ledger.read() as connection:
        return greeting.of(connection, counter.shop.workspace, counter.channel, known or None)


def put(counter: Counter, **given: Any) -> None:
    vault = counter.platform.vault
    counter.change(lambda c: settings.change(c, vault, counter.channel, given))


def test_a_flow_greets_with_what_it_says_whatever_is_written(counter: Counter) -> None:
    lines = ["Hello there!", "We are here from 9 to 5."]
    assert greets(counter) == Greeting(lines, said=True, by="flow:bot")
    with counter.attended():
        assert counter.hears("Hi")[:2] == greets(counter).lines


def test_what_is_known_is_filled_in_and_acts_as_nothing(counter: Counter) -> None:
    assert greets(counter, firstName="Asha").lines[0] == "Hello Asha!"
    assert greets(counter, firstName="{{{user.email}}}").lines[0] == "Hello {{{user.email}}}!"


def test_the_channels_own_greeting_comes_before_the_flows(counter: Counter) -> None:
    put(counter, greeting="Welcome {{{user.firstName|to our shop}}}")
    assert greets(counter) == Greeting(["Welcome to our shop"])
    put(counter, greeting="")
    assert greets(counter).said


@pytest.mark.parametrize("bot", ["", "webhook"])
def test_without_a_flow_nothing_is_said(counter: Counter, bot: str) -> None:
    put(counter, bot=bot)
    assert greets(counter).lines == []


def test_a_flow_that_is_gone_says_nothing(counter: Counter) -> None:
    counter.change(lambda change: managing.delete(change, "bot", force=True))
    assert greets(counter).lines == []


def test_a_flow_that_looks_first_greets_with_nothing(counter: Counter) -> None:
    counter.put(
        "start: a\nnodes: {a: {condition: [{if: {property: city, op: is, values: [Pune]}, next: b},"
        " {else: b}]}, b: {end: }}"
    )
    assert (greets(counter).lines, greets(counter).asked) == ([], "")


QUESTION = """
    start: a
    nodes:
      a: {prompt: {kind: choice, ask: 'What is it, {{{user.firstName|dear}}}?',
          choices: [Order, Other], variable: it}, next: b}
      b: {end: }
"""


def test_the_first_question_is_part_of_it(counter: Counter) -> None:
    counter.put(QUESTION)
    found = greets(counter)
    assert (found.lines, found.choices) == (["What is it, dear?"], ("Order", "Other"))
    with counter.platform.ledger.read() as connection:
        kept = store.one(connection, counter.shop.workspace.id, "bot")
    assert kept is not None
    assert greeting.answered(kept, found.asked) == "a"
    for other in ("", None, 7, found.asked[:-1], greets(counter, firstName="Asha").lines[0]):
        assert greeting.answered(kept, other) == ""
    counter.put(QUESTION.replace("What", "Which"))
    assert greets(counter).asked != found.asked


def test_a_question_that_needs_what_is_written_is_none(counter: Counter) -> None:
    counter.put(QUESTION.replace("user.firstName|dear", "message.text"))
    assert (greets(counter).lines, greets(counter).asked) == ([], "")


@pytest.mark.parametrize(("always", "asked"), [("false", False), ("true", True)])
def test_who_is_known_is_not_asked_who_they_are(counter: Counter, always: str, asked: bool) -> None:
    asks = f"{{identify: {{by: email, ask: Your mail, always: {always}}}, next: b}}"
    counter.put(f"start: a\nnodes: {{a: {asks}, b: {{end: }}}}")
    assert greets(counter).asked
    assert bool(greets(counter, userId="asha").asked) is asked


def test_a_channel_that_is_switched_off_greets_nobody(counter: Counter) -> None:
    put(counter, active=False)
    assert greets(counter).lines == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Hello {{{message.text}}}", "not message.text"),
        ("Hello {{user.firstName}}", "three braces"),
        ("Hello }}}", "stands alone"),
        ("x" * 1_001, "at most 1,000"),
        ("two\nlines", "one line"),
    ],
)
def test_a_greeting_that_cannot_be_filled_is_refused(counter: Counter, text: str, why: str) -> None:
    with pytest.raises(Invalid) as refused:
        put(counter, greeting=text)
    (fault,) = refused.value.faults
    assert fault.path == "greeting"
    assert why in fault.message
