"""Reports of the inbox over HTTP: lines, what is behind them, and the same as a table."""

from __future__ import annotations

import csv
import io
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.doors.api.conftest import Api, faults
from tests.doors.conftest import Product
from user360.conversations.talk import Said
from user360.ingest.call import Call, Session


@pytest.fixture
def talks(api: Api, product: Product) -> Api:
    """A workspace with two conversations by web and one by another channel with an awkward name."""
    for channel, name in (("web", "a"), ("web", "b"), ("=app", "c")):
        now = product.platform.now()
        said = Said(sender="customer", text="Hello")
        call = Call(
            workspace=api.workspace.id,
            source="conversation",
            ref="test",
            at=now,
            message_id=str(now),
            session=Session(channel, name),
            said=said,
        )
        (outcome,) = product.platform.settle([call])
        assert outcome.problem is None
    return api


def report(api: Api, **query: Any) -> dict[str, Any]:
    answer = api.get("/reports/inbox", **query)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_each_number_leads_to_its_conversations(talks: Api) -> None:
    told = report(talks, by="channel")
    assert told["total"]["conversations"] == 3
    lines = {line["key"]: line for line in told["lines"]}
    assert {key: line["numbers"]["chats"] for key, line in lines.items()} == {"web": 2, "=app": 1}
    found = talks.get("/reports/inbox/conversations", **dict(parse_qsl(lines["web"]["behind"])))
    assert found.json() == {"conversations": ["c2", "c1"], "total": 2, "cursor": None}


def test_they_come_page_by_page(talks: Api) -> None:
    first = talks.get("/reports/inbox/conversations", limit=2).json()
    assert (first["conversations"], first["total"], first["cursor"]) == (["c3", "c2"], 3, "c2")
    rest = talks.get("/reports/inbox/conversations", limit=2, cursor=first["cursor"]).json()
    assert (rest["conversations"], rest["cursor"]) == (["c1"], None)


def test_the_table_says_the_same_and_runs_nowhere(talks: Api) -> None:
    answer = talks.get("/reports/inbox", by="channel", format="csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(r["name"], r["conversations"], r["firstResponseMedian"]) for r in rows] == [
        ("web", "2", ""),
        ("'=app", "1", ""),
        ("total", "3", ""),
    ]


@pytest.mark.parametrize("by", ["day", "hour", "tag", "segment", "agent", "state", "topic"])
def test_every_way_of_looking_answers(talks: Api, by: str) -> None:
    assert report(talks, by=by)["total"]["conversations"] == 3


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"by": "weather"}, "by"),
        ({"from": "yesterday"}, "from"),
        ({"from": "2026-11-02", "to": "2026-11-01"}, "to"),
        ({"format": "pdf"}, "format"),
    ],
)
def test_what_makes_no_sense_is_named(api: Api, query: dict[str, Any], path: str) -> None:
    assert list(faults(api.get("/reports/inbox", **query))) == [path]


def test_an_agent_reads_no_reports(talks: Api) -> None:
    assert talks.by("agent").get("/reports/inbox").status_code == 403
    assert talks.by("reader").get("/reports/inbox").status_code == 200
