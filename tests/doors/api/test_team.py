"""Members by the API: invited, in a role, given a new link, removed; the last admin stays."""

from __future__ import annotations

from tests.doors.api.conftest import Api, faults

ASHA = {"email": "Asha@Example.com", "name": "Asha Rao", "role": "admin"}
NILA = {**ASHA, "email": "nila@example.com"}
MEERA = {"email": "meera@example.com", "name": "Meera Shah"}


def test_somebody_is_invited_promoted_and_removed(api: Api) -> None:
    made = api.post("/members", ASHA)
    assert made.status_code == 201
    asha = made.json()["member"]
    assert (asha["email"], asha["role"], asha["joined"]) == ("asha@example.com", "admin", False)
    assert made.json()["link"].startswith("/join/")
    assert asha["linkUntil"] > asha["createdAt"]
    meera = api.post("/members", MEERA).json()["member"]
    assert meera["role"] == "reader"
    assert [m["email"] for m in api.get("/members").json()["members"]] == [
        "asha@example.com",
        "meera@example.com",
    ]
    assert api.patch(f"/members/{meera['id']}", {"role": "admin"}).json()["role"] == "admin"
    first, second = (api.post(f"/members/{meera['id']}/link").json()["link"] for _ in range(2))
    assert first != second
    assert api.client.get(first, headers={"accept": "text/html"}).status_code == 404
    assert api.client.get(second, headers={"accept": "text/html"}).status_code == 200
    assert api.delete(f"/members/{asha['id']}").status_code == 204
    assert [m["email"] for m in api.get("/members").json()["members"]] == ["meera@example.com"]
    told = [line["action"] for line in api.get("/audit").json()["audit"]]
    assert told[0] == "member.remove"
    assert "asha@example.com" not in api.get("/audit").text


def test_what_cannot_be_is_said(api: Api) -> None:
    number = api.post("/members", NILA).json()["member"]["id"]
    assert faults(api.post("/members", NILA)) == {"email": "conflict"}
    bad = api.post("/members", {"email": "asha@", "name": "", "role": "reader"})
    assert set(faults(bad)) == {"email", "name"}
    assert "role" in faults(api.post("/members", {**MEERA, "role": "ingest"}))
    assert faults(api.patch(f"/members/{number}", {"role": "reader"})) == {"role": "conflict"}
    assert faults(api.delete(f"/members/{number}")) == {"role": "conflict"}
    assert api.patch("/members/999", {"role": "reader"}).status_code == 404


def test_members_of_another_workspace_are_not_seen(api: Api, other: Api) -> None:
    number = api.post("/members", {**ASHA, "email": "elsewhere@example.com"}).json()["member"]["id"]
    assert other.get("/members").json()["members"] == []
    assert other.patch(f"/members/{number}", {"role": "reader"}).status_code == 404
    assert other.delete(f"/members/{number}").status_code == 404
    assert other.post(f"/members/{number}/link").status_code == 404


def test_nobody_gets_into_another_workspace_by_inviting_its_members(api: Api, other: Api) -> None:
    body = {**ASHA, "email": "both@example.com"}
    assert api.post("/members", body).json()["link"] is not None
    made = other.post("/members", body).json()
    assert made["link"] is None
    refused = other.post(f"/members/{made['member']['id']}/link")
    assert refused.status_code == 403
    assert "ask an admin of the default workspace" in refused.json()["detail"]
