"""The pages of segments: the drawing of sizes, and who may do what."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from litestar.testing import TestClient

from tests import signed_in
from tests.people import INDIA, segment
from user360 import app
from user360.access import roles
from user360.clock import to_us
from user360.doors import gate
from user360.pages import segment_chart
from user360.platform import Platform
from user360.segments.sizes import Point

FIRST = to_us(datetime(2026, 11, 20, tzinfo=UTC))
DAY = 86_400_000_000


def points(*sizes: int) -> list[Point]:
    return [Point(FIRST + i * DAY, size) for i, size in enumerate(sizes)]


def test_a_size_is_drawn_in_steps_and_said_in_words() -> None:
    chart = segment_chart.chart(points(10, 25, 0), "day", ZoneInfo("UTC"))
    assert chart is not None
    assert chart.says == ("10 members on 20 Nov 2026, 0 now; at most 25 on 21 Nov 2026")
    assert [says for _, says in chart.across] == ["0", "15", "30"]
    assert [spot.says for spot in chart.spots][1] == "21 Nov 2026: 25"
    assert (chart.first, chart.last) == ("20 Nov 2026", "22 Nov 2026")
    assert chart.line.endswith(f"V{segment_chart.HEIGHT - segment_chart.BOTTOM:.1f}H720.0")


@pytest.mark.parametrize(
    ("most", "top"), [(0, "2"), (1, "2"), (9, "10"), (99, "100"), (101, "200")]
)
def test_the_scale_ends_at_an_even_number(most: int, top: str) -> None:
    chart = segment_chart.chart(points(most), "hour", ZoneInfo("UTC"))
    assert chart is not None
    assert chart.across[-1][1] == top


def test_nothing_and_very_much_can_be_drawn() -> None:
    assert segment_chart.chart([], "day", ZoneInfo("UTC")) is None
    chart = segment_chart.chart(points(*range(1_000)), "day", ZoneInfo("UTC"))
    assert chart is not None
    assert len(chart.spots) == segment_chart.MOST


Doors = Any


@pytest.fixture
def doors() -> Iterator[Doors]:
    """A way to ask as a member of a role: `doors("reader", "GET", "/segments")`."""
    with Platform.temporary() as platform, TestClient(app.create(platform)) as client:
        sessions = {role: signed_in.begin(platform, role) for role in roles.OF_PEOPLE}
        segment(platform, "India", INDIA)

        def ask(role: str, method: str, path: str, data: Any = None) -> Any:
            session = sessions[role]
            headers = {**session.headers, "HX-Request": "true"}
            client.cookies.set(gate.COOKIE, session.secret)
            return client.request(method, path, data=data, headers=headers)

        yield ask


WRITES = [
    "/segments/new",
    "/segments/new/list",
    "/segments/1/edit",
    "/segments/1/restore/1",
    "/segments/1/retry",
    "/segments/1/archive",
    "/segments/1/unarchive",
    "/segments/1/delete",
    "/segments/1/snapshot",
    "/segments/1/members",
    "/segments/1/download",
]


@pytest.mark.parametrize("role", ["agent", "reader"])
def test_who_may_not_write_is_refused_and_sees_no_button(doors: Doors, role: str) -> None:
    for path in WRITES:
        assert doors(role, "POST", path, {"name": "x"}).status_code == 403
    assert doors(role, "GET", "/segments/new").status_code == 403
    assert doors(role, "GET", "/segments/1/edit").status_code == 403
    assert "New segment" not in doors(role, "GET", "/segments").text
    one = doors(role, "GET", "/segments/1").text
    assert not [word for word in ("Archive", "Delete", "Snapshot", "Download") if word in one]
    assert doors(role, "POST", "/builder", {"b.kept": ""}).status_code == 200


def test_who_may_write_sees_everything(doors: Doors) -> None:
    for path in ("/segments", "/segments/new", "/segments/new?kind=list", "/segments/1/edit"):
        assert doors("editor", "GET", path).status_code == 200
    for tab in ("members", "changes", "definition", "nonsense"):
        assert "India" in doors("editor", "GET", f"/segments/1?tab={tab}").text
    assert doors("editor", "GET", "/segments/99").status_code == 404
    assert doors("editor", "GET", "/segments/new?where=nonsense").status_code == 400
    assert doors("editor", "GET", "/builder/values?property=gone").text == ""
