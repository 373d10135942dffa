"""Who may deliver, what is refused, and that nothing is kept of what is."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.channels import meta
from tests.channels.meta import Meta
from tests.channels.served import Served
from user360.observe import metrics


def handshake(site: Served, **asked: str) -> httpx.Response:
    given = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "workspace": "default"}
    return httpx.get(f"{site.url}/channels/whatsapp/webhook", params={**given, **asked})


def test_the_handshake_answers_the_challenge_to_who_knows_the_token(site: Served) -> None:
    shaken = handshake(site, **{"hub.verify_token": meta.VERIFY})
    assert (shaken.status_code, shaken.text) == (200, "1158201444")
    assert shaken.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    "asked",
    [
        {"hub.verify_token": "guessed"},
        {},
        {"hub.verify_token": meta.VERIFY, "hub.mode": "unsubscribe"},
        {"hub.verify_token": meta.VERIFY, "workspace": "nowhere"},
        {"hub.verify_token": ""},
    ],
)
def test_nobody_else_is_answered(site: Served, asked: dict[str, str]) -> None:
    refused = handshake(site, **asked)
    assert refused.status_code == 403
    assert "1158201444" not in refused.text


def test_a_workspace_without_the_channel_takes_nothing(site: Served) -> None:
    site.platform.add_workspace("quiet")
    where = f"{site.url}/channels/whatsapp/webhook?workspace=quiet"
    body = json.dumps(meta.body()).encode()
    assert meta.post(where, body, meta.signature(body, "")).status_code == 401
    assert handshake(site, workspace="quiet").status_code == 403


@pytest.mark.parametrize(
    "signed",
    ["", "sha256=", "sha1=00", meta.signature(b"another body"), "sha256=é".encode().decode()],
)
def test_a_wrong_signature_keeps_nothing(
    site: Served, webhook: str, asha: str, signed: str
) -> None:
    body = json.dumps(meta.body(meta.value(meta.text("Hello", of=asha, id="w1")))).encode()
    headers = {"X-Hub-Signature-256": signed.encode()}
    assert httpx.post(webhook, content=body, headers=headers).status_code == 401
    assert meta.post(webhook, body + b" ", meta.signature(body)).status_code == 401
    assert meta.post(webhook, body, meta.signature(body, "other secret")).status_code == 401
    assert site.conversations(asha) == []


def wrong(change: dict[str, Any], asha: str) -> dict[str, Any]:
    message = meta.text("Hello", of=asha, id="w1")
    message.update(change)
    return meta.body(meta.value(meta.text("Before", of=asha, id="w0"), message))


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"from": ""}, "entry.0.changes.0.value.messages.1.from"),
        ({"id": ""}, "entry.0.changes.0.value.messages.1.id"),
        ({"timestamp": "soon"}, "entry.0.changes.0.value.messages.1.timestamp"),
        ({"timestamp": 7}, "entry.0.changes.0.value.messages.1.timestamp"),
        ({"text": {"body": 7}}, "entry.0.changes.0.value.messages.1.text.body"),
        ({"image": {}}, "entry.0.changes.0.value.messages.1.image"),
    ],
)
def test_a_body_that_makes_no_sense_says_where_and_keeps_nothing(
    site: Served, webhook: str, asha: str, change: dict[str, Any], path: str
) -> None:
    refused = meta.post(webhook, json.dumps(wrong(change, asha)).encode())
    assert refused.status_code == 400
    assert [fault["path"] for fault in refused.json()["errors"]] == [path]
    assert site.conversations(asha) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"object": "page", "entry": []}', b"\xff"])
def test_what_is_no_delivery_is_refused(webhook: str, content: bytes) -> None:
    assert meta.post(webhook, content).status_code == 400


def test_changes_of_other_fields_and_numbers_are_let_be(site: Served, webhook: str) -> None:
    def unknown() -> float:
        return metrics.DROPS.labels("unknownPhoneNumberId")._value.get()

    told = meta.body()
    entry: Any = told["entry"]
    entry[0]["changes"].append({"field": "account_update", "value": {"event": "x"}})
    assert meta.post(webhook, json.dumps(told).encode()).json() == {"messages": 0, "statuses": 0}
    before = unknown()
    elsewhere = meta.value(meta.text("Hello", of="4915100000000", id="w"), number_id="7")
    assert meta.post(webhook, json.dumps(meta.body(elsewhere)).encode()).status_code == 200
    assert unknown() == before + 1
    assert site.conversations("4915100000000") == []


def test_statuses_of_what_is_not_ours_are_let_be(webhook: str, graph: Meta) -> None:
    strange = {"id": "wamid.x", "status": "read", "timestamp": "1", "recipient_id": "1"}
    for mark in ("", "u360:m999:0", "u360:m1:900", "something else"):
        told = {**strange, "biz_opaque_callback_data": mark}
        assert graph.deliver(webhook, meta.value(statuses=[told])).status_code == 200
    for what in ("deleted", "warning"):
        told = {**strange, "status": what}
        assert graph.deliver(webhook, meta.value(statuses=[told])).status_code == 200


def test_a_channel_that_is_switched_off_has_it_delivered_again(
    site: Served, graph: Meta, webhook: str, asha: str
) -> None:
    hello = meta.value(meta.text("Hello", of=asha, id=f"w{asha}"))
    site.put("whatsapp", active=False)
    try:
        assert graph.deliver(webhook, hello).status_code == 503
    finally:
        site.put("whatsapp", active=True)
    assert graph.deliver(webhook, hello).json()["messages"] == 1


def test_a_name_that_is_known_stays_and_a_strange_one_costs_nothing(
    site: Served, graph: Meta, webhook: str, asha: str
) -> None:
    graph.deliver(webhook, meta.value(meta.text("Hi", of=asha, id=f"a{asha}"), name="Asha"))
    graph.deliver(webhook, meta.value(meta.text("Hi", of=asha, id=f"b{asha}"), name="Boss"))
    assert (site.record(asha)["firstName"], site.record(asha).get("lastName")) == ("Asha", None)
    other = str(int(asha) + 500_000)
    strange = "\u202e<img src=x onerror=alert(1)>\x00" + "x" * 500
    told = meta.value(meta.text("Hi", of=other, id=f"c{asha}"), name=strange)
    assert graph.deliver(webhook, told).json()["messages"] == 1


def test_who_hides_their_number_is_answered_too(
    site: Served, graph: Meta, webhook: str, asha: str
) -> None:
    who = f"DE.{asha}"
    hello = meta.said("text", {"body": "Hi"}, of="", id=f"w{asha}", from_user_id=who)
    assert graph.deliver(webhook, meta.value(hello)).json()["messages"] == 1
    assert "phone" not in site.record(who)
    before = len(graph.sent)
    site.answers(site.conversations(who)[0].id, "Hello")
    sent = graph.wait(before + 1)[-1]
    assert sent["recipient"] == who
    assert "to" not in sent
