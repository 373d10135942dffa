from __future__ import annotations

import json
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from tests.imports.importer import Importer, Table
from user360.clock import StillClock
from user360.errors import Conflict, Invalid
from user360.imports import engine, piece, plan
from user360.ingest import doctor
from user360.ingest.call import Call
from user360.jobs.job import Stopped
from user360.platform import Platform
from user360.records import declare
from user360.records.properties import Type
from user360.segments import define
from user360.storage.warehouse import schema_of

PEOPLE: Table = [
    ["userId", "First Name", "city", "phone", "orders", "notes"],
    ["asha", "Asha", "Pune", "+919876543210", "3", ""],
    ["ravi", "Ravi", "Köln", "", "2.50", "x"],
    ["", "Somebody", "", "", "", ""],
    ["", "", "", "", "", ""],
]


def told_of(importer: Importer) -> list[tuple[Any, ...]]:
    schema = schema_of(importer.workspace.id)
    query = f"SELECT name, source, properties FROM {schema}.events ORDER BY seq"
    return [tuple(row) for row in importer.platform.wait().query(query).rows]


def declared(importer: Importer, name: str, kind: Type, **more: Any) -> None:
    platform = importer.platform
    platform.write(
        lambda c: declare.declare(
            platform.change(c, importer.workspace, "key:1"), name, kind, **more
        )
    )


def test_a_file_makes_records_and_says_how_many(importer: Importer) -> None:
    done = importer.run(PEOPLE)
    assert (done.total, done.new, done.empty, done.failed) == (4, 3, 1, 0)
    assert importer.people() == {
        "asha": {"firstName": "Asha", "city": "Pune", "phone": "+919876543210"},
        "ravi": {"firstName": "Ravi", "city": "Köln"},
        "#2": {"firstName": "Somebody"},
    }


def test_a_file_of_which_nothing_would_be_imported_is_refused(importer: Importer) -> None:
    with pytest.raises(Invalid, match="no column of this file would be imported") as refused:
        importer.run([["colour", "size"], ["red", "5"]])
    assert [fault.path for fault in refused.value.faults] == ["mapping"]
    assert importer.run([["userId", "size"], ["asha", "5"]]).new == 1


def test_columns_nobody_declared_become_properties_when_asked_for(importer: Importer) -> None:
    done = importer.run(PEOPLE, createProperties=True)
    assert done.declared == ["orders", "notes"]
    assert importer.people()["ravi"]["orders"] == 2.5
    assert importer.people()["ravi"]["notes"] == "x"


def test_what_is_written_is_what_a_warehouse_and_a_doctor_find(importer: Importer) -> None:
    importer.run(PEOPLE, createProperties=True, tags=["new"], segment="January")
    importer.run([PEOPLE[0], ["asha", "Asha", "Goa", "", "4", ""]], createProperties=True)
    importer.platform.wait()
    assert doctor.examine(importer.platform).findings == []
    importer.platform.projector.rebuild()
    assert doctor.examine(importer.platform).findings == []


def test_each_new_record_tells_of_its_creation_as_any_other_does(importer: Importer) -> None:
    importer.run([["userId", "city"], ["asha", 'say "Pune"']], tags=["vip"])
    ((name, source, properties),) = told_of(importer)
    assert (name, source) == ("USER_CREATE", "csv")
    assert properties == '{"id":"r1","userId":"asha","city":"say \\"Pune\\"","tags":["vip"]}'


def test_the_second_import_of_a_file_changes_nothing(importer: Importer) -> None:
    importer.run(PEOPLE[:3], createProperties=True, defaultTag=True)
    before, log = importer.people(), told_of(importer)
    for how in ("update", "skip"):
        done = importer.run(PEOPLE[:3], createProperties=True, defaultTag=True, onConflict=how)
        assert (done.new, done.changed, done.failed) == (0, 0, 0)
        assert done.conflicting + done.skipped == 2
    assert importer.people() == before
    assert told_of(importer) == log


