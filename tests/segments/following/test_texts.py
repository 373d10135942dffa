"""The compiled text that is kept while the clock goes on is the one that would be compiled."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.segments import conditions, people
from tests.segments.warehouse import frame_of, parsed
from user360.clock import to_us
from user360.segments.compiler import compile as compiler
from user360.segments.following import clock, texts
from user360.segments.language.nodes import Node

DAY = 86_400_000_000


def compiled(node: Node) -> texts.Make:
    return lambda frame: compiler.to_sql(compiler.select_ids(node, frame), "duckdb")


STEPS = st.one_of(st.integers(1, 3_600_000_000), st.integers(DAY // 2, 400 * DAY))


@settings(max_examples=150, deadline=None)
@given(data=st.data(), world=conditions.worlds(), steps=st.lists(STEPS, min_size=1, max_size=4))
def test_putting_the_moments_in_gives_the_compiled_text(
    data: st.DataObject, world: tuple[str, datetime], steps: list[int]
) -> None:
    there = people.world(*world)
    node = parsed(data.draw(conditions.trees(there)), there)
    frame = frame_of(there, False)
    text = texts.Text(compiled(node), clock.windows_of(node, frame), frame)
    for step in steps:
        frame = msgspec.structs.replace(frame, now=frame.now + step)
        found = text.at(frame)
        if found is not None:
            assert found == compiler.to_sql(compiler.select_ids(node, frame), "duckdb")


def test_a_moving_window_needs_no_compiling() -> None:
    there = people.world("Europe/Berlin", datetime(2026, 3, 28, 12, 0, 1, 5, tzinfo=UTC))
    event = {"event": "X", "during": {"last": {"amount": 7, "unit": "days"}}}
    node = parsed(event, there)
    frame = frame_of(there, False)
    text = texts.Text(compiled(node), clock.windows_of(node, frame), frame)
    later = msgspec.structs.replace(frame, now=to_us(datetime(2026, 4, 2, tzinfo=UTC)))
    found = text.at(later)
    assert found != text.sql
    assert found == compiler.to_sql(compiler.select_ids(node, later), "duckdb")
