"""Declarations from the command line."""

from __future__ import annotations

from tests.cli.conftest import Run


def test_a_property_is_declared_filled_retyped_deleted_and_restored(at: Run) -> None:
    added = at("property", "add", "points", "number", "--description", "By now", "--required")
    assert added.out == "Declared points, a number\n"
    at("user", "set", "asha", "points=12.5")
    at("user", "set", "ravi", "points=7")
    assert at("user", "get", "asha", "--json").json["properties"]["points"] == 12.5

    would = at("property", "change", "points", "--type", "boolean", "--dry-run")
    assert would.out == "0 values convert, 2 do not (records r1, r2).\n"
    alone = at("property", "change", "points", "--type", "boolean")
    assert alone.code == 2
    assert "0 values convert, 2 do not" in alone.err
    changed = at("property", "change", "points", "--type", "string", "--optional", "--json")
    assert changed.json["property"]["type"] == "string"
    assert changed.json["converted"] == 2

    gone = at("property", "delete", "points", "--yes")
    assert "user360 property restore points" in gone.out
    assert "points" not in at("user", "get", "asha", "--json").json["properties"]
    assert [
        p["name"] for p in at("property", "list", "--deleted", "--json").json["properties"]
    ] == ["points"]
    assert at("property", "restore", "points").out == "Restored points, a string\n"
    assert at("user", "get", "asha", "--json").json["properties"]["points"] == "12.5"


def test_a_property_a_segment_asks_about_is_deleted_only_by_force(at: Run) -> None:
    at("property", "add", "plan", "string")
    where = '{"property": "plan", "op": "is", "values": ["gold"]}'
    at("segment", "create", "Gold", "--where", where)
    refused = at("property", "delete", "plan", "--yes")
    assert refused.code == 2
    assert "Gold" in refused.err
    assert at("property", "delete", "plan", "--yes", "--force").code == 0


def test_what_is_wrong_with_a_declaration_is_named(at: Run) -> None:
    assert "name" in at("property", "add", "2nd", "string").err
    assert at("property", "add", "city", "string").code == 2
    assert at("property", "add", "plan", "colour").code == 2
    assert "Say what to change" in at("property", "change", "city").err
    listed = at("property", "list").out
    assert "whatsAppOptin" in listed
    assert "plan" not in listed
