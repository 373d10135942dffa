"""Keys and workspaces in the ledger: what is kept, and what is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from user360.access import audit, keys, roles, workspaces
from user360.errors import Conflict, Invalid
from user360.platform import Platform
from user360.settings import Settings
from user360.storage.ledger import Connection


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform.temporary(Settings(admin_key="fixed", warehouse_memory="256MB")) as platform:
        yield platform


@pytest.fixture
def connection(platform: Platform) -> Iterator[Connection]:
    with platform.ledger.write() as connection:
        yield connection
        connection.rollback()


def test_only_a_hash_of_a_key_is_kept(connection: Connection) -> None:
    text = keys.new_key()
    made = keys.create(connection, 1, "site", "ingest", text, 5)
    kept = str(connection.execute(sa.text("SELECT * FROM keys")).all())
    assert text not in kept
    assert keys.fingerprint(text) in kept
    assert keys.all_keys(connection)[keys.fingerprint(text)] == made
    assert text.startswith(made.hint)
    assert len(made.hint) < 8


def test_a_key_is_revoked_in_its_own_workspace_only(connection: Connection) -> None:
    made = keys.create(connection, 1, "site", "ingest", keys.new_key(), 5)
    assert not keys.delete(connection, 2, made.id)
    assert keys.delete(connection, 1, made.id)
    assert not keys.delete(connection, 1, made.id)


def test_the_fixed_admin_key_is_there_from_the_start(platform: Platform) -> None:
    held = platform.keys[keys.fingerprint("fixed")]
    assert (held.role, held.workspace) == ("admin", platform.default.id)


def test_workspaces_have_plain_names_of_their_own(connection: Connection) -> None:
    workspaces.create(connection, "Acme-2", 5)
    with pytest.raises(Conflict):
        workspaces.create(connection, "acme-2", 5)
    for bad in ("", "-x", "a b", "x" * 65, "é"):
        with pytest.raises(Invalid):
            workspaces.create(connection, bad, 5)


def test_the_audit_is_read_from_the_newest_and_page_by_page(connection: Connection) -> None:
    for n in range(5):
        audit.note(connection, 77, n, "key:1", "did", f"thing:{n}", count=n)
    audit.note(connection, 78, 9, "key:2", "did", "elsewhere")
    first = audit.lines(connection, 77, None, 3)
    assert [line["target"] for line in first] == ["thing:4", "thing:3", "thing:2"]
    rest = audit.lines(connection, 77, first[-1]["id"], 3)
    assert [line["detail"] for line in rest] == [{"count": 1}, {"count": 0}]


def test_the_table_names_no_role_but_ours_and_an_admin_may_everything() -> None:
    for action, may in roles.MAY.items():
        assert set(may) <= set(roles.ALL), action
        assert roles.may("admin", action)
    assert [action for action in roles.MAY if roles.may("ingest", action)] == ["ingest"]
