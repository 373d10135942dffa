"""Whatever happens meanwhile, a conversation goes on: nothing is lost, nothing is said twice."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from tests.flows.counter import Counter
from tests.flows.peer import Peer, ok
from user360.conversations.deeds import Deed
from user360.conversations.talk import Said
from user360.flows import attendant, managing, runner, store
from user360.flows.live import Live
from user360.platform import Platform

TALK = """
    start: hello
    nodes:
      hello:
        message: Hello!
        next: who
      who:
        identify: {by: email, ask: Your mail}
        next: call
      call:
        call: {url: URL/x, variables: {points: points}}
        next: mark
      mark:
        set: {city: Pune, flow.tries: 1}
        next: which
      which:
        condition:
          - if: {property: city, op: is, values: [Pune]}
            next: rich
          - else: agents
      rich:
        message: You have {{{flow.points}}} points.
        next: more
      more:
        prompt: {kind: text, ask: Anything else, variable: wish}
        next: bye
      bye:
        message: Bye.
        next: agents
      agents:
        handOver: {subject: "{{{flow.wish}}}"}
"""
SAID = ["Hello!", "Your mail", "You have 5 points.", "Anything else", "Bye."]
WRITTEN = ("Hi", "asha@example.com", "no")


class Cut(BaseException):
    """The process ends here."""


class Cutting(Live):
    """A world that ends with the process after so many steps, before or after the last of them."""

    left = 0
    after = False

    async def _step(self, name: str, *given: Any) -> Any:
        if Cutting.left == 0 and not Cutting.after:
            Cutting.left = -1
            raise Cut
        # Counted as it begins: the test may see what a step has done, and end, before it returns.
        last = Cutting.left == 0
        Cutting.left -= Cutting.left > 0
        found = await getattr(Live, name)(self, *given)
        if last:
            Cutting.left = -1
            raise Cut
        return found

    async def claim(self, *given: Any) -> Any:
        return await self._step("claim", *given)

    async def write(self, *given: Any) -> Any:
        return await self._step("write", *given)

    async def ask(self, *given: Any) -> Any:
        return await self._step("ask", *given)

    async def keep(self, *given: Any) -> Any:
        return await self._step("keep", *given)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("steps", range(8))
def test_cut_off_anywhere_it_goes_on_where_it_was(
    platform: Platform, peer: Peer, monkeypatch: pytest.MonkeyPatch, steps: int, after: bool
) -> None:
    peer.answer = lambda _: ok({"points": 5})
    counter = Counter(platform, TALK.replace("URL", peer.url))
    counter.shop.write("asha@example.com", firstName="Asha")
    monkeypatch.setattr(attendant, "Live", Cutting)
    monkeypatch.setattr(Cutting, "left", steps)
    monkeypatch.setattr(Cutting, "after", after)
    for text in WRITTEN:
        message = counter.writes(text).message or 0
        rests = functools.partial(_rests, counter, message)
        while not counter.answered("s", message):
            with counter.attended():
                counter.until(rests)
    assert after or Cutting.left < 0
    assert counter.said() == SAID
    held = counter.held()
    assert (held.state, held.subject) == ("open", "no")
    assert counter.record()["userId"] == "asha@example.com"
    merges = [name for name, _ in counter.shop.told(held.record) if name == "USER_MERGE"]
    assert len(merges) <= 1


def _rests(counter: Counter, message: int) -> bool:
    """Whether the process has ended once more, or nobody waits."""
    cut = Cutting.left == -1
    if cut:
        Cutting.left = -2
    return cut or counter.answered("s", message)


def test_what_came_while_nobody_served_is_answered_at_the_start(platform: Platform) -> None:
    counter = Counter(platform, "start: a\nnodes: {a: {message: Hello, next: b}, b: {end: }}")
    for name in ("a", "b"):
        counter.writes("Hi", name)
    with counter.attended():
        counter.until(lambda: all(counter.held(n).state == "resolved" for n in ("a", "b")))
    assert counter.said("a") == counter.said("b") == ["Hello"]


ASKING = """
    start: ask
    handOverWords: [agent, real person]
    nodes:
      ask:
        prompt: {kind: text, ask: First, variable: one}
        next: two
      two:
        prompt: {kind: text, ask: Second, variable: two}
        next: done
      done:
        message: "{{{flow.one}}} and {{{flow.two}}}"
        next: ask
