"""Flows over the API: YAML in and out, faults by line, secrets that are never told, dry runs."""

from __future__ import annotations

from typing import Any

import pytest
from litestar.testing import TestClient

from tests.doors.api.conftest import Api, make_api
from tests.doors.conftest import Product
from user360.doors.api import flows

YAML = {"content-type": "text/yaml"}


def put(api: Api, text: str, name: str = "welcome", **more: Any) -> Any:
    return api.call("PUT", f"/flows/{name}", content=text, headers=YAML, **more)


def test_a_flow_comes_back_as_it_was_written(api: Api) -> None:
    text = "# ours\n" + flows.EXAMPLE
    made = put(api, text)
    assert made.status_code == 200, made.text
    assert made.json()["channels"] == []
    answer = api.get("/flows/welcome")
    assert answer.headers["content-type"].startswith("text/yaml")
    assert answer.text == text
    assert [flow["name"] for flow in api.get("/flows").json()["flows"]] == ["welcome"]


def test_every_fault_names_its_line(api: Api) -> None:
    wrong = flows.EXAMPLE.replace("start: hello", "start: helo").replace("firstName", "fristName")
    answer = put(api, wrong.replace("handOver: {}", "handOver: {group: Nobody}"))
    assert answer.status_code == 400
    told = [(e["path"], e["message"]) for e in answer.json()["errors"]]
    assert told == [
        ("start", "line 1: there is no node helo; did you mean hello?"),
        (
            "nodes.hello.message",
            "line 4: no property is called fristName; did you mean firstName?",
        ),
        ("nodes.agents.handOver.group", "line 12: there is no group Nobody"),
    ]
    assert api.get("/flows/welcome").status_code == 404


@pytest.mark.parametrize("body", [b"\xff\xfe", b"", b"[]", b"{}", b"a: [", b"x: \x00"])
def test_what_is_no_flow_is_refused(api: Api, body: bytes) -> None:
    answer = api.call("PUT", "/flows/welcome", content=body, headers=YAML)
    assert answer.status_code == 400


@pytest.mark.parametrize("name", ["a b", "a.b", "x" * 65])
def test_a_name_is_plain(api: Api, name: str) -> None:
    assert put(api, flows.EXAMPLE, name).status_code == 400
    assert api.get(f"/flows/{name}").status_code == 400


def test_what_a_channel_begins_with_is_not_deleted_by_mistake(api: Api) -> None:
    put(api, flows.EXAMPLE)
    api.call("PATCH", "/channels/web", json={"bot": "flow:welcome"})
    assert api.get("/flows").json()["flows"][0]["channels"] == ["web"]
    refused = api.delete("/flows/welcome")
    assert refused.status_code == 409
    assert "web" in refused.json()["detail"]
    assert api.call("DELETE", "/flows/welcome", params={"force": "true"}).status_code == 204
    assert api.delete("/flows/welcome").status_code == 404


def test_secrets_are_never_told(api: Api) -> None:
    put(api, flows.EXAMPLE)
    made = api.call("PATCH", "/flows/welcome/secrets", json={"token": "hush-hush"})
    assert made.json() == {"secrets": ["token"]}
    told = api.get("/flows").text + api.get("/flows/welcome").text + made.text
    assert "hush-hush" not in told
    bad = api.call("PATCH", "/flows/welcome/secrets", json={"a b": "x", "c": 5, "d": "a\nb"})
    assert [e["path"] for e in bad.json()["errors"]] == ["a b", "c", "d"]
    gone = api.call("PATCH", "/flows/welcome/secrets", json={"token": None})
    assert gone.json() == {"secrets": []}


def attempt(api: Api, *messages: str, **more: Any) -> Any:
    return api.post("/flows/welcome/try", {"messages": list(messages), **more})


def test_a_dry_conversation_keeps_nothing(api: Api) -> None:
    api.user("asha@example.com", firstName="Asha")
    put(api, flows.EXAMPLE)
    before = api.search()
    tried = attempt(api, "Hi", "asha@example.com").json()
    assert [(s["kind"], s["text"]) for s in tried["steps"]] == [
        ("customer", "Hi"),
        ("bot", "Hello there!"),
        ("bot", "What is your e-mail address?"),
        ("customer", "asha@example.com"),
        ("identify", "merged"),
        ("handOver", ""),
    ]
    assert tried["at"] is None
    assert api.search() == before
    assert api.get("/conversations").json()["conversations"] == []


