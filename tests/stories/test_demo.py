"""The demo: real purchases go in, a question is asked, one more purchase changes its answer."""

from __future__ import annotations

import calendar
import datetime
import itertools
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from user360 import app, data, demo
from user360.access import keys
from user360.data import segments
from user360.errors import Conflict, DirectoryInUse, StorageFailed
from user360.events import chunk, event
from user360.events import store as event_store
from user360.ingest.call import Call
from user360.ingest.doctor import examine
from user360.platform import LEDGER, Platform
from user360.settings import Settings

FEW = 200
FIRST, LAST = datetime.date(1998, 4, 2), datetime.date(1998, 6, 30)


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    """The whole demo; how much of it was told as done is kept in `told`."""
    with Platform.temporary(Settings()) as platform:
        assert not demo.loaded(platform)
        told: list[int] = []
        demo.load(platform, told.append)
        assert sum(told) == demo.CALLS
        yield platform


def bought() -> dict[str, list[data.Purchase]]:
    """Every customer's purchases, as the raw data has them."""
    found: dict[str, list[data.Purchase]] = defaultdict(list)
    for purchase in data.purchases():
        found[purchase.user_id].append(purchase)
    return found


def expected() -> dict[str, int]:
    """The segments' counts, worked out from the raw data without the product."""
    counts = dict.fromkeys((example.name for example in segments.SEGMENTS), 0)
    purchases = bought()
    for who in data.customers():
        mine = purchases[who.user_id]
        for name in fits(who, mine):
            counts[name] += 1
    return counts


def fits(who: data.Customer, mine: list[data.Purchase]) -> set[str]:
    """The segments that a customer with these purchases is in."""
    lately = [p for p in mine if FIRST <= p.date <= LAST]
    days = sorted(p.date for p in mine)
    early = [d for d in days if datetime.date(1998, 1, 1) <= d < datetime.date(1998, 4, 1)]
    big = sum(p.amount for p in mine) >= 500
    loyal = who.country == "IN" and len(lately) >= 3
    month = datetime.timedelta(days=30)
    found = {
        "Loyal in India": loyal,
        "Big spenders": big,
        "Bought once": len(mine) == 1,
        "Lapsed, on WhatsApp": len(mine) >= 5
        and days[-1].year < 1998
        and who.whats_app_optin
        and who.phone is not None,
        "Back within a month": any(b - a <= month for a, b in itertools.pairwise(days)),
        "Slipping away": len(early) >= 2 and days[-1] < datetime.date(1998, 4, 1),
        "A single large order": any(p.quantity >= 5 for p in mine),
        "Reachable by e-mail": who.email_optin,
        "Big spenders to win back": big and who.email_optin and not lately,
        "The best, but for India": big and not loyal,
        "Birthday this week": who.dob is not None and returns(who.dob),
    }
    return {name for name, fit in found.items() if fit}


def returns(dob: str) -> bool:
    """Whether a birthday is today or on one of the next 7 days; the 29th of February may wait."""
    today = datetime.datetime.now(datetime.UTC).date()
    ahead = [today + datetime.timedelta(days=n) for n in range(8)]
    leap = dob.endswith("02-29") and not any(calendar.isleap(d.year) for d in ahead)
    return ("02-28" if leap else dob[5:]) in {f"{d:%m-%d}" for d in ahead}


def asha(platform: Platform) -> dict[str, Any]:
    """The customer whom one purchase makes loyal, through the API."""
    with api(platform) as client:
        found: dict[str, Any] = client.get(f"/api/v1/users/{demo.NEARLY_LOYAL}").json()
        return found


def api(platform: Platform) -> TestClient[Any]:
    client = TestClient(app.create(platform))
    client.headers["x-api-key"] = platform.first_key or ""
    return client


def test_every_customer_and_purchase_is_there(platform: Platform) -> None:
    assert demo.loaded(platform)
    report = examine(platform)
    assert report.healthy
    assert report.records == data.CUSTOMERS
    with api(platform) as client:
        hub = client.get("/api/v1/event-definitions").json()["definitions"]
    assert [(d["name"], d["volume"]) for d in hub] == [("Purchase", data.PURCHASES)]


def test_the_segments_count_what_the_raw_data_says(platform: Platform) -> None:
    counted = {example.name: demo.count(platform, example) for example in segments.SEGMENTS}
    assert counted == expected()
    shown = [count for name, count in counted.items() if name != "Bought today"]
    assert all(count > 50 for count in shown), "each has something to show"
    assert counted["Bought today"] == 0, "the shop's days are long over"


def test_what_is_kept_of_the_segments_is_what_they_count(platform: Platform) -> None:
    platform.keeper.settle()
    with api(platform) as client:
        listed = client.get("/api/v1/segments").json()["segments"]
    assert {s["name"]: s["count"] for s in listed} == expected()


def test_the_window_is_the_last_90_days_of_the_data() -> None:
    assert (LAST - FIRST).days + 1 == 90
    assert LAST == data.LAST_DAY
    assert segments.LAST_90_DAYS == ("1998-04-02", "1998-07-01")


