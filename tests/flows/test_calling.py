"""A flow asks an API: its answer fills variables, and its troubles stay its own."""

from __future__ import annotations

import json

import pytest
from structlog.testing import capture_logs

from tests.flows.counter import Counter
from tests.flows.peer import Answer, Asked, Peer, ok
from user360.flows import calling, managing
from user360.platform import Platform

FLOW = """
    start: ask
    nodes:
      ask:
        prompt: {kind: text, ask: Which order?, variable: order}
        next: look
      look:
        call:
          method: POST
          url: URL/orders/{{{flow.order}}}
          headers:
            X-Token: Bearer {{{secret.token}}}
          body: {email: "{{{user.email|none}}}", order: "{{{flow.order}}}"}
          timeout: 2
          retries: RETRIES
          variables: {status: "order.lines[0].status", count: "order.count"}
          failed: sorry
        next: tell
      tell:
        message: It is {{{flow.status|unknown}}}, {{{flow.count}}} pieces.
        next: agents
      sorry:
        message: I cannot look that up.
        next: agents
      agents:
        handOver: {}
"""


def shop(platform: Platform, peer: Peer, retries: int = 0) -> Counter:
    counter = Counter(platform, "start: a\nnodes: {a: {end: }}")
    vault = platform.vault
    counter.change(lambda c: managing.set_secrets(c, vault, "bot", {"token": "hush"}))
    flow = FLOW.replace("URL", peer.url).replace("RETRIES", str(retries))
    counter.put(flow.replace("Which order?", "'Which order?'"))
    return counter


def test_an_answer_fills_variables(platform: Platform, peer: Peer) -> None:
    peer.answer = lambda _: ok({"order": {"lines": [{"status": "sent"}], "count": 3}})
    counter = shop(platform, peer)
    with counter.attended():
        counter.hears("Hi")
        assert counter.hears("A/17?") == ["It is sent, 3 pieces."]
    (asked,) = peer.asked
    assert asked.path == "/orders/A%2F17%3F"
    assert asked.headers["X-Token"] == "Bearer hush"
    assert json.loads(asked.body) == {"email": "none", "order": "A/17?"}
    assert asked.headers["Idempotency-Key"]


def answers(peer: Peer, *found: Answer) -> None:
    ahead = iter(found)
    peer.answer = lambda _: next(ahead)


@pytest.mark.parametrize(
    "answer",
    [
        (500, {}, b"{}"),
        (404, {}, b"{}"),
        (200, {}, b"<html>"),
        (200, {}, b"[" * 100_000),
        (200, {}, b"x" * (calling.LARGEST + 1)),
        (302, {"location": "/elsewhere"}, b""),
        ok("a" * 200_000),
    ],
)
def test_what_is_no_answer_goes_where_the_flow_says(
    platform: Platform, peer: Peer, answer: Answer
) -> None:
    peer.answer = lambda _: answer
    counter = shop(platform, peer)
    with counter.attended():
        counter.hears("Hi")
        said = counter.hears("17")
    assert said in (["I cannot look that up."], ["It is unknown,  pieces."])
    assert [asked.path for asked in peer.asked] == ["/orders/17"]


def test_temporary_troubles_are_tried_again_with_the_same_key(
    platform: Platform, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "FIRST_WAIT", 0.0)
    done = ok({"order": {"lines": [{"status": "sent"}], "count": 1}})
    answers(peer, (503, {}, b""), (429, {}, b""), done)
    counter = shop(platform, peer, retries=2)
    with counter.attended():
        counter.hears("Hi")
        assert counter.hears("17") == ["It is sent, 1 pieces."]
    assert len({asked.headers["Idempotency-Key"] for asked in peer.asked}) == 1


def test_an_api_that_cannot_be_reached_is_a_failure(platform: Platform) -> None:
    with Peer().serving() as gone:
        counter = shop(platform, gone)
    with counter.attended():
        counter.hears("Hi")
        assert counter.hears("17") == ["I cannot look that up."]


def test_an_api_that_hangs_holds_up_its_own_conversation_alone(
    platform: Platform, peer: Peer
) -> None:
    def slow(asked: Asked) -> Answer | None:
        return None if asked.path.endswith("slow") else ok({"order": {"count": 1}})

    peer.answer = slow
    counter = shop(platform, peer)
    with counter.attended():
        for name in ("a", "b"):
            counter.hears("Hi", name)
        counter.writes("slow", "a")
        assert peer.came.wait(20)
        assert counter.hears("17", "b") == ["It is unknown, 1 pieces."]
        assert counter.held("a").state == "bot"
        counter.until(lambda: counter.held("a").state != "bot")
    assert counter.said("a")[-1] == "I cannot look that up."


def test_without_a_way_for_failures_agents_get_it(platform: Platform, peer: Peer) -> None:
    peer.answer = lambda _: (500, {}, b"")
    counter = shop(platform, peer)
    plain = (
        FLOW.replace("URL", peer.url)
        .replace("RETRIES", "0")
        .replace("          failed: sorry\n", "")
    )
    cut = plain.index("      sorry:")
    counter.put(
        plain[:cut].replace("Which order?", "'Which order?'")
        + "      agents:\n        handOver: {}\n"
    )
    gave_up = counter.counts("callFailed")
    with capture_logs() as lines, counter.attended():
        counter.hears("Hi")
        assert counter.hears("17") == []
        counter.until(lambda: gave_up() == 1)
    assert counter.held().state == "open"
    assert "it answered 500" in [line.get("reason") for line in lines]


def test_cookies_of_one_answer_are_not_sent_with_the_next(platform: Platform, peer: Peer) -> None:
    peer.answer = lambda _: (200, {"set-cookie": "who=asha; Path=/"}, b"{}")
    counter = shop(platform, peer)
    with counter.attended():
        for name in ("a", "b"):
            counter.hears("Hi", name)
            counter.hears("17", name)
    assert all("Cookie" not in asked.headers for asked in peer.asked)
