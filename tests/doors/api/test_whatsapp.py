"""Meta's two routes are described as they are, with examples that work."""

from __future__ import annotations

from typing import Any

import jsonschema
import msgspec
import pytest

from tests.channels import meta
from tests.doors.api.conftest import Api

PATH = "/channels/whatsapp/webhook"


@pytest.fixture
def described(api: Api) -> dict[str, Any]:
    given = {"appSecret": meta.APP_SECRET, "verifyToken": meta.VERIFY}
    assert api.call("PATCH", "/channels/whatsapp", json=given).status_code == 200
    document: dict[str, Any] = api.client.get("/openapi.json").json()
    return document


def answered(document: dict[str, Any], method: str, answer: Any) -> dict[str, Any]:
    """An answer, which is what is described."""
    operation = document["paths"][PATH][method]
    (content,) = operation["responses"][str(answer.status_code)]["content"].items()
    kind, about = content
    assert answer.headers["content-type"].startswith(kind)
    told = answer.json() if "json" in kind else answer.text
    schema = {**about["schema"], "components": document["components"]}
    jsonschema.Draft202012Validator(schema).validate(told)
    return {"status": answer.status_code, "told": told}


def test_the_handshake(api: Api, described: dict[str, Any]) -> None:
    operation = described["paths"][PATH]["get"]
    names = [each["name"] for each in operation["parameters"]]
    assert sorted(names) == ["hub.challenge", "hub.mode", "hub.verify_token", "workspace"]
    assert operation["security"] == [{}]
    given = dict(
        zip(names, [api.workspace.name, "subscribe", "1158201444", meta.VERIFY], strict=True)
    )
    shaken = answered(described, "get", api.client.get(PATH, params=given))
    assert shaken == {"status": 200, "told": "1158201444"}
    refused = api.client.get(PATH, params={**given, "hub.verify_token": "guessed"})
    assert answered(described, "get", refused)["status"] == 403


def test_a_delivery(api: Api, described: dict[str, Any]) -> None:
    operation = described["paths"][PATH]["post"]
    (content,) = operation["requestBody"]["content"].values()
    example = content["examples"]["usual"]["value"]
    jsonschema.Draft202012Validator(content["schema"]).validate(example)
    body = msgspec.json.encode(example)

    def post(content: bytes, signed: str) -> Any:
        headers = {"X-Hub-Signature-256": signed, "content-type": "application/json"}
        params = {"workspace": api.workspace.name}
        return api.client.post(PATH, content=content, headers=headers, params=params)

    taken = answered(described, "post", post(body, meta.signature(body)))
    assert taken == {"status": 200, "told": {"messages": 1, "statuses": 0}}
    assert answered(described, "post", post(body, "sha256=00"))["status"] == 401
    broken = b'{"object": 7}'
    assert answered(described, "post", post(broken, meta.signature(broken)))["status"] == 400
    found = api.get("/conversations", channel="whatsapp").json()["conversations"]
    assert [each["lastText"] for each in found] == ["Where is my order?"]
