"""A code is carried by the channel's own servers, to the address alone."""

from __future__ import annotations

import email
import socket
from collections.abc import Iterator
from email import policy
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from tests.channels.meta import NUMBER_ID, TOKEN, Meta
from tests.flows.counter import Counter
from user360.channels import settings
from user360.errors import Invalid
from user360.flows import carrying
from user360.flows.carrying import Channels, NotCarried
from user360.platform import Platform


class Post:
    """A mail server that keeps what it is given, or refuses it."""

    def __init__(self) -> None:
        self.got: list[tuple[list[str], bytes]] = []
        self.answer = "250 OK"

    async def handle_DATA(self, _s: Any, _n: Any, envelope: Any) -> str:
        self.got.append((envelope.rcpt_tos, envelope.content))
        return self.answer


@pytest.fixture
def post() -> Iterator[tuple[Post, int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    post = Post()
    controller = Controller(post, hostname="127.0.0.1", port=port)
    controller.start()
    yield post, port
    controller.stop()


@pytest.fixture
def counter(platform: Platform) -> Counter:
    return Counter(platform, "start: a\nnodes: {a: {end: }}")


def put(counter: Counter, channel: str, **given: Any) -> None:
    vault = counter.platform.vault
    counter.change(lambda c: settings.change(c, vault, channel, given))


def by_email(counter: Counter, port: int) -> None:
    smtp = {"host": "127.0.0.1", "port": port, "security": "none"}
    put(counter, "email", address=address_of(counter), name="The shop", smtp=smtp)


def address_of(counter: Counter) -> str:
    return f"help@{counter.shop.workspace.name}.example"


def test_by_email(counter: Counter, post: tuple[Post, int]) -> None:
    server, port = post
    carrier = Channels(counter.platform)
    assert not carrier.ready(counter.shop.workspace, "email")
    by_email(counter, port)
    assert carrier.ready(counter.shop.workspace, "email")
    carrier.carry(counter.shop.workspace, "email", "asha@example.com", "123456")
    ((to, content),) = server.got
    mail = email.message_from_bytes(content, policy=policy.default)
    assert to == ["asha@example.com"]
    assert mail["Subject"] == carrying.SUBJECT
    assert mail["From"] == f"The shop <{address_of(counter)}>"
    assert "123456" in mail.as_string()


def by_whatsapp(counter: Counter, meta: Meta, **more: str) -> None:
    access = {"phoneNumberId": NUMBER_ID, "apiBase": meta.base, "accessToken": TOKEN}
    put(counter, "whatsapp", **access, **more)


def test_by_whatsapp_in_words_to_who_wrote_a_moment_ago(counter: Counter) -> None:
    with Meta() as meta:
        by_whatsapp(counter, meta)
        counter.channel = "whatsapp"
        counter.writes("Hello", "919811112222")
        carrier = Channels(counter.platform)
        carrier.carry(counter.shop.workspace, "whatsapp", "+919811112222", "123456")
        (sent,) = meta.wait(1)
        assert sent["to"] == "919811112222"
        assert "123456" in sent["text"]["body"]
        meta.fail(400, 131047, "Re-engagement message")
        with pytest.raises(NotCarried) as refused:
            carrier.carry(counter.shop.workspace, "whatsapp", "+919811112222", "654321")
        carrier.close()
    assert "654321" not in str(refused.value)
    assert "919811112222" not in str(refused.value)


def test_by_whatsapp_nobody_else_is_sent_a_code_in_words(counter: Counter) -> None:
    """WhatsApp would refuse it a moment later, when the customer waits for it already."""
    with Meta() as meta:
        by_whatsapp(counter, meta)
        carrier = Channels(counter.platform)
        with pytest.raises(NotCarried, match="codeTemplate"):
            carrier.carry(counter.shop.workspace, "whatsapp", "+919811112222", "123456")
        carrier.close()
        assert meta.sent == []


def test_by_whatsapp_with_the_template_for_codes_at_any_time(counter: Counter) -> None:
    with Meta() as meta:
        by_whatsapp(counter, meta, codeTemplate="your_code", codeLanguage="en_US")
        carrier = Channels(counter.platform)
        carrier.carry(counter.shop.workspace, "whatsapp", "+919811112222", "123456")
        carrier.close()
        (sent,) = meta.wait(1)
    code = [{"type": "text", "text": "123456"}]
    assert (sent["to"], sent["type"]) == ("919811112222", "template")
    assert sent["template"] == {
        "name": "your_code",
        "language": {"code": "en_US"},
        "components": [
            {"type": "body", "parameters": code},
            {"type": "button", "sub_type": "url", "index": "0", "parameters": code},
        ],
    }


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"codeTemplate": "Your code"}, "codeTemplate"),
        ({"codeLanguage": "English"}, "codeLanguage"),
    ],
)
def test_a_template_for_codes_is_named_as_meta_names_it(
    counter: Counter, given: dict[str, str], path: str
) -> None:
    with pytest.raises(Invalid) as refused:
        put(counter, "whatsapp", **given)
    assert [fault.path for fault in refused.value.faults] == [path]


@pytest.mark.parametrize("answer", ["550 No", "451 Later"])
def test_a_server_that_refuses_is_told(
    counter: Counter, post: tuple[Post, int], answer: str
) -> None:
    server, port = post
    server.answer = answer
    by_email(counter, port)
    with pytest.raises(NotCarried):
        Channels(counter.platform).carry(counter.shop.workspace, "email", "a@example.com", "1")


def test_a_channel_that_is_not_set_up_carries_nothing(counter: Counter) -> None:
    put(counter, "email", address=address_of(counter))
    with pytest.raises(NotCarried):
        Channels(counter.platform).carry(counter.shop.workspace, "email", "a@example.com", "1")


def test_an_address_begins_no_header(counter: Counter, post: tuple[Post, int]) -> None:
    by_email(counter, post[1])
    with pytest.raises(NotCarried):
        Channels(counter.platform).carry(
            counter.shop.workspace, "email", "a@example.com\r\nBcc: b@example.com", "1"
        )
