"""What forms and addresses send, read; and an address that has become another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from litestar.testing import TestClient

from tests.signed_in import come
from user360 import app
from user360.pages import forms
from user360.platform import Platform

FILE = {"file": ("people.csv", b"userId,city\nasha,Pune\n", "text/csv")}


@pytest.fixture
def client() -> Iterator[TestClient[Any]]:
    """A browser in which an editor is signed in, and writes as its pages do."""
    with Platform.temporary() as platform, TestClient(app.create(platform)) as client:
        client.headers.update(come(platform, client, "editor"))
        yield client


@pytest.mark.parametrize(
    ("given", "number"),
    [("0", 0), ("7", 7), ("9" * 18, 10**18 - 1), ("", None), ("-3", None), ("9" * 19, None)],
)
def test_a_number_is_one_that_the_ledger_can_hold(given: str, number: int | None) -> None:
    assert forms.number(given) == number


def test_a_number_of_thousands_of_digits_is_none(client: TestClient[Any]) -> None:
    sent = {"all": "yes", "expect": "9" * 5_000, "add": "vip"}
    assert client.post("/users/tag", data=sent).status_code == 200


def test_a_file_that_was_imported_goes_on_at_its_import(client: TestClient[Any]) -> None:
    sent = client.post("/imports/new", files=FILE, follow_redirects=False)
    draft = sent.headers["location"]
    begun = client.post(f"{draft}/import", follow_redirects=False)
    assert begun.headers["location"] == f"/imports/{draft.rpartition('/')[2]}"
    for step in ("", "/columns", "/choices", "/try"):
        told = client.get(f"{draft}{step}", follow_redirects=False)
        assert (told.status_code, told.headers["location"]) == (303, begun.headers["location"])
        part = client.get(f"{draft}{step}", headers={"hx-request": "true"}, follow_redirects=False)
        assert part.headers["hx-redirect"] == begun.headers["location"]
    assert client.post(f"{draft}/import", follow_redirects=False).status_code == 303
    assert client.get(f"/imports/new/{'0' * 32}").status_code == 404
