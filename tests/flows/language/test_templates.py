"""Places are filled once, and what fills them is nothing but a value where it goes."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from user360.flows import calling
from user360.flows.language import templates
from user360.flows.language.nodes import Request
from user360.flows.world import CallFailed


def filled(text: str, write: templates.Write | None = None, **known: Any) -> str:
    return templates.fill(templates.read(text), known.get, write)


def request(**given: Any) -> Request:
    whole: dict[str, Any] = {"name": "a", "line": 1, "method": "GET", **given}
    whole["url"] = templates.read(given.get("url", "https://shop.example/"))
    return Request(**whole)


def test_a_default_stands_in_for_what_is_unknown_or_blank() -> None:
    assert filled("Hello {{{name|there}}}!", name="Asha") == "Hello Asha!"
    assert filled("Hello {{{name|there}}}!") == "Hello there!"
    assert filled("Hello {{{name|there}}}!", name=" ") == "Hello there!"
    assert filled("{{{n}}} of {{{tags}}}", n=1.0, tags=["a", "b"]) == "1 of a, b"


@given(st.text(max_size=60))
def test_what_fills_a_place_is_never_read_again(value: str) -> None:
    secret = "never told"
    told = filled("{{{name}}}", name=value + "{{{secret}}}", secret=secret)
    assert secret not in told
    assert told == templates.plain(value + "{{{secret}}}")


@given(st.text())
def test_any_text_is_a_template_or_says_what_is_wrong(text: str) -> None:
    try:
        found = templates.read(text)
    except templates.BadTemplate:
        return
    assert found.places or templates.fill(found, {}.get) == text


@given(st.text())
def test_a_value_is_one_segment_of_an_address(value: str) -> None:
    node = request(url="https://shop.example/orders/{{{id}}}/lines")
    try:
        sent = calling.outgoing(node, {"id": value}.get, {}, "1")
    except CallFailed:
        return
    parts = urlsplit(sent.url)
    assert parts.netloc == "shop.example"
    assert parts.path.count("/") == 3
    assert not parts.query
    assert not parts.fragment
    assert unquote(parts.path.split("/")[2]) in (templates.plain(value), "")


@pytest.mark.parametrize("value", ["..", ".", "%2e%2e", ".%2E"])
def test_a_value_of_dots_does_not_lead_up(value: str) -> None:
    node = request(url="https://shop.example/a/{{{id}}}/b")
    try:
        sent = calling.outgoing(node, {"id": value}.get, {}, "1")
    except CallFailed:
        return
    assert "/../" not in unquote(sent.url)


@given(st.text())
def test_a_value_of_a_header_begins_no_other(value: str) -> None:
    node = request(headers={"X-Name": templates.read("a {{{name}}}")})
    sent = calling.outgoing(node, {"name": value}.get, {}, "1")
    assert not {"\r", "\n", "\x00"} & set(sent.headers["X-Name"])
    sent.headers["X-Name"].encode("ascii")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_value_in_a_body_is_json(value: str) -> None:
    body = {"name": templates.read("{{{name}}}"), "list": [templates.read("a{{{name}}}")]}
    sent = calling.outgoing(request(method="POST", body=body), {"name": value}.get, {}, "1")
    read = json.loads(sent.body or b"")
    assert read["list"] == ["a" + templates.plain(value)]
    assert read["name"] == (value if value is not None else None)


def test_a_single_place_keeps_the_type_of_its_value() -> None:
    body = {"n": templates.read("{{{n}}}"), "of": templates.read("{{{n}}} of")}
    sent = calling.outgoing(request(method="POST", body=body), {"n": 5}.get, {}, "1")
    assert json.loads(sent.body or b"") == {"n": 5, "of": "5 of"}


def test_secrets_go_into_headers_alone() -> None:
    headers = {"Authorization": templates.read("Bearer {{{secret.token}}}")}
    url = "https://shop.example/?q={{{secret.token}}}"
    sent = calling.outgoing(request(url=url, headers=headers), {}.get, {"token": "hush"}, "1")
    assert sent.headers["Authorization"] == "Bearer hush"
    assert "hush" not in sent.url
