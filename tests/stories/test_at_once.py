"""Many at once: whoever comes first, people end the same."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from typing import Any

import pytest

from tests.stories.shop import Shop
from user360.ingest.call import Event, Outcome
from user360.platform import Platform
from user360.settings import Settings

THREADS = 8
EACH = 1_250


def test_ten_thousand_identifies_of_one_user_make_one_record() -> None:
    room = Settings(queue_calls=THREADS * EACH)
    with Platform.temporary(room) as platform:
        shop = Shop(platform)
        outcomes: list[Outcome] = []
        told = threading.Semaphore(0)

        def done(result: Any) -> None:
            outcomes.extend(result)
            told.release()

        calls = [shop.call(session=f"s{n}", user_id="asha") for n in range(THREADS * EACH)]

        def submit(first: int) -> None:
            for call in calls[first::THREADS]:
                platform.committer.submit([call], done)

        threads = [threading.Thread(target=submit, args=(n,)) for n in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for _ in calls:
            assert told.acquire(timeout=60)
        statuses = Counter(outcome.status for outcome in outcomes)
        assert statuses == {"created": 1, "switched": THREADS * EACH - 1}
        assert len({outcome.record for outcome in outcomes}) == 1
        assert shop.count() == 1


@pytest.mark.parametrize("together", [True, False])
def test_two_sessions_merge_into_one_user_at_once_in_either_order(
    platform: Platform, together: bool
) -> None:
    """Whether the two merges have one time or two, and one commit or two."""
    ended = []
    for order, same in itertools.product(((0, 1), (1, 0)), (True, False)):
        shop = Shop(platform)
        shop.write("asha", lastName="Rao", tags=["vip"])
        for name, place in (("s0", "IN"), ("s1", "DE")):
            shop.send(
                session=name, properties={"city": name, "tags": [name]}, auto={"country": place}
            )
            shop.send(session=name, event=Event("Viewed", {}, name))
        calls = [
            shop.call(session=name, user_id="asha", properties={"language": name})
            for name in ("s0", "s1")
        ]
        if same:
            calls[1].at = calls[0].at
        merging = [calls[n] for n in order]
        outcomes = shop.settle(*merging) if together else [shop.settle(c)[0] for c in merging]
        assert [outcome.status for outcome in outcomes] == ["merged", "merged"]
        shop.send(session="s0", properties={"firstName": "Asha"})
        assert (shop.count(), shop.visitor("s0")) == (1, shop.visitor("s1"))
        assert shop.happened(outcomes[0].record) == ["Viewed", "Viewed"]
        ended.append(shop.known("asha"))
    assert ended == [ended[0]] * 4
    assert ended[0]["city"] == "s0"
    assert ended[0]["tags"] == ["vip", "s0", "s1"]


def test_threads_that_write_different_tags_lose_none(platform: Platform) -> None:
    shop = Shop(platform)
    shop.write("asha")
    calls = [shop.call(user_id="asha", add_tags=(f"t{n:02}",)) for n in range(40)]
    threads = [threading.Thread(target=shop.settle, args=(call,)) for call in reversed(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shop.known("asha")["tags"] == [f"t{n:02}" for n in range(40)]
