"""Properties, settings, keys, limits and the audit."""

from __future__ import annotations

import pytest

from tests.doors.api.conftest import Api, faults
from tests.doors.conftest import Product
from tests.waiting import early_in_a_minute
from user360.ingest.call import Call


def names(api: Api, **query: str) -> list[str]:
    return [p["name"] for p in api.get("/properties", **query).json()["properties"]]


def test_a_property_is_declared_used_and_asked_about(api: Api) -> None:
    given = {"name": "plan", "type": "string", "description": "What they pay for"}
    made = api.post("/properties", given)
    assert made.status_code == 201
    assert made.json() == {
        **given,
        "searchable": True,
        "required": False,
        "system": False,
        "readOnly": False,
    }
    api.user("asha", plan="gold")
    assert api.search({"property": "plan", "op": "is", "values": ["GOLD"]}) == ["asha"]
    assert names(api)[:5] == ["id", "createdAt", "updatedAt", "profileComplete", "userId"]
    assert names(api)[-1] == "plan"


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("1st", 400),
        ("a-b", 400),
        ("", 400),
        ("é", 400),
        ("x" * 65, 400),
        ("City", 409),
        ("USERID", 409),
        ("createdat", 409),
        ("PLAN", 409),
    ],
)
def test_a_property_name_is_new_and_plain(api: Api, name: str, status: int) -> None:
    api.post("/properties", {"name": "plan", "type": "string"})
    answer = api.post("/properties", {"name": name, "type": "string"})
    assert answer.status_code == status
    assert set(faults(answer)) == {"name"}


def test_the_number_of_properties_is_a_setting(api: Api) -> None:
    api.patch("/workspace", {"settings": {"propertyLimit": 1}})
    assert api.post("/properties", {"name": "a", "type": "string"}).status_code == 201
    refused = api.post("/properties", {"name": "b", "type": "string"})
    assert refused.status_code == 409
    assert "propertyLimit" in refused.json()["detail"]


def test_a_retype_is_seen_before_and_undone_after(api: Api) -> None:
    api.post("/properties", {"name": "score", "type": "string"})
    for name, score in (("a", "12"), ("b", "many"), ("c", "7.5"), ("d", "2026-01-01")):
        api.user(name, score=score)
    record = api.get("/users/b").json()["id"]
    seen = api.patch("/properties/score", {"type": "number"}, dryRun="true").json()
    assert (seen["converted"], seen["notConverted"]) == (2, 2)
    assert record in seen["records"]
    assert seen["property"]["type"] == "string"
    assert "many" not in str(seen)
    assert api.get("/users/a").json()["properties"] == {"score": "12"}

    done = api.patch("/properties/score", {"type": "number"}).json()
    assert (done["property"]["type"], done["notConverted"]) == ("number", 2)
    assert api.get("/users/a").json()["properties"] == {"score": 12}
    assert api.get("/users/b").json()["properties"] == {}
    assert api.search({"property": "score", "op": "gt", "values": [10]}) == ["a"]

    back = api.patch("/properties/score", {"type": "string"}).json()
    assert back["notConverted"] == 0
    assert api.get("/users/b").json()["properties"] == {"score": "many"}
    assert api.search({"property": "score", "op": "is", "values": ["many"]}) == ["b"]


@pytest.mark.parametrize(
    ("kind", "value", "to", "shown"),
    [
        ("number", 12, "string", "12"),
        ("number", 1.5, "string", "1.5"),
        ("boolean", True, "string", "true"),
        ("date", "2026-01-02", "string", "2026-01-02"),
        ("datetime", "2026-01-02T03:04:05Z", "string", "2026-01-02T03:04:05.000Z"),
        ("time", "03:04:05", "string", "03:04:05"),
        ("list", ["a", "b"], "string", "a;b"),
        ("string", "a;b", "list", ["a", "b"]),
        ("phone", "+919876543210", "string", "+919876543210"),
    ],
)
def test_what_a_preview_counts_is_what_a_retype_shows(
    api: Api, kind: str, value: object, to: str, shown: object
) -> None:
    api.post("/properties", {"name": "x", "type": kind})
    api.user("a", x=value)
    seen = api.patch("/properties/x", {"type": to}, dryRun="true").json()
    assert (seen["converted"], seen["notConverted"]) == (1, 0)
    api.patch("/properties/x", {"type": to})
    assert api.get("/users/a").json()["properties"] == {"x": shown}