def test_one_purchase_more_makes_the_difference_once(platform: Platform) -> None:
    mine = [p for p in bought()[demo.NEARLY_LOYAL] if FIRST <= p.date <= LAST]
    assert len(mine) == 2
    assert asha(platform)["properties"]["country"] == "IN"
    before = demo.count(platform, segments.LOYAL)
    purchase = {
        "type": "track",
        "userId": demo.NEARLY_LOYAL,
        "event": "Purchase",
        "properties": {"quantity": 1, "amount": 14.99},
        "timestamp": "1998-06-30T12:00:00Z",
        "messageId": "one-more",
    }
    with api(platform) as client:
        for _ in range(2):
            answer = client.post("/v1/batch", json={"batch": [purchase]})
            assert answer.json() == {"success": True}
    assert demo.count(platform, segments.LOYAL) == before + 1


def test_loading_again_changes_nothing_and_undoes_nothing(platform: Platform) -> None:
    platform.keeper.settle()  # what the purchase before this changed is told first
    with api(platform) as client:
        moved = {"properties": {"city": "Kochi"}}
        client.patch(f"/api/v1/users/{demo.NEARLY_LOYAL}", json=moved)
        client.delete(f"/api/v1/segments/{segment(client, 'Bought once')}")
    platform.keeper.settle()
    position = platform.committer.position.last
    demo.load(platform, lambda _more: None, FEW)
    assert asha(platform)["properties"]["city"] == "Kochi"
    with api(platform) as client:
        events = client.get("/api/v1/events", headers=after(platform)).json()["events"]
        assert segment(client, "Bought once"), "what is missing of the demo's segments is made"
    assert events[0]["name"] == "USER_UPDATE"
    platform.keeper.settle()
    with platform.ledger.read() as connection:
        found = event_store.stretch(connection, position, FEW)
    told = chunk.unpack(found.chunks[platform.default.id])["name"].to_pylist()
    assert set(told) == {"segment", event.MEMBERS}, "that it was made, and who is in it"


def segment(client: TestClient[Any], name: str) -> int:
    """The id of the segment of this name."""
    listed = client.get("/api/v1/segments").json()["segments"]
    return next(int(s["id"]) for s in listed if s["name"] == name)


def after(platform: Platform) -> dict[str, str]:
    return {"X-User360-Min-Seq": str(platform.committer.position.last)}


def test_a_demo_keeps_its_key_where_only_its_owner_reads_it(tmp_path: Path) -> None:
    key = demo.directory(tmp_path / "demo")
    assert (tmp_path / "demo" / demo.KEY).stat().st_mode & 0o777 == 0o600
    assert demo.directory(tmp_path / "demo") == key
    with Platform.open(tmp_path / "demo", Settings(admin_key=key)) as platform:
        assert keys.fingerprint(key) in platform.keys
        demo.load(platform, lambda _more: None, FEW)
    with Platform.open(tmp_path / "demo", Settings(admin_key=key)) as platform:
        assert demo.count(platform, segments.SEGMENTS[2]) > 0


def test_a_reset_begins_anew_with_another_key(tmp_path: Path) -> None:
    key = demo.directory(tmp_path / "demo")
    with Platform.open(tmp_path / "demo") as platform:
        demo.load(platform, lambda _more: None, FEW)
        with pytest.raises(DirectoryInUse):
            demo.directory(tmp_path / "demo", reset=True)
    assert demo.directory(tmp_path / "demo", reset=True) != key
    with Platform.open(tmp_path / "demo") as platform:
        assert demo.count(platform, segments.SEGMENTS[2]) == 0


def test_a_reset_also_throws_away_what_cannot_be_opened(tmp_path: Path) -> None:
    demo.directory(tmp_path / "demo")
    (tmp_path / "demo" / LEDGER).write_bytes(b"no ledger" * 1_000)
    demo.directory(tmp_path / "demo", reset=True)
    assert not (tmp_path / "demo" / LEDGER).exists()


def test_other_data_is_never_mixed_with_the_demo_nor_thrown_away(tmp_path: Path) -> None:
    Platform.open(tmp_path / "mine").close()
    for reset in (False, True):
        with pytest.raises(Conflict, match="not the demo's"):
            demo.directory(tmp_path / "mine", reset=reset)
    assert (tmp_path / "mine" / LEDGER).exists()


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageFailed, match="cannot be used"):
        demo.directory(tmp_path / "file")


def test_a_purchase_that_is_refused_stops_the_loading(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(workspace: int, limit: int) -> Iterator[Call]:
        for call in calls(workspace, limit):
            call.user_id = "null"  # a placeholder, which names nobody
            yield call

    calls = demo.calls
    monkeypatch.setattr(demo, "calls", wrong)
    with pytest.raises(Exception, match="placeholder"):
        demo.load(platform, lambda _more: None, 1)
