"""Whatever calls come, in whatever order and commits, people end as the plain reference says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.identity.histories import Pair, history
from tests.identity.reference import Expected
from user360.ingest.call import Call, Outcome
from user360.platform import Platform

ONE_PLATFORM = settings(suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform.temporary() as platform:
        declaring = Call(
            workspace=platform.default.id,
            source="api",
            ref="test",
            at=platform.now(),
            message_id="declare",
            user_id="declares",
            properties={"score": 1, "likes": ["a"]},
            undeclared="create",
        )
        platform.settle([declaring])
        yield platform


def agree(pair: Pair, outcome: Outcome, expected: Expected) -> None:
    """A write that changed something answers `updated` where the table says `unchanged`."""
    status = "unchanged" if outcome.status == "updated" else outcome.status
    assert status == expected.status, outcome
    if expected.record is not None:
        assert outcome.record == pair.number(expected.record)


@settings(ONE_PLATFORM, max_examples=80)
@given(seed=st.integers(0, 2**32), length=st.integers(10, 60), pairs=st.booleans())
def test_a_history_ends_as_the_reference_says(
    platform: Platform, seed: int, length: int, pairs: bool
) -> None:
    pair = Pair(platform)
    for batch in history(seed, length, pairs):
        for outcome, expected in pair.commit(batch):
            agree(pair, outcome, expected)
    ledger = pair.expected("userId", "properties", "sessions", "records")
    assert pair.in_ledger() == ledger
    assert pair.in_warehouse() == pair.expected("userId", "properties", "events")
