"""An import as a person makes one: sent once, looked at, tried, done, taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import axe
from tests.browser.site import Site, Visit
from tests.imports import telco
from tests.people import HOSTILE
from user360.segments import define

PEOPLE = (
    "Customer,First Name,Phone No.,Plan\n"
    f"asha,{HOSTILE},+91 99300 12345,gold\n"
    "ravi,Ravi,9.19E+11,silver\n"
    "meera,Meera,+91 98200 54321,gold\n"
)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    target = tmp_path / "people.csv"
    target.write_text(PEOPLE, encoding="utf-8")
    return target


def send(page: Page, file: Path) -> None:
    page.goto("/imports/new")
    page.get_by_label("Choose a file of people").set_input_files(file)
    expect(page.get_by_role("heading", name="What is in the file")).to_be_visible()


def choose(page: Page, user_id: str) -> None:
    """From the file to what would happen, with one column as the user id."""
    page.get_by_role("link", name="Next: columns").click()
    page.get_by_label(f"{user_id} becomes").select_option("userId")
    page.get_by_role("button", name="Next: choices").click()
    expect(page.get_by_role("heading", name="How it is imported")).to_be_visible()
    page.get_by_role("button", name="Next: try it").click()
    expect(page.get_by_role("heading", name="What would happen")).to_be_visible()


def test_from_a_file_to_its_report_and_back(visit: Visit, people: Path, site: Site) -> None:
    page = visit("editor")
    send(page, people)
    expect(page.get_by_role("cell", name=HOSTILE)).to_be_visible()
    page.get_by_role("link", name="Next: columns").click()
    expect(page.get_by_text("No column is the user id")).to_be_visible()
    page.get_by_label("Customer becomes").select_option("userId")
    expect(page.get_by_text("No column is the user id")).to_be_hidden()
    expect(page.get_by_label("Name of the new property for Plan")).to_have_value("Plan")
    page.get_by_role("button", name="Next: choices").click()
    page.get_by_label("Other tags for every row").fill("fair, vip")
    page.get_by_label("Put everybody into a segment").fill("From the fair")
    page.get_by_role("button", name="Next: try it").click()
    expect(page.get_by_text("Nothing is written yet")).to_be_visible()
    expect(page.get_by_text("2 new + 0 already here + 1 failed")).to_be_visible()
    expect(page.get_by_role("row", name="Phone No.")).to_contain_text("9.19E+11")
    assert len(site.platform.default.segments) == 0
    page.get_by_role("button", name="Import 2 rows").click()
    expect(page.get_by_role("status").get_by_text("Completed")).to_be_visible()
    expect(page.get_by_text("2 new + 0 already here + 1 failed")).to_be_visible()
    expect(page.get_by_role("link", name="From the fair")).to_be_visible()
    with page.expect_download() as failed:
        page.get_by_role("link", name="These rows, to mend").click()
    assert failed.value.path().read_text("utf-8").splitlines()[1].startswith("ravi,")
    for kind in ("CSV", "Excel", "JSON"):
        with page.expect_download() as report:
            page.get_by_role("link", name=kind).click()
        assert report.value.path().stat().st_size > 0
    page.get_by_role("button", name="Undo").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("2 users whom the import made go")).to_be_visible()
    expect(dialog.get_by_text("The segment From the fair goes")).to_be_visible()
    dialog.get_by_role("button", name="Undo it").click()
    expect(page.get_by_role("status").get_by_text("Undone")).to_be_visible()
    page.get_by_role("link", name="Imports").first.click()
    expect(page.get_by_role("row", name="people.csv").first).to_contain_text("Undone")


def test_one_leaves_and_comes_back_without_sending_it_again(visit: Visit, people: Path) -> None:
    page = visit("editor")
    send(page, people)
    choose(page, "Customer")
    page.goto("/imports")
    page.get_by_role("link", name="Go on with people.csv").click()
    expect(page.get_by_text("2 new + 0 already here + 1 failed")).to_be_visible()
    page.get_by_role("button", name="Remove the file").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("people.csv is removed; nothing was imported")).to_be_visible()
    page.go_back()
    page.reload()
    expect(page.get_by_text("This upload is no more")).to_be_visible()


def test_a_file_that_is_read_wrongly_is_read_another_way(visit: Visit, tmp_path: Path) -> None:
    file = tmp_path / "strange.csv"
    file.write_text("userId|city\nasha|Köln\n", encoding="cp1252")
    page = visit("editor")
    send(page, file)
    page.get_by_text("Does it look wrong?").click()
    page.get_by_label("Between cells").select_option(label="Comma  ,")
    page.get_by_role("button", name="Read it again").click()
    expect(page.get_by_role("columnheader", name="userId|city")).to_be_visible()
    page.get_by_label("Between cells").select_option(label="Bar  |")
    page.get_by_role("button", name="Read it again").click()
    expect(page.get_by_role("cell", name="Köln")).to_be_visible()


def test_what_is_wrong_is_said_where_it_is(visit: Visit, people: Path, site: Site) -> None:
    where = {"property": "city", "op": "known"}
    site.member("admin")
    site.change(lambda c: define.create(c, "By rule", "", where))
    page = visit("editor")
    page.goto("/imports/new")
    strange = people.with_name("letter.pdf")
    strange.write_bytes(b"%PDF-1.7")
    page.get_by_label("Choose a file of people").set_input_files(strange)
    expect(page.get_by_text("PDF")).to_be_visible()
    send(page, people)
    page.get_by_role("link", name="Next: columns").click()
    page.get_by_label("Customer becomes").select_option("userId")
    page.get_by_label("First Name becomes").select_option("userId")
    page.get_by_role("button", name="Next: choices").click()
    expect(page.get_by_text("Only one column can be the user id")).to_be_visible()
    page.get_by_label("First Name becomes").select_option("city")
    page.get_by_label("Name of the new property for Plan").fill("2 plans")
    page.get_by_role("button", name="Next: choices").click()
    expect(page.get_by_text("a property name is a letter, then")).to_be_visible()
    page.get_by_label("Plan becomes").select_option("")
    page.get_by_role("button", name="Next: choices").click()
    page.get_by_label("Put everybody into a segment").fill("By rule")
    page.get_by_role("button", name="Next: try it").click()
    expect(page.get_by_text("A segment of this name has a condition")).to_be_visible()


def test_seven_thousand_customers_of_a_telephone_company(visit: Visit, tmp_path: Path) -> None:
    page = visit("editor")
    send(page, telco.file(tmp_path))
    expect(page.get_by_text("21 columns")).to_be_visible()
    choose(page, "customerID")
    expect(page.get_by_text("= 7,043 rows")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Import 7,043 rows").click()
    expect(page.get_by_role("status").get_by_text("Completed")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("7,043 new + 0 already here")).to_be_visible()


def test_a_file_larger_than_any_other_call_comes_in(visit: Visit, tmp_path: Path) -> None:
    file = tmp_path / "many.csv"
    file.write_text("userId,city\n" + "".join(f"user{n},Pune\n" for n in range(120_000)))
    assert file.stat().st_size > 1_048_576
    page = visit("editor")
    send(page, file)
    expect(page.get_by_text("rows, 2 columns")).to_be_visible()


def test_a_reader_sees_reports_and_no_way_to_import(visit: Visit, people: Path) -> None:
    page = visit("editor")
    send(page, people)
    choose(page, "Customer")
    page.get_by_role("button", name="Import 2 rows").click()
    expect(page.get_by_role("status").get_by_text("Completed")).to_be_visible()
    reader = visit("reader")
    reader.goto("/imports")
    expect(reader.get_by_role("link", name="Import a file")).to_have_count(0)
    reader.get_by_role("link", name="people.csv").first.click()
    expect(reader.get_by_text("2 new + 0 already here")).to_be_visible()
    expect(reader.get_by_role("button", name="Undo")).to_have_count(0)
    reader.goto("/imports/new")
    expect(reader.get_by_role("heading", name="Not allowed")).to_be_visible()


def test_files_that_come_by_themselves(visit: Visit) -> None:
    page = visit("editor")
    page.goto("/imports/schedules")
    expect(page.get_by_text("Nothing is scheduled")).to_be_visible()
    page.get_by_role("button", name="Schedule imports").click()
    page.get_by_label("Where the files are").select_option("s3")
    expect(page.get_by_label("Bucket", exact=True)).to_be_visible()
    page.get_by_label("Where the files are").select_option("folder")
    page.get_by_role("button", name="Schedule", exact=True).click()
    expect(page.get_by_label("Name", exact=True)).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Name", exact=True).fill("Nightly")
    page.get_by_label("When", exact=True).select_option("cron")
    page.get_by_label("Cron expression").fill("often")
    page.get_by_role("button", name="Schedule", exact=True).click()
    expect(page.get_by_label("Cron expression")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("When", exact=True).select_option("daily")
    page.get_by_label("Folder", exact=True).fill("crm")
    page.get_by_role("button", name="Schedule", exact=True).click()
    expect(page.get_by_text("folder: crm, userdata_*.csv; daily, 02:30")).to_be_visible()
    page.get_by_role("button", name="Pause Nightly").click()
    expect(page.get_by_text(". Paused")).to_be_visible()
    page.get_by_role("link", name="Change Nightly").click()
    expect(page.get_by_label("Folder", exact=True)).to_have_value("crm")
    assert axe.troubles(page) == []
    page.get_by_label("When", exact=True).select_option("weekly")
    page.get_by_label("Day", exact=True).select_option("friday")
    page.get_by_label("People who are here already").select_option("skip")
    page.get_by_label("Name", exact=True).fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Name", exact=True)).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Name", exact=True).fill("Weekly")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("folder: crm, userdata_*.csv; weekly, friday, 02:30")).to_be_visible()
    page.get_by_role("link", name="Change Weekly").click()
    expect(page.get_by_label("People who are here already")).to_have_value("skip")
    page.get_by_label("Name", exact=True).fill("Nightly")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Run now: Nightly").click()
    expect(page.get_by_text("Nightly is looking for files")).to_be_visible()
    assert axe.troubles(page) == []
    page.on("dialog", lambda asked: asked.accept())
    page.get_by_role("button", name="End Nightly").click()
    expect(page.get_by_text("Nothing is scheduled")).to_be_visible()


def test_everybody_can_use_the_pages(visit: Visit, people: Path) -> None:
    page = visit("admin", viewport=axe.NARROW)
    page.goto("/imports")
    expect(page.get_by_text("Nothing was imported yet")).to_be_visible()
    send(page, people)
    file = page.url
    choose(page, "Customer")
    page.get_by_role("button", name="Import 2 rows").is_visible()
    for path in ("/imports", "/imports/new", file, f"{file}/columns", f"{file}/choices"):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert axe.troubles(page) == []
        assert axe.too_wide(page) == 0
    page.goto(f"{file}/try")
    expect(page.get_by_role("button", name="Import 2 rows")).to_be_visible()
    assert axe.troubles(page) == []
    assert axe.too_wide(page) == 0
    page.get_by_role("button", name="Import 2 rows").click()
    expect(page.get_by_role("status").get_by_text("Completed")).to_be_visible()
    assert axe.troubles(page) == []
    assert axe.too_wide(page) == 0
