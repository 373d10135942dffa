"""The templates that Meta has approved come over as they are, and what cannot be said is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.channels.meta import ACCOUNT, Meta
from tests.channels.served import Served
from user360.channels.whatsapp import approved
from user360.channels.whatsapp.templates import Template
from user360.errors import Conflict, Unavailable

BODY = {"type": "BODY", "text": "Hello {{1}}", "example": {"body_text": [["Asha"]]}}


def told(name: str, *parts: dict[str, Any], status: str = "APPROVED") -> dict[str, Any]:
    components = list(parts) or [BODY]
    return {"name": name, "language": "en", "status": status, "id": "1", "components": components}


def buttons(*each: dict[str, Any]) -> dict[str, Any]:
    return {"type": "BUTTONS", "buttons": list(each)}


@pytest.fixture
def account(site: Served, graph: Meta) -> Iterator[Served]:
    site.put("whatsapp", businessAccountId=ACCOUNT)
    yield site
    graph.set_up(site)
    graph.templates = []


def test_all_pages_of_them_are_fetched(account: Served, graph: Meta) -> None:
    header = {"type": "HEADER", "format": "TEXT", "text": "Your order"}
    footer = {"type": "FOOTER", "text": "The shop"}
    reply = {"type": "QUICK_REPLY", "text": "Stop"}
    call = {"type": "PHONE_NUMBER", "text": "Call us", "phone_number": "+49151"}
    graph.templates = [
        told("one", header, BODY, footer, buttons(reply, call)),
        told("waits", status="PENDING"),
        *(told(f"more{n}") for n in range(4)),
        {"name": 7},
    ]
    found = approved.fetch(account.platform, account.workspace)
    assert found.left_out == {}
    assert [each.name for each in found.templates] == ["one", "more0", "more1", "more2", "more3"]
    assert found.templates[0] == Template(
        "one", "en", "Hello {{1}}", "Your order", "The shop", ("Stop", "Call us")
    )


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ([{"type": "HEADER", "format": "IMAGE"}, BODY], "Its header is a file"),
        ([{"type": "HEADER", "format": "TEXT", "text": "{{1}}"}, BODY], "Only the body may have"),
        (
            [BODY, buttons({"type": "URL", "text": "See", "url": "https://a.example/{{1}}"})],
            "value",
        ),
        ([BODY, buttons({"type": "OTP", "text": "Copy"})], "a button that needs a value"),
        ([BODY, {"type": "CAROUSEL", "cards": []}], "filled in here: carousel"),
        ([{"type": "BODY", "text": "{{Name}}"}], "A place to fill is written"),
    ],
)
def test_what_cannot_be_said_is_left_out_with_the_reason(
    parts: list[dict[str, Any]], why: str
) -> None:
    found = approved.read([told("odd", *parts)])
    assert found.templates == []
    assert why in found.left_out["odd (en)"]


@pytest.mark.usefixtures("account")
def test_what_stands_in_the_way_is_told(site: Served) -> None:
    site.put("whatsapp", accessToken="of yesterday")
    with pytest.raises(Unavailable, match="The access token has expired"):
        approved.fetch(site.platform, site.workspace)
    site.put("whatsapp", businessAccountId="999")
    site.put("whatsapp", accessToken="meta-access-token")
    with pytest.raises(Conflict, match="does not accept"):
        approved.fetch(site.platform, site.workspace)
    site.put("whatsapp", businessAccountId=None)
    with pytest.raises(Conflict, match="is not set"):
        approved.fetch(site.platform, site.workspace)
