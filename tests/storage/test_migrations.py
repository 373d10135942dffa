"""A ledger of an older release becomes one of this release, with all it held."""

from __future__ import annotations

from pathlib import Path

import alembic.command
import alembic.config
import pytest
import sqlalchemy as sa

from user360.segments import store
from user360.segments.store import Segment, Version
from user360.storage import ledger as ledgers
from user360.storage.ledger import Ledger

WHERE = '{"property": "city", "op": "known"}'


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
