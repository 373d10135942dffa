"""Conversations over the API: said, found, answered, resolved, each told by whom it may be seen."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.doors.api.conftest import Api, faults
from user360.doors.gate import MIN_SEQ


def says(api: Api, text: str, session: str = "s", channel: str = "web", **known: Any) -> Any:
    """Say something as the customer unless `from_` says otherwise; the answer."""
    body = {"from": known.pop("from_", "customer"), "text": text, **known}
    answer = api.post(f"/sessions/{channel}/{session}/messages", body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def listed(api: Api, **query: Any) -> list[str]:
    answer = api.get("/conversations", **query)
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["conversations"]]


def state(api: Api, number: str) -> str:
    found: str = api.get(f"/conversations/{number}").json()["conversation"]["state"]
    return found


def test_a_message_makes_a_record_and_a_conversation(api: Api) -> None:
    told = says(api, "Where is my order?", properties={"firstName": "Asha"})
    assert told["message"]["from"] == "customer"
    assert told["message"]["text"] == "Where is my order?"
    assert told["conversationId"] == "c1"
    assert told["record"]["properties"]["firstName"] == "Asha"
    again = says(api, "Hello?", session="s")
    assert again["conversationId"] == "c1"


def test_a_message_sent_again_is_answered_the_same(api: Api) -> None:
    first = says(api, "Hello", id="m-1")
    assert says(api, "Hello", id="m-1") == first
    assert len(api.get("/conversations/c1/messages").json()["messages"]) == 1


def test_who_says_who_they_are_is_identified_by_it(api: Api) -> None:
    api.user("asha@example.com", country="India")
    told = says(api, "It is me", userId="asha@example.com")
    assert told["record"]["userId"] == "asha@example.com"
    assert told["record"]["properties"]["country"] == "India"


def test_a_bot_and_an_agent_answer_in_the_session(api: Api) -> None:
    says(api, "Hello")
    assert says(api, "How can I help?", from_="bot")["message"]["author"].startswith("key:")
    number = invite(api, "agent")
    told = says(api, "It is on its way", from_="agent", agent=number)
    assert told["message"]["author"] == f"member:{number}"
    found = api.get("/conversations/c1").json()["conversation"]
    assert (found["state"], found["assignee"]) == ("assigned", number)


def test_a_bot_says_nothing_once_an_agent_has_the_conversation(api: Api) -> None:
    where, late = "/sessions/web/s/messages", {"from": "bot", "text": "Still there?"}
    says(api, "Hello")
    early = says(api, "How can I help?", from_="bot", id="b-1")
    number = invite(api, "agent")
    assert api.post("/conversations/c1/assign", {"assignee": number}).status_code == 200
    refused = api.post(where, late)
    assert refused.status_code == 409
    assert "An agent has this conversation" in refused.json()["detail"]
    assert "besideAgent" in refused.json()["detail"]
    assert says(api, "How can I help?", from_="bot", id="b-1")["message"] == early["message"]
    beside = says(api, "Your parcel has arrived", from_="bot", besideAgent=True)
    assert beside["message"]["from"] == "bot"
    texts = [m["text"] for m in api.get("/conversations/c1/messages").json()["messages"]]
    assert texts == ["Hello", "How can I help?", "Your parcel has arrived"]


def test_a_bot_speaks_while_its_customer_waits_and_after_it_has_the_conversation_back(
    api: Api,
) -> None:
    says(api, "Hello")
    assert state(api, "c1") == "open"
    says(api, "Somebody will be with you soon", from_="bot")
    assert api.post("/conversations/c1/reply", {"text": "Here I am"}).status_code == 200
    late = api.post("/sessions/web/s/messages", {"from": "bot", "text": "Still there?"})
    assert late.status_code == 409  # an agent has answered
    assert api.post("/conversations/c1/bot", {}).json()["state"] == "bot"
    says(api, "It is me again", from_="bot")


def invite(api: Api, role: str) -> int:
    name = f"{role}@{api.workspace.name}.example"
    answer = api.post("/members", {"email": name, "name": role.title(), "role": role})
    number: int = answer.json()["member"]["id"]
    return number


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({"from": "customer", "text": ""}, {"text"}),
        ({"from": "note", "text": "x"}, {"from"}),
        ({"text": "x"}, {"from"}),
        ({"from": "customer", "text": "x", "said": 1}, {"said"}),
        ({"from": "customer", "text": "x" * 65_537}, {"text"}),
        ({"from": "customer", "text": "x", "timestamp": "soon"}, {"timestamp"}),
        ({"from": "customer", "text": "x", "id": ""}, {"id"}),
        ({"from": "customer", "text": "x", "properties": {"nope": 1}}, {"properties.nope"}),
        ({"from": "customer", "text": "x", "attachments": [{}]}, {"attachments.0.name"}),
        (
            {"from": "customer", "text": "x", "attachments": [{"id": "nope"}]},
            {"attachments.0.id"},
        ),
        (
            {"from": "customer", "text": "x", "attachments": [{"url": "javascript:1"}]},
            {"attachments.0.url"},
        ),
        ({"from": "agent", "text": "x", "agent": "nobody@example.com"}, {"agent"}),
        ({"from": "agent", "text": "x", "agent": 999}, {"agent"}),
    ],
)
def test_what_is_wrong_with_a_message_is_said_by_its_place(
    api: Api, body: dict[str, Any], paths: set[str]
) -> None:
    answer = api.post("/sessions/web/s/messages", body)
    assert answer.status_code == 400
    assert paths <= set(faults(answer))
    assert listed(api) == []


def test_lists_find_by_what_is_asked(api: Api) -> None:
    api.user("asha@example.com", firstName="Asha", email="asha@example.com")
    says(api, "Where is my kettle?", "a", userId="asha@example.com")
    says(api, "Broken", "b", "email", kind="ticket", subject="The toaster")
    record = says(api, "Hello", "c", "whatsapp")["record"]["id"]
    api.patch("/conversations/c2", {"addTags": ["late"], "priority": "high"})
    assert listed(api) == ["c2", "c3", "c1"]
    assert listed(api, kind="ticket") == ["c2"]
    assert listed(api, state=["open", "queued"], channel="whatsapp") == ["c3"]
    assert listed(api, userId="asha@example.com") == ["c1"]
    assert listed(api, recordId=record) == ["c3"]
    assert listed(api, recordId=record, userId="asha@example.com") == []
    assert listed(api, tag="late") == ["c2"]
    assert listed(api, assignee="nobody", group="none") == ["c2", "c3", "c1"]
    assert listed(api, q="kettle") == ["c1"]
    assert listed(api, q="toast") == ["c2"]
    assert listed(api, q="Asha") == ["c1"]
    assert listed(api, q="asha@example.com", kind="chat") == ["c1"]
    assert listed(api, q="nothing of this") == []


def test_lists_find_the_people_of_a_segment(api: Api) -> None:
    api.user("asha@example.com", country="India")
    api.user("lena@example.com", country="Switzerland")
    for name in ("asha", "lena"):
        says(api, "Hello", name, userId=f"{name}@example.com")
    where = {"property": "country", "op": "is", "values": ["India"]}
    made = api.post("/segments", {"name": "India", "where": where}).json()["id"]
    assert listed(api, segment=made) == ["c1"]
    assert listed(api, segment=made, q="hello") == ["c1"]
    assert api.get("/conversations", segment=made + 1).status_code == 404


def test_a_search_finds_by_any_condition_on_the_person(api: Api) -> None:
    for name, country in (("asha", "India"), ("lena", "Switzerland"), ("ravi", "India")):
        api.user(f"{name}@example.com", country=country)
        says(api, "My order", name, userId=f"{name}@example.com")
    api.post("/conversations/c3/resolve", {})
    india = {"property": "country", "op": "is", "values": ["India"]}

    def found(**asked: Any) -> list[str]:
        answer = api.post("/conversations/search", asked)
        assert answer.status_code == 200, answer.text
        assert set(answer.json()) == {"conversations", "cursor"}
        return [each["id"] for each in answer.json()["conversations"]]

    assert found() == listed(api) == ["c3", "c2", "c1"]
    assert found(where=india) == ["c3", "c1"]
    assert found(where=india, state=["resolved"]) == ["c3"]
    assert found(where=india, q="lena") == []
    assert found(where=india, q="order", assignee="nobody", group="none", kind="chat") == [
        *("c3", "c1")
    ]
    first = api.post("/conversations/search", {"where": india, "limit": 1}).json()
    assert [each["id"] for each in first["conversations"]] == ["c3"]
    assert found(where=india, cursor=first["cursor"]) == ["c1"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"where": {"property": "nope", "op": "is", "values": ["x"]}}, "where.property"),
        ({"where": []}, "where"),
        ({"wher": {}}, "wher"),
        ({"state": ["gone"]}, "state.0"),
        ({"assignee": "me"}, "assignee"),
        ({"assignee": 10**30}, "assignee"),
        ({"group": 10**30}, "group"),
        ({"group": -1}, "group"),
        ({"cursor": "x"}, "cursor"),
        ({"limit": 201}, "limit"),
    ],
)
def test_what_cannot_be_searched_for_is_said(api: Api, body: Any, path: str) -> None:
    answer = api.post("/conversations/search", body)
    assert answer.status_code == 400
    assert list(faults(answer)) == [path]


def test_a_list_goes_on_where_the_page_before_ended(api: Api) -> None:
    for i in range(5):
        says(api, "Hello", f"s{i}")
    found: list[str] = []
    cursor = None
    while True:
        page = api.get("/conversations", limit=2, **({"cursor": cursor} if cursor else {})).json()
        found += [each["id"] for each in page["conversations"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert found == ["c5", "c4", "c3", "c2", "c1"]


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"cursor": "nonsense"}, "cursor"),
        ({"cursor": "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTkuMQ"}, "cursor"),
        ({"assignee": "somebody"}, "assignee"),
        ({"assignee": "me"}, "assignee"),
        ({"assignee": "9" * 30}, "assignee"),
        ({"group": "returns"}, "group"),
        ({"state": "gone"}, "state"),
        ({"limit": 0}, "limit"),
    ],
)
def test_what_cannot_be_asked_is_said(api: Api, query: dict[str, Any], path: str) -> None:
    answer = api.get("/conversations", **query)
    assert answer.status_code == 400
    assert list(faults(answer)) == [path]


def test_one_is_told_with_its_messages_person_and_segments(api: Api) -> None:
    api.user("asha@example.com", country="India")
    for i in range(3):
        says(api, f"m{i}", userId="asha@example.com")
    made = api.post("/segments", {"name": "Friends", "userIds": ["asha@example.com"]}).json()
    whole = api.get("/conversations/c1", limit=2).json()
    assert [m["text"] for m in whole["messages"]] == ["m1", "m2"]
    assert whole["more"]
    assert whole["record"]["userId"] == "asha@example.com"
    assert [s["id"] for s in whole["segments"]] == [made["id"]]


def test_messages_are_read_from_either_end(api: Api) -> None:
    for i in range(4):
        says(api, f"m{i}")

    def texts(**query: Any) -> tuple[list[str], bool]:
        told = api.get("/conversations/c1/messages", **query).json()
        return [m["text"] for m in told["messages"]], told["more"]

    assert texts() == (["m0", "m1", "m2", "m3"], False)
    assert texts(limit=2) == (["m2", "m3"], True)
    assert texts(before="m3", limit=1) == (["m1"], True)
    assert texts(after="m1", limit=2) == (["m1", "m2"], True)
    both = api.get("/conversations/c1/messages", before="m1", after="m2")
    assert list(faults(both)) == ["after"]
    assert list(faults(api.get("/conversations/c1/messages", after="x"))) == ["after"]


def test_an_agents_deeds_one_after_another(api: Api) -> None:
    number = invite(api, "agent")
    says(api, "Hello")
    told = api.post("/conversations/c1/reply", {"text": "Hi", "agent": number}).json()
    assert told["message"]["text"] == "Hi"
    assert told["conversation"]["assignee"] == number
    noted = api.post("/conversations/c1/notes", {"text": "Angry"}).json()
    assert noted["message"]["from"] == "note"
    assert noted["conversation"]["lastText"] == "Hi"
    resolved = api.post("/conversations/c1/resolve", {"reason": "answered", "tags": ["late"]})
    assert resolved.json()["state"] == "resolved"
    assert resolved.json()["tags"] == ["late"]
    assert api.post("/conversations/c1/resolve", {}).status_code == 409
    assert api.post("/conversations/c1/reply", {"text": "Hi"}).status_code == 409
    assert api.post("/conversations/c1/reopen").json()["assignee"] == number
    assert api.post("/conversations/c1/bot").json()["state"] == "bot"
    handed = api.post("/conversations/c1/handover", {"kind": "ticket", "subject": "Late"}).json()
    assert (handed["kind"], handed["state"], handed["subject"]) == ("ticket", "open", "Late")
    assert api.post("/conversations/c1/state", {"state": "onHold"}).json()["state"] == "onHold"


def test_an_answer_sent_again_is_said_once(api: Api) -> None:
    says(api, "Hello")
    first = api.post("/conversations/c1/reply", {"text": "Hi", "id": "a-1"})
    assert api.post("/conversations/c1/reply", {"text": "Hi", "id": "a-1"}).json() == first.json()


def test_assigned_by_number_address_and_group(api: Api) -> None:
    number = invite(api, "agent")
    group = api.post("/agent-groups", {"name": "Returns"}).json()["id"]
    says(api, "Hello")
    address = f"agent@{api.workspace.name}.example".upper()
    assert api.post("/conversations/c1/assign", {"assignee": address}).json()["assignee"] == number
    told = api.post("/conversations/c1/assign", {"group": group}).json()
    assert (told["group"], told["assignee"]) == (group, None)
    assert listed(api, group=group) == ["c1"]
    assert api.post("/conversations/c1/assign", {"assignee": number}).json()["assignee"] == number
    other = invite(api, "editor")
    taken = api.post("/conversations/c1/assign", {"assignee": other, "ifFree": True})
    assert taken.status_code == 409
    refused = api.post("/conversations/c1/assign", {"assignee": "x@example.com"})
    assert list(faults(refused)) == ["assignee"]
    assert list(faults(api.post("/conversations/c1/assign", {"group": 999}))) == ["group"]


@pytest.mark.parametrize("number", ["c2", "c0", "r1", "x", "c99999999999999999999"])
def test_there_is_no_such_conversation(api: Api, number: str) -> None:
    says(api, "Hello")
    assert api.get(f"/conversations/{number}").status_code == 404
    assert api.post(f"/conversations/{number}/reply", {"text": "Hi"}).status_code == 404
    assert api.get(f"/conversations/{number}/messages").status_code == 404


def test_another_workspace_knows_nothing_of_it(api: Api, other: Api) -> None:
    says(api, "My secret is blue")
    assert listed(other, q="secret") == []
    assert listed(other) == []
    assert other.get("/conversations/c1").status_code == 404
    says(other, "Hello")
    assert other.get("/conversations/c1").json()["messages"][0]["text"] == "Hello"


def test_counts_tell_how_full_each_list_is(api: Api) -> None:
    says(api, "Hello", "a")
    says(api, "Hello", "b", kind="ticket")
    says(api, "Hello", "c")
    api.post("/conversations/c3/resolve", {})
    told = api.get("/conversations/counts").json()
    assert told == {
        "mine": 0,
        "waiting": 0,
        "queued": 0,
        "open": 2,
        "active": 2,
        "tickets": 1,
        "resolved": 1,
        "missed": 0,
        "bot": 0,
    }


def test_deeds_are_seen_in_the_persons_timeline(api: Api) -> None:
    api.user("asha@example.com")
    says(api, "Hello", userId="asha@example.com")
    api.post("/conversations/c1/resolve", {})
    told = api.get("/users/asha@example.com/events").json()["events"]
    names = [each["name"] for each in told]
    assert {"CONVERSATION_START", "CONVERSATION_OPEN", "CONVERSATION_RESOLVE"} <= set(names)


def test_what_is_asked_for_too_early_waits_for_its_position(api: Api) -> None:
    answer = api.call("GET", "/conversations", headers={MIN_SEQ: "99999999"})
    assert answer.status_code == 400


def test_answers_are_as_they_were_described(api: Api) -> None:
    answer: httpx.Response = api.post("/sessions/web/s/messages", {"from": "customer", "text": "x"})
    assert set(answer.json()) == {"message", "conversationId", "record"}


def test_an_answer_by_mail_may_go_to_others_too(api: Api) -> None:
    says(api, "Where is it?", session="t", channel="email", kind="ticket")
    given = {"text": "On its way", "cc": ["ravi@example.org", "Ravi@example.org "]}
    told = api.post("/conversations/c1/reply", given).json()
    assert told["message"]["detail"] == {"cc": ["ravi@example.org"]}
    wrong = api.post("/conversations/c1/reply", {**given, "cc": ["ravi@example.org", "x"]})
    assert faults(wrong) == {"cc.1": "invalid"}
    assert faults(api.post("/conversations/c1/notes", given)) == {"cc": "invalid"}
    says(api, "Hello", session="w")
    assert faults(api.post("/conversations/c2/reply", given)) == {"cc": "invalid"}