def test_somebody_known_or_invented_may_speak(api: Api) -> None:
    record = api.user("asha@example.com", firstName="Asha")["id"]
    put(api, flows.EXAMPLE)
    for who in ({"userId": "asha@example.com"}, {"recordId": record}):
        assert attempt(api, "Hi", **who).json()["steps"][1]["text"] == "Hello Asha!"
    invented = attempt(api, "Hi", properties={"firstName": "Ravi"}).json()
    assert invented["steps"][1]["text"] == "Hello Ravi!"
    assert invented["at"] == "who"


CONDITION = """
start: which
nodes:
  which:
    condition:
      - if: {property: city, op: is, values: [Pune]}
        next: local
      - if: {segment: Buyers}
        next: buyer
      - else: other
  local: {message: Local, next: move}
  buyer: {message: Buyer, next: other}
  move: {set: {city: Goa}, next: again}
  again:
    condition:
      - if: {property: city, op: is, values: [Goa]}
        next: buyer
      - else: other
  other: {end: }
"""


def test_conditions_are_asked_of_who_speaks(api: Api) -> None:
    api.post("/segments", {"name": "Buyers", "where": {"event": "Order Completed"}})
    api.user("asha@example.com", city="Delhi")
    api.event("asha@example.com", "Order Completed")
    put(api, CONDITION)
    said = {
        "invented": attempt(api, "Hi").json(),
        "local": attempt(api, "Hi", properties={"city": "pune"}).json(),
        "buyer": attempt(api, "Hi", userId="asha@example.com").json(),
        "both": attempt(api, "Hi", userId="asha@example.com", properties={"city": "Pune"}).json(),
    }
    told = {
        name: [s["text"] for s in tried["steps"] if s["kind"] == "bot"]
        for name, tried in said.items()
    }
    assert told == {
        "invented": [],
        "local": ["Local", "Buyer"],
        "buyer": ["Buyer"],
        "both": ["Local", "Buyer"],
    }


CALLING = """
start: a
nodes:
  a:
    call: {url: "http://127.0.0.1:1/x", retries: 0, variables: {n: n}, failed: b}
    next: c
  b: {end: }
  c:
    message: N {{{flow.n}}}
    next: b
"""


def test_apis_are_not_asked_unless_it_is_said(api: Api) -> None:
    put(api, CALLING)
    dry = attempt(api, "Hi").json()["steps"]
    assert dry[1]["detail"] == {"answer": "not asked"}
    told = attempt(api, "Hi", answers={"a": {"n": 5}}).json()["steps"]
    assert told[2]["text"] == "N 5"
    asked = attempt(api, "Hi", calls=True).json()["steps"]
    assert asked[1]["detail"]["answer"] == "failed"
    assert attempt(api.by("reader"), "Hi").status_code == 200
    assert attempt(api.by("reader"), "Hi", calls=True).status_code == 403


def test_a_flow_is_checked_before_it_is_kept(api: Api) -> None:
    ok = api.post("/flows/new/try", {"messages": [], "text": flows.EXAMPLE})
    assert ok.json()["steps"] == []
    bad = api.post("/flows/new/try", {"messages": [], "text": "start: a"})
    assert bad.json()["errors"][0]["message"].startswith("line 1: nodes are")
    assert api.post("/flows/new/try", {"messages": []}).status_code == 404


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"properties": {"fristName": "A"}}, "properties.fristName"),
        ({"properties": {"email": "no"}}, "properties.email"),
        ({"userId": "a", "recordId": "r1"}, "recordId"),
        ({"text": "start: [a]"}, "nodes"),
    ],
)
def test_what_cannot_be_tried_says_where(api: Api, more: dict[str, Any], path: str) -> None:
    put(api, flows.EXAMPLE)
    answer = attempt(api, "Hi", **more)
    assert answer.status_code == 400
    assert path in [e["path"] for e in answer.json()["errors"]]


def test_another_workspace_sees_nothing_of_it(
    api: Api, product: Product, client: TestClient[Any]
) -> None:
    put(api, flows.EXAMPLE)
    other = make_api(product, client)
    assert other.get("/flows").json()["flows"] == []
    assert other.get("/flows/welcome").status_code == 404
