"""Bad files: each ends with a reason that a person understands, and the good rows are in."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from litestar.testing import TestClient

from user360 import app
from user360.platform import Platform
from user360.settings import Settings

KEY = "u3_the-key-of-the-tests"
Client = TestClient[Any]


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    small = Settings(admin_key=KEY)
    with (
        Platform.temporary(small) as platform,
        TestClient(app.create(platform)) as client,
    ):
        client.headers["x-api-key"] = KEY
        yield client


def imported(client: Client, content: bytes, name: str, **options: Any) -> dict[str, Any]:
    """The import once it has ended, or the refusal."""
    parts = {"file": (name, content), "options": (None, json.dumps({"userId": "id", **options}))}
    answer = client.post("/api/v1/imports", files=parts)
    told: dict[str, Any] = answer.json()
    if answer.status_code == 202:
        client.app.state.platform.jobs.wait(told["id"], 60)
        told = client.get(f"/api/v1/imports/{told['id']}").json()
    return told


def failed(client: Client, told: dict[str, Any]) -> list[tuple[int, str, str]]:
    """Line, code and message of everything that failed."""
    report = client.get(f"/api/v1/imports/{told['id']}/report").json()
    return [
        (row["line"], error["code"], error["message"])
        for row in report["failed"]
        for error in row["errors"]
    ]


def city(client: Client, user: str) -> Any:
    return client.get(f"/api/v1/users/{user}").json()["properties"].get("city")


def workbook(rows: int) -> bytes:
    """A package that unpacks to far more than it is."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", "<Types/>")
        package.writestr("xl/workbook.xml", "<workbook/>")
        package.writestr("xl/worksheets/sheet1.xml", b" " * rows)
    return packed.getvalue()


def nested() -> bytes:
    table = pa.table({"id": ["p1", "p2"], "city": [{"name": "Pune"}, {"name": "Goa"}]})
    target = io.BytesIO()
    pq.write_table(table, target)
    return target.getvalue()


GOOD: dict[str, tuple[bytes, str, str]] = {
    "Windows-1252": ("id,city\nw1,Zürich\n".encode("cp1252"), "w1", "Zürich"),
    "UTF-8 with a BOM": ("﻿id,city\nb1,Zürich\n".encode(), "b1", "Zürich"),
    "UTF-16": ("id,city\nx1,Zürich\n".encode("utf-16"), "x1", "Zürich"),
    "mixed line ends": (b"id,city\r\nm1,Pune\nm2,Goa\r\n", "m2", "Goa"),
    "semicolons": (b"id;city\ns1;Pune, India\n", "s1", "Pune, India"),
    "a heading twice": (b"id,city,city\nt1,Pune,Goa\n", "t1", "Pune"),
}


@pytest.mark.parametrize("kind", GOOD)
def test_what_can_be_made_out_is_read(client: Client, kind: str) -> None:
    content, user, where = GOOD[kind]
    told = imported(client, content, "people.csv")
    assert (told["status"], told["failed"]) == ("completed", 0), told
    assert city(client, user) == where


BAD: dict[str, tuple[bytes, int, str]] = {
    "ragged": (b"id,city\nr1,Pune\nr2,Goa,India,Asia\nr3,Bern\n", 3, "r"),
    "a NUL byte": (b"id,city\nn1,Pune\nn2,Go\x00a\nn3,Bern\n", 3, "n"),
    "a cell of 10 MB": (b"id,city\nc1,Pune\nc2," + b"x" * 10_000_000 + b"\nc3,Bern\n", 3, "c"),
    "scientific notation": (b"id,city\n9.19E+11,Pune\ne1,Pune\ne3,Bern\n", 2, "e"),
    "a date in another order": (
        b"id,city,dob\nd1,Pune,1990-05-31\nd2,Goa,31.05.90x\nd3,Bern,1990-05-31\n",
        3,
        "d",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_row_fails_alone_with_its_line_and_a_reason(client: Client, kind: str) -> None:
    content, line, letter = BAD[kind]
    told = imported(client, content, "people.csv")
    assert (told["status"], told["new"], told["failed"], told["total"]) == ("completed", 2, 1, 3)
    ((where, code, message),) = failed(client, told)
    assert where == line
    assert code
    assert len(message) > 10
    assert city(client, f"{letter}3") == "Bern"


def test_a_quote_that_never_closes_takes_no_good_row_before_it(client: Client) -> None:
    content = b'id,city\nq1,Pune\nq2,"Goa\nq3,Bern\n'
    told = imported(client, content, "people.csv")
    assert told["status"] == "completed"
    assert city(client, "q1") == "Pune"
    assert told["failed"] >= 1
    assert failed(client, told)[0][0] == 3


def test_ten_thousand_columns_are_read(client: Client) -> None:
    names = ["id", "city", *(f"c{n}" for n in range(9_998))]
    row = ["wide1", "Pune", *("x" for _ in range(9_998))]
    told = imported(client, f"{','.join(names)}\n{','.join(row)}\n".encode(), "wide.csv")
    assert (told["status"], told["new"]) == ("completed", 1), told
    assert city(client, "wide1") == "Pune"


def test_nested_values_of_parquet_fail_with_a_reason(client: Client) -> None:
    told = imported(client, nested(), "people.parquet", mapping={"city": "city"})
    assert (told["status"], told["failed"]) == ("completed", 2), told
    assert {code for _, code, _ in failed(client, told)} == {"invalidDataType"}


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "empty.csv"),
        (b"PK\x03\x04 and nothing like a workbook", "people.xlsx"),
        (b"PAR1 and nothing like Parquet", "people.parquet"),
        (b"\x1f\x8b\x08\x00 and no gzip", "people.csv.gz"),
        (b"%PDF-1.7", "people.csv"),
        (None, "bomb.xlsx"),
    ],
    ids=["empty", "no workbook", "no Parquet", "no gzip", "a PDF", "a bomb"],
)
def test_what_is_none_of_these_files_is_refused_with_a_reason(
    client: Client, content: bytes | None, name: str
) -> None:
    # The bomb takes a second to be made, which nobody waits for who runs other tests.
    told = imported(client, workbook(400_000_000) if content is None else content, name)
    assert told["status"] in (400, "failed"), told
    reason = told.get("detail") or told["reason"]
    assert len(reason) > 15
    assert "defect" not in reason
