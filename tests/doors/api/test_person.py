"""One person's past: merges and their undoing, history with provenance, memberships."""

from __future__ import annotations

from typing import Any

from tests.doors.api.conftest import Api, faults


def test_a_visitor_is_merged_and_the_merge_undone_exactly(api: Api) -> None:
    asha = api.user("asha", city="Pune")
    visit = api.post("/sessions/web/v1/capture", {"properties": {"city": "Goa", "gender": "f"}})
    visitor = visit.json()["record"]
    session = {"channel": "web", "id": "v1"}
    api.post("/events", {"session": session, "name": "Page Viewed"})
    merged = api.post("/sessions/web/v1/identify", {"userId": "asha"}).json()
    assert merged["outcome"] == "merged"
    assert merged["record"]["properties"] == {"city": "Pune", "gender": "f"}
    assert api.get(f"/records/{visitor['id']}").json()["id"] == asha["id"]
    assert len(api.get("/users/asha/events", name="Page Viewed").json()["events"]) == 1

    (told,) = api.get("/users/asha/merges").json()["merges"]
    assert (told["id"], told["survivor"]) == (merged["mergeId"], asha["id"])
    assert (told["merged"], told["took"]) == (visitor["id"], {"gender": "f"})
    assert told["undoneAt"] is None

    path = f"/merges/{merged['mergeId']}/undo"
    seen = api.post(path, dryRun="true").json()
    assert seen["dryRun"] is True
    assert seen["survivor"]["properties"] == {"city": "Pune"}
    assert seen["merged"]["properties"] == {"city": "Goa", "gender": "f"}
    assert seen["sessions"] == [session]
    assert api.get("/users/asha").json()["properties"]["gender"] == "f"

    done = api.post(path).json()
    assert {**done, "dryRun": True} == seen
    assert api.get("/users/asha").json()["properties"] == {"city": "Pune"}
    back = api.get(f"/records/{visitor['id']}").json()
    assert back["properties"] == {"city": "Goa", "gender": "f"}
    assert api.get("/sessions/web/v1").json()["record"]["id"] == visitor["id"]
    assert api.get("/users/asha/events", name="Page Viewed").json()["events"] == []
    assert api.post(path).status_code == 409
    assert api.get("/users/asha/merges").json()["merges"][0]["undoneAt"] is not None


def test_merging_by_hand_names_what_is_wrong(api: Api) -> None:
    asha = api.user("asha")
    visitor = api.post("/sessions/web/v/capture", {"properties": {"city": "Goa"}}).json()["record"]
    merged = api.post("/users/asha/merge", {"with": visitor["id"]})
    assert merged.status_code == 200
    assert merged.json()["record"]["properties"] == {"city": "Goa"}
    assert api.post("/users/asha/merge", {"with": asha["id"]}).status_code == 409
    assert faults(api.post("/users/asha/merge", {"with": "asha"})) == {"with": "invalid"}
    assert faults(api.post("/users/asha/merge", {"with": "r99"})) == {"with": "notFound"}
    assert faults(api.post("/users/asha/merge", {})) == {"with": "invalid"}
    assert api.post("/users/nobody/merge", {"with": visitor["id"]}).status_code == 404
    for bad in ("x", "0", "99999999", "9" * 30, "-1", "1.5"):
        assert api.post(f"/merges/{bad}/undo").status_code == 404
    actions = [line["action"] for line in api.get("/audit").json()["audit"]]
    assert actions == ["merge"]


def test_history_tells_old_and_new_and_where_a_value_came_from(api: Api) -> None:
    api.user("asha", city="Pune")
    api.post("/sessions/web/v1/identify", {"userId": "asha"})
    given = {"properties": {"city": "Goa"}, "timestamp": "2020-01-01T00:00:00Z"}
    api.post("/sessions/web/v1/capture", given)
    given = {"properties": {"gender": "f"}, "auto": {"country": "India"}}
    api.post("/sessions/web/v1/capture", given)
    api.patch("/users/asha", {"properties": {"city": None}})
    told = api.get("/users/asha/history").json()
    assert [change["changes"] for change in told["changes"]] == [
        {"city": {"old": "Pune", "new": None}},
        {"gender": {"old": None, "new": "f"}, "country": {"old": None, "new": "India"}},
        {"userId": {"old": None, "new": "asha"}, "city": {"old": None, "new": "Pune"}},
    ]
    assert [change["source"] for change in told["changes"]] == ["api", "conversation", "api"]
    provenance = told["provenance"]
    assert set(provenance) == {"gender", "country"}
    assert provenance["gender"]["ref"] == "session:web/v1"
    assert (provenance["gender"]["source"], provenance["country"]["source"]) == (
        "conversation",
        "auto",
    )
    page = api.get("/users/asha/history", limit=1).json()
    rest = api.get("/users/asha/history", limit=5, cursor=page["cursor"]).json()
    assert [*page["changes"], *rest["changes"]] == told["changes"]
    assert rest["cursor"] is None
    assert faults(api.get("/users/asha/history", cursor="x")) == {"cursor": "badRequest"}


