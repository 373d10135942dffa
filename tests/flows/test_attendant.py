"""A customer writes, and a flow answers: every kind of node, in a real conversation."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flows.counter import Counter
from user360.channels import settings
from user360.conversations.deeds import Deed
from user360.flows import state as states
from user360.flows import store
from user360.platform import Platform

GREETING = """
    start: hello
    nodes:
      hello:
        message: Hello {{{user.firstName|there}}}!
        next: ask
      ask:
        prompt:
          kind: name
          ask: What is your name?
        next: thanks
      thanks:
        message: Nice to meet you, {{{user.firstName}}}.
        next: topic
      topic:
        prompt:
          kind: choice
          ask: What is it about?
          choices: [Order, Something else]
          variable: topic
        next: which
      which:
        condition:
          - variable: topic
            is: order
            next: bye
          - else: agents
      agents:
        handOver:
          subject: About {{{flow.topic}}}
      bye:
        end: {reason: answered, tags: [order]}
"""


def test_a_flow_greets_asks_and_ends(platform: Platform) -> None:
    counter = Counter(platform, GREETING)
    with counter.attended():
        assert counter.hears("Hi") == ["Hello there!", "What is your name?"]
        assert counter.hears("Asha") == ["Nice to meet you, Asha.", "What is it about?"]
        assert counter.hears("1") == []
    held = counter.held()
    assert (held.state, held.reason, held.tags) == ("resolved", "answered", ("order",))
    assert counter.knows()["firstName"] == "Asha"


def test_what_a_flow_writes_says_where_it_is_from(platform: Platform) -> None:
    counter = Counter(platform, GREETING)
    with counter.attended():
        counter.hears("Hi")
        counter.hears("Asha")
    told = counter.shop.told(counter.held().record)
    assert [name for name, _ in told][-1] == "USER_UPDATE"


def test_an_answer_that_does_not_fit_is_asked_for_again(platform: Platform) -> None:
    counter = Counter(platform, GREETING)
    with counter.attended():
        counter.hears("Hi")
        (again,) = counter.hears("12345")
        assert "without digits" in again
        counter.hears("<b>")
        assert counter.hears("42") == []
    assert counter.held().state == "open"


def test_a_choice_nobody_made_hands_over(platform: Platform) -> None:
    counter = Counter(platform, GREETING)
    with counter.attended():
        counter.hears("Hi")
        counter.hears("Asha")
        counter.hears("something else")
    held = counter.held()
    assert (held.state, held.subject) == ("open", "About Something else")


def test_a_flow_that_begins_late_reads_the_last_that_was_said_alone(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = Counter(platform, GREETING)
    counter.change(lambda c: settings.change(c, platform.vault, "web", {"bot": ""}))
    for number in range(30):
        counter.writes(f"Question {number}")
    counter.change(lambda c: settings.change(c, platform.vault, "web", {"bot": "flow:bot"}))
    conversation, read = counter.held().id, store.said_since
    numbers: list[int] = []

    def noted(connection: Any, held: int, number: int) -> Any:
        numbers.extend([number] if held == conversation else [])
        return read(connection, held, number)

    monkeypatch.setattr(store, "said_since", noted)
    with counter.attended():
        counter.shop.send(conversation=conversation, deed=Deed(action="bot"))
        counter.until(lambda: counter.said()[-1:] == ["What is your name?"])
        last = states.decode(counter.held().flow)
        assert last is not None
        counter.until(lambda: last.handled in numbers)
    assert set(numbers) - {0} == {last.handled}
    assert counter.said() == ["Hello there!", "What is your name?"]
