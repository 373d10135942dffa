"""What has to be brought is brought: in order, once, again after trouble, and not for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.channels.test_settings import put
from tests.channels.test_webhooks import hook
from tests.stories.shop import Shop
from user360.channels import deliveries, outbox
from user360.channels.bringing import Delivery, Permanent, Temporary
from user360.channels.outbox import Outbox
from user360.clock import StillClock
from user360.conversations import marks
from user360.conversations.news import News
from user360.conversations.talk import Conversation, Message, Said
from user360.errors import Conflict, NotFound
from user360.platform import Platform
from user360.storage.ledger import Connection

PATIENCE = 20.0


class Peer:
    """Takes messages as it is told to; what came, in order."""

    def __init__(self) -> None:
        self.came: list[str] = []
        self.trouble: dict[str, list[Exception]] = {}
        self.hangs: dict[str, threading.Event] = {}
        self.changed = threading.Condition()

    def send(self, delivery: Delivery, message: Message, conversation: Conversation) -> str:
        assert delivery.conversation == conversation.id
        if message.text in self.hangs:
            self.hangs[message.text].wait(PATIENCE)
        with self.changed:
            self.came.append(message.text)
            self.changed.notify_all()
        if self.trouble.get(message.text):
            raise self.trouble[message.text].pop(0)
        return f"peer-{message.text}"

    def wait(self, count: int) -> list[str]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.came) >= count, PATIENCE), self.came
            return list(self.came)


@pytest.fixture
def still() -> StillClock:
    return StillClock(1_800_000_000_000_000)


@pytest.fixture
def shop(still: StillClock) -> Iterator[Shop]:
    with Platform.temporary(clock=still) as platform:
        shop = Shop(platform)
        put(shop, "whatsapp", phoneNumberId="1")
        yield shop


@pytest.fixture
def peer() -> Peer:
    return Peer()


@pytest.fixture
def serving(shop: Shop, peer: Peer) -> Iterator[Outbox]:
    made = Outbox(shop.platform, {"whatsapp": lambda _: peer})
    made.start()
    yield made
    for event in peer.hangs.values():
        event.set()
    made.close()


def say(shop: Shop, text: str, session: str = "4915112345678", sender: str = "agent") -> Any:
    # The customer writes first: without that WhatsApp takes templates alone.
    hello, now = Said(sender="customer", text="Hi", id="hi"), shop.platform.clock.now()
    shop.send(session=f"whatsapp:{session}", said=hello, at=now)
    said = Said(sender=sender, text=text)
    return shop.send(session=f"whatsapp:{session}", said=said)


def message(shop: Shop, number: int) -> Message:
    platform = shop.platform
    with platform.ledger.read() as connection:
        return marks.of(connection, platform.ledger.dialect, shop.workspace.id, [number])[number]


def left(shop: Shop, *, failed: bool = False) -> list[Delivery]:
    with shop.platform.ledger.read() as connection:
        return deliveries.listed(connection, shop.workspace.id, failed=failed)


def until(shop: Shop, told: Callable[[], bool]) -> None:
    """Wait until something holds, looking at each news and now and then."""
    heard = threading.Event()
    leave = shop.platform.exchange.hear(lambda _: heard.set())
    try:
        for _ in range(int(PATIENCE / 0.05)):
            if told():
                return
            heard.wait(0.05)
            heard.clear()
        pytest.fail("it did not come to hold")
    finally:
        leave()


@pytest.mark.usefixtures("serving")
def test_an_answer_is_brought_marked_and_told(shop: Shop, peer: Peer) -> None:
    heard: list[News] = []
    shop.platform.exchange.hear(heard.extend)
    outcome = say(shop, "Hello")
    assert peer.wait(1) == ["Hello"]
    until(shop, lambda: any(n.changed for n in heard))  # told once it is on disk
    sent = message(shop, outcome.message)
    assert (sent.delivery, sent.external) == ("sent", "peer-Hello")
    assert [[m.delivery for m in n.changed] for n in heard if n.changed] == [["sent"]]
    say(shop, "Thanks", sender="customer")
    assert left(shop) == []


def test_a_conversation_keeps_its_order_through_trouble(
    shop: Shop, peer: Peer, serving: Outbox, still: StillClock
) -> None:
    peer.trouble["one"] = [Temporary("Their line is busy"), RuntimeError("a defect")]
    say(shop, "one")
    say(shop, "two")
    say(shop, "elsewhere", session="4915199999999")
    assert sorted(peer.wait(2)) == ["elsewhere", "one"]
    until(shop, lambda: [d.error for d in left(shop)] == ["", "Their line is busy"])
    for tried in (1, 2):
        until(shop, lambda tried=tried: left(shop)[-1].attempts == tried)  # type: ignore[misc]
        still.move(minutes=1)
        serving.wake()
    assert [text for text in peer.wait(5) if text != "elsewhere"] == ["one", "one", "one", "two"]
    until(shop, lambda: not left(shop))


@pytest.mark.usefixtures("serving")
def test_one_that_hangs_holds_up_its_own_conversation_alone(shop: Shop, peer: Peer) -> None:
    peer.hangs["slow"] = threading.Event()
    say(shop, "slow")
    say(shop, "after it")
    for n in range(30):
        say(shop, f"m{n}", session=f"49151{n:07}")
    assert "after it" not in peer.wait(30)
    peer.hangs["slow"].set()
    assert peer.wait(32)[-2:] == ["slow", "after it"]


def test_what_cannot_be_brought_says_why_and_is_tried_again_when_asked(
    shop: Shop, peer: Peer, serving: Outbox, still: StillClock
) -> None:
    peer.trouble["Hello"] = [Permanent("This number is not on WhatsApp")]
    outcome = say(shop, "Hello")
    say(shop, "next")
    peer.wait(2)  # the next one is not held up
    until(shop, lambda: len(left(shop, failed=True)) == 1)
    failed = message(shop, outcome.message)
    assert (failed.delivery, failed.error) == ("failed", "This number is not on WhatsApp")
    retry(shop, left(shop, failed=True)[0].id)
    still.move(seconds=1)
    serving.wake()
    until(shop, lambda: message(shop, outcome.message).delivery == "sent")
    assert message(shop, outcome.message).error == ""
    assert peer.came == ["Hello", "next", "Hello"]


def retry(shop: Shop, number: int) -> list[News]:
    platform = shop.platform

    def job(connection: Connection) -> list[News]:
        return outbox.retry(platform.change(connection, shop.workspace, "key:1"), number)

    return platform.tell(job)


def test_only_what_failed_here_is_tried_again(shop: Shop) -> None:
    say(shop, "waits")
    other = Shop(shop.platform)
    with pytest.raises(Conflict):
        retry(shop, left(shop)[0].id)
    with pytest.raises(NotFound):
        retry(other, left(shop)[0].id)


def test_it_is_given_up_after_a_day(shop: Shop, peer: Peer, still: StillClock) -> None:
    outcome = say(shop, "Hello")
    box = Outbox(shop.platform, {"whatsapp": lambda _: peer})
    peer.trouble["Hello"] = [Temporary("Their line is busy") for _ in range(99)]
    begun = still.now()
    while waiting := left(shop):
        still.at = max(still.at, waiting[0].due_at)
        box.bring(waiting[0])
    hours = (still.now() - begun) / 3_600_000_000
    assert 16 < hours < 30
    failed = message(shop, outcome.message)
    assert failed.error == "Their line is busy. It was tried 33 times"


def test_what_waits_is_brought_after_the_next_start(shop: Shop, peer: Peer) -> None:
    say(shop, "one")
    say(shop, "two")
    box = Outbox(shop.platform, {"whatsapp": lambda _: peer})
    box.start()
    assert peer.wait(2) == ["one", "two"]
    box.close()
    assert left(shop) == []


def test_what_belongs_to_nobody_any_more_is_forgotten(shop: Shop, peer: Peer) -> None:
    say(shop, "one")
    gone = left(shop)[0]
    box = Outbox(shop.platform, {})
    box.bring(gone)
    assert left(shop) == []
    assert peer.came == []


@given(st.integers(1, 40), st.floats(-1, 1))
def test_each_wait_is_longer_up_to_an_hour(attempts: int, chance: float) -> None:
    seconds = outbox.wait_after(attempts, chance)
    assert 4 <= seconds <= 3_600 * 1.2
    assert seconds <= 1.5 * outbox.wait_after(attempts + 1, chance)


@pytest.mark.usefixtures("serving")
def test_a_workspace_whose_peer_hangs_holds_up_nobody_else(shop: Shop, peer: Peer) -> None:
    other = Shop(shop.platform)
    put(other, "whatsapp", phoneNumberId="2")
    peer.hangs["slow"] = threading.Event()
    for n in range(outbox.THREADS + 4):
        say(shop, "slow", session=f"49151{n:07}")
    say(other, "quick")
    assert peer.wait(1) == ["quick"]
    peer.hangs["slow"].set()
    assert len(peer.wait(outbox.THREADS + 5)) == outbox.THREADS + 5


def test_a_workspace_of_which_every_peer_hangs_holds_up_nobody_else(shop: Shop, peer: Peer) -> None:
    other = Shop(shop.platform)
    put(other, "whatsapp", phoneNumberId="2")
    peer.hangs["slow"] = threading.Event()
    each = outbox.SIDE_BY_SIDE
    for n in range(each):
        say(shop, "slow", session=f"49152{n:07}")
    for n in range(2):
        hook(shop, f"http://127.0.0.1:9/{n}")
    for n in range(each):
        shop.send(session=f"web:{n}", said=Said(sender="customer", text="slow"))
    say(other, "quick")
    box = Outbox(shop.platform, {"whatsapp": lambda _: peer, "webhook": lambda _: peer})
    box.start()
    try:
        assert peer.wait(1) == ["quick"]
        peer.hangs["slow"].set()
        assert len(peer.wait(3 * each + 1)) == 3 * each + 1
    finally:
        peer.hangs["slow"].set()
        box.close()


def test_the_ways_that_wait_are_found_by_steps(shop: Shop) -> None:
    others = [Shop(shop.platform) for _ in range(2)]
    for each in (shop, *others):
        put(each, "whatsapp", phoneNumberId="1")
        put(each, "email", active=True)
        for session in ("email:t1", "email:t2", "whatsapp:4915100000001"):
            hello, now = Said(sender="customer", text="Hi"), each.platform.clock.now()
            each.send(session=session, said=hello, at=now)
            each.send(session=session, said=Said(sender="agent", text="Hello"))
    with shop.platform.ledger.read() as connection:
        found = deliveries.lanes(connection)
    numbers = [each.workspace.id for each in (shop, *others)]
    assert found == [(number, way) for number in numbers for way in ("email", "whatsapp")]