def test_a_value_that_a_merge_brought_says_so(api: Api) -> None:
    api.user("asha")
    api.post("/sessions/web/v1/capture", {"properties": {"city": "Goa"}})
    merged = api.post("/sessions/web/v1/identify", {"userId": "asha"}).json()
    city = api.get("/users/asha/history").json()["provenance"]["city"]
    assert (city["source"], city["mergeId"]) == ("merge", merged["mergeId"])
    assert (city["original"], city["ref"]) == ("conversation", "session:web/v1")


def test_the_segments_of_a_user_with_since(api: Api) -> None:
    api.user("asha", city="Pune")
    pune = {"property": "city", "op": "is", "values": ["Pune"]}
    inside = api.post("/segments", {"name": "In Pune", "where": pune}).json()
    api.post("/segments", {"name": "Elsewhere", "where": {"not": pune}})
    friends = api.post("/segments", {"name": "Friends", "userIds": ["asha"]}).json()
    api.post("/segments", {"name": "Strangers", "userIds": []})
    old = api.post("/segments", {"name": "Old", "userIds": ["asha"]}).json()
    api.post(f"/segments/{old['id']}/archive")
    found = api.get("/users/asha/segments").json()["segments"]
    assert [(s["id"], s["kind"], s["since"] is not None) for s in found] == [
        (friends["id"], "static", True),
        (inside["id"], "dynamic", True),
    ]


def test_nobody_has_no_past(api: Api) -> None:
    for what in ("events", "activity", "history", "segments", "merges"):
        assert api.get(f"/users/nobody/{what}").status_code == 404


def test_a_record_without_a_session_is_given_its_user_id(api: Api) -> None:
    visitor = api.post("/users", {"properties": {"city": "Pune"}}).json()["id"]
    told = api.post(f"/records/{visitor}/identify", {"userId": " asha "}).json()
    assert (told["outcome"], told["record"]["id"]) == ("assigned", visitor)
    assert api.get("/users/asha").json()["properties"] == {"city": "Pune"}
    again = api.post(f"/records/{visitor}/identify", {"userId": "asha"}).json()
    assert (again["outcome"], again["record"]["id"]) == ("unchanged", visitor)
    other = api.post(f"/records/{visitor}/identify", {"userId": "ravi"})
    assert (other.status_code, faults(other)) == (409, {"userId": "conflict"})
    assert api.get("/users/ravi").status_code == 404


def test_a_record_given_a_user_id_that_somebody_has_is_merged_into_them(api: Api) -> None:
    api.user("asha", city="Pune")
    visitor = api.post("/users", {"properties": {"firstName": "Asha"}}).json()["id"]
    told = api.post(f"/records/{visitor}/identify", {"userId": "asha"}).json()
    assert (told["outcome"], told["record"]["userId"]) == ("merged", "asha")
    assert told["record"]["properties"] == {"city": "Pune", "firstName": "Asha"}
    undone = api.post(f"/merges/{told['mergeId']}/undo").json()
    assert undone["merged"]["id"] == visitor


def test_what_is_wrong_with_giving_a_user_id_is_named(api: Api) -> None:
    visitor = api.post("/users", {"properties": {"city": "Pune"}}).json()["id"]
    placeholder = api.post(f"/records/{visitor}/identify", {"userId": "null"})
    assert (placeholder.status_code, set(faults(placeholder))) == (400, {"userId"})
    assert api.get(f"/records/{visitor}").json()["userId"] is None
    assert api.post("/records/r99/identify", {"userId": "asha"}).status_code == 404


def test_somebody_without_a_user_id_has_a_past_too(api: Api) -> None:
    body = {"session": {"channel": "web", "id": "visit"}, "name": "Viewed"}
    visitor = api.post("/events", body).json()["outcomes"][0]["recordId"]
    api.patch(f"/records/{visitor}", {"properties": {"city": "Pune"}})
    where = {"property": "city", "op": "is", "values": ["Pune"]}
    api.post("/segments", {"name": "Of Pune", "where": where})
    api.client.app.state.platform.keeper.settle()

    def told(part: str) -> Any:
        answer = api.get(f"/records/{visitor}/{part}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    assert [e["name"] for e in told("events")["events"]][-1:] == ["USER_CREATE"]
    assert told("activity")["names"]["Viewed"] == 1
    assert told("history")["provenance"]["city"]["source"] == "api"
    assert [s["name"] for s in told("segments")["segments"]] == ["Of Pune"]
    assert [s["name"] for s in told("segments/history")["stays"]] == ["Of Pune"]
    api.user("asha")
    number = api.post("/users/asha/merge", {"with": visitor}).json()["mergeId"]
    assert [m["id"] for m in told("merges")["merges"]] == [number]
    assert told("events") == api.get("/users/asha/events").json()
    for part in ("events", "activity", "history", "segments", "segments/history", "merges"):
        assert api.get(f"/records/r99/{part}").status_code == 404
