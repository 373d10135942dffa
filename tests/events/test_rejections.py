"""What was refused is counted, and senders cannot make the list of it grow without end."""

from __future__ import annotations

from user360.events import store
from user360.events.store import Rejection
from user360.platform import Platform


def refused(path: str) -> Rejection:
    return Rejection("sdk", "identify", "invalidProperty", path, "it is not declared")


def test_refusals_are_counted_by_place_until_there_are_too_many_places() -> None:
    with Platform.temporary() as platform:
        number = platform.default.id
        many = {refused(f"traits.t{i}"): 2 for i in range(store.MOST_REJECTIONS)}
        more = {refused(f"traits.u{i}"): 3 for i in range(50)}

        platform.write(lambda c: store.save_rejections(c, number, many, 1))
        platform.write(lambda c: store.save_rejections(c, number, more, 2))
        platform.write(lambda c: store.save_rejections(c, number, {refused("traits.t7"): 1}, 3))

        with platform.ledger.read() as connection:
            found = store.rejections(connection, number)
        assert len(found) == store.MOST_REJECTIONS + 1
        assert sum(r["count"] for r in found) == 2 * store.MOST_REJECTIONS + 3 * 50 + 1
        assert {r["count"] for r in found if not r["path"]} == {151}


def test_nothing_refused_writes_nothing() -> None:
    with Platform.temporary() as platform:
        platform.write(lambda c: store.save_rejections(c, platform.default.id, {}, 1))
        with platform.ledger.read() as connection:
            assert store.rejections(connection, platform.default.id) == []
