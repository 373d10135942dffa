"""Every kind of message can be read in the inbox, whatever Meta makes of it."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.channels import meta
from user360.channels.whatsapp import payload, words
from user360.channels.whatsapp.payload import Message
from user360.conversations import talk
from user360.conversations.talk import Said

CARD = {
    "name": {"formatted_name": "Barbara Johnson", "first_name": "Barbara"},
    "phones": [{"phone": "+1 650 555 0129", "type": "CELL"}],
    "emails": [{"email": "barbara@example.com"}],
}
PLACE = {"latitude": 37.44, "longitude": -122.16, "name": "Main Street", "address": "1 Main St"}
ORDER = {"product_items": [{"product_retailer_id": "sku-7", "quantity": 2}], "text": "Soon please"}
FORM = {"nfm_reply": {"name": "flow", "body": "Sent", "response_json": '{"a": 1}'}}


def read(kind: str, content: Any, **more: Any) -> Message:
    said = meta.said(kind, content, of="4915100000001", id="w1", **more)
    return payload.read(json.dumps(meta.body(meta.value(said))).encode())[0].messages[0]


@pytest.mark.parametrize(
    ("kind", "content", "text"),
    [
        ("text", {"body": " Hello\nthere "}, "Hello\nthere"),
        ("text", {"body": "   "}, "(an empty message)"),
        ("image", {"id": "1", "mime_type": "image/jpeg"}, "Photo"),
        ("image", {"id": "1", "caption": "It came like this"}, "It came like this"),
        (
            "audio",
            {"id": "1", "mime_type": "audio/ogg; codecs=opus", "voice": True},
            "Voice message",
        ),
        ("video", {"id": "1"}, "Video"),
        ("sticker", {"id": "1", "animated": False}, "Sticker"),
        ("document", {"id": "1", "filename": "bill.pdf"}, "Document: bill.pdf"),
        ("location", PLACE, "Location: Main Street\n1 Main St\n37.44, -122.16"),
        (
            "contacts",
            [CARD, {"name": None, "phones": [None]}],
            "Contact: Barbara Johnson, +1 650 555 0129, barbara@example.com\nContact: ",
        ),
        ("reaction", {"message_id": "w0", "emoji": "\U0001f44d"}, "Reacted with \U0001f44d"),
        ("reaction", {"message_id": "w0"}, "Took back a reaction"),
        ("button", {"text": "Yes", "payload": "yes"}, "Yes"),
        ("interactive", {"button_reply": {"id": "1", "title": "Today"}}, "Today"),
        ("interactive", {"list_reply": {"id": "1", "title": "At noon"}}, "At noon"),
        ("interactive", FORM, 'Sent a form: {"a": 1}'),
        ("order", ORDER, "Order:\n2 × sku-7\nSoon please"),
        ("system", {"body": "Asha changed from 1 to 2"}, "Asha changed from 1 to 2"),
        ("poll", {"whatever": 1}, "A message that WhatsApp does not pass on (poll)"),
        ("request_welcome", None, "A message that WhatsApp does not pass on (request_welcome)"),
    ],
)
def test_each_kind_reads_as_a_person_would_say_it(kind: str, content: Any, text: str) -> None:
    assert words.said(read(kind, content)) == text.strip()


def test_what_whatsapp_does_not_pass_on_says_why() -> None:
    errors = [{"code": 131051, "title": "Message type unknown"}]
    told = words.said(read("unsupported", None, errors=errors))
    assert told == "A message that WhatsApp does not pass on: Message type unknown"


def test_what_a_message_answers_and_what_was_chosen_is_kept() -> None:
    chosen = {"type": "button_reply", "button_reply": {"id": "size-m", "title": "M"}}
    detail = words.detail(read("interactive", chosen, context={"id": "w0", "from": "1"}))
    assert detail == {"kind": "interactive", "replyTo": "w0", "chosen": "size-m"}
    reaction = words.detail(read("reaction", {"message_id": "w0", "emoji": "x"}))
    assert reaction["reaction"] == {"to": "w0", "emoji": "x"}


@pytest.mark.parametrize(
    ("kind", "media", "name", "of_type"),
    [
        ("image", {"mime_type": "image/jpeg"}, "image.jpg", "image/jpeg"),
        ("audio", {"mime_type": "audio/ogg; codecs=opus"}, "audio.ogg", "audio/ogg"),
        ("document", {"filename": "../../etc/x", "mime_type": "a/b+c"}, "../../etc/x", "a/b+c"),
        ("document", {"mime_type": ""}, "document.bin", "application/octet-stream"),
    ],
)
def test_a_file_has_a_name_and_a_type(
    kind: str, media: dict[str, Any], name: str, of_type: str
) -> None:
    found = words.detail(read(kind, {"id": "7", **media}))["media"]
    assert found == {"id": "7", "name": name, "type": of_type}


ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
KINDS = st.sampled_from([*words.SAYS, "unsupported", "poll"])


@given(KINDS, ANY, ANY, ANY)
def test_whatever_comes_is_refused_by_its_place_or_can_be_said(
    kind: str, content: Any, cards: Any, order: Any
) -> None:
    try:
        message = read(kind, content, **{"contacts": cards, "order": order} | {kind: content})
    except msgspec.ValidationError:
        return
    said = Said(sender="customer", text=words.said(message), detail=words.detail(message))
    assert talk.faults_of(said) == []
