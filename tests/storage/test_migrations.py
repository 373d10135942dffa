"""A ledger of an older release becomes one of this release, with all it held."""

from __future__ import annotations

from pathlib import Path

import alembic.command
import alembic.config
import pytest
import sqlalchemy as sa

from user360 import ids
from user360.ingest.doctor import examine
from user360.platform import Platform
from user360.segments import history, store, stored
from user360.segments.store import Segment, Version
from user360.settings import Settings
from user360.storage import ledger as ledgers
from user360.storage.ledger import Ledger

SINCE = {1: 6, 2: 6, 3: 9}  # when the first three records entered the list
WHERE = '{"property": "city", "op": "known"}'


def number(n: int) -> int:
    return ids.record_number(1, n)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A ledger with two segments as the first release kept them."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    config = alembic.config.Config()
    config.set_main_option("script_location", str(ledgers.MIGRATIONS))
    config.set_main_option("sqlalchemy.url", url)
    alembic.command.upgrade(config, "0001")
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO segments (workspace_id, name, description, kind, condition,"
                " created_at, updated_at, used_at) VALUES (1, :name, '', :kind, :where, 5, 6, 7)"
            ),
            [
                {"name": "Cities", "kind": "dynamic", "where": WHERE},
                {"name": "Pilot", "kind": "static", "where": None},
            ],
        )
        connection.execute(
            sa.text(
                "INSERT INTO records (id, workspace_id, user_id, created_at, updated_at)"
                " VALUES (:id, 1, :user, 5, 5)"
            ),
            [{"id": number(n), "user": f"u{n}"} for n in (1, 2, 3)],
        )
        connection.execute(
            sa.text("INSERT INTO segment_members VALUES (2, :id, :since)"),
            [{"id": number(n), "since": since} for n, since in SINCE.items()],
        )
        connection.execute(
            sa.text(
                "INSERT INTO workspaces (name, next_record, created_at) VALUES ('default', 4, 1)"
            )
        )
    engine.dispose()
    return url


def test_the_segments_of_an_older_ledger_are_their_own_first_version(url: str) -> None:
    ledger = Ledger(url)
    ledger.migrate()
    ledger.migrate()
    with ledger.read() as connection:
        cities, pilot = store.all_segments(connection, 1)
        kept = store.versions(connection, cities.id)
        listed = store.version(connection, pilot.id, 1)
    ledger.close()
    assert cities == Segment(1, "Cities", "", "dynamic", WHERE, 5, 6, 7, None, 1, False, 0)
    assert kept == [Version(1, "Cities", "", WHERE, 6, "")]
    assert listed is not None
    assert listed.condition is None


def test_an_older_ledger_has_the_schema_of_a_new_one(url: str, tmp_path: Path) -> None:
    old, new = Ledger(url), Ledger(f"sqlite:///{tmp_path / 'new.db'}")
    seen = []
    for ledger in (old, new):
        ledger.migrate()
        with ledger.read() as connection:
            query = "SELECT name, sql FROM sqlite_master WHERE name <> 'sqlite_sequence' ORDER BY 1"
            seen.append([tuple(row) for row in connection.exec_driver_sql(query)])
        ledger.close()
    assert seen[0] == seen[1]


@pytest.mark.usefixtures("url")
def test_who_is_in_an_older_list_is_in_it_still_since_then(tmp_path: Path) -> None:
    with Platform.open(tmp_path, Settings()) as platform:
        warehouse, workspace = platform.wait(), platform.default
        entered = stored.since(warehouse, workspace, 2, numbers := list(map(number, SINCE)))
        assert entered == {number(n): since for n, since in SINCE.items()}
        assert stored.count(warehouse, workspace, 2) == 3
        found = history.stays(warehouse, workspace, numbers[2])
        assert found == [history.Stay(2, 9, None)]
        assert examine(platform).findings == []
