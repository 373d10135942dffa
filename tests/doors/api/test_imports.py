"""Files come in, their rows are told one by one, and all of it can be taken back."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from python_calamine import CalamineWorkbook

from tests.doors.api.conftest import Api, faults
from user360.jobs import files

PEOPLE = (
    "userId,First Name,Phone No.,tier\nasha,Asha,+919190000001,gold\nravi,Ravi,+919190000002,\n"
)


def sent(api: Api, file: str | bytes, name: str = "people.csv", **options: Any) -> httpx.Response:
    parts = {"file": (name, file), "options": (None, json.dumps(options))}
    return api.call("POST", "/imports", files=parts)


def ended(api: Api, told: dict[str, Any]) -> dict[str, Any]:
    """An import once its job has ended."""
    api.client.app.state.platform.jobs.wait(told["id"], 60)
    answer = api.get(f"/imports/{told['id']}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def imported(api: Api, file: str | bytes, name: str = "people.csv", **options: Any) -> Any:
    answer = sent(api, file, name, **options)
    assert answer.status_code == 202, answer.text
    return ended(api, answer.json())


def counts(told: dict[str, Any]) -> dict[str, int]:
    names = ("total", "new", "conflicting", "failed", "empty", "skipped")
    return {name: told[name] for name in names if told[name]}


def test_a_file_becomes_people(api: Api) -> None:
    told = imported(api, PEOPLE, userId="userId", createProperties=True)
    assert told["status"] == "completed"
    assert counts(told) == {"total": 2, "new": 2}
    assert (told["done"], told["file"], told["format"]) == (2, "people.csv", "csv")
    assert told["mapping"]["Phone No."] == "phone"
    assert told["declared"] == ["tier"]
    asha = api.get("/users/asha").json()
    assert asha["properties"]["firstName"] == "Asha"
    assert asha["properties"]["tier"] == "gold"
    assert asha["tags"] == told["tags"]
    assert "tier" not in api.get("/users/ravi").json()["properties"]
    assert sorted(api.search({"property": "tier", "op": "known"})) == ["asha"]


def test_what_is_known_is_updated_and_a_second_time_nothing_changes(api: Api) -> None:
    api.user("asha", city="Pune", firstName="A")
    first = imported(api, PEOPLE, userId="userId")
    assert counts(first) == {"total": 2, "new": 1, "conflicting": 1}
    second = imported(api, PEOPLE, userId="userId", defaultTag=False)
    assert counts(second) == {"total": 2, "conflicting": 2}
    assert (second["changed"], second["changes"]) == (0, {})


def test_a_look_into_a_file_keeps_nothing_of_it(api: Api) -> None:
    parts = {"file": ("people.csv", PEOPLE)}
    told = api.call("POST", "/imports/preview", files=parts)
    assert told.status_code == 200, told.text
    found = told.json()
    assert found["dialect"]["delimiter"] == ","
    assert found["rows"][0] == ["asha", "Asha", "+919190000001", "gold"]
    how = {each["column"]: (each["property"], each["how"]) for each in found["columns"]}
    assert how["First Name"] == ("firstName", "exact")
    assert how["Phone No."][0] == "phone"
    assert how["tier"] == ("tier", "new")
    assert left(api) == set()
    assert api.get("/imports").json()["imports"] == []


def left(api: Api) -> set[str]:
    there = api.client.app.state.platform.directory / files.FILES
    return {each.name for each in there.iterdir()} if there.exists() else set()


def test_what_was_chosen_last_is_suggested_the_next_time(api: Api) -> None:
    mapping = {"First Name": "city", "userId": "userId"}
    imported(api, PEOPLE, mapping=mapping)
    found = api.call("POST", "/imports/preview", files={"file": ("b.csv", PEOPLE)}).json()
    how = {each["column"]: (each["property"], each["how"]) for each in found["columns"]}
    assert how["First Name"] == ("city", "used")


BAD = (
    "userId,email,phone,city\n"
    "asha,asha@example.com,9.19E+11,Pune\n"
    "ravi,nowhere,12,=1+1\n"
    "lena,lena@example.com,+493023125017,Bern\n"
)


@pytest.fixture
def failed(api: Api) -> dict[str, Any]:
    told: dict[str, Any] = imported(api, BAD, userId="userId")
    assert counts(told) == {"total": 3, "new": 1, "failed": 2}
    return told


def test_the_report_tells_each_failed_row_with_all_that_is_wrong(
    api: Api, failed: dict[str, Any]
) -> None:
    report = api.get(f"/imports/{failed['id']}/report").json()
    assert counts(report["summary"]) == counts(failed)
    first, second = report["failed"]
    assert (first["line"], second["line"]) == (2, 3)
    assert first["row"]["phone"] == "9.19E+11"
    assert [e["column"] for e in second["errors"]] == ["email", "phone"]
    assert {e["code"] for e in second["errors"]} == {"invalidDataType"}
    assert "scientific" in first["errors"][0]["message"]


def test_the_report_comes_as_csv_and_as_a_workbook_too(api: Api, failed: dict[str, Any]) -> None:
    answer = api.get(f"/imports/{failed['id']}/report", format="csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"].startswith("attachment")
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [(row["line"], row["column"]) for row in rows] == [
        ("2", "phone"),
        ("3", "email"),
        ("3", "phone"),
    ]
    answer = api.get(f"/imports/{failed['id']}/report", format="xlsx")
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    assert dict(book.get_sheet_by_name("Summary").to_python())["failed"] == 2.0
    assert len(book.get_sheet_by_name("Failed").to_python()) == 4
    assert left(api) == set()


def test_what_failed_is_mended_and_imported_again(api: Api, failed: dict[str, Any]) -> None:
    text = api.get(f"/imports/{failed['id']}/failed").text
    mended = text.replace("9.19E+11", "+919190000001").replace(",12,", ",+919190000002,")
    again = imported(api, mended.replace("nowhere", "ravi@example.com"), userId="userId")
    assert counts(again) == {"total": 2, "new": 2}
    assert api.get("/users/ravi").json()["properties"]["city"] == "=1+1"


def test_a_dry_run_tells_and_changes_nothing(api: Api) -> None:
    api.user("asha", firstName="A")
    told = imported(api, PEOPLE, userId="userId", dryRun=True)
    assert counts(told) == {"total": 2, "new": 1, "conflicting": 1}
    assert told["dryRun"]
    assert told["changes"]["firstName"] == 1
    assert api.get("/users/asha").json()["properties"]["firstName"] == "A"
    assert api.get("/users/ravi").status_code == 404
    assert api.post(f"/imports/{told['id']}/undo").status_code == 409


def test_an_import_is_taken_back_whole(api: Api) -> None:
    api.user("asha", firstName="A", city="Pune")
    told = imported(api, PEOPLE, userId="userId", defaultTag=False)
    before = api.get(f"/imports/{told['id']}/undo")
    assert before.status_code == 200, before.text
    assert api.get("/users/ravi").status_code == 200, "nothing is changed by asking"
    begun = api.post(f"/imports/{told['id']}/undo")
    assert begun.status_code == 202, begun.text
    api.client.app.state.platform.jobs.wait(begun.json()["undo"], 60)
    assert api.get(f"/imports/{told['id']}").json()["status"] == "undone"
    assert api.get("/users/ravi").status_code == 404
    asha = api.get("/users/asha").json()["properties"]
    assert (asha["firstName"], asha["city"]) == ("A", "Pune")
    assert "phone" not in asha
    again = api.post(f"/imports/{told['id']}/undo")
    assert again.status_code == 409


def test_records_of_an_import_can_be_kept_as_a_list(api: Api) -> None:
    told = imported(api, PEOPLE, userId="userId", segment="Spring fair")
    users = api.get(f"/segments/{told['segmentId']}/users").json()["users"]
    assert {user["userId"] for user in users} == {"asha", "ravi"}


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"userId": "Mail"}, "options.userId"),
        ({"mapping": {"Mail": "email"}}, "options.mapping.Mail"),
        ({"mapping": {"tier": "nickname"}}, "options.mapping.tier"),
        ({"onConflict": "merge"}, "options.onConflict"),
        ({"tags": [""]}, "options.tags.0"),
        ({"onConflicts": "update"}, "options.onConflicts"),
        ([], "options"),
    ],
)
def test_options_that_do_not_go_with_the_file_are_named(api: Api, options: Any, path: str) -> None:
    parts = {"file": ("people.csv", PEOPLE), "options": (None, json.dumps(options))}
    answer = api.call("POST", "/imports", files=parts)
    assert answer.status_code == 400
    assert path in faults(answer)
    assert left(api) == set()


@pytest.mark.parametrize("content", [b"", b"%PDF-1.4 and so on", b"PK\x03\x04 no workbook"])
def test_a_file_that_cannot_be_read_is_refused_with_a_reason(api: Api, content: bytes) -> None:
    answer = sent(api, content, "people.xlsx")
    assert answer.status_code == 400, answer.text
    assert answer.json()["detail"]
    assert left(api) == set()


def test_a_hostile_name_names_no_path(api: Api) -> None:
    told = imported(api, PEOPLE, "../../../../tmp/own\x1b[2Jed.csv", userId="userId")
    assert told["file"] == "own[2Jed.csv"
    assert told["status"] == "completed"
    assert not Path("/tmp/own[2Jed.csv").exists()
    assert left(api) == set(), "the file is gone with the end of its import"


def test_another_workspace_sees_nothing_of_an_import(other: Api, failed: dict[str, Any]) -> None:
    path = f"/imports/{failed['id']}"
    for found in (
        other.get(path),
        other.get(f"{path}/report"),
        other.get(f"{path}/failed"),
        other.get(f"{path}/undo"),
        other.post(f"{path}/undo"),
        other.post(f"{path}/cancel"),
    ):
        assert found.status_code == 404, found.text
    assert other.get("/imports").json()["imports"] == []


def test_who_may_import(api: Api) -> None:
    for role, status in (("editor", 202), ("agent", 403), ("reader", 403), ("ingest", 403)):
        assert sent(api.by(role), PEOPLE, userId="userId").status_code == status
    assert api.by("reader").get("/imports").status_code == 200
    assert api.by("ingest").get("/imports").status_code == 403


def test_imports_are_listed_the_newest_first(api: Api) -> None:
    begun = [imported(api, PEOPLE, f"{n}.csv", userId="userId")["id"] for n in range(3)]
    page = api.get("/imports", limit=2).json()
    assert [each["id"] for each in page["imports"]] == [begun[2], begun[1]]
    rest = api.get("/imports", limit=2, cursor=page["cursor"]).json()
    assert ([each["id"] for each in rest["imports"]], rest["cursor"]) == ([begun[0]], None)


def test_what_was_done_is_in_the_audit_without_a_name_of_anybody(api: Api) -> None:
    told = imported(api, PEOPLE, "asha's friends.csv", userId="userId")
    lines = [line for line in api.get("/audit").json()["audit"] if "import" in line["action"]]
    assert [line["target"] for line in lines] == [f"job:{told['id']}"]
    assert "asha" not in json.dumps(lines)
