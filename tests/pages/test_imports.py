"""The form of a file's columns and that of a schedule, read and told; the bar of a report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from user360.errors import Fault, Invalid
from user360.imports.options import Options
from user360.imports.preview import Preview, preview
from user360.imports.schedules.managing import Wanted
from user360.imports.schedules.schedule import Schedule, Sftp, Weekly
from user360.pages import import_columns, import_schedules, words
from user360.records.properties import Catalogue, Type


@pytest.fixture
def found(tmp_path: Path) -> Preview:
    path = tmp_path / "upload"
    path.write_text("userId,First Name,Plan\nasha,Asha,gold\n", encoding="utf-8")
    return preview(path, "people.csv", Catalogue(), {})


def test_the_form_shows_what_is_suggested_and_reads_back_the_same(found: Preview) -> None:
    mapping = {s.column: s.property for s in found.suggestions if s.property is not None}
    before = Options(user_id="userId", mapping=mapping, create_properties=True)
    rows = import_columns.rows(found, before, Catalogue())
    assert [(r.to, r.name if r.to == "+" else "", r.why) for r in rows] == [
        ("userId", "", "by its name"),
        ("firstName", "", "by its name"),
        ("+", "Plan", "new here"),
    ]
    form = {f"to.{i}": row.to for i, row in enumerate(rows)}
    form |= {"name.2": rows[2].name, "type.2": rows[2].type}
    read = import_columns.read(form, found, before)
    assert (read.user_id, read.mapping, read.types) == ("userId", mapping, {"Plan": Type.STRING})
    assert import_columns.rows(found, read, Catalogue()) == rows


def test_a_column_that_is_left_out_makes_nothing(found: Preview) -> None:
    read = import_columns.read({"to.1": "firstName"}, found, Options(user_id="userId"))
    assert (read.user_id, read.mapping) == (None, {"First Name": "firstName"})
    assert not read.create_properties


@pytest.mark.parametrize(
    ("form", "path"),
    [
        ({"to.0": "userId", "to.2": "userId"}, "to.2"),
        ({"to.2": "+", "name.2": " "}, "name.2"),
    ],
)
def test_what_is_wrong_is_told_by_field(found: Preview, form: dict[str, str], path: str) -> None:
    with pytest.raises(Invalid) as refused:
        import_columns.read(form, found, Options())
    assert [fault.path for fault in refused.value.faults] == [path]


def test_faults_of_the_options_stand_beside_their_columns() -> None:
    faults = [
        Fault("options.mapping.Plan", "invalidProperty", "no"),
        Fault("options.mapping.First Name", "invalidProperty", "no"),
        Fault("options.userId", "invalidProperty", "no"),
    ]
    form = {"to.1": "city", "to.2": "+"}
    told = import_columns.placed(
        Invalid("no", faults=faults), form, ("userId", "First Name", "Plan")
    )
    assert [fault.path for fault in told.faults] == ["name.2", "to.1", ""]


def test_a_schedule_is_read_from_the_fields_of_its_kind() -> None:
    form = {
        "name": "Nightly",
        "kind": "sftp",
        "sftp.host": "files.example.com",
        "sftp.user": "u",
        "sftp.hostKey": "ssh-ed25519 A",
        "sftp.port": "2222",
        "folder.path": "not this",
        "repeat": "monthly",
        "monthly.day": "31",
        "monthly.time": "02:30",
    }
    wanted = import_schedules.read(form)
    assert (getattr(wanted.place, "port", 0), getattr(wanted.calendar, "day", 0)) == (2222, 31)
    assert wanted.options == {"createProperties": False, "onConflict": "update"}
    for wrong in ({"kind": "ftp"}, {"repeat": "never"}, {"sftp.port": "many"}):
        with pytest.raises(Invalid):
            import_schedules.read(form | wrong)


def schedule(**options: Any) -> Schedule:
    host_key = "ssh-ed25519 A"
    return Schedule(
        id=1,
        workspace=1,
        name="Nightly",
        place=Sftp(host="files", user="u", host_key=host_key, password="sealed", path="out"),
        calendar=Weekly(weekday="friday", time="02:30"),
        options=options,
        active=False,
        actor="key:1",
        created_at=0,
    )


def test_a_form_of_a_schedule_says_what_is_held_and_changes_nothing_else() -> None:
    held = schedule(createProperties=True, mapping={"Town": "city"}, tags=["crm"])
    form = import_schedules.given(held)
    assert form == {
        "name": "Nightly",
        "kind": "sftp",
        "sftp.host": "files",
        "sftp.user": "u",
        "sftp.hostKey": "ssh-ed25519 A",
        "sftp.port": "22",
        "sftp.path": "out",
        "sftp.pattern": "userdata_*.csv",
        "repeat": "weekly",
        "weekly.weekday": "friday",
        "weekly.time": "02:30",
        "userId": "",
        "onConflict": "update",
        "createProperties": "on",
    }
    again = import_schedules.read(form, held)
    assert again == Wanted(
        name=held.name,
        place=msgspec.structs.replace(held.place, password=""),
        calendar=held.calendar,
        options={**held.options, "onConflict": "update"},
        active=False,
    )


@pytest.mark.parametrize(
    ("held", "filled", "is_then"),
    [
        ({}, "", {}),
        ({"userId": "Mail"}, "", {}),
        ({"userId": "Mail"}, "Code", {"userId": "Code"}),
        ({"userId": None}, "", {"userId": None}),
        ({"userId": None}, "Code", {"userId": "Code"}),
    ],
)
def test_a_column_that_is_left_empty_is_found_by_its_name_unless_there_is_to_be_none(
    held: dict[str, Any], filled: str, is_then: dict[str, Any]
) -> None:
    form = {**import_schedules.given(schedule(**held)), "userId": filled}
    options = import_schedules.read(form, schedule(**held)).options
    assert {name: v for name, v in options.items() if name == "userId"} == is_then


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 bytes"), (999, "999 bytes"), (1_300_000, "1.3 MB"), (10**12, "1.0 TB")],
)
def test_sizes_are_short(count: int, said: str) -> None:
    assert words.size(count) == said
