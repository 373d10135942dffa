"""Files that are said with messages: uploaded, read again, shown safely, by nobody else."""

from __future__ import annotations

from typing import Any

from tests.doors.api.conftest import Api, faults


def upload(
    api: Api, content: bytes = b"PNG", name: str = "map.png", kind: str = "image/png"
) -> Any:
    return api.call("POST", "/attachments", files={"file": (name, content, kind)})


def test_a_file_is_uploaded_said_and_read_again(api: Api) -> None:
    made = upload(api)
    assert made.status_code == 201
    kept = made.json()
    assert kept == {"id": kept["id"], "name": "map.png", "type": "image/png", "size": 3}
    body = {"from": "customer", "text": "", "attachments": [{"id": kept["id"]}]}
    told = api.post("/sessions/web/s/messages", body).json()
    assert told["message"]["attachments"][0]["name"] == "map.png"
    read = api.get(f"/attachments/{kept['id']}")
    assert read.content == b"PNG"
    assert read.headers["content-type"] == "application/octet-stream"
    assert read.headers["content-disposition"].startswith('attachment; filename="map.png"')
    assert read.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in read.headers["content-security-policy"]


def test_a_picture_is_shown_and_nothing_else(api: Api) -> None:
    picture = upload(api).json()["id"]
    shown = api.get(f"/attachments/{picture}", inline=True)
    assert shown.headers["content-type"] == "image/png"
    assert shown.headers["content-disposition"].startswith("inline")
    for kind in ("text/html", "image/svg+xml"):
        page = upload(api, b"<script>1</script>", "x.html", kind).json()["id"]
        saved = api.get(f"/attachments/{page}", inline=True)
        assert saved.headers["content-type"] == "application/octet-stream"
        assert saved.headers["content-disposition"].startswith("attachment")


def test_a_part_of_a_file_can_be_asked_for(api: Api) -> None:
    kept = upload(api, b"0123456789").json()["id"]
    part = api.call("GET", f"/attachments/{kept}", headers={"range": "bytes=2-4"})
    assert (part.status_code, part.content) == (206, b"234")
    beyond = api.call("GET", f"/attachments/{kept}", headers={"range": "bytes=20-"})
    assert beyond.status_code == 416


def test_a_file_of_a_name_in_any_language_is_told_safely(api: Api) -> None:
    kept = upload(api, name='पार्सल".png').json()
    told = api.get(f"/attachments/{kept['id']}").headers["content-disposition"]
    assert told.isascii()
    assert "filename*=UTF-8''%E0%A4%AA" in told


def test_a_file_that_is_too_large_leaves_nothing(api: Api) -> None:
    answer = upload(api, b"x" * (25 * 1024 * 1024 + 1))
    assert answer.status_code == 413
    platform = api.client.app.state.platform
    directory = platform.directory / "attachments" / str(api.workspace.id)
    assert list(directory.iterdir()) == []


def test_a_form_without_a_file_is_refused(api: Api) -> None:
    answer = api.call("POST", "/attachments", files={"picture": ("x.png", b"x")})
    assert answer.status_code == 400
    plain = api.call("POST", "/attachments", content=b"x", headers={"content-type": "text/plain"})
    assert plain.status_code == 400


def test_files_of_others_are_not_there(api: Api, other: Api) -> None:
    kept = upload(api).json()["id"]
    assert other.get(f"/attachments/{kept}").status_code == 404
    refused = other.post(
        "/sessions/web/s/messages",
        {"from": "customer", "text": "", "attachments": [{"id": kept}]},
    )
    assert list(faults(refused)) == ["attachments.0.id"]
    assert api.get("/attachments/..%2F..%2Fvault.key").status_code == 404