def test_an_empty_cell_changes_nothing_but_replacing_clears(importer: Importer) -> None:
    importer.run([["userId", "city", "firstName"], ["asha", "Pune", "Asha"]])
    done = importer.run([["userId", "city", "firstName"], ["asha", "", "Aisha"]])
    assert (done.conflicting, done.changed, done.changes) == (1, 1, {"firstName": 1})
    assert importer.people()["asha"] == {"city": "Pune", "firstName": "Aisha"}
    importer.run([["userId", "city"], ["asha", "Goa"]], onConflict="replace")
    assert importer.people()["asha"] == {"city": "Goa"}
    importer.run([["userId", "city"], ["asha", "Rome"], ["new", "Bonn"]], onConflict="skip")
    assert importer.people() == {"asha": {"city": "Goa"}, "new": {"city": "Bonn"}}


def test_tags_are_united_whatever_was_chosen(importer: Importer) -> None:
    importer.run([["userId", "tags"], ["asha", "a;b"]])
    for how, tag in (("update", "c"), ("skip", "d"), ("replace", "e")):
        importer.run([["userId", "tags"], ["asha", tag]], onConflict=how, mergeTags=True)
    assert importer.people()["asha"]["tags"] == ["a", "b", "c", "d", "e"]
    importer.run([["userId", "tags"], ["asha", "z"]])
    assert importer.people()["asha"]["tags"] == ["z"]


def test_the_default_tag_marks_what_an_import_made_or_changed(importer: Importer) -> None:
    head = ["userId", "city"]
    importer.run([head, ["asha", "Pune"], ["ravi", "Goa"]])
    done = importer.run([head, ["asha", "Pune"], ["ravi", "Rome"], ["new", "x"]], defaultTag=True)
    assert done.tags == ["22Nov26_05:40"]
    people = importer.people()
    assert people["asha"] == {"city": "Pune"}
    assert people["ravi"]["tags"] == people["new"]["tags"] == ["22Nov26_05:40"]


def test_tags_that_were_asked_for_are_given_to_every_row(importer: Importer) -> None:
    importer.run([["userId", "city"], ["asha", "Pune"]])
    done = importer.run([["userId", "city"], ["asha", "Pune"], ["new", "x"]], tags=["vip"])
    assert (done.changed, done.new) == (1, 1)
    assert [p["tags"] for p in importer.people().values()] == [["vip"], ["vip"]]


