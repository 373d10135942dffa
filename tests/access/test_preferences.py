"""Preferences: each member's own, in each workspace, replaced and forgotten."""

from __future__ import annotations

from user360.access import preferences
from user360.platform import Platform


def test_each_member_has_their_own_in_each_workspace() -> None:
    with Platform.temporary() as platform, platform.ledger.write() as connection:
        preferences.put(connection, 1, 1, "users.columns", '["email"]')
        preferences.put(connection, 1, 1, "users.columns", '["city"]')
        assert preferences.get(connection, 1, 1, "users.columns") == '["city"]'
        for member, workspace, name in [
            (2, 1, "users.columns"),
            (1, 2, "users.columns"),
            (1, 1, "x"),
        ]:
            assert preferences.get(connection, member, workspace, name) is None


def test_none_forgets() -> None:
    with Platform.temporary() as platform, platform.ledger.write() as connection:
        preferences.put(connection, 1, 1, "users.columns", "[]")
        preferences.put(connection, 1, 1, "theme", "dark")
        preferences.put(connection, 1, 1, "users.columns", None)
        assert preferences.get(connection, 1, 1, "users.columns") is None
        assert preferences.get(connection, 1, 1, "theme") == "dark"
