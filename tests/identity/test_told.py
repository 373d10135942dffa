"""What is told of a person: the changes of one property, sessions, what a merge would do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.stories.shop import Shop
from user360.errors import Conflict, NotFound
from user360.identity import history, merges, people
from user360.platform import Platform


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Platform.temporary() as platform:
        yield Shop(platform)


def test_the_changes_of_one_property_are_told_alone_and_once(shop: Shop) -> None:
    number = shop.write("asha", city="Pune", gender="f").record
    shop.write("asha", gender="x")
    shop.write("asha", city="Goa")
    shop.merge("asha", shop.capture("s", language="hi").record)
    assert number is not None

    def told(about: str, cursor: str | None = None) -> tuple[list[dict[str, object]], str | None]:
        warehouse = shop.platform.wait()
        return history.changes(warehouse, shop.workspace.id, number, 1, cursor, about)

    (newest,), cursor = told("city")
    assert newest["changes"] == {"city": {"old": "Pune", "new": "Goa"}}
    (first,), cursor = told("city", cursor)
    assert first["event"] == "USER_CREATE"
    assert cursor is None
    brought = history.changes(shop.platform.wait(), shop.workspace.id, number, 9, None, "language")[
        0
    ]
    assert [each["event"] for each in brought] == ["USER_UPDATE", "USER_CREATE"]
    assert told("newPayload") == told("oldPayload") == ([], None)


def test_sessions_are_those_of_all_that_was_merged_in(shop: Shop) -> None:
    shop.identify("s1", "asha")
    merged = shop.capture("whatsapp:919845364887", city="Goa").record
    number = shop.merge("asha", merged).record
    assert number is not None
    with shop.platform.ledger.read() as connection:
        found = people.sessions(connection, shop.platform.ledger.dialect, number)
        assert people.sessions(connection, shop.platform.ledger.dialect, 12_345) == []
    assert [(each["channel"], each["id"]) for each in found] == [
        ("whatsapp", "919845364887"),
        ("web", "s1"),
    ]


def test_what_a_merge_would_do_is_what_it_does(shop: Shop) -> None:
    asha = shop.write("asha", city="Pune").record
    visitor = shop.capture("s", city="Goa", gender="f").record
    assert asha is not None
    assert visitor is not None
    now = shop.call().at
    dialect = shop.platform.ledger.dialect
    with shop.platform.ledger.read() as connection:
        where = (connection, dialect, shop.workspace)
        seen = merges.merging(*where, asha, visitor, now)
        with pytest.raises(Conflict):
            merges.merging(*where, asha, asha, now)
        with pytest.raises(NotFound):
            merges.merging(*where, asha, 12_345, now)
    assert seen.before["properties"] == {"city": "Pune"}
    assert seen.merged["properties"] == {"city": "Goa", "gender": "f"}
    assert seen.records == [visitor]
    assert shop.record(asha)["properties"] == {"city": "Pune"}, "nothing was changed"
    shop.merge("asha", visitor)
    assert shop.record(asha)["properties"] == seen.after["properties"]
