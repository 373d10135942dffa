"""The card's words, its strip and its fields; who may do what from it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from litestar.testing import TestClient

from tests.people import write
from tests.signed_in import come
from user360 import app
from user360.access.change import Change
from user360.clock import StillClock
from user360.doors.api.person import Provenance
from user360.ingest.call import Event, Session, Verb
from user360.pages import card_fields, card_timeline, card_words
from user360.pages.card_page import View
from user360.platform import Platform
from user360.records.properties import Property, Type
from user360.segments import define


def counted(*days: tuple[str, str, int]) -> list[dict[str, Any]]:
    return [{"day": day, "name": name, "count": count} for day, name, count in days]


def test_the_strip_counts_what_somebody_did_and_says_it_in_words() -> None:
    days = counted(
        ("2026-03-04", "Bought", 1), ("2026-03-01", "Bought", 3), ("2026-02-01", "USER_CREATE", 1)
    )
    strip = card_timeline.strip(days, ())
    assert strip is not None
    assert strip.says == (
        "4 events from 1 March 2026 to 4 March 2026; most in 1 March 2026: 3 events"
    )
    assert [bar.height for bar in strip.bars] == [card_timeline.HEIGHT, pytest.approx(14.67)]
    assert strip.unit == "day"
    created = card_timeline.strip(days, ("USER_CREATE",))
    assert created is not None
    assert created.says == "1 event on 1 February 2026; most in 1 February 2026: 1 event"
    zoomed = card_timeline.strip(days, (), "2026-03-02", "2026-03-05")
    assert zoomed is not None
    assert zoomed.says.startswith("1 event on 4 March 2026")
    assert card_timeline.strip(days, (), "2026-03-04T01:00:00Z", "2026-03-04T01:00:01Z") == zoomed
    assert card_timeline.strip(counted(("2026-02-01", "USER_CREATE", 1)), ()) is None


@pytest.mark.parametrize(
    ("away", "unit"), [(0, "day"), (69, "day"), (70, "week"), (800, "month"), (9_999, "year")]
)
def test_a_bar_of_the_strip_stands_for_more_when_there_is_more_time(away: int, unit: str) -> None:
    first = date(1999, 12, 31)
    days = [first + timedelta(n) for n in range(0, away + 1, max(1, away // 400))]
    strip = card_timeline.strip(counted(*((str(day), "x", 1) for day in days)), ())
    assert strip is not None
    assert strip.unit == unit
    assert len(strip.bars) <= 125
    assert sum(int(bar.title.split(": ")[1].split()[0]) for bar in strip.bars) == len(days)
    assert all(bar.x >= 0 and bar.x + bar.width <= card_timeline.WIDTH for bar in strip.bars)


def event(name: str, at: str, **properties: Any) -> dict[str, Any]:
    return {
        "id": "e1",
        "name": name,
        "properties": msgspec.Raw(msgspec.json.encode(properties)),
        "timestamp": at,
        "receivedAt": at,
        "source": "api",
        "channel": "",
        "recordId": "r1",
    }


def test_events_are_told_by_day_of_the_workspace_and_changes_as_old_and_new() -> None:
    told = [
        event("Bought", "2026-11-21T20:00:00.000Z", amount=1200, gift=True),
        event(
            "USER_UPDATE",
            "2026-11-21T18:00:00.000Z",
            newPayload={"city": "Goa", "gender": None},
            oldPayload={"city": "Pune", "gender": "f"},
        ),
        event("SEGMENT_ENTER", "1997-01-01T12:00:00.000Z", segment="Big", segmentId=1),
    ]
    days = card_timeline.days(told, ZoneInfo("Asia/Kolkata"), date(2026, 11, 22))
    assert [day.title for day in days] == ["Today", "Yesterday", "Wednesday, 1 January 1997"]
    bought, changed, entered = (day.lines[0] for day in days)
    assert (bought.clock, bought.brief) == ("01:30", [("amount", "1,200"), ("gift", "yes")])
    assert changed.changes == [("City", "Pune", "Goa"), ("Gender", "f", "")]
    assert entered.says == "Entered Big"


@pytest.mark.parametrize(
    ("kind", "held", "shown", "back"),
    [
        (Type.STRING, "Pune", "Pune", "Pune"),
        (Type.NUMBER, 12.5, "12.5", "12.5"),
        (Type.NUMBER, 0, "0", "0"),
        (Type.BOOLEAN, False, "false", "false"),
        (Type.LIST, ["a;b", "c"], "a;b\nc", ["a;b", "c"]),
        (Type.DATE, "1990-01-02", "1990-01-02", "1990-01-02"),
        (Type.TIME, "10:00:00", "10:00:00", "10:00:00"),
        (Type.DATETIME, "2026-11-22T05:40:00.000Z", "2026-11-22T11:10:00", "2026-11-22T11:10:00"),
        (Type.EMAIL, "a@b.in", "a@b.in", "a@b.in"),
        (Type.STRING, None, "", None),
        (Type.LIST, None, "", None),
        (Type.DATETIME, None, "", None),
    ],
)
def test_a_field_shows_what_is_held_and_sends_it_back(
    kind: Type, held: Any, shown: str, back: Any
) -> None:
    declared = Property(1, "it", kind)
    assert card_fields.field(declared, held, ZoneInfo("Asia/Kolkata")).value == shown
    assert card_fields.sent(declared, shown) == back


def test_an_hour_without_seconds_and_blank_lines_are_understood() -> None:
    assert card_fields.sent(Property(1, "it", Type.TIME), "10:30") == "10:30:00"
    assert card_fields.sent(Property(1, "it", Type.LIST), "a\n\n b\n") == ["a", " b"]
    assert card_fields.sent(Property(1, "it", Type.STRING), "  ") is None
    assert card_fields.field(Property(1, "it", Type.DATETIME), None, UTC).kind == "datetime-local"


def test_an_address_says_what_is_seen_and_nothing_else() -> None:
    view = View.of("tab=properties&q=ci&name=A&name=B&name=A&from=2026-01-01&x=1")
    assert view.query() == "tab=properties&name=A&name=B&from=2026-01-01&q=ci"
    assert View.of(view.query(cursor="c", after="d")).cursor == "c"
    assert View.of("tab=nonsense").query() == ""
    assert View.of(View.of("name=A").toggled("B")).names == ("A", "B")
    assert View.of(View.of("name=A&name=B").toggled("A")).names == ("B",)


@pytest.fixture
def platform(clock: StillClock) -> Iterator[Platform]:
    with Platform.temporary(clock=clock) as platform:
        yield platform


@pytest.fixture
def client(platform: Platform) -> Iterator[TestClient[Any]]:
    with TestClient(app.create(platform)) as client:
        yield client


DEEDS = {
    "properties/city": ("agent", {"city": "Goa", "seen": "Pune"}),
    "tags": ("agent", {"add": "vip"}),
    "merge": ("editor", {"other": "r2"}),
    "delete": ("editor", {}),
    "erase": ("editor", {"confirm": "r1"}),
}
RANKS = ("reader", "agent", "editor")


@pytest.mark.parametrize("role", RANKS)
@pytest.mark.parametrize("path", DEEDS)
def test_a_role_decides_on_the_server(
    platform: Platform, client: TestClient[Any], role: str, path: str
) -> None:
    headers = come(platform, client, role)
    write(platform, "asha", properties={"city": "Pune"})
    write(platform, None, session=Session("web", "s"), properties={"gender": "f"})
    least, form = DEEDS[path]
    told = client.post(f"/users/r1/{path}", data=form, headers=headers, follow_redirects=False)
    allowed = RANKS.index(role) >= RANKS.index(least)
    assert told.status_code in ((200, 303) if allowed else (403,)), told.text
    assert client.post(f"/users/r1/{path}", data=form).status_code == 403, "without the token"


def test_a_reader_sees_no_button_that_would_be_refused(
    platform: Platform, client: TestClient[Any]
) -> None:
    come(platform, client, "reader")
    write(platform, "asha", properties={"city": "Pune", "tags": ["vip"]})
    for tab in ("timeline", "properties", "identity"):
        page = client.get(f"/users/r1?tab={tab}").text
        assert "asha" in page
        assert "Pune" in page
        assert 'hx-post="/users' not in page
        assert "Edit City" not in page
        assert "Erase" not in page
    assert client.get("/users/r1/properties/city/edit").status_code == 403


def test_the_id_of_a_merged_record_goes_on_to_its_survivor_and_nobody_is_not_found(
    platform: Platform, client: TestClient[Any]
) -> None:
    come(platform, client, "reader")
    write(platform, "asha")
    other = write(platform, None, session=Session("web", "s"), properties={"city": "Goa"})
    write(platform, "asha", verb=Verb.MERGE, other=other)
    told = client.get("/users/r2?tab=identity", follow_redirects=False)
    assert told.headers["location"] == "/users/r1?tab=identity"
    for nobody in ("r99", "asha", "r0", "rx"):
        assert client.get(f"/users/{nobody}").status_code == 404
    assert client.get("/users/r1/properties/nothing").status_code == 404
    assert client.get("/users/r1?from=yesterday").status_code == 400


def test_what_was_not_touched_is_not_written(platform: Platform, client: TestClient[Any]) -> None:
    headers = come(platform, client, "agent")
    write(platform, "asha", properties={"city": "Pune"})
    before = platform.committer.position.last
    same = {"city": "Pune", "seen": "Pune"}
    assert client.post("/users/r1/properties/city", data=same, headers=headers).status_code == 200
    assert platform.committer.position.last == before


SPAN = {"amount": 2, "unit": "days"}
EVERY_KIND = {
    "all": [
        {"any": [{"property": "city", "op": "is", "values": ["Goa"]}, {"segment": 1}]},
        {"not": {"segment": 2, "in": True}},
        {"event": "Bought", "sum": {"path": "amount", "op": "gte", "value": 10}},
        {"event": "Bought", "count": {"op": "gte", "value": 1}, "during": {"last": SPAN}},
        {"sequence": [{"event": "Seen"}, {"event": "Bought"}], "within": SPAN},
        {"property": "gender", "op": "unknown"},
    ]
}


def test_every_kind_of_reason_is_told(platform: Platform, client: TestClient[Any]) -> None:
    come(platform, client, "reader")
    write(platform, "asha", properties={"city": "Pune"})
    write(platform, "asha", event=Event("Bought", {"amount": 12}))

    def make(change: Change) -> None:
        define.create(change, "Known city", "", {"property": "city", "op": "known"})
        define.create(change, "A list", "", None)
        define.create(change, "All at once", "", EVERY_KIND)

    platform.write(lambda c: make(platform.change(c, platform.default, "key:1")))
    platform.wait()
    page = client.get("/users/r1/why/3").text
    for said in (
        "All of these",
        "At least one of these",
        "Known city",
        "A list",
        "together 12",
        "Not reached",
        "Turns false",
        "<b>not known</b>",
    ):
        assert said in page, said
    part = client.get("/users/r1/why?segment=3", headers={"hx-request": "true"}).text
    assert "Why not in All at once" in part
    assert "<html" not in part
    assert client.get("/users/r1/why/99").status_code == 404


def test_an_origin_says_who_or_what_wrote(platform: Platform, client: TestClient[Any]) -> None:
    come(platform, client, "admin")
    (key,) = [each for each in platform.keys.values() if each.workspace == 1]

    def said(source: str, ref: str, **more: Any) -> str:
        found = Provenance(at="", written_at="", source=source, ref=ref, **more)
        return card_words.origin(platform, found)

    assert said("api", "member:1") == "Admin, by hand"
    assert said("api", "member:99") == "a former member, by hand"
    assert said("api", f"key:{key.id}") == f"the API, key “{key.name}”"
    assert said("segment", "key:99") == "Segment, key “99”"
    assert said("conversation", "session:web/v/1") == "a conversation on web"
    assert said("csv", "9f2c") == "a file"
    assert said("merge", "9f2c", merge_id="3", original="csv") == "a merge, from a file"
    assert said("elsewhere", "") == "elsewhere"


def test_tags_that_others_have_are_offered(platform: Platform, client: TestClient[Any]) -> None:
    come(platform, client, "agent")
    write(platform, "asha", properties={"tags": ["vip"]})
    write(platform, "ravi", properties={"tags": ["vip", "loyal", "late"]})
    platform.wait()
    offered = client.get("/users/r1/tags?add=l").text
    assert "loyal" in offered
    assert "late" in offered
    assert "vip" not in client.get("/users/r1/tags").text


def test_a_hostile_name_is_text_everywhere(platform: Platform, client: TestClient[Any]) -> None:
    come(platform, client, "admin")
    hostile = "<img src=x onerror=alert(1)>"
    write(platform, f"{hostile}", properties={"firstName": hostile, "tags": [hostile]})
    for path in ("", "?tab=properties", "?tab=identity", "/properties/firstName/history"):
        page = client.get(f"/users/r1{path}").text
        assert "<img src=x" not in page
        assert "&lt;img src=x" in page
