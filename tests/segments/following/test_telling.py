"""Telling who entered and left: nobody is told of who was deleted while it was found out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.stories.segments import Segments
from user360.access.change import Change
from user360.clock import StillClock
from user360.ingest.call import Verb
from user360.platform import Platform
from user360.segments.following import telling
from user360.segments.following.telling import Part


@pytest.fixture
def shop(clock: StillClock) -> Iterator[Segments]:
    with Platform.temporary(clock=clock) as platform:
        yield Segments(platform)


def told(shop: Segments, segment: int) -> list[tuple[int, bool]]:
    return shop._ask(
        "SELECT record_id, entered FROM {schema}.changes WHERE segment_id = ? ORDER BY seq", segment
    )


def test_whoever_was_deleted_meanwhile_neither_enters_nor_leaves(shop: Segments) -> None:
    segment = shop.make("Pune", {"property": "city", "op": "is", "values": ["Pune"]})
    asha, rao = (shop.write(name, city="Pune").record for name in ("asha", "rao"))
    assert asha is not None
    assert rao is not None
    assert shop.members(segment) == {"asha", "rao"}
    shop.settle(shop.call(verb=Verb.DELETE, user_id="asha"))
    assert shop.members(segment) == {"rao"}

    def late(change: Change) -> None:
        kept = shop.workspace.segments[segment]
        telling.tell(change, [Part(kept, [asha], [], [], False, None, False)])
        telling.tell(change, [Part(kept, [], [asha, rao], [asha, rao], False, 0, False)])

    shop.change(late)
    shop.platform.wait()
    assert told(shop, segment) == [(rao, True), (rao, False)]
