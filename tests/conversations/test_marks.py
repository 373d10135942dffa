"""What is told of a message's way: whatever the order it comes in, the same stands in the end."""

from __future__ import annotations

import itertools

from hypothesis import example, given
from hypothesis import strategies as st

from user360.conversations import marks
from user360.conversations.marks import Mark, Part
from user360.conversations.talk import DELIVERY, FAILED, Message

TOLD = st.sampled_from((*DELIVERY, FAILED))
SOME = st.builds(
    Mark,
    message=st.just(1),
    delivery=TOLD,
    error=st.sampled_from(("", "unknown number")),
    part=st.integers(-1, 3),
)


def message(pieces: int = 0) -> Message:
    said = Message(
        id=1,
        conversation=1,
        sender="agent",
        author="member:1",
        text="Hello",
        attachments=(),
        at=0,
        received_at=0,
        delivery="queued",
    )
    pieces_sent = [Part(f"w{n}", "sent") for n in range(pieces)]
    return marks.with_parts(said, pieces_sent) if pieces else said


def after(said: Message, told: list[Mark]) -> Message:
    for mark in told:
        said = marks.marked(said, mark)
    return said


# The rest of a message is no piece of its own that something could be told of.
@example([Mark(message=1, delivery="read", part=1), Mark(message=1, delivery=FAILED)], 1)
@given(st.lists(SOME, max_size=4), st.integers(0, 3))
def test_the_order_of_marks_does_not_matter(told: list[Mark], pieces: int) -> None:
    ways = {after(message(pieces), list(some)).delivery for some in itertools.permutations(told)}
    assert len(ways) == 1


# Only a failure says why.
@example([Mark(message=1, delivery="queued", error="x"), Mark(message=1, delivery=FAILED)], 0)
@given(st.lists(SOME, max_size=6), st.integers(0, 3))
def test_telling_it_again_changes_nothing(told: list[Mark], pieces: int) -> None:
    once = after(message(pieces), told)
    assert after(once, told) == once


@given(TOLD, TOLD, TOLD)
def test_it_never_goes_back(a: str, b: str, c: str) -> None:
    assert marks.further(marks.further(a, b), c) == marks.further(a, marks.further(b, c))
    assert marks.ORDER.index(marks.further(a, b)) >= marks.ORDER.index(a)


def test_a_failure_says_why_unless_it_was_read_after_all() -> None:
    failed = after(message(), [Mark(message=1, delivery=FAILED, error="unknown number")])
    assert (failed.delivery, failed.error) == (FAILED, "unknown number")
    read = after(failed, [Mark(message=1, delivery="read")])
    assert (read.delivery, read.error) == ("read", "")


def test_a_message_in_pieces_is_as_far_as_its_last_piece() -> None:
    two = message(2)
    assert after(two, [Mark(message=1, delivery="read", part=0)]).delivery == "sent"
    both = [Mark(message=1, delivery="delivered", part=1), Mark(message=1, delivery="read", part=0)]
    assert after(two, both).delivery == "delivered"
    failed = after(two, [*both, Mark(message=1, delivery=FAILED, part=1, error="expired")])
    assert (failed.delivery, failed.error) == (FAILED, "expired")


def test_when_the_rest_could_not_be_sent_it_failed_whatever_became_of_what_was() -> None:
    told = [
        Mark(message=1, delivery=FAILED, error="unknown number"),
        Mark(message=1, delivery="read", part=0),
        Mark(message=1, delivery="read"),
    ]
    assert after(message(2), told).delivery == FAILED


def test_what_is_sent_once_more_are_the_pieces_that_failed_each_in_its_place() -> None:
    two = after(message(3), [Mark(message=1, delivery="read", part=2)])
    # It is reported that one failed before anybody noted how WhatsApp calls it.
    lost = marks.with_parts(two, [Part("w0", "sent"), Part("", FAILED, "expired"), Part("w2")])
    again = marks.anew(after(lost, [Mark(message=1, delivery=FAILED, error="unknown number")]))
    assert marks.parts_of(again) == [Part("w0", "sent"), Part(), Part("w2")]
    assert (again.delivery, again.error) == ("queued", "")
