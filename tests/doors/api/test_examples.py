"""Every example of the description is a call that works, and answers what the description says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from litestar.testing import TestClient
from openapi_spec_validator import validate

from tests.channels.meta import ACCOUNT, NUMBER_ID, TOKEN, Meta
from tests.doors.api.conftest import Api, quoted
from user360 import ids
from user360.doors.api import ROUTES, flows, imports, schedules
from user360.doors.api import jobs as exampled
from user360.doors.api.attachments import UPLOADED
from user360.doors.api.operation import Operation
from user360.imports import jobs
from user360.jobs import store
from user360.jobs.job import Job

CALLS = [(next(iter(h.http_methods)), next(iter(h.paths)), h.opt["operation"]) for h in ROUTES]


@pytest.fixture(scope="module")
def document(client: TestClient[Any]) -> dict[str, Any]:
    answer = client.get("/openapi.json")
    assert answer.headers["content-type"].startswith("application/json")
    described: dict[str, Any] = answer.json()
    return described


def people(api: Api) -> dict[str, Any]:
    """The people, events and segments that the examples tell of; the numbers of what was made."""
    for name, body in (("tier", {"type": "string"}), ("nickname", {"type": "string"})):
        assert api.post("/properties", {"name": name, **body}).status_code == 201
    assert api.delete("/properties/nickname").status_code == 204
    api.user("asha@example.com", firstName="Asha", country="India", tags=["prospect"], tier="1")
    visit = api.post("/sessions/web/visit-17/capture", {"properties": {"city": "Goa"}})
    assert visit.json()["record"]["id"] == "r2"
    assert api.user("meera@example.com", city="Delhi")["id"] == "r3"
    api.event("asha@example.com", "Order Completed", amount=1250.5)
    api.event("asha@example.com", "Page Viewed")
    api.post("/sessions/web/passing/capture", {"properties": {"city": "Goa"}})
    merged = api.post("/sessions/web/passing/identify", {"userId": "asha@example.com"}).json()
    where = {"event": "Order Completed"}
    dynamic = api.post("/segments", {"name": "Buyers", "where": where}).json()["id"]
    static = api.post("/segments", {"name": "Friends", "userIds": []}).json()["id"]
    for flow in ("welcome", "farewell"):
        headers = {"content-type": flows.YAML}
        api.call("PUT", f"/flows/{flow}", content=flows.EXAMPLE, headers=headers)
    keys = {key["role"]: key["id"] for key in api.get("/keys").json()["keys"]}
    return {
        **inbox(api),
        "merge_id": merged["mergeId"],
        "segment_id": {1: dynamic, 2: static},
        "key_id": {2: keys["reader"]},
        "member_id": lambda: member(api),
        "job_id": {exampled.ONE["job_id"]: lambda: waiting(api), "done": lambda: imported(api)},
        "export_id": lambda: exported(api),
        "schedule_id": {1: scheduled(api)},
        "import_id": {
            imports.ONE["import_id"]: lambda: waiting(api),
            "done": lambda: imported(api),
        },
    }


def inbox(api: Api) -> dict[str, Any]:
    """A chat (c1), one that has ended (c2), a ticket (c3), and what there is around them."""
    for session, kind in (("visit-17", "chat"), ("ended", "chat"), ("ticket", "ticket")):
        said = {"from": "customer", "text": "Where is my order?", "kind": kind}
        assert api.post(f"/sessions/web/{session}/messages", said).status_code == 200
    assert api.post("/conversations/c2/resolve", {}).status_code == 200
    return {
        "attachment_id": {UPLOADED: lambda: uploaded(api)},
        "agent_id": lambda: agent(api),
        "group_id": lambda: api.post("/agent-groups", {"name": "Sales"}).json()["id"],
        "answer_id": lambda: api.post("/canned-answers", {"name": "hi", "text": "Hi"}).json()["id"],
        "hook_id": lambda: api.post("/hooks", {"url": "https://a.example"}).json()["id"],
        "delivery_id": lambda: undelivered(api),
    }


def uploaded(api: Api) -> str:
    """A file for a message."""
    number: str = api.call("POST", "/attachments", files={"file": ("a.txt", b"a")}).json()["id"]
    return number


def agent(api: Api) -> int:
    """A member who may answer."""
    body = {"email": f"agent@{api.workspace.name}.example", "name": "Dev", "role": "agent"}
    number: int = api.post("/members", body).json()["member"]["id"]
    return number


def undelivered(api: Api) -> int:
    """A message that could not be brought, and was given up; nobody is there to try it again."""
    platform, now = api.client.app.state.platform, 1_795_325_000_000_000
    query = (
        "INSERT INTO deliveries (workspace_id, conversation_id, message_id, way, due_at, error,"
        f" failed_at) VALUES ({api.workspace.id}, {api.workspace.id << 40 | 1},"
        f" {api.workspace.id << 40 | 1}, 'webhook:9', {now}, 'It was gone', {now}) RETURNING id"
    )
    number: int = platform.write(lambda c: c.exec_driver_sql(query).scalar_one())
    return number


@pytest.fixture(scope="module")
def meta() -> Iterator[Meta]:
    with Meta() as stand_in:
        yield stand_in


def business(api: Api, meta: Meta) -> None:
    """The account of a business at Meta is set."""
    given = {"phoneNumberId": NUMBER_ID, "businessAccountId": ACCOUNT}
    api.patch("/channels/whatsapp", {**given, "apiBase": meta.base, "accessToken": TOKEN})


def member(api: Api) -> int:
    """Somebody who was invited, beside an admin."""
    for name, role in (("asha", "admin"), ("noor", "reader")):
        body = {"email": f"{name}@{api.workspace.name}.example", "name": name.title(), "role": role}
        number: int = api.post("/members", body).json()["member"]["id"]
    return number


def exported(api: Api) -> str:
    """An export that has come to its end."""
    asked: str = api.post("/exports", {"columns": ["userId"]}).json()["id"]
    api.client.app.state.platform.jobs.wait(asked, 60)
    return asked


def waiting(api: Api) -> str:
    """An import that stays in the queue, for nobody has told the queue of it."""
    platform = api.client.app.state.platform
    job = Job(
        id=ids.new_id(),
        workspace=api.workspace.id,
        kind=jobs.IMPORT,
        actor="test",
        created_at=platform.now(),
        params={"file": "people.csv", "format": "csv", "headers": ["userId"], "options": {}},
    )
    platform.write(lambda connection: store.add(connection, job))
    return job.id


def scheduled(api: Api) -> int:
    """A scheduled import, of a server that reads no folders."""
    answer = api.post("/imports/schedules", schedules.EXAMPLE)
    number: int = answer.json()["id"]
    return number


def imported(api: Api) -> str:
    """An import that has ended."""
    answer = api.call("POST", "/imports", files={"file": ("people.csv", "userId\nlena\n")})
    number: str = answer.json()["id"]
    api.client.app.state.platform.jobs.wait(number, 60)
    return number


def everywhere(api: Api) -> Api:
    """The default workspace, beside an empty one that is called spare."""
    platform = api.client.app.state.platform
    if all(w.name != "spare" for w in platform.workspaces.values()):
        platform.add_workspace("spare")
    return Api(api.client, platform.default, {"admin": platform.first_key})


def body_of(operation: Operation) -> dict[str, Any]:
    """What an example sends, as the client takes it."""
    body = operation.example.body
    if operation.form:
        parts = {name: (None, text) for name, text in body.items() if name != "file"}
        return {"files": {"file": ("people.csv", body["file"]), **parts}}
    if operation.reads is not None:
        return {"content": body, "headers": {"content-type": operation.reads}}
    return {} if body is None else {"json": body}


def path_of(template: str, operation: Operation, made: dict[str, Any]) -> str:
    path = template.removeprefix("/api/v1")
    for name, given in operation.example.path.items():
        real = made.get(name, given)
        value = real[given] if isinstance(real, dict) else real
        value = value() if callable(value) else value
        for kind in ("str", "int"):
            path = path.replace(f"{{{name}:{kind}}}", quoted(str(value)))
    assert "{" not in path, f"{template} has no example of its path"
    return path


@pytest.mark.parametrize(
    ("method", "template", "operation"), CALLS, ids=[f"{m} {p}" for m, p, _ in CALLS]
)
def test_an_example_works_and_answers_as_described(
    api: Api, document: dict[str, Any], meta: Meta, method: str, template: str, operation: Operation
) -> None:
    made = people(api)
    if "eras" in template:
        api.user("leaving@example.com")
        made["erasure_id"] = api.post("/users/leaving@example.com/erase").json()["id"]
    if template.endswith("/templates/fetch"):
        business(api, meta)
    given: dict[str, Any] = {"params": operation.example.query}
    given |= body_of(operation)
    if operation.everywhere:
        api = everywhere(api)
    answer = api.call(method, path_of(template, operation, made), **given)
    assert answer.status_code < 300, answer.text
    path = template.replace(":str", "").replace(":int", "")
    described = document["paths"][path][method.lower()]
    response = described["responses"][str(answer.status_code)]
    only_told = "dryRun" in operation.example.query
    assert ("headers" in response and not only_told) == ("x-user360-seq" in answer.headers)
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if operation.gives and kind != "application/json":
        assert kind in operation.gives
    elif "content" in response:
        check(answer.json(), response["content"]["application/json"]["schema"], document)
    if operation.example.body is not None:
        (content,) = described["requestBody"]["content"].values()
        assert content["examples"]["example"]["value"] == operation.example.body
        check(operation.example.body, content["schema"], document)


def check(value: Any, schema: dict[str, Any], document: dict[str, Any]) -> None:
    """`value` is what `schema` of the description says."""
    whole = {**schema, "components": document["components"]}
    jsonschema.Draft202012Validator(whole).validate(value)


@pytest.mark.parametrize(("method", "template", "operation"), CALLS)
def test_every_call_that_reads_a_body_shows_one(
    document: dict[str, Any], method: str, template: str, operation: Operation
) -> None:
    path = template.replace(":str", "").replace(":int", "")
    reads = "requestBody" in document["paths"][path][method.lower()]
    assert reads == (operation.example.body is not None)


def test_the_description_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_the_page_needs_nothing_from_elsewhere(client: TestClient[Any]) -> None:
    answer = client.get("/docs")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
    links = answer.text.replace("https://github.com", "").replace("https://bot.example", "")
    assert "http" not in links
    for _, template, _ in CALLS:
        assert template.replace(":str", "").replace(":int", "") in answer.text
