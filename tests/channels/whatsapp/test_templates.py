"""What may be said to a customer who was long silent: templates, filled and whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.channels.test_settings import put
from tests.stories.shop import Shop
from user360.channels.whatsapp import sending, templates
from user360.channels.whatsapp.templates import Chosen, Template
from user360.conversations.talk import Message
from user360.errors import Invalid
from user360.platform import Platform

UPDATE = {
    "name": "order_update",
    "language": "en",
    "header": "Your order",
    "body": "Hello {{1}}, your order {{2}} is on its way.",
    "footer": "The shop",
    "buttons": ["Where is it?", "Stop"],
}
NAMED = {"name": "greeting", "language": "pt_BR", "body": "Olá {{first_name}}, {{ day }}?"}
PLAIN = {"name": "hello", "language": "en", "body": "Hello again"}


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with Platform.temporary() as platform:
        shop = Shop(platform)
        put(shop, "whatsapp", templates=[UPDATE, {**UPDATE, "language": "de"}, NAMED, PLAIN])
        yield shop


def fill(shop: Shop, name: str, *parameters: str, language: str = "", **known: Any) -> Any:
    chosen = Chosen(name, language, parameters)
    return templates.fill(shop.workspace, "whatsapp", chosen, known, "Ravi")


def test_a_template_is_filled_with_what_is_known(shop: Shop) -> None:
    told = fill(
        shop,
        "order_update",
        "{{{user.firstName|there}}}",
        "7 by\n {{{agent.name}}}",
        language="en",
        firstName="Asha {{2}}",
    )
    assert told.text == (
        "Your order\n\nHello Asha {{2}}, your order 7 by Ravi is on its way.\n\nThe shop"
    )
    assert told.detail["template"]["parameters"] == ["Asha {{2}}", "7 by Ravi"]
    assert told.detail["choices"] == ["Where is it?", "Stop"]
    assert fill(shop, "hello").text == "Hello again"


def test_it_is_sent_as_meta_documents_it(shop: Shop) -> None:
    def sent(told: Any) -> Any:
        message = Message(
            id=1,
            conversation=1,
            sender="agent",
            author="",
            text=told.text,
            attachments=(),
            at=0,
            received_at=0,
            detail=told.detail,
        )
        (piece,) = sending.pieces_of(message)
        return piece

    body = [{"type": "text", "text": "Asha"}, {"type": "text", "text": "7"}]
    assert sent(fill(shop, "order_update", "Asha", "7", language="de")) == {
        "type": "template",
        "template": {
            "name": "order_update",
            "language": {"code": "de"},
            "components": [{"type": "body", "parameters": body}],
        },
    }
    assert sent(fill(shop, "hello"))["template"] == {"name": "hello", "language": {"code": "en"}}
    named = sent(fill(shop, "greeting", "Asha", "bom dia"))["template"]["components"][0]
    assert [p["parameter_name"] for p in named["parameters"]] == ["first_name", "day"]


@pytest.mark.parametrize(
    ("name", "language", "parameters", "path"),
    [
        ("nothing", "", (), "template.name"),
        ("order_update", "", ("a", "b"), "template.language"),
        ("order_update", "fr", ("a", "b"), "template.language"),
        ("order_update", "en", ("a",), "template.parameters"),
        ("order_update", "en", ("a", "b", "c"), "template.parameters"),
        ("order_update", "en", ("a", "  "), "template.parameters.1"),
        ("order_update", "en", ("{{{user.firstName}}}", "b"), "template.parameters.0"),
        ("order_update", "en", ("{{{user.shoeSize|7}}}", "b"), "template.parameters.0"),
        ("order_update", "en", ("a", "{{{agent.age}}}"), "template.parameters.1"),
        ("order_update", "en", ("a", "b" * 1_000), "template.parameters"),
    ],
)
def test_what_cannot_be_said_by_it_is_named(
    shop: Shop, name: str, language: str, parameters: tuple[str, ...], path: str
) -> None:
    with pytest.raises(Invalid) as refused:
        fill(shop, name, *parameters, language=language)
    assert [fault.path for fault in refused.value.faults] == [path]


def test_another_channel_has_no_templates(shop: Shop) -> None:
    with pytest.raises(Invalid, match="this conversation is on web"):
        templates.fill(shop.workspace, "web", Chosen("hello"), {})


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"name": "Order update"}, "name"),
        ({"language": "english"}, "language"),
        ({"body": ""}, "body"),
        ({"body": "x" * 1_025}, "body"),
        ({"body": "{{1}} and {{3}}"}, "body"),
        ({"body": "{{1}} and {{name}}"}, "body"),
        ({"body": "{{Name}}"}, "body"),
        ({"body": "{{0}}"}, "body"),
        ({"header": "Order {{1}}"}, "header"),
        ({"footer": "x" * 61}, "footer"),
        ({"buttons": ["x" * 26]}, "buttons.0"),
        ({"buttons": ["x"] * 11}, "buttons"),
    ],
)
def test_a_template_that_none_can_be_is_refused(given: dict[str, Any], path: str) -> None:
    faults = templates.faults_of([PLAIN, {**UPDATE, **given}])
    assert [fault.path for fault in faults] == [f"templates.1.{path}"]


@pytest.mark.parametrize(
    ("setting", "path"),
    [
        ("none", "templates"),
        ([PLAIN] * 501, "templates"),
        ([PLAIN, PLAIN], "templates.1"),
        ([{"name": "hello"}], "templates.0"),
        ([{**PLAIN, "category": "UTILITY"}], "templates.0"),
        ([7], "templates.0"),
    ],
)
def test_the_setting_is_a_list_of_templates(setting: Any, path: str) -> None:
    assert [fault.path for fault in templates.faults_of(setting)][:1] == [path]


@given(st.lists(st.text("ab {}1|", min_size=1, max_size=12), max_size=12))
def test_each_parameter_stands_in_its_own_place(values: list[str]) -> None:
    body = " ".join(f"<{{{{{n}}}}}>" for n in range(1, len(values) + 1))
    told = templates.words(Template("t", "en", body or "nothing"), values)
    assert told == (" ".join(f"<{value}>" for value in values) or "nothing")
