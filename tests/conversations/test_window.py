"""For how long a customer on WhatsApp may be answered freely, to the microsecond."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.channels.test_settings import put
from tests.stories.shop import Shop
from user360.clock import SECOND, StillClock
from user360.conversations import reading, window
from user360.conversations.deeds import Deed
from user360.conversations.talk import Said
from user360.ingest.call import Outcome
from user360.platform import Platform

DAY = 24 * 60 * 60 * SECOND
ASHA = "whatsapp:4915112345678"
HELLO = {"name": "hello", "language": "en", "body": "Hello again"}


@pytest.fixture
def still() -> StillClock:
    return StillClock(1_800_000_000_000_000)


@pytest.fixture
def shop(still: StillClock) -> Iterator[Shop]:
    with Platform.temporary(clock=still) as platform:
        shop = Shop(platform)
        put(shop, "whatsapp", phoneNumberId="1", templates=[HELLO])
        yield shop


def says(shop: Shop, text: str, sender: str = "agent", session: str = ASHA, **more: Any) -> Outcome:
    said, now = Said(sender=sender, text=text, **more), shop.platform.clock.now()
    return shop.settle(shop.call(session=session, said=said, at=now))[0]


def until(shop: Shop, number: int | None) -> int | None:
    assert number is not None
    platform = shop.platform
    with platform.ledger.read() as connection:
        where = (connection, platform.ledger.dialect)
        held = reading.one(*where, shop.workspace.id, number)
        assert held is not None
        return window.until(*where, [held])[number]


def test_it_closes_a_day_after_the_customers_last_message(shop: Shop, still: StillClock) -> None:
    begun = still.now()
    chat = says(shop, "Hello", "customer").conversation
    assert until(shop, chat) == begun + DAY
    still.at = begun + DAY - 1
    assert says(shop, "Just in time").problem is None
    still.at = begun + DAY
    refused = says(shop, "A moment too late").problem
    assert refused is not None
    assert refused.status == 409
    assert refused.detail.endswith("nothing but a template then, such as hello (en)")
    assert until(shop, chat) == begun + DAY
    assert says(shop, "Hello again", detail={"template": HELLO}).problem is None
    assert says(shop, "She is silent", "note").problem is None
    says(shop, "Here I am", "customer")
    assert says(shop, "Welcome back").problem is None
    assert until(shop, chat) == begun + 2 * DAY


def test_what_was_said_before_is_answered_as_it_was(shop: Shop, still: StillClock) -> None:
    says(shop, "Hello", "customer")
    first = says(shop, "Welcome", id="a-1")
    still.move(days=2)
    again = says(shop, "Welcome", id="a-1")
    assert (again.status, again.message) == ("duplicate", first.message)


def test_it_is_the_customers_not_the_conversations(shop: Shop, still: StillClock) -> None:
    chat = says(shop, "Hello", "customer").conversation
    shop.send(conversation=chat, deed=Deed(action="resolve"))
    still.move(hours=23)
    second = says(shop, "One thing more").conversation
    assert second != chat
    assert until(shop, second) == until(shop, chat)
    still.move(hours=1)
    assert says(shop, "And another").problem is not None
    stranger = says(shop, "Hello", session="whatsapp:4915199999999").problem
    assert stranger is not None
    assert "has not written yet" in stranger.detail


def test_a_clock_that_runs_ahead_opens_nothing(shop: Shop, still: StillClock) -> None:
    now = still.now()
    said = Said(sender="customer", text="From tomorrow")
    chat = shop.send(session=ASHA, said=said, at=now + DAY // 2).conversation
    assert until(shop, chat) == now + DAY


def test_where_nothing_is_sent_from_here_there_is_no_rule(shop: Shop, still: StillClock) -> None:
    chat = says(shop, "Hello", "customer", session="web:v1").conversation
    says(shop, "Hello", "customer")
    still.move(days=3)
    assert says(shop, "Hello", session="web:v1").problem is None
    with pytest.raises(KeyError):
        until(shop, chat)
    put(shop, "whatsapp", active=False)
    assert says(shop, "By another system").problem is None


def test_what_came_in_the_same_batch_opens_it(shop: Shop, still: StillClock) -> None:
    says(shop, "Hello", "customer")
    still.move(days=2)
    both = (Said(sender="customer", text="I am here"), Said(sender="bot", text="Welcome back"))
    made = [shop.call(session=ASHA, said=said, at=still.now()) for said in both]
    assert [outcome.problem for outcome in shop.settle(*made)] == [None, None]
