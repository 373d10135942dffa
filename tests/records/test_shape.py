"""How a record is shown: the known properties in their order, and how complete it is."""

from __future__ import annotations

from typing import Any

from user360.records import shape
from user360.records.properties import SYSTEM, Catalogue, Property, Type
from user360.records.settle import Cell, Own


def cells(**values: Any) -> dict[str, Cell]:
    return {n: Cell(v, 1_767_225_600_000_000, "m", 0, "api", "key") for n, v in values.items()}


def own(user_id: str | None = "asha") -> Own:
    return Own((1 << 40) | 42, user_id, {}, 1_767_225_600_000_000, 1_767_225_601_500_000)


def test_a_record_reads_as_the_specification_says() -> None:
    held = cells(tags=["vip"], city="Pune", unknown="x")
    assert shape.record(own(), held, Catalogue()) == {
        "id": "r42",
        "userId": "asha",
        "properties": {"city": "Pune", "tags": ["vip"]},
        "tags": ["vip"],
        "profileComplete": "18.75",
        "createdAt": "2026-01-01T00:00:00.000Z",
        "updatedAt": "2026-01-01T00:00:01.500Z",
    }


def test_a_record_of_which_nothing_is_known_is_shown_too() -> None:
    shown = shape.record(own(None), {}, Catalogue())
    assert (shown["userId"], shown["properties"], shown["tags"]) == (None, {}, [])
    assert shown["profileComplete"] == "0.00"


def test_completeness_counts_declared_properties_and_the_user_id() -> None:
    seventeen = Catalogue([Property(101, "plan", Type.STRING)])
    assert len(seventeen) == len(SYSTEM) + 1 == 17
    known = shape.properties(cells(city="Pune", email="a@shop.in"), seventeen)
    assert shape.complete("asha", known, seventeen) == "17.65"
    everything = {p.name: "x" for p in seventeen if p.name != "userId"}
    assert shape.complete("asha", everything, seventeen) == "100.00"


def test_properties_come_in_the_order_of_their_declaration() -> None:
    declared = Catalogue([Property(102, "b", Type.STRING), Property(101, "a", Type.STRING)])
    shown = shape.properties(cells(a="1", b="2", city="Pune", firstName="A"), declared)
    assert list(shown) == ["firstName", "city", "b", "a"]


def test_a_retyped_property_shows_what_converts() -> None:
    visits = Property(101, "visits", Type.NUMBER, retyped=True)
    assert shape.fitting(visits, "12") == 12
    assert shape.fitting(visits, "many") is None
    label = Property(101, "visits", Type.STRING, retyped=True)
    assert shape.fitting(label, 12) == "12"
    assert shape.fitting(Property(101, "visits", Type.STRING), 12) == 12


def test_where_a_value_came_from() -> None:
    cell = cells(city="Pune")["city"]
    plain = {"at": "2026-01-01T00:00:00.000Z", "writtenAt": "1970-01-01T00:00:00.000Z"}
    assert shape.provenance(cell) == {**plain, "source": "api", "ref": "key"}
    merged = Cell(cell.value, cell.at, cell.by, cell.written, "conversation", "s1", 7)
    assert shape.provenance(merged) == {
        **plain,
        "source": "merge",
        "ref": "s1",
        "mergeId": "7",
        "original": "conversation",
    }
