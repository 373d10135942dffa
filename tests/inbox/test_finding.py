"""Finding conversations: what is found does not depend on how many there are, nor on the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.stories.shop import Shop
from user360.conversations import reading, searching, store
from user360.conversations.reading import Place, Wanted
from user360.conversations.scope import Scope
from user360.conversations.talk import Said
from user360.inbox import finding
from user360.inbox.finding import Sought
from user360.platform import Platform
from user360.segments.language import tree

MINE = Scope(frozenset({1}), frozenset(), free_only=True)


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform.temporary() as platform:
        yield platform


@pytest.fixture(params=["gathered", "read"])
def shop(platform: Platform, request: pytest.FixtureRequest) -> Iterator[Shop]:
    """A shop whose conversations are gathered by their words, or too many for that."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "read":
            patch.setattr(searching, "MOST_GATHERED", 0)
            patch.setattr(finding, "MOST_PEOPLE", 1)
            patch.setattr(finding, "MOST_READ", 3)
            patch.setattr(reading, "FIRST_WINDOW", 2)
        yield Shop(platform)


def says(shop: Shop, text: str, session: str, **known: Any) -> None:
    said = Said(sender="customer", text=text, subject=known.pop("subject", ""))
    shop.settle(shop.call(said=said, session=session, **known))


def found(shop: Shop, text: str, limit: int = 2, where: Any = None, **wanted: Any) -> list[str]:
    """The sessions of all pages, in their order."""
    platform = shop.platform
    warehouse = platform.wait()
    node = None if where is None else tree.parse(where, shop.workspace.catalogue, "where", {})
    sought = Sought(wanted=Wanted(**wanted), text=text, whose=node)
    sessions: list[str] = []
    after: Place | None = None
    while True:
        given = (platform, shop.workspace, sought, limit, after, warehouse)
        (page, living) = finding.find(*given)
        assert len(page.conversations) <= limit
        assert set(living) == {c.record for c in page.conversations}
        sessions += [c.session for c in page.conversations]
        after = page.after
        if after is None:
            return sessions


def test_words_are_found_in_messages_subjects_and_names(shop: Shop) -> None:
    says(shop, "Where is my order?", "web:said")
    says(shop, "Hello", "email:subject", subject="The order of May")
    says(shop, "Hello", "web:name", properties={"firstName": "Order", "lastName": "Rao"})
    says(shop, "Hello", "web:other")
    assert found(shop, "order") == ["name", "subject", "said"]
    assert found(shop, "ord") == ["name", "subject", "said"]
    assert found(shop, "nothing of this") == []


def test_the_old_ones_that_somebody_may_see_are_found_behind_the_new_ones_of_others(
    shop: Shop,
) -> None:
    for number in range(4):
        says(shop, "My parcel", f"web:hers{number}")
    with shop.platform.ledger.read() as connection:
        where = (connection, shop.platform.ledger.dialect, shop.workspace.id)
        hers = reading.page(*where, Wanted()).conversations
    for number in range(15):
        says(shop, "A parcel again", f"web:s{number}")
    with shop.platform.ledger.read() as connection:
        every = reading.page(connection, *where[1:], Wanted()).conversations
    for held in every:
        held.assignee = 1 if held.id in {c.id for c in hers} else 2
        held.state = "assigned"
    shop.platform.write(lambda c: store.save(c, shop.workspace.id, every))
    assert found(shop, "parcel", scope=MINE) == ["hers3", "hers2", "hers1", "hers0"]
    assert len(found(shop, "parcel")) == 19


def test_what_is_asked_of_the_person_holds_as_well(shop: Shop) -> None:
    for name, country in (("asha", "India"), ("lena", "Switzerland"), ("ravi", "India")):
        known = {"properties": {"country": country}, "user_id": name}
        says(shop, "My order", f"web:{name}", **known)
        says(shop, "Something else", f"email:{name}-2", **known)
    india = {"property": "country", "op": "is", "values": ["India"]}
    assert found(shop, "order", where=india) == ["ravi", "asha"]
    assert found(shop, "", where=india) == ["ravi-2", "ravi", "asha-2", "asha"]
    assert found(shop, "lena", where=india) == []
    assert found(shop, "ravi") == ["ravi-2", "ravi"]


def test_of_one_person_what_was_said_is_read(shop: Shop) -> None:
    says(shop, "My order", "web:a", user_id="asha")
    says(shop, "My order", "web:b", user_id="ravi")
    says(shop, "Thanks", "email:c", user_id="asha")
    with shop.platform.ledger.read() as connection:
        where = (connection, shop.platform.ledger.dialect)
        every = reading.page(*where, shop.workspace.id, Wanted()).conversations
        hers = reading.tree(*where, [c.record for c in every if c.session == "a"])
    assert found(shop, "order", records=hers) == ["a"]
    assert found(shop, "asha", records=hers) == ["c", "a"]


def test_every_merged_record_of_a_person_counts(shop: Shop) -> None:
    says(shop, "Hello", "web:a")
    says(shop, "Hello", "web:b", properties={"firstName": "Asha"})
    shop.identify("web:a", "asha")
    shop.identify("web:b", "asha")
    assert set(found(shop, "asha")) == {"a", "b"}