def test_a_deleted_property_comes_back_with_its_values(api: Api) -> None:
    api.post("/properties", {"name": "plan", "type": "string"})
    api.user("asha", plan="gold")
    assert api.delete("/properties/plan").status_code == 204
    assert api.get("/users/asha").json()["properties"] == {}
    assert faults(api.put("/users/asha", {"properties": {"plan": "x"}}))
    assert names(api, deleted="true") == ["plan"]
    taken = api.post("/properties", {"name": "Plan", "type": "number"})
    assert taken.status_code == 409
    assert "restore" in taken.json()["detail"]
    assert api.post("/properties/plan/restore").json()["name"] == "plan"
    assert api.get("/users/asha").json()["properties"] == {"plan": "gold"}
    assert api.search({"property": "plan", "op": "is", "values": ["gold"]}) == ["asha"]
    assert api.post("/properties/plan/restore").status_code == 404


def test_system_properties_are_everybodys(api: Api) -> None:
    assert api.patch("/properties/city", {"description": "x"}).status_code == 409
    assert api.delete("/properties/city").status_code == 409
    assert api.delete("/properties/nope").status_code == 404
    assert faults(api.post("/properties", {"name": "x", "type": "text"})) == {"type": "invalid"}


def test_what_a_property_is_for_can_be_changed(api: Api) -> None:
    api.post("/properties", {"name": "plan", "type": "string"})
    given = {"description": "y", "searchable": False, "required": True}
    edited = api.patch("/properties/plan", given).json()["property"]
    assert {key: edited[key] for key in given} == given
    assert faults(api.patch("/properties/plan", {"name": "other"})) == {"name": "invalid"}


def test_settings_are_all_right_or_none_is_changed(api: Api) -> None:
    before = api.get("/workspace").json()
    assert before["settings"]["timeZone"] == "UTC"
    bad = {"timeZone": "Mars", "identifier": "tags", "mergeLimit": 0, "rateLimit": "x", "no": 1}
    refused = api.patch("/workspace", {"settings": bad})
    assert refused.status_code == 400
    assert {"settings.rateLimit", "settings.no"} <= set(faults(refused))
    bad = {"timeZone": "Mars", "identifier": "tags", "mergeLimit": 0, "archiveAfterDays": -1}
    assert set(faults(api.patch("/workspace", {"settings": bad}))) == {
        f"settings.{name}" for name in bad
    }
    assert api.get("/workspace").json() == before
    good = {"timeZone": "Asia/Kolkata", "identifier": "phone"}
    assert api.patch("/workspace", {"settings": good}).json()["settings"] == {
        **before["settings"],
        **good,
    }


def test_the_identifier_is_not_taken_from_under_the_workspace(api: Api) -> None:
    api.post("/properties", {"name": "loan", "type": "string"})
    api.patch("/workspace", {"settings": {"identifier": "loan"}})
    assert api.delete("/properties/loan").status_code == 409
    assert faults(api.patch("/properties/loan", {"type": "date"})) == {"type": "conflict"}
    assert api.patch("/properties/loan", {"type": "number"}).status_code == 200


