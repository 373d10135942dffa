"""Stays are what the moves of a person's records come to, whatever order they are in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from user360.segments import history

MOVES = st.lists(
    st.tuples(st.integers(1, 2), st.integers(1, 3), st.booleans()), max_size=30
)  # segment, record, whether it entered


@given(MOVES)
def test_somebody_is_in_a_segment_while_one_of_its_records_is(
    moves: list[tuple[int, int, bool]],
) -> None:
    timed = [(segment, record, entered, at) for at, (segment, record, entered) in enumerate(moves)]
    found = history._stays(sorted(timed, key=lambda row: (row[0], row[3])))
    for segment in (1, 2):
        within: set[int] = set()
        for at, (moved, record, entered) in enumerate(moves):
            if moved == segment:
                (within.add if entered else within.discard)(record)
            covered = [
                stay
                for stay in found
                if stay.segment == segment
                and stay.since <= at
                and (stay.until is None or at < stay.until)
            ]
            assert len(covered) == bool(within)
