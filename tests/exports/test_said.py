"""Conversations and messages as files: what was said, by whom, on whose record."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.exports.world import READERS, file
from tests.stories.shop import MINUTE, START, Shop
from user360 import clock
from user360.conversations.deeds import Deed
from user360.conversations.talk import Attachment, Said
from user360.errors import Invalid
from user360.exports.asked import Asked
from user360.platform import Platform

AWKWARD = '=1+1\r\n"quoted", <b>&amp; _x0041_ \x01\x0b\x1f 日本 😀'


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform.temporary() as platform:
        yield platform


@pytest.fixture
def shop(platform: Platform) -> Shop:
    """A shop where Asha wrote twice, was merged, and Omar wrote once; another beside it."""
    Shop(platform).send(session="s", said=Said(sender="customer", text="Of another workspace"))
    shop = Shop(platform)
    file_of_hers = Attachment(name="cat.png", type="image/png", size=7, url="https://x.org/cat")
    said = Said(sender="customer", text=AWKWARD, attachments=(file_of_hers,))
    chat = shop.send(session="visit", said=said)
    shop.send(conversation=chat.conversation, said=Said(sender="note", text="Only for us"))
    shop.write("asha", city="Pune")
    shop.identify("visit", "asha")
    deed = Deed(action="resolve", reason="done", add_tags=("a;b", "vip"))
    shop.send(conversation=chat.conversation, deed=deed)
    shop.identify("omars", "omar", city="Omartown")
    late = Said(sender="customer", text="Hello", kind="ticket", subject="Late; very")
    shop.send(session="omars", said=late)
    return shop


def read(shop: Shop, form: str = "jsonl", **asked: Any) -> list[dict[str, Any]]:
    return READERS[form](file(shop.platform, shop.workspace, Asked(format=form, **asked)))


def test_messages_say_what_was_said_and_whose_they_are(shop: Shop) -> None:
    told = read(shop, what="messages")
    assert [m["text"] for m in told] == [AWKWARD, "Only for us", "Hello"]
    assert [m["from"] for m in told] == ["customer", "note", "customer"]
    assert [m.get("userId") for m in told] == ["asha", "asha", "omar"]
    assert [m["conversationId"] for m in told] == ["c1", "c1", "c2"]
    asha = shop.person("asha")
    assert asha is not None
    assert told[0]["recordId"] == asha["id"]
    assert told[0]["attachments"][0]["name"] == "cat.png"
    assert told[0]["timestamp"] == clock.to_iso(START + MINUTE)


def test_conversations_say_how_they_stand(shop: Shop) -> None:
    first, second = read(shop, what="conversations")
    assert (first["id"], first["state"], first["reason"]) == ("c1", "resolved", "done")
    assert (first["tags"], first["messages"]) == (["a;b", "vip"], 1)
    assert (second["kind"], second["subject"], second["state"]) == ("ticket", "Late; very", "open")
    assert "endedAt" in first
    assert "endedAt" not in second


@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet"])
def test_every_kind_of_file_says_the_same(shop: Shop, form: str) -> None:
    for what in ("conversations", "messages"):
        told = read(shop, what=what)
        found = read(shop, form, what=what)
        assert [row["id"] for row in found] == [row["id"] for row in told]
        texts = "text" if what == "messages" else "subject"
        # A sheet keeps a control character by its number, which not every reader gives back.
        same = [row.get(texts) or "" for row in found]
        wanted = [row.get(texts) or "" for row in told]
        if form == "xlsx":
            same, wanted = same[1:], wanted[1:]
        assert same == wanted


def test_a_sheet_with_control_characters_can_be_read(shop: Shop) -> None:
    content = file(shop.platform, shop.workspace, Asked(format="xlsx", what="messages"))
    (first, *_) = READERS["xlsx"](content)
    assert "日本" in first["text"]


def test_those_of_some_people_and_of_some_time_alone(shop: Shop) -> None:
    city = {"property": "city", "op": "is", "values": ["Pune"]}
    told = read(shop, what="messages", where=city)
    assert {m["userId"] for m in told} == {"asha"}
    later = clock.to_iso(START + 2 * MINUTE)
    assert [m["text"] for m in read(shop, what="messages", until=later)] == [AWKWARD]
    assert len(read(shop, what="messages", since=later)) == 2
    assert [c["id"] for c in read(shop, what="conversations", text="asha")] == ["c1"]
    assert read(shop, "parquet", what="messages", text="nobody") == []


def test_columns_are_chosen_by_name(shop: Shop) -> None:
    rows = read(shop, what="messages", columns=["text", "from"])
    assert list(rows[2]) == ["text", "from"]
    with pytest.raises(Invalid) as refused:
        read(shop, what="messages", columns=["text", "city"])
    assert [fault.path for fault in refused.value.faults] == ["columns.1"]


def test_what_goes_with_events_alone_is_refused(shop: Shop) -> None:
    with pytest.raises(Invalid) as refused:
        read(shop, what="conversations", names=["Bought"])
    assert [fault.path for fault in refused.value.faults] == ["names"]


def test_what_no_cell_can_hold_is_named(shop: Shop) -> None:
    shop.send(session="long", said=Said(sender="customer", text="x" * 40_000))
    with pytest.raises(Invalid, match="text of row 4 is longer"):
        read(shop, "xlsx", what="messages")
    content = file(shop.platform, shop.workspace, Asked(format="parquet", what="messages"))
    table = pq.read_table(io.BytesIO(content))
    assert len(table["text"][3].as_py()) == 40_000
    assert json.loads(table["attachments"][0].as_py())[0]["size"] == 7
