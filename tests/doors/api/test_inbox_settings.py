"""The inbox is set over the API: channels, webhooks, agents, groups, canned answers, deliveries."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.channels.meta import ACCOUNT, NUMBER_ID, TOKEN, Meta
from tests.doors.api.conftest import Api, faults
from tests.doors.api.test_examples import agent, undelivered
from user360.channels import declared
from user360.doors.api.channels import ChannelEdit


def test_every_setting_of_every_channel_can_be_given() -> None:
    known = {field.encode_name for field in msgspec.structs.fields(ChannelEdit)}
    for shape in declared.SHAPES.values():
        assert {path.partition(".")[0] for path in declared.leaves(shape)} <= known


def test_a_channels_secrets_are_taken_and_never_told(api: Api) -> None:
    given = {"verifyToken": "verify-me", "appSecret": "sh-secret", "phoneNumberId": "15550001"}
    told = api.patch("/channels/whatsapp", given)
    assert told.status_code == 200, told.text
    assert told.json()["settings"]["phoneNumberId"] == "15550001"
    assert told.json()["secretsSet"] == ["appSecret", "verifyToken"]
    for answer in (told, api.get("/channels/whatsapp"), api.get("/channels")):
        assert "verify-me" not in answer.text
        assert "sh-secret" not in answer.text
    assert api.patch("/channels/whatsapp", {"appSecret": None}).json()["secretsSet"] == [
        "verifyToken"
    ]


@pytest.mark.parametrize(
    ("channel", "body", "path"),
    [
        ("web", {"bot": "nobody"}, "bot"),
        ("web", {"verifyToken": "x"}, "verifyToken"),
        ("email", {"smtp": {"port": 0}}, "smtp.port"),
        ("web", {"botte": "webhook"}, "botte"),
        ("no/name", {"active": True}, "channel"),
    ],
)
def test_what_is_wrong_with_a_setting_is_said(
    api: Api, channel: str, body: dict[str, Any], path: str
) -> None:
    answer = api.patch(f"/channels/{channel.replace('/', '%2F')}", body)
    assert answer.status_code == 400
    assert list(faults(answer)) == [path]


def test_a_webhooks_secret_is_shown_once(api: Api) -> None:
    given = {"url": "https://bot.example/in", "authorization": "Bearer hush", "channels": ["web"]}
    made = api.post("/hooks", given).json()
    assert len(made["secret"]) >= 32
    assert made["answersPath"] is None
    (shown,) = api.get("/hooks").json()["hooks"]
    assert shown["authorized"]
    assert "secret" not in shown
    assert "hush" not in str(shown)
    number = made["id"]
    edited = api.patch(f"/hooks/{number}", {"format": "rasa", "authorization": ""}).json()
    assert (edited["format"], edited["authorized"], edited["channels"]) == ("rasa", False, ["web"])
    assert api.delete(f"/hooks/{number}").status_code == 204
    assert api.delete(f"/hooks/{number}").status_code == 404


def test_an_authorization_is_not_sent_to_another_server(api: Api) -> None:
    """Else who may change a webhook, and is never told it, could have it sent to themselves."""
    given = {"url": "https://bot.example/in", "authorization": "Bearer hush"}
    number = api.post("/hooks", given).json()["id"]
    assert api.patch(f"/hooks/{number}", {"url": "https://bot.example/other"}).status_code == 200
    for url in ("https://mine.example/in", "http://bot.example/in", "https://bot.example:8443/in"):
        refused = api.patch(f"/hooks/{number}", {"url": url})
        assert list(faults(refused)) == ["authorization"], url
    moved = {"url": "https://new.example/in", "authorization": "Bearer new"}
    assert api.patch(f"/hooks/{number}", moved).status_code == 200
    assert api.delete(f"/hooks/{number}").status_code == 204


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"url": "ftp://bot.example"}, "url"),
        ({"url": "https://bot.example:x"}, "url"),
        ({"url": "https://bot .example"}, "url"),
        ({"url": "https://bot.example", "channels": [""]}, "channels.0"),
        ({"url": "https://bot.example", "authorization": "a\r\nb"}, "authorization"),
        ({"url": "https://bot.example", "format": "dialogflow"}, "format"),
    ],
)
def test_a_webhook_that_makes_no_sense_is_not_made(
    api: Api, body: dict[str, Any], path: str
) -> None:
    answer = api.post("/hooks", body)
    assert answer.status_code == 400
    assert list(faults(answer)) == [path]
    assert api.get("/hooks").json() == {"hooks": []}


def test_the_inbox_is_set_part_by_part(api: Api) -> None:
    told = api.patch("/inbox", {"assignment": "manual", "queueLimit": 3}).json()
    assert (told["assignment"], told["queueLimit"], told["sticky"]) == ("manual", 3, False)
    assert api.get("/inbox").json() == told
    refused = api.patch("/inbox", {"hours": [{"day": 9, "start": 1, "end": 0}]})
    assert set(faults(refused)) == {"hours.0.day", "hours.0"}


def test_an_agent_belongs_to_groups(api: Api) -> None:
    number = agent(api)
    group = api.post("/agent-groups", {"name": "Returns"}).json()["id"]
    given = {"groups": [group], "capacity": 2, "skills": ["hindi"], "availability": "available"}
    told = api.patch(f"/agents/{number}", given).json()
    assert (told["groups"], told["capacity"], told["skills"]) == ([group], 2, ["hindi"])
    assert [a["member"] for a in api.get("/agents").json()["agents"]] == [number]
    (shown,) = api.get("/agent-groups").json()["groups"]
    assert shown["members"] == [number]
    assert api.post("/agent-groups", {"name": "returns"}).status_code == 409
    renamed = api.patch(f"/agent-groups/{group}", {"name": "Refunds"}).json()
    assert renamed["name"] == "Refunds"
    assert api.delete(f"/agent-groups/{group}").status_code == 204
    assert api.get("/agents").json()["agents"][0]["groups"] == []
    assert api.patch("/agents/999", {"capacity": 1}).status_code == 404
    assert list(faults(api.patch(f"/agents/{number}", {"capacity": -1}))) == ["capacity"]


def test_canned_answers_are_made_changed_and_removed(api: Api) -> None:
    made = api.post("/canned-answers", {"name": "thanks", "text": "Thank you"}).json()
    path = f"/canned-answers/{made['id']}"
    assert api.put(path, {"name": "thanks", "text": "Thanks!"}).json()["text"] == "Thanks!"
    assert [a["text"] for a in api.get("/canned-answers").json()["answers"]] == ["Thanks!"]
    assert api.delete(path).status_code == 204
    assert api.put(path, {"name": "thanks", "text": "x"}).status_code == 404


def test_what_was_given_up_is_listed_and_tried_once_more(api: Api, other: Api) -> None:
    api.post("/sessions/web/s/messages", {"from": "customer", "text": "Hello"})
    number = undelivered(api)
    (shown,) = api.get("/deliveries").json()["deliveries"]
    assert (shown["id"], shown["error"], shown["messageId"]) == (number, "It was gone", "m1")
    assert other.get("/deliveries").json()["deliveries"] == []
    assert other.post(f"/deliveries/{number}/retry").status_code == 404
    assert api.post(f"/deliveries/{number}/retry").json()["failedAt"] is None
    assert api.post(f"/deliveries/{number}/retry").status_code == 409
    assert api.get("/deliveries").json()["deliveries"] == []
    assert len(api.get("/deliveries", failed=False).json()["deliveries"]) == 1
    assert list(faults(api.get("/deliveries", cursor="x"))) == ["cursor"]


def test_approved_templates_are_fetched_in_place_of_those_that_are_there(api: Api) -> None:
    path = "/channels/whatsapp/templates/fetch"
    assert list(faults(api.post(path))) == ["businessAccountId"]
    assert api.post("/channels/web/templates/fetch").status_code == 404
    with Meta() as graph:
        told = {"name": "there", "language": "en", "status": "APPROVED"}
        body = {"type": "BODY", "text": "Hello {{1}}"}
        image = {"type": "HEADER", "format": "IMAGE"}
        graph.templates = [
            {**told, "components": [body]},
            {**told, "name": "seen", "components": [image, body]},
        ]
        given = {"phoneNumberId": NUMBER_ID, "businessAccountId": ACCOUNT, "apiBase": graph.base}
        api.patch("/channels/whatsapp", {**given, "accessToken": TOKEN})
        answer = api.post(path).json()
        held = api.get("/channels/whatsapp").json()["settings"]["templates"]
        assert answer == {"fetched": 1, "leftOut": {"seen (en)": "Its header is a file"}}
        assert [each["name"] for each in held] == ["there"]
        api.patch("/channels/whatsapp", {"accessToken": "of yesterday"})
        assert api.post(path).status_code == 503
    assert api.get("/channels/whatsapp").json()["settings"]["templates"] == held