"""


@pytest.fixture
def asking(platform: Platform) -> Counter:
    return Counter(platform, ASKING)


@pytest.mark.parametrize("wish", ["Agent!", "can I talk to a REAL  person please"])
def test_who_asks_for_an_agent_gets_one(asking: Counter, wish: str) -> None:
    with asking.attended():
        asking.hears("Hi")
        assert asking.hears(wish) == []
    assert asking.held().state == "open"


def test_a_word_within_another_asks_for_nobody(asking: Counter) -> None:
    with asking.attended():
        asking.hears("Hi")
        assert asking.hears("reagents") == ["Second"]


def test_what_was_said_before_the_question_is_no_answer_to_it(asking: Counter) -> None:
    asking.writes("Hi")
    asking.writes("My order is late")
    with asking.attended():
        asking.until(lambda: asking.said() == ["First"])
        assert asking.hears("1") == ["Second"]
        assert asking.hears("2") == ["1 and 2", "First"]


def test_a_flow_that_loops_is_stopped(asking: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "MOST_IN_ALL", 10)
    gave_up = asking.counts("loop")
    with asking.attended():
        for n in range(20):
            asking.hears(str(n))
            if asking.held().state != "bot":
                break
        asking.until(lambda: gave_up() == 1)
    assert asking.held().state == "open"


def test_a_flow_may_be_edited_in_the_middle(asking: Counter) -> None:
    with asking.attended():
        asking.hears("Hi")
        asking.put(ASKING.replace("Second", "Zweitens"))
        assert asking.hears("1") == ["Zweitens"]
        asking.put("start: other\nnodes: {other: {end: }}")
        assert asking.hears("2") == []
    assert asking.held().state == "open"


@pytest.mark.parametrize("how", ["deleted", "switched off"])
def test_without_its_flow_agents_get_it(asking: Counter, how: str) -> None:
    with asking.attended():
        asking.hears("Hi")
        if how == "deleted":
            asking.change(lambda c: managing.delete(c, "bot", force=True))
        else:
            from user360.channels import settings

            vault = asking.platform.vault
            asking.change(lambda c: settings.change(c, vault, "web", {"bot": ""}))
        asking.hears("1")
    assert asking.held().state == "open"


def test_whoever_takes_it_over_is_not_talked_over(asking: Counter) -> None:
    with asking.attended():
        asking.hears("Hi")
        said = Said(sender="agent", text="I am here", author="key:1")
        call = asking.shop.call(conversation=asking.held().id, said=said)
        asking.platform.settle([call])
        asking.writes("1")
        asking.hears("Hi", "other")
    assert asking.said() == ["First"]


def test_given_back_to_the_bot_it_begins_when_somebody_writes(asking: Counter) -> None:
    with asking.attended():
        asking.hears("agent")
        number = asking.held().id
        said = Said(sender="agent", text="The bot can help", author="key:1")
        back = asking.shop.call(conversation=number, deed=Deed(action="bot"))
        asking.platform.settle([asking.shop.call(conversation=number, said=said), back])
        assert asking.hears("Fine") == ["First"]


def test_a_defect_is_a_matter_for_agents(asking: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Live, "keep", broken)
    with asking.attended():
        asking.hears("Hi")
    assert asking.held().state == "open"


def test_trouble_that_nobody_foresaw_is_passed_over_in_time(
    asking: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, failed = store.last_of_customer, []

    def unwell(*given: Any) -> Any:
        if not failed:
            failed.append(given)
            raise ZeroDivisionError
        return read(*given)

    monkeypatch.setattr(store, "last_of_customer", unwell)
    with asking.attended():
        assert asking.hears("Hi") == ["First"]
    assert failed


def test_two_workspaces_have_each_their_own_flow(platform: Platform, asking: Counter) -> None:
    other = Counter(platform, "start: a\nnodes: {a: {message: Other, next: b}, b: {end: }}")
    with asking.attended():
        assert asking.hears("Hi") == ["First"]
        other.writes("Hi")
        asking.until(lambda: other.held().state == "resolved")
    assert other.said() == ["Other"]


def test_nothing_in_a_property_is_a_template_or_ends_a_line(asking: Counter) -> None:
    with asking.attended():
        asking.hears("Hi")
        asking.hears("{{{user.email}}}")
        assert asking.hears("<script>alert(1)</script>")[0] == (
            "{{{user.email}}} and <script>alert(1)</script>"
        )