def test_a_key_is_shown_once_works_and_is_revoked(api: Api) -> None:
    made = api.post("/keys", {"name": "site", "role": "reader"})
    assert made.status_code == 201
    text = made.json()["key"]
    assert text.startswith(made.json()["hint"])
    asked = api.call("GET", "/workspace", headers={"x-api-key": text})
    assert asked.status_code == 200
    listed = api.get("/keys")
    assert text not in listed.text
    (shown,) = [key for key in listed.json()["keys"] if key["name"] == "site"]
    assert shown["role"] == "reader"
    assert shown["lastUsedAt"] is not None
    assert api.delete(f"/keys/{shown['id']}").status_code == 204
    assert api.call("GET", "/workspace", headers={"x-api-key": text}).status_code == 401
    assert api.delete(f"/keys/{shown['id']}").status_code == 404
    assert faults(api.post("/keys", {"name": "", "role": "boss"})) == {
        "name": "invalid",
        "role": "invalid",
    }


def test_somebody_can_always_make_keys(api: Api) -> None:
    admins = [k["id"] for k in api.get("/keys").json()["keys"] if k["role"] == "admin"]
    assert api.delete(f"/keys/{admins[0]}").status_code == 409
    api.post("/keys", {"name": "second", "role": "admin"})
    assert api.delete(f"/keys/{admins[0]}").status_code == 204
    assert api.get("/keys").status_code == 401


def test_keys_of_another_workspace_are_out_of_reach(api: Api, other: Api) -> None:
    theirs = other.get("/keys").json()["keys"][0]["id"]
    assert api.delete(f"/keys/{theirs}").status_code == 404
    assert other.get("/keys").status_code == 200


def test_a_limit_is_per_key_and_shown(api: Api) -> None:
    early_in_a_minute()
    api.patch("/workspace", {"settings": {"rateLimit": 3}})
    reader = api.by("reader")
    left = []
    for _ in range(3):
        answer = reader.get("/workspace")
        assert answer.status_code == 200
        assert answer.headers["ratelimit-limit"] == "3"
        left.append(answer.headers["ratelimit-remaining"])
    assert left == ["2", "1", "0"]
    refused = reader.get("/workspace")
    assert refused.status_code == 429
    assert refused.headers["ratelimit-remaining"] == "0"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.json()["type"] == "urn:user360:problem:limitReached"
    assert api.by("editor").get("/workspace").status_code == 200
    assert api.patch("/workspace", {"settings": {"rateLimit": 0}}).status_code == 200
    free = reader.get("/workspace")
    assert free.status_code == 200
    assert "ratelimit-limit" not in free.headers


def test_the_audit_tells_who_did_what(api: Api) -> None:
    api.post("/properties", {"name": "plan", "type": "string"})
    api.by("editor").post("/segments", {"name": "S", "userIds": []})
    api.patch("/workspace", {"settings": {"timeZone": "UTC"}})
    lines = api.get("/audit").json()["audit"]
    assert [line["action"] for line in lines] == [
        "workspace.settings",
        "segment.create",
        "property.create",
    ]
    assert lines[0]["actor"] != lines[1]["actor"]
    assert lines[2]["target"] == "property:plan"
    page = api.get("/audit", limit=2).json()
    rest = api.get("/audit", limit=2, cursor=page["cursor"]).json()
    assert [*page["audit"], *rest["audit"]] == lines
    assert rest["cursor"] is None
    assert faults(api.get("/audit", cursor="x")) == {"cursor": "badRequest"}


def test_a_trait_of_a_deleted_propertys_name_does_not_meet_values_of_its_old_type(
    api: Api, product: Product
) -> None:
    """What a door declares by itself may have been a property of another type before."""
    api.post("/properties", {"name": "plan", "type": "string"})
    api.user("old", plan="gold")
    api.delete("/properties/plan")
    now = product.platform.now()
    call = Call(
        workspace=api.workspace.id,
        source="sdk",
        ref="test",
        at=now,
        message_id="m",
        user_id="new",
        properties={"plan": 5},
        undeclared="create",
    )
    (outcome,) = product.platform.settle([call])
    assert outcome.problem is None
    api.seen = str(outcome.seq)
    assert api.get("/users/new").json()["properties"] == {"plan": 5}
    assert api.get("/users/old").json()["properties"] == {}
    assert api.search({"property": "plan", "op": "gt", "values": [1]}) == ["new"]
    assert api.post("/properties/plan/restore").status_code == 409
