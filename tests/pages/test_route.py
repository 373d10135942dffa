"""What every page does when something goes wrong, and what every answer carries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from litestar.testing import TestClient

from tests.signed_in import PASSWORD, come
from user360 import app
from user360.access import audit
from user360.doors import gate
from user360.platform import Platform

HTML = {"accept": "text/html"}


@pytest.fixture
def client() -> Iterator[TestClient[Any]]:
    """A browser in which the first member is signed in."""
    with Platform.temporary() as platform, TestClient(app.create(platform)) as client:
        come(platform, client, "admin")
        yield client


def test_every_answer_forbids_what_is_not_ours(client: Any) -> None:
    for path in ("/users", "/nothing/here", "/sign-in"):
        policy = client.get(path, headers=HTML).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


def test_a_stranger_is_led_to_the_sign_in_and_on_from_there(client: Any) -> None:
    client.cookies.clear()
    answer = client.get("/segments?q=a%26b", headers=HTML, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/segments%3Fq%3Da%2526b"
    part = client.get("/segments", headers={"hx-request": "true"}, follow_redirects=False)
    assert part.headers["hx-redirect"].startswith("/sign-in")


@pytest.mark.parametrize("elsewhere", ["//evil.example", "/\\evil.example", "https://evil.example"])
def test_nobody_is_led_to_another_site(client: Any, elsewhere: str) -> None:
    answer = client.get("/sign-in", params={"next": elsewhere}, follow_redirects=False)
    assert answer.headers["location"] == "/users"


def test_another_site_signs_nobody_in(client: Any) -> None:
    client.cookies.clear()
    given = {"email": "admin@example.com", "password": PASSWORD}
    refused = client.post("/sign-in", data=given, headers={"origin": "https://evil.example"})
    assert refused.status_code == 403
    assert gate.COOKIE not in refused.cookies
    fine = client.post("/sign-in", data=given, follow_redirects=False)
    assert fine.status_code == 303
    kept = fine.headers["set-cookie"]
    assert "HttpOnly" in kept
    assert "SameSite=lax" in kept


def test_what_nobody_foresaw_is_said_without_detail(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_given: Any, **_more: Any) -> None:
        raise ValueError("a secret of the inside")

    monkeypatch.setattr(audit, "lines", broken)
    page = client.get("/activity", headers=HTML)
    assert page.status_code == 503
    assert "it has been logged" in page.text
    assert "secret" not in page.text
    part = client.get("/activity", headers={"hx-request": "true"})
    assert part.headers["hx-reswap"] == "none"
    assert "logged" in json.loads(part.headers["hx-trigger"])["problem"]["detail"]


def test_an_address_that_is_none_is_a_page_for_people_and_a_problem_for_programs(
    client: Any,
) -> None:
    page = client.get("/nothing/here", headers=HTML)
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    told = client.get("/api/v1/nothing", headers={"accept": "application/json"})
    assert told.json()["status"] == 404


def test_a_file_of_the_pages_is_kept_for_ever_under_its_own_address(client: Any) -> None:
    page = client.get("/users", headers=HTML).text
    address = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    found = client.get(address)
    assert "immutable" in found.headers["cache-control"]
    other = client.get(address.replace(address.split("/")[2], "0" * 12))
    assert "cache-control" not in other.headers
    for bad in ("../routes.py", "%2e%2e/render.py", "vendor", "nothing.css"):
        assert client.get(f"/static/x/{bad}").status_code == 404


def test_what_is_no_page_has_an_icon_too(client: Any) -> None:
    found = client.get("/favicon.ico")
    assert found.status_code == 200
    assert found.headers["content-type"].startswith("image/svg+xml")
