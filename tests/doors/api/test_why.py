"""Why somebody is in a segment, over the API."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.doors.api.conftest import Api, faults
from user360.doors.api.conditions import INDIA

BOUGHT = {"event": "Order Completed", "count": {"op": "gte", "value": 2}}
LATELY = {**BOUGHT, "during": {"last": {"amount": 7, "unit": "days"}}}


@pytest.fixture
def town(api: Api) -> Api:
    api.user("asha@example.com", country="India")
    for amount in (5, 7):
        api.event("asha@example.com", "Order Completed", amount=amount)
    api.user("meera", city="Goa")
    return api


def make(api: Api, **given: Any) -> int:
    answer = api.post("/segments", given)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def why(api: Api, segment: int, who: str) -> dict[str, Any]:
    answer = api.get(f"/segments/{segment}/why/{who}")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def follow(api: Api, link: str) -> dict[str, Any]:
    """What is at a link of an answer."""
    parts = urlsplit(link)
    path = parts.path.removeprefix("/api/v1")
    answer = api.call("GET", f"{path}?{parts.query}" if parts.query else path)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_each_condition_is_told_with_what_decided_it(town: Api) -> None:
    segment = make(town, name="Indian buyers", where={"all": [INDIA, LATELY]})
    told = why(town, segment, "asha@example.com")
    assert (told["member"], told["userId"], told["recordId"]) == (True, "asha@example.com", "r1")
    assert told["says"].startswith('People for whom country is "India"')
    whole = told["why"]
    assert (whole["true"], whole["where"]["all"][0]["property"]) == (True, "country")
    lives, bought = whole["nodes"]
    assert lives["property"]["value"] == "India"
    assert lives["property"]["source"]["source"] == "api"
    assert lives["flipsAt"] is None
    assert (bought["events"]["count"], bought["events"]["asked"]) == (2, "at least 2 times")
    assert bought["flipsAt"] == whole["flipsAt"] > told["asOf"]
    assert [each["recordId"] for each in bought["events"]["events"]] == ["r1", "r1"]


def test_its_links_lead_to_what_they_say(town: Api) -> None:
    segment = make(town, name="Indian buyers", where={"all": [INDIA, LATELY]})
    lives, bought = why(town, segment, "asha@example.com")["why"]["nodes"]
    history = follow(town, lives["property"]["history"])
    assert history["provenance"]["country"] == lives["property"]["source"]
    events = bought["events"]
    ids = [each["id"] for each in events["events"]]
    assert [each["id"] for each in follow(town, events["link"])["events"]] == ids
    for each in events["events"]:
        assert each["id"] in [one["id"] for one in follow(town, each["link"])["events"]]


def test_who_is_not_in_it_is_told_what_is_missing(town: Api) -> None:
    segment = make(town, name="Indian buyers", where={"all": [INDIA, BOUGHT]})
    told = why(town, segment, "meera")
    assert (told["member"], told["since"], told["why"]["flipsAt"]) == (False, None, None)
    lives, bought = told["why"]["nodes"]
    assert (lives["true"], lives["property"]["value"], lives["property"]["source"]) == (
        False,
        None,
        None,
    )
    assert (bought["true"], bought["events"]["count"], bought["events"]["events"]) == (False, 0, [])


def test_a_condition_is_asked_before_it_is_saved(town: Api) -> None:
    given = {"who": "meera", "where": {"not": {"any": [INDIA, BOUGHT]}}}
    told = town.post("/segments/why", given).json()
    assert told["member"] is True
    assert told["why"]["where"] == {"not": {"any": [INDIA, {"occurred": True, **BOUGHT}]}}
    (inner,) = told["why"]["nodes"]
    assert [each["true"] for each in inner["nodes"]] == [False, False]


def test_a_visitor_is_asked_by_the_id_of_the_record(town: Api) -> None:
    record = town.post("/sessions/web/v/capture", {"properties": {"city": "Pune"}}).json()["record"]
    segment = make(town, name="Cities", where={"property": "city", "op": "known"})
    told = why(town, segment, record["id"])
    assert (told["member"], told["userId"], told["recordId"]) == (True, None, record["id"])
    assert told["why"]["property"]["history"] is None
    merged = town.post("/sessions/web/v/identify", {"userId": "asha@example.com"}).json()
    assert merged["outcome"] == "merged"
    told = why(town, segment, record["id"])
    assert (told["member"], told["recordId"]) == (True, "r1")
    assert told["why"]["property"]["source"]["mergeId"] == merged["mergeId"]


def test_a_user_whose_id_looks_like_a_records_is_the_user(town: Api) -> None:
    town.user("r1", city="Here")
    segment = make(town, name="Cities", where={"property": "city", "op": "known"})
    assert why(town, segment, "r1")["userId"] == "r1"


def test_a_static_segment_says_since_when(town: Api) -> None:
    segment = make(town, name="Friends", userIds=["meera"])
    told = why(town, segment, "meera")
    assert told["member"]
    assert told["since"] is not None
    assert told["why"]["segment"] == {
        "id": segment,
        "name": "Friends",
        "kind": "static",
        "member": True,
        "since": told["since"],
    }
    assert why(town, segment, "asha@example.com")["member"] is False


def test_a_segment_within_another_shows_its_own_tree(town: Api) -> None:
    inner = make(town, name="Buyers", where=LATELY)
    segment = make(town, name="Others", where={"segment": inner, "in": False})
    told = why(town, segment, "asha@example.com")
    assert (told["member"], told["why"]["segment"]["name"]) == (False, "Buyers")
    (within,) = told["why"]["nodes"]
    assert (within["true"], within["events"]["count"]) == (True, 2)
    assert within["flipsAt"] == told["why"]["flipsAt"]


def test_it_shows_what_was_just_written(town: Api) -> None:
    segment = make(town, name="Indian buyers", where={"all": [INDIA, BOUGHT]})
    town.patch("/users/meera", {"properties": {"country": "India"}})
    for _ in range(2):
        town.event("meera", "Order Completed")
    told = why(town, segment, "meera")
    assert told["member"]
    assert told["position"] >= int(town.seen)


def test_those_who_are_not_there_are_refused(town: Api) -> None:
    segment = make(town, name="Buyers", where=BOUGHT)
    for path in (
        f"/segments/{segment}/why/nobody",
        f"/segments/{segment}/why/r999",
        "/segments/999/why/meera",
    ):
        assert town.get(path).status_code == 404
    town.delete("/users/meera")
    assert town.get(f"/segments/{segment}/why/meera").status_code == 404
    assert town.get(f"/segments/{segment}/why/r2").status_code == 404
    assert town.post("/segments/why", {"who": "nobody", "where": BOUGHT}).status_code == 404


def test_wrong_questions_are_named(town: Api) -> None:
    where = {"all": [{"property": "citi", "op": "is", "values": ["x"]}]}
    refused = town.post("/segments/why", {"who": "meera", "where": where})
    assert faults(refused) == {"where.all.0.property": "invalidProperty"}
    assert set(faults(town.post("/segments/why", {"where": BOUGHT}))) == {"who"}
    assert town.get("/segments/x/why/meera").status_code == 404


def test_a_segment_that_cannot_be_evaluated_says_so(town: Api) -> None:
    town.post("/properties", {"name": "tier", "type": "string"})
    segment = make(town, name="Tiers", where={"property": "tier", "op": "known"})
    town.delete("/properties/tier", force="true")
    refused = town.get(f"/segments/{segment}/why/meera")
    assert refused.status_code == 400
    assert "tier" in refused.text


def test_another_workspace_sees_nobody(town: Api, other: Api) -> None:
    segment = make(town, name="Buyers", where=BOUGHT)
    assert other.get(f"/segments/{segment}/why/asha@example.com").status_code == 404
