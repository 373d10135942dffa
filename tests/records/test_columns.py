from __future__ import annotations

from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from user360.records import columns, settle
from user360.records.properties import Catalogue, Property, Type
from user360.records.settle import Cell, Own

CATALOGUE = Catalogue(
    [
        Property(101, "plan", Type.STRING),
        Property(102, "spent", Type.NUMBER),
        Property(103, "seenAt", Type.DATETIME),
        Property(104, "wakes", Type.TIME),
        Property(105, "once", Type.NUMBER, retyped=True),
    ]
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "city": st.sampled_from(["Pune", "a/b", '"*":[', "Köln"]),
    "country": st.sampled_from(["India", "Peru"]),
    "tags": st.lists(st.sampled_from(["a", "b/c"]), min_size=1, max_size=2, unique=True),
    "dob": st.just("1990-02-28"),
    "emailOptin": st.booleans(),
    "spent": st.one_of(st.integers(0, 5), st.floats(0.5, 2.5)),
    "seenAt": st.just("2026-01-02T03:04:05.000Z"),
    "wakes": st.just("06:30:00"),
    "once": st.sampled_from(["12", "twelve", 12]),
    "gone": st.just("declared no more"),
}


@st.composite
def cells_of_one(draw: st.DrawFn) -> dict[str, Cell]:
    """Cells as they come about: values, clearings, a cover, tags by themselves, a first country."""
    kept: dict[str, Cell] = {}
    for name in draw(st.lists(st.sampled_from(list(VALUES)), unique=True)):
        value = draw(st.none() | VALUES[name])
        kept[name] = Cell(value, draw(st.integers(1, 9)), "m", 1, "api", "k")
    if draw(st.booleans()):
        kept[settle.COVER] = Cell(None, draw(st.integers(1, 9)), "m", 1, "api", "k")
    for tag in draw(st.lists(st.sampled_from(["a", "vip"]), max_size=2, unique=True)):
        mark = Cell(None, draw(st.integers(1, 9)), "n", 1, "api", "k")
        kept[settle.TAG + tag] = settle.tag(mark, draw(st.booleans()))
    return kept


@given(people=st.lists(cells_of_one(), min_size=1, max_size=6))
def test_who_stands_alone_comes_to_the_same_by_the_quicker_way(
    people: list[dict[str, Cell]],
) -> None:
    owns = [Own(n, f"u{n}" if n % 2 else None, cells, 5, 6) for n, cells in enumerate(people, 1)]
    settled = [(own, settle.view({own.id: own}, own.id)) for own in owns]
    alone = columns.Alone(
        [str(own.id) for own in owns],
        [own.user_id or "" for own in owns],
        ["5"] * len(owns),
        ["6"] * len(owns),
        [settle.encode_cells(own.cells).decode() for own in owns],
    )
    slow, quick = columns.table(settled, CATALOGUE), columns.table_of(alone, CATALOGUE)
    missing = [name for name in quick.schema.names if name not in slow.schema.names]
    assert all(quick[name].null_count == len(owns) for name in missing)
    assert quick.drop_columns(missing).equals(slow)
    assert isinstance(quick, pa.Table)
