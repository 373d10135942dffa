"""A channel whose access is refused says so, holds nothing up for good, and recovers by itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.channels.test_outbox import Peer, left, message, say, until
from tests.channels.test_settings import put
from tests.stories.shop import Shop
from user360.channels import settings
from user360.channels.bringing import Locked, Temporary
from user360.channels.outbox import Outbox
from user360.clock import StillClock
from user360.conversations.news import News
from user360.conversations.talk import Said
from user360.platform import Platform

WHY = "WhatsApp refuses the access token"


@pytest.fixture
def still() -> StillClock:
    return StillClock(1_800_000_000_000_000)


@pytest.fixture
def shop(still: StillClock) -> Iterator[Shop]:
    with Platform.temporary(clock=still) as platform:
        shop = Shop(platform)
        put(shop, "whatsapp", phoneNumberId="1", accessToken="old")
        yield shop


@pytest.fixture
def peer() -> Peer:
    return Peer()


@pytest.fixture
def box(shop: Shop, peer: Peer) -> Outbox:
    """Brings what it is told to, and nothing by itself."""
    return Outbox(shop.platform, {"whatsapp": lambda _: peer})


def trouble(shop: Shop, channel: str = "whatsapp") -> tuple[str, int | None]:
    told = settings.read(shop.platform, shop.workspace, channel)
    return told["trouble"], told["troubleSince"]


def test_it_is_noted_once_with_since_when_and_told(
    shop: Shop, peer: Peer, box: Outbox, still: StillClock
) -> None:
    outcome = say(shop, "one")
    peer.trouble["one"] = [Locked(WHY), Locked(WHY), Locked("It expired")]
    heard: list[News] = []
    shop.platform.exchange.hear(heard.extend)
    begun = still.now()
    for why in (WHY, WHY, "It expired"):
        box.bring(left(shop)[0])
        assert trouble(shop) == (why, begun)
        still.move(minutes=5)
    assert message(shop, outcome.message).delivery == "queued"
    assert [n.conversation.id for n in heard] == [outcome.conversation] * 2


def test_other_trouble_is_none_of_the_access(shop: Shop, peer: Peer, box: Outbox) -> None:
    say(shop, "one")
    peer.trouble["one"] = [Temporary("Their line is busy")]
    box.bring(left(shop)[0])
    assert trouble(shop) == ("", None)


def test_once_one_went_all_that_waits_goes(
    shop: Shop, peer: Peer, box: Outbox, still: StillClock
) -> None:
    for n in range(3):
        say(shop, f"m{n}", session=f"49151{n:07}")
        peer.trouble[f"m{n}"] = [Locked(WHY)]
    for each in left(shop):
        box.bring(each)
    assert all(each.due_at > still.now() for each in left(shop))
    box.bring(left(shop)[0])
    assert trouble(shop) == ("", None)
    assert [(each.due_at, each.attempts) for each in left(shop)] == [(still.now(), 0)] * 2


def test_a_new_access_is_tried_at_once(
    shop: Shop, peer: Peer, box: Outbox, still: StillClock
) -> None:
    other = Shop(shop.platform)
    put(other, "whatsapp", phoneNumberId="2", accessToken="old")
    for each in (shop, other):
        say(each, "one")
        peer.trouble["one"] = [Locked(WHY)]
        box.bring(left(each)[0])
    put(shop, "whatsapp", bot="webhook")
    assert trouble(shop)[0] == WHY
    put(shop, "whatsapp", accessToken="new")
    assert trouble(shop) == ("", None)
    assert trouble(other)[0] == WHY
    still.move(seconds=1)
    assert left(shop)[0].due_at < still.now() < left(other)[0].due_at
    box.start()
    until(shop, lambda: not left(shop))
    box.close()


def test_fetching_and_sending_note_beside_each_other(
    shop: Shop, peer: Peer, still: StillClock
) -> None:
    put(shop, "email", address="care@shop.example")
    shop.send(session="email:t1", said=Said(sender="agent", text="one"))
    peer.trouble["one"] = [Locked("The mail server does not let us in (535)")]
    box = Outbox(shop.platform, {"email": lambda _: peer})
    box.bring(left(shop)[0])
    platform, workspace = shop.platform, shop.workspace
    noted = {"error": "The mail server did not answer in time", "uid": 7}
    platform.write(lambda c: settings.note(c, workspace, "email", "imap", noted))
    assert trouble(shop, "email") == ("The mail server does not let us in (535)", still.now())
    box.bring(left(shop)[0])
    assert trouble(shop, "email") == ("The mail server did not answer in time", None)
    assert settings.state(platform, workspace, "email") == {"imap": noted}
