"""What waits and what was given up, listed for one workspace alone."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from user360.channels import deliveries
from user360.platform import Platform
from user360.storage.ledger import Connection, text

MANY = 40
OURS = 9_001  # and the next


def fill(connection: Connection) -> None:
    """Deliveries of two workspaces, one after the other; each fourth was given up."""
    query = text(
        "INSERT INTO deliveries (workspace_id, conversation_id, message_id, way, due_at, failed_at)"
        " VALUES (:workspace, 1, 1, 'email', 0, :failed)"
    )
    for number in range(MANY):
        given = {"workspace": OURS + number % 2, "failed": 5 if number % 4 == 0 else None}
        connection.execute(query, given)


def listed(platform: Platform, **how: Any) -> list[int]:
    with platform.ledger.read() as connection:
        return [each.id for each in deliveries.listed(connection, OURS, **how)]


def test_a_workspace_is_told_its_own_the_newest_first_in_pages(platform: Platform) -> None:
    platform.write(fill)
    failed = listed(platform, failed=True)
    assert failed == sorted(failed, reverse=True)
    assert len(failed) == MANY // 4
    first = listed(platform, failed=True, limit=4)
    assert first + listed(platform, failed=True, before=first[-1]) == failed
    assert len(listed(platform, failed=False)) == MANY // 4
    with platform.ledger.read() as connection:
        waiting = deliveries.listed(connection, OURS + 1, failed=False)
    assert {each.workspace for each in waiting} == {OURS + 1}
    assert len(waiting) == MANY // 2


@pytest.mark.parametrize("failed", [True, False])
@pytest.mark.parametrize("before", [None, 7])
def test_those_of_others_are_not_read_for_it(
    platform: Platform, failed: bool, before: int | None
) -> None:
    plans: list[str] = []

    def note(_c: Any, cursor: Any, statement: str, given: Any, _x: Any, _many: bool) -> None:
        rows = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", given)
        plans.extend(row[3] for row in rows)

    with platform.ledger.read() as connection:
        sa.event.listen(connection, "before_cursor_execute", note)
        deliveries.listed(connection, 1, failed=failed, before=before)
    index = "deliveries_failed" if failed else "deliveries_waiting"
    upto = "" if before is None else " AND id<?"
    assert plans == [f"SEARCH d USING INDEX {index} (workspace_id=?{upto})"]
