"""Answers are handed in to a real mail server, find their threads, and tell what became of them."""

from __future__ import annotations

import email
import socket
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from tests.channels.email.post import Post
from user360.channels import deliveries, files, senders
from user360.channels.outbox import Outbox
from user360.conversations import attachments
from user360.conversations.talk import Message


class Peer:
    """A mail server: what it was given, and what it answers."""

    def __init__(self) -> None:
        self.got: list[tuple[str, list[str], bytes]] = []
        self.answer = "250 OK"
        self.to = "250 OK"
        self.refuses: dict[str, str] = {}

    async def handle_RCPT(self, _s: Any, _n: Any, envelope: Any, address: str, _o: Any) -> str:
        answer = self.refuses.get(address, self.to)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _s: Any, _n: Any, envelope: Any) -> str:
        if self.answer.startswith("250"):
            self.got.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return self.answer

    def last(self) -> EmailMessage:
        parsed = email.message_from_bytes(self.got[-1][2], policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed


@pytest.fixture
def peer(post: Post) -> Iterator[Peer]:
    peer = Peer()
    controller = Controller(peer, hostname="127.0.0.1", port=0, enable_SMTPUTF8=False)
    controller.port = _free()
    controller.start()
    post.put(smtp={"host": "127.0.0.1", "port": controller.port, "security": "none"})
    yield peer
    controller.stop()


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def bring(post: Post) -> Message:
    """Bring what is due as the outbox does; the message that was brought last."""
    outbox = Outbox(post.platform, senders.SENDERS)
    with post.platform.ledger.read() as connection:
        found = deliveries.listed(connection, post.shop.workspace.id, failed=False)
    for delivery in reversed(found):
        outbox.bring(delivery)
    return post.messages(post.conversations()[0])[-1]


def test_an_answer_goes_to_who_asked_and_its_answer_comes_back(post: Post, peer: Peer) -> None:
    first = post.mail(Subject="Late order")
    post.take(first)
    post.answer("It is on its way.\n\nSee https://shop.test/track?a=1&b=2 for <more>.")
    sent = bring(post)
    assert sent.delivery == "sent"
    sender, recipients, raw = peer.got[0]
    assert (sender, recipients) == (post.address, ["asha@example.org"])
    mail = peer.last()
    assert mail["Subject"] == f"Re: Late order [{post.tokens.token(post.only().id)}]"
    assert mail["From"].addresses[0].display_name == "Our shop"
    assert mail["In-Reply-To"] == mail["References"] == first["Message-ID"]
    assert mail["Message-ID"] == f"<{sent.external}>"
    assert "Auto-Submitted" not in mail
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().splitlines()[2].startswith("See https://shop.test/track?a=1&b=2")
    assert '<a href="https://shop.test/track?a=1&amp;b=2">' in html.get_content()
    assert "&lt;more&gt;" in html.get_content()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    back = post.mail("Thanks!", Subject="Re: anything", In_Reply_To=mail["Message-ID"])
    assert post.take(back) == "followed"
    post.answer("You are welcome")
    bring(post)
    assert peer.last()["References"].split() == [
        first["Message-ID"],
        mail["Message-ID"],
        back["Message-ID"],
    ]


def test_an_answer_by_a_tagged_address_needs_no_mark_in_the_subject(post: Post, peer: Peer) -> None:
    post.put(threadBy="address")
    post.take(post.mail())
    post.answer("Soon")
    bring(post)
    tagged = post.address.replace("@", f"+{post.tokens.token(post.only().id)}@")
    assert peer.got[0][0] == tagged
    assert peer.last()["Subject"] == "Re: Late order"
    back = post.mail(
        "Thanks!", Subject="No subject", To=peer.last()["Reply-To"].addresses[0].addr_spec
    )
    assert post.take(back) == "followed"


def test_files_and_any_alphabet_go_along(post: Post, peer: Peer) -> None:
    post.take(post.mail(Subject="Größe \N{SNOWMAN}"))
    where = (post.platform, post.shop.workspace)
    kept = files.save(*where, "Übersicht\r\nBcc: x.pdf", "application/pdf", b"\0\xff" * 900)
    post.answer("Grüße, नमस्ते " + "long " * 900, attachments=(kept,))
    bring(post)
    mail = peer.last()
    assert mail["Subject"].startswith("Re: Größe \N{SNOWMAN} [c")
    (attached,) = mail.iter_attachments()
    assert attached.get_content() == b"\0\xff" * 900
    assert "Bcc" not in mail
    plain = mail.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().startswith("Grüße, नमस्ते long long")


def test_more_files_than_a_mail_carries_are_not_sent(
    post: Post, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "LARGEST", 1_048_576)
    post.take(post.mail())
    where = (post.platform, post.shop.workspace)
    half = [files.save(*where, f"{n}.bin", "application/pdf", b"x" * 600_000) for n in range(3)]
    post.answer("The two halves", attachments=tuple(half[:2]))
    post.answer("One half", attachments=(half[2],))
    bring(post)
    assert len(list(peer.last().iter_attachments())) == 1
    answers = post.messages(post.only())[1:]
    reason = "Not sent: its files have more than the 1 MB that a mail carries"
    assert [m.error for m in answers] == [reason, ""]


def test_nothing_in_a_mail_becomes_a_header_of_its_answer(post: Post, peer: Peer) -> None:
    raw = (
        b"From: =?utf-8?q?Eve=0D=0ABcc=3A_all=40shop=2Etest?= <eve@example.org>\r\n"
        b"Subject: =?utf-8?q?Hi=0D=0ABcc=3A_all=40shop=2Etest?=\r\n"
        b"Message-ID: <a\x00b@example.org>\r\nReply-To: eve@example.org\r\n\r\nHello\r\n"
    )
    assert post.take(raw) == "ticket"
    post.answer("Hello")
    bring(post)
    assert peer.got[0][1] == ["eve@example.org"]
    assert "Bcc" not in peer.last()
    assert peer.last()["Subject"].startswith("Re: Hi Bcc: all@shop.test [")


def test_what_a_bot_says_is_marked_and_never_answers_a_machine(post: Post, peer: Peer) -> None:
    post.take(post.mail())
    post.answer("I am a bot", sender="bot")
    assert bring(post).delivery == "sent"
    assert peer.last()["Auto-Submitted"] == "auto-replied"
    assert peer.last()["X-Loop"] == post.address
    machine = post.mail("Weekly numbers", List_Id="<news.example.org>")
    post.take(machine)
    news = post.conversations()[1]
    post.answer("I am a bot", sender="bot", conversation=news.id)
    bring(post)
    failed = post.messages(news)[-1]
    assert (failed.delivery, failed.error) == (
        "failed",
        "Not sent: nobody wrote the mail that this would answer",
    )
    assert len(peer.got) == 1


def test_who_wants_answers_elsewhere_gets_them_there(post: Post, peer: Peer) -> None:
    first = post.mail(Reply_To="asha@home.example.org")
    post.take(first)
    post.take(post.mail("Me too", From="eve@example.net", In_Reply_To=first["Message-ID"]))
    post.answer("Here")
    bring(post)
    assert peer.got[0][1] == ["asha@home.example.org"]


@pytest.mark.parametrize(
    ("to", "answer", "state", "words"),
    [
        (
            "550 5.1.1 <asha@example.org> is unknown",
            "250 OK",
            "failed",
            "the address is unknown (550)",
        ),
        ("250 OK", "552 5.3.4 Too large", "failed", "Too large (552)"),
        ("450 4.2.1 Try later", "250 OK", "queued", "Try later (450)"),
        ("250 OK", "451 4.3.0 Out of space", "queued", "Out of space (451)"),
    ],
)
def test_a_refusal_is_for_good_or_for_now(
    post: Post, peer: Peer, to: str, answer: str, state: str, words: str
) -> None:
    post.take(post.mail())
    peer.to, peer.answer = to, answer
    post.answer("Hello")
    message = bring(post)
    assert message.delivery == state
    with post.platform.ledger.read() as connection:
        where = (connection, post.shop.workspace.id)
        (found,) = deliveries.listed(*where, failed=state == "failed")
    assert words in found.error
    assert "asha" not in found.error


def test_a_server_that_is_not_there_is_tried_again(post: Post) -> None:
    post.put(smtp={"host": "127.0.0.1", "port": 1, "security": "none"})
    post.take(post.mail())
    post.answer("Hello")
    assert bring(post).delivery == "queued"


def test_a_channel_without_a_server_says_what_is_missing(post: Post) -> None:
    post.take(post.mail())
    post.answer("Hello")
    assert bring(post).error == "The channel email is not set up: smtp.host missing"
