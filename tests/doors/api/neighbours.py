"""A workspace that holds something of everything, for whoever must see nothing of it."""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.doors.api.conftest import Api
from user360.doors.api import flows, schedules

SECRET = "tell-nobody"


def furnish(api: Api) -> dict[str, Any]:
    """Fill a workspace so that everything in it can be recognised."""
    api.post("/properties", {"name": "tier", "type": "string", "description": SECRET})
    api.post("/properties", {"name": "nickname", "type": "string", "description": SECRET})
    for name in ("asha@example.com", "meera@example.com"):
        api.user(name, firstName=SECRET, country="India", tier="1")
        api.event(name, "Order Completed", amount=2000, note=SECRET)
    api.post("/sessions/web/visit-17/capture", {"properties": {"firstName": SECRET}})
    api.post("/sessions/web/passing/capture", {"properties": {"city": SECRET}})
    merged = api.post("/sessions/web/passing/identify", {"userId": "asha@example.com"}).json()
    where = {"event": "Order Completed"}
    segment = api.post("/segments", {"name": SECRET, "where": where}).json()["id"]
    api.patch("/event-definitions/Order%20Completed", {"description": SECRET})
    key = api.post("/keys", {"name": SECRET, "role": "reader"}).json()["id"]
    invited = {"email": f"{SECRET}@example.com", "name": SECRET, "role": "reader"}
    member = api.post("/members", invited).json()["member"]["id"]
    made = {"merge_id": merged["mergeId"], "segment_id": segment, "key_id": key}
    return {**made, "member_id": member, **inbox(api), **files(api)}


class Neighbour(NamedTuple):
    """A workspace that holds something of everything, what was made in it, and all it held then."""

    api: Api
    made: dict[str, Any]
    before: list[Any]


def move_in(api: Api) -> Neighbour:
    """Fill a workspace, and remember all that it holds."""
    made = furnish(api)
    return Neighbour(api, made, state(api))


def inbox(api: Api) -> dict[str, Any]:
    """Fill the inbox in the same way."""
    said = {"from": "customer", "text": SECRET, "kind": "ticket", "subject": SECRET}
    number = api.post("/sessions/web/visit-17/messages", said).json()["conversationId"]
    file = api.call("POST", "/attachments", files={"file": (SECRET, SECRET.encode())})
    hook = {"url": f"https://{SECRET}.example", "authorization": SECRET}
    api.patch("/channels/web", {"signingKey": SECRET * 4, "bot": "webhook"})
    invited = {"email": f"a.{SECRET}@example.com", "name": SECRET, "role": "agent"}
    return {
        "conversation_id": number,
        "attachment_id": file.json()["id"],
        "hook_id": api.post("/hooks", hook).json()["id"],
        "group_id": api.post("/agent-groups", {"name": SECRET}).json()["id"],
        "answer_id": api.post("/canned-answers", {"name": SECRET, "text": SECRET}).json()["id"],
        "agent_id": api.post("/members", invited).json()["member"]["id"],
    }


def files(api: Api) -> dict[str, Any]:
    """Files that came in and go out, by hand and by schedule, a flow, somebody who was erased."""
    jobs = api.client.app.state.platform.jobs
    content = f"userId,firstName\nlena,{SECRET}\n"
    coming = api.call("POST", "/imports", files={"file": (f"{SECRET}.csv", content)}).json()["id"]
    going = api.post("/exports", {"columns": ["userId", "firstName"]}).json()["id"]
    for job in (coming, going):
        assert jobs.wait(job, 60).status == "completed"
    schedule = api.post("/imports/schedules", {**schedules.EXAMPLE, "name": SECRET})
    headers = {"content-type": flows.YAML}
    flow = flows.EXAMPLE.replace("Hello", SECRET).encode()
    assert api.call("PUT", "/flows/welcome", content=flow, headers=headers).status_code == 200
    api.user(f"gone.{SECRET}", firstName=SECRET)
    erasure = api.post(f"/users/gone.{SECRET}/erase", {}).json()["id"]
    assert jobs.wait(erasure, 60).status == "completed"
    return {
        "import_id": coming,
        "job_id": coming,
        "export_id": going,
        "schedule_id": schedule.json()["id"],
        "erasure_id": erasure,
    }


def state(api: Api) -> list[Any]:
    """Everything that a workspace holds, apart from what asking changes."""
    asked: list[Any] = [api.get("/events", limit=1000).json()["events"]]
    inbox = ("/conversations", "/inbox", "/agents", "/agent-groups", "/canned-answers")
    for path in ("/properties", "/event-definitions", "/workspace", *inbox, "/hooks", "/channels"):
        asked.append(api.get(path).json())
    asked.append(api.post("/users/search", {"limit": 1000}).json()["users"])
    segments = api.get("/segments").json()["segments"]
    asked.append([(s["name"], s["count"], s["updatedAt"]) for s in segments])
    asked.append([key["id"] for key in api.get("/keys").json()["keys"]])
    asked.append(api.get("/members").json())
    for path in ("/imports", "/exports", "/imports/schedules", "/flows", "/erasures"):
        asked.append(api.get(path).json())
    return asked
