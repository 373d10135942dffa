"""The demo's inbox: what stands there, and who is known as soon as they say their e-mail."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.stories.shop import Shop
from user360 import data, demo_inbox, ids
from user360.conversations import kept, reading
from user360.conversations.talk import Conversation, Said
from user360.flows.attendant import Attendant
from user360.identity import people
from user360.identity import store as identity_store
from user360.ingest.call import Session
from user360.platform import Platform


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    """A platform whose default workspace has what the demo answers with."""
    with Platform.temporary() as platform:
        demo_inbox.load(platform, "for this test only")
        yield platform


def of(platform: Platform, user_id: str) -> list[Conversation]:
    with platform.ledger.read() as connection:
        number = identity_store.of_user(connection, platform.default.id, user_id)
        assert number is not None
        dialect = platform.ledger.dialect
        roots = identity_store.roots_of(connection, dialect, [number])
        records = reading.tree(connection, dialect, roots)
        return kept.of_records(connection, dialect, records)


def test_conversations_on_three_channels_are_one_persons(platform: Platform) -> None:
    found = of(platform, data.user_id(demo_inbox.WHO))
    assert [(c.channel, c.state) for c in found] == [
        ("email", "solved"),
        ("whatsapp", "resolved"),
        ("web", "assigned"),
    ]
    ada = demo_inbox.agent(platform)
    assert ada is not None
    assert found[2].assignee == ada.id
    before = platform.committer.position.last
    demo_inbox.load(platform, "for this test only")
    assert platform.committer.position.last == before


def test_who_tells_the_bot_a_known_address_is_that_customer(platform: Platform) -> None:
    shop = Shop.__new__(Shop)
    shop.platform, shop.sent, shop.workspace = platform, 0, platform.default
    attendant = Attendant(platform)
    attendant.start()
    try:
        visit = Session("web", "somebody")
        for text in ("Hello", demo_inbox.email(150)):
            now = platform.now()
            said = Said(sender="customer", text=text)
            outcome = shop.send(session=visit, said=said, at=now)
            _until_answered(platform, outcome.conversation)
    finally:
        attendant.close()
    with platform.ledger.read() as connection:
        dialect = platform.ledger.dialect
        number = identity_store.of_session(connection, platform.default.id, "web", "somebody")
        (person,) = people.many(connection, dialect, platform.default, [number])
    assert person["userId"] == data.user_id(150)
    assert ids.parse_record_id(platform.default.id, person["id"]) is not None


def _until_answered(platform: Platform, conversation: int | None) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with platform.ledger.read() as connection:
            found = reading.one(
                connection, platform.ledger.dialect, platform.default.id, conversation or 0
            )
        if found is not None and found.last_from == "bot" and found.last_text.endswith("?"):
            return
        time.sleep(0.02)
    raise TimeoutError("the bot did not answer")
