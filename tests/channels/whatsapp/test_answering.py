"""Answering on WhatsApp over the API: freely for a day, and by templates at any time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.channels import meta
from tests.channels.meta import Meta
from tests.channels.served import Served

TWO_DAYS = 2 * 24 * 60 * 60
UPDATE = {
    "name": "order_update",
    "language": "en",
    "body": "Hello {{1}}, your order {{2}} is on its way.",
    "buttons": ["Where is it?"],
}
CHOSEN = {"name": "order_update", "parameters": ["{{{user.firstName|there}}}", "7"]}


@pytest.fixture(scope="module")
def api(site: Served) -> Iterator[httpx.Client]:
    headers = {"x-api-key": site.platform.first_key or ""}
    with httpx.Client(base_url=f"{site.url}/api/v1", headers=headers, timeout=20) as client:
        changed = client.patch("/channels/whatsapp", json={"templates": [UPDATE]})
        assert changed.json()["settings"]["templates"][0]["footer"] == ""
        yield client


@pytest.fixture
def silent(graph: Meta, webhook: str, site: Served, asha: str) -> str:
    """The conversation of somebody who wrote two days ago."""
    said = meta.text("Hello", of=asha, id=f"w{asha}", at=int(time.time()) - TWO_DAYS)
    graph.deliver(webhook, meta.value(said))
    return f"c{site.conversations(asha)[0].id & 0xFFFFFFFFFF}"


def test_after_a_day_only_a_template_goes_out(
    api: httpx.Client, site: Served, graph: Meta, silent: str, asha: str
) -> None:
    refused = api.post(f"/conversations/{silent}/reply", json={"text": "Sorry for the delay"})
    assert refused.status_code == 409
    assert "such as order_update (en)" in refused.json()["detail"]
    assert refused.json()["errors"][0]["path"] == "template"
    before = len(graph.sent)
    said = api.post(f"/conversations/{silent}/reply", json={"template": CHOSEN, "id": "t-1"})
    assert said.status_code == 200, said.text
    text = "Hello Kerry, your order 7 is on its way."
    assert said.json()["message"]["text"] == text
    sent = graph.wait(before + 1)[-1]
    assert (sent["to"], sent["type"]) == (asha, "template")
    (component,) = sent["template"]["components"]
    assert [p["text"] for p in component["parameters"]] == ["Kerry", "7"]
    site.until(lambda: site.messages(asha)[-1].delivery == "sent")
    again = api.post(f"/conversations/{silent}/reply", json={"template": CHOSEN, "id": "t-1"})
    assert again.json()["message"]["id"] == said.json()["message"]["id"]
    assert len(site.messages(asha)) == 2
    found = api.get("/conversations", params={"q": "order way", "channel": "whatsapp"}).json()
    assert silent in [each["id"] for each in found["conversations"]]


def test_until_when_one_may_answer_freely_is_told(
    api: httpx.Client, graph: Meta, webhook: str, silent: str, asha: str
) -> None:
    def told() -> Any:
        listed = api.get("/conversations", params={"channel": "whatsapp"}).json()["conversations"]
        one = api.get(f"/conversations/{silent}").json()["conversation"]
        assert one in listed
        return one["replyUntil"]

    closed = told()
    graph.deliver(webhook, meta.value(meta.text("Still there?", of=asha, id=f"x{asha}")))
    assert told() > closed
    answered = api.post(f"/conversations/{silent}/reply", json={"text": "Yes"})
    assert answered.status_code == 200
    web = api.post("/sessions/web/v1/messages", json={"from": "customer", "text": "Hello"}).json()
    other = api.get(f"/conversations/{web['conversationId']}").json()["conversation"]
    assert other["replyUntil"] is None


def test_a_business_writes_first_by_a_template(
    api: httpx.Client, site: Served, graph: Meta, asha: str
) -> None:
    where = f"/sessions/whatsapp/{asha}/messages"
    refused = api.post(where, json={"from": "bot", "text": "Hello"})
    assert refused.status_code == 409
    assert "has not written yet" in refused.json()["detail"]
    before = len(graph.sent)
    given = {"properties": {"firstName": "Meera"}, "template": CHOSEN}
    said = api.post(where, json={"from": "bot", **given})
    assert said.status_code == 200, said.text
    assert said.json()["message"]["text"] == "Hello Meera, your order 7 is on its way."
    assert graph.wait(before + 1)[-1]["to"] == asha
    assert len(site.conversations(asha)) == 1


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"template": {"name": "nothing"}}, "template.name"),
        ({"template": {**CHOSEN, "language": "fr"}}, "template.language"),
        ({"template": {"name": "order_update"}}, "template.parameters"),
        ({"template": {**CHOSEN, "parameters": ["a", ""]}}, "template.parameters.1"),
        ({"template": {**CHOSEN, "parameters": ["a", 7]}}, "template.parameters.1"),
        ({"template": {**CHOSEN, "color": "red"}}, "template.color"),
        ({"template": CHOSEN, "text": "and this"}, "template"),
    ],
)
def test_a_template_that_cannot_be_said_is_refused_by_its_path(
    api: httpx.Client, silent: str, asha: str, given: dict[str, Any], path: str
) -> None:
    for where, more in (
        (f"/conversations/{silent}/reply", {}),
        (f"/sessions/whatsapp/{asha}/messages", {"from": "agent"}),
    ):
        refused = api.post(where, json={**given, **more})
        assert refused.status_code == 400, refused.text
        assert [each["path"] for each in refused.json()["errors"]] == [path]


def test_templates_are_for_customers_on_whatsapp(api: httpx.Client, silent: str) -> None:
    said = {"from": "customer", "text": "Hello"}
    web = api.post("/sessions/web/v2/messages", json=said).json()["conversationId"]
    for where, more in (
        (f"/conversations/{web}/reply", {}),
        (f"/conversations/{silent}/notes", {}),
        ("/sessions/web/v2/messages", {"from": "bot"}),
        ("/sessions/whatsapp/4915100009999/messages", {"from": "customer"}),
    ):
        refused = api.post(where, json={"template": CHOSEN, **more})
        assert refused.status_code == 400, refused.text
        assert refused.json()["errors"][0]["path"] == "template"


def test_a_bad_template_is_refused_where_it_stands(api: httpx.Client) -> None:
    bad = [UPDATE, {**UPDATE, "language": "de", "body": "{{2}}"}]
    refused = api.patch("/channels/whatsapp", json={"templates": bad})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["path"] == "templates.1.body"
    missing = api.patch("/channels/whatsapp", json={"templates": [{"name": "x"}]})
    assert missing.json()["errors"][0]["path"] == "templates.0"


def test_a_refused_token_is_told_and_a_new_one_sends_what_waits(
    api: httpx.Client, site: Served, graph: Meta, webhook: str, asha: str
) -> None:
    graph.deliver(webhook, meta.value(meta.text("Hello", of=asha, id=f"w{asha}")))
    api.patch("/channels/whatsapp", json={"accessToken": "of yesterday"})
    chat = f"c{site.conversations(asha)[0].id & 0xFFFFFFFFFF}"
    before = len(graph.sent)
    assert api.post(f"/conversations/{chat}/reply", json={"text": "Hi"}).status_code == 200
    site.until(lambda: bool(api.get("/channels/whatsapp").json()["trouble"]))
    told = api.get("/channels/whatsapp").json()
    assert told["trouble"] == "The access token has expired: put in a new one (code 190)"
    assert told["troubleSince"].endswith("Z")
    mended = api.patch("/channels/whatsapp", json={"accessToken": meta.TOKEN}).json()
    assert (mended["trouble"], mended["troubleSince"]) == ("", None)
    assert graph.wait(before + 1)[-1]["text"]["body"] == "Hi"
    site.until(lambda: site.messages(asha)[1].delivery == "sent")
