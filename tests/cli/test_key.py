"""Keys and workspaces from the command line."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run
from user360.access import keys
from user360.platform import Platform


def test_a_key_is_shown_once_and_opens_until_it_is_revoked(at: Run, directory: Path) -> None:
    made = at("key", "create", "Web shop", "--role", "ingest")
    key = made.out.strip()
    assert made.err == "The ingest key Web shop, shown only now:\n"
    with Platform.open(directory) as platform:
        assert platform.keys[keys.fingerprint(key)].role == "ingest"

    listed = at("key", "list")
    assert "Web shop" in listed.out
    assert key not in listed.out
    number = at("key", "list", "--json").json["keys"][1]["id"]
    assert at("key", "revoke", str(number), "--yes").out == f"Revoked key {number}\n"
    with Platform.open(directory) as platform:
        assert keys.fingerprint(key) not in platform.keys


def test_the_command_line_leaves_no_key_behind(at: Run, directory: Path) -> None:
    at("user", "set", "asha", "city=Pune")
    with Platform.open(directory) as platform:
        assert [key.name for key in platform.keys.values()] == ["first"]


def test_the_last_admin_key_and_unknown_roles_are_refused(at: Run) -> None:
    assert "last admin key" in at("key", "revoke", "1", "--yes").err
    assert "role" in at("key", "create", "Web shop", "--role", "boss").err


def test_a_workspace_has_its_own_people_and_key(at: Run, directory: Path) -> None:
    made = at("workspace", "create", "acme", "--json").json
    with Platform.open(directory) as platform:
        held = platform.keys[keys.fingerprint(made["key"])]
        assert platform.workspaces[held.workspace].name == "acme"
    assert at("user", "set", "asha", "city=Pune", "-w", "acme").code == 0
    assert at("user", "get", "asha", "-w", "acme").code == 0
    assert at("user", "get", "asha").code == 2
    assert at("segment", "count", "--where", '{"property": "city", "op": "known"}').out == "0\n"
    assert "acme" in at("workspace", "list").out
    assert [w["name"] for w in at("workspace", "list", "--json").json["workspaces"]] == [
        "default",
        "acme",
    ]
    again = at("workspace", "create", "Acme")
    assert again.code == 2
    assert "exists already" in again.err
    assert "There is no such workspace" in at("workspace", "show", "-w", "nowhere").err


def test_settings_are_shown_and_changed(at: Run) -> None:
    changed = at("workspace", "set", "timeZone=Asia/Kolkata", "rateLimit=600")
    assert "Asia/Kolkata" in changed.out
    shown = at("workspace", "show", "--json").json
    assert shown["settings"]["rateLimit"] == 600
    wrong = at("workspace", "set", "timeZone=Mars/Base", "colour=red")
    assert wrong.code == 2
    assert "settings.colour" in wrong.err