def test_two_rows_of_one_person_are_applied_in_the_order_of_the_file(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [["asha", "Pune"], ["ravi", "Goa"], ["asha", "Rome"], ["ravi", ""], ["asha", "Bonn"]]
    for size in (2, 20_000):
        monkeypatch.setattr(engine, "ROWS", size)
        done = importer.run([["userId", "city"], *([f"{u}{size}", c] for u, c in rows)])
        assert (done.new, done.conflicting) == (2, 3)
        people = importer.people()
        assert people[f"asha{size}"] == {"city": "Bonn"}
        assert people[f"ravi{size}"] == {"city": "Goa"}


def test_a_row_that_does_not_fit_fails_alone_with_line_column_and_reason(
    importer: Importer,
) -> None:
    table = [
        ["Customer", "city", "E-Mail", "phone"],
        ["asha", "Pune", "asha@example.com", "9.19E+11"],
        ["ravi", "Goa", "not an address", "12"],
        ["null", "Goa", "", ""],
        ["new", "Bonn", "", ""],
    ]
    done = importer.run(
        table, mapping={"city": "city", "E-Mail": "email", "phone": "phone"}, userId="Customer"
    )
    assert (done.total, done.new, done.failed) == (4, 1, 3)
    assert importer.people() == {"new": {"city": "Bonn"}}
    first, second, third = importer.failed()
    assert first.line == 2
    assert first.row == dict(zip(table[0], table[1], strict=True))
    assert [(e.column, e.property, e.code) for e in first.errors] == [
        ("phone", "phone", "invalidDataType")
    ]
    assert "9.19E+11" in first.errors[0].message
    assert [(e.column, e.code) for e in second.errors] == [
        ("E-Mail", "invalidDataType"),
        ("phone", "invalidDataType"),
    ]
    assert [(e.column, e.property, e.code) for e in third.errors] == [
        ("Customer", "userId", "invalidUserId")
    ]


def test_rows_that_cannot_be_read_are_told_and_the_others_are_in(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "ROWS", 3)
    monkeypatch.setattr(piece, "BUDGET", 1.0)
    rows = [["a", "x"], ["b", "y", "too", "much"], ["c", "z"], ["d", "bad\0"], ["e", "w"]]
    done = importer.run([["userId", "city"], *rows])
    assert (done.total, done.new, done.failed) == (5, 3, 2)
    assert [(f.line, bool(f.text), f.row) for f in importer.failed()] == [
        (3, True, {}),
        (5, True, {}),
    ]
    assert list(importer.people()) == ["a", "c", "e"]


def test_new_records_need_every_required_property(importer: Importer) -> None:
    importer.run([["userId", "city"], ["old", "Pune"]])
    declared(importer, "plan", Type.STRING, required=True)
    table = [["userId", "city", "plan"], ["a", "x", ""], ["b", "y", "pro"], ["old", "Goa", ""]]
    done = importer.run(table)
    assert (done.new, done.conflicting, done.failed) == (1, 1, 1)
    (failed,) = importer.failed()
    assert [(e.column, e.property, e.code) for e in failed.errors] == [
        ("plan", "plan", "propertiesRequired")
    ]
    replaced = importer.run([table[0], ["old", "Rome", ""], ["", "z", ""]], onConflict="replace")
    assert replaced.failed == 2
    assert importer.people()["old"] == {"city": "Goa"}


def test_a_newer_write_is_not_covered_by_an_import_that_began_before(
    importer: Importer, platform: Platform
) -> None:
    importer.run([["userId", "city"], ["asha", "Pune"]])
    later = platform.clock.now() + 3_600_000_000
    call = Call(
        workspace=importer.workspace.id,
        source="api",
        ref="k",
        at=later,
        message_id="m",
        user_id="asha",
        properties={"city": "Rome"},
    )
    platform.settle([call])
    done = importer.run([["userId", "city"], ["asha", "Goa"]])
    assert (done.conflicting, done.changed) == (1, 0)
    assert importer.people()["asha"] == {"city": "Rome"}


def test_the_imported_records_make_a_list(importer: Importer) -> None:
    head = ["userId", "city"]
    importer.run([head, ["old", "x"], ["other", "x"]])
    importer.run([head, ["old", "x"], ["new", "y"], ["", "z"], ["null", "q"]], segment="June")
    importer.run([head, ["more", "x"]], segment="June")
    (segment,) = importer.workspace.segments.values()
    schema = schema_of(importer.workspace.id)
    assert (segment.name, segment.kind) == ("June", "static")
    held = importer.platform.wait().query(
        f"SELECT r.user_id FROM {schema}.members m JOIN {schema}.records r ON r.id = m.record_id"
        " ORDER BY r.user_id NULLS FIRST"
    )
    assert [row[0] for row in held.rows] == [None, "more", "new", "old"]


def test_a_segment_with_a_condition_cannot_be_filled_by_a_file(
    importer: Importer, platform: Platform
) -> None:
    condition = {"property": "city", "op": "is", "values": ["x"]}
    platform.write(
        lambda c: define.create(
            platform.change(c, importer.workspace, "key:1"), "June", "", condition
        )
    )
    with pytest.raises(Conflict, match="condition"):
        importer.run([["userId"], ["a"]], segment="June")


@pytest.mark.parametrize(
    ("given", "paths"),
    [
        ({"userId": "nobody"}, ["userId"]),
        ({"mapping": {"x": "city", "city": "nothing"}}, ["mapping.x", "mapping.city"]),
        ({"mapping": {"city": "city", "First Name": "city"}}, ["mapping.First Name"]),
        ({"mapping": {"city": "createdAt"}, "createProperties": True}, ["mapping.city"]),
        ({"mapping": {"city": "9 lives"}, "createProperties": True}, ["mapping.city"]),
        ({"mapping": {"city": "City"}}, ["mapping.city"]),
        ({"mapping": {"city": "userId", "notes": "userId"}}, ["mapping.notes"]),
    ],
)
def test_every_option_that_does_not_go_with_the_file_is_named(
    importer: Importer, given: dict[str, Any], paths: list[str]
) -> None:
    with pytest.raises(Invalid) as refused:
        importer.run(PEOPLE, **given)
    assert [fault.path for fault in refused.value.faults] == paths
    assert importer.people() == {}


def test_without_a_column_of_user_ids_every_row_is_somebody_unknown(importer: Importer) -> None:
    done = importer.run(PEOPLE, userId=None)
    assert done.new == 3
    assert set(importer.people()) == {"#0", "#1", "#2"}


def test_a_dry_run_says_what_would_come_and_writes_nothing(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "ROWS", 2)
    importer.run([["userId", "city", "orders"], ["asha", "Pune", "1"]], createProperties=True)
    table = [
        ["userId", "city", "orders", "shoe"],
        ["asha", "Goa", "x", ""],
        ["asha", "Goa", "1", ""],
        ["new", "Rome", "", "44"],
        ["", "", "", ""],
        ["new", "Rome", "3", "45"],
        ["more", "", "", "45"],
    ]
    before, position = importer.people(), importer.platform.committer.position.last
    tried = importer.run(table, createProperties=True, dryRun=True, defaultTag=True)
    assert importer.people() == before
    assert importer.platform.committer.position.last == position
    assert importer.workspace.catalogue.get("shoe") is None
    done = importer.run(table, createProperties=True)
    counts = ("total", "new", "conflicting", "failed", "empty", "skipped")
    assert (
        [getattr(tried, n) for n in counts]
        == [getattr(done, n) for n in counts]
        == [
            6,
            2,
            2,
            1,
            1,
            0,
        ]
    )
    assert tried.changes["city"] == done.changes["city"] == 1


def test_an_import_that_is_stopped_goes_on_and_writes_each_row_once(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "ROWS", 3)
    monkeypatch.setattr(piece, "BUDGET", 2.0)
    rows = [[f"u{n % 9}", str(n), "bad" if n % 5 == 0 else ""] for n in range(20)]
    table = [["userId", "city", "dob"], *rows, ["u1", "x\0", ""]]
    given = {"tags": ["t"], "segment": "s"}
    whole = importer.run(table, **given)
    expected = importer.people()
    other = Importer(importer.platform, importer.folder, importer.platform.add_workspace("other"))
    job = other.begin()
    stops, done = 0, None
    while done is None:
        try:
            done = other.go_on(job, table, given, patience=3)
        except Stopped:
            stops += 1
    assert stops > 4
    assert other.people() == expected
    assert done == whole
    other.last = job
    assert other.failed() == importer.failed()


def test_typed_values_are_held_to_their_properties_as_the_api_holds_them(
    importer: Importer, tmp_path: Path
) -> None:
    declared(importer, "orders", Type.NUMBER)
    lines = [
        {"userId": "a", "orders": 5, "tags": ["x", "y"], "emailOptin": True},
        {"userId": 7, "orders": "6", "tags": "z;w"},
        {"userId": "c", "orders": {"a": 1}, "city": 5},
        {"city": "Goa"},
        {},
    ]
    path = tmp_path / "people.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\nno JSON\n")
    importer.last = importer.begin()
    done = importer.go_on_with(importer.last, path, {})
    assert (done.total, done.new, done.failed, done.empty) == (6, 3, 2, 1)
    assert importer.people() == {
        "a": {"orders": 5, "tags": ["x", "y"], "emailOptin": True},
        "7": {"orders": 6, "tags": ["z", "w"]},
        "#2": {"city": "Goa"},
    }
    typed, broken = importer.failed()
    assert {(e.property, e.code) for e in typed.errors} == {
        ("orders", "invalidDataType"),
        ("city", "invalidDataType"),
    }
    assert (broken.line, broken.text) == (6, "no JSON")


def test_the_mapping_of_the_last_file_is_remembered(importer: Importer) -> None:
    table = [["Kunde", "Ort"], ["asha", "Pune"]]
    importer.run(table, mapping={"Kunde": "userId", "Ort": "city"})
    importer.run([table[0], ["ravi", "Goa"]])
    assert importer.people() == {"asha": {"city": "Pune"}, "ravi": {"city": "Goa"}}


def test_the_default_tag_is_the_time_by_the_clocks_of_the_workspace(clock: StillClock) -> None:
    assert plan.default_tag(clock.now(), UTC) == "22Nov26_05:40"
