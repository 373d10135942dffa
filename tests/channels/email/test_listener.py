"""The listener keeps to the protocol: nothing is said to be taken that is not on disk."""

from __future__ import annotations

import contextlib
import gc
import smtplib
import socket
import threading
import time
from email import policy
from typing import Any

import pytest

from tests.channels.email.post import Post
from tests.waiting import until
from user360.channels.email import listener
from user360.channels.email.listener import Listener
from user360.errors import Busy, StorageFailed, Unavailable


def test_it_tells_how_large_a_mail_may_be_and_refuses_larger_ones(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "LARGEST", 100_000)
    big = post.mail("x\n" * 60_000).as_bytes()
    with post.smtp() as peer:
        peer.ehlo()
        assert peer.esmtp_features["size"] == "100000"
        with pytest.raises(smtplib.SMTPSenderRefused) as refused:
            peer.sendmail("asha@example.org", [post.address], big)
        assert refused.value.smtp_code == 552
        peer.esmtp_features.pop("size")  # says nothing of its size before
        with pytest.raises(smtplib.SMTPDataError) as late:
            peer.sendmail("asha@example.org", [post.address], big)
        assert late.value.smtp_code == 552
        peer.send_message(post.mail("A small one"))
    assert post.only().last_text == "A small one"


@pytest.mark.parametrize("trouble", [Busy, StorageFailed, Unavailable, RuntimeError])
def test_what_cannot_be_kept_now_comes_again(
    post: Post, monkeypatch: pytest.MonkeyPatch, trouble: type[Exception]
) -> None:
    mail = post.mail()

    def fails(*_given: Any, **_named: Any) -> str:
        raise trouble("not now")

    with post.smtp() as peer, monkeypatch.context() as patched:
        patched.setattr(post.intake, "take", fails)
        with pytest.raises(smtplib.SMTPDataError) as refused:
            peer.send_message(mail)
        assert refused.value.smtp_code in (451, 452)
    assert post.conversations() == []
    with post.smtp() as peer:
        peer.send_message(mail)
    assert len(post.messages()) == 1


def test_a_full_queue_is_told_before_the_mail_is_sent(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post.platform.committer, "queue_calls", 0)
    with post.smtp() as peer, pytest.raises(smtplib.SMTPSenderRefused) as refused:
        peer.send_message(post.mail())
    assert refused.value.smtp_code == 452


def test_by_lmtp_each_recipient_has_an_answer(post: Post) -> None:
    other = post.address.replace("@", "+sales@")
    with smtplib.LMTP("127.0.0.1", post.ports["lmtp"], timeout=20) as peer:
        peer.ehlo_or_helo_if_needed()
        peer.mail("asha@example.org")
        assert [peer.rcpt(a)[0] for a in (post.address, "x@y.test", other)] == [250, 550, 250]
        peer.putcmd("data")
        assert peer.getreply()[0] == 354
        peer.send(post.mail().as_bytes(policy=policy.SMTP) + b"\r\n.\r\n")
        assert [peer.getreply()[0], peer.getreply()[0]] == [250, 250]
        assert peer.noop()[0] == 250
    assert len(post.messages()) == 1


def test_long_lines_and_lone_dots_come_through(post: Post) -> None:
    text = "x" * 20_000 + "\n.\n..\nend"
    raw = post.mail("placeholder").as_bytes().replace(b"placeholder", text.encode())
    raw = raw.replace(b"\n", b"\r\n")
    with post.smtp() as peer:
        peer.sendmail("asha@example.org", [post.address], raw)
    assert post.messages()[0].text == text


def test_who_sends_without_an_end_is_left(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "LARGEST", 100_000)
    with socket.create_connection(("127.0.0.1", post.ports["smtp"]), timeout=20) as peer:
        peer.recv(1_000)
        sent = b"x" * 50_000_000
        with pytest.raises(OSError):  # noqa: PT011 - reset or broken, as the system tells it
            peer.sendall(sent)


@pytest.mark.parametrize("words", [b"NOOP\r\n", b"MAIL FROM:<a@b.test>\r\nRSET\r\n", b"EHLO x\r\n"])
def test_who_only_keeps_talking_is_left(
    post: Post, monkeypatch: pytest.MonkeyPatch, words: bytes
) -> None:
    monkeypatch.setattr(listener, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(listener, "SLOWEST", 1_000_000_000)
    with socket.create_connection(("127.0.0.1", post.ports["smtp"]), timeout=20) as peer:
        peer.sendall(b"EHLO x\r\n")
        _talk_until_left(peer, words)


def test_who_lets_a_mail_drip_in_is_left(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(listener, "SLOWEST", 1_000_000_000)
    with socket.create_connection(("127.0.0.1", post.ports["smtp"]), timeout=20) as peer:
        head = f"EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<{post.address}>\r\nDATA\r\n"
        peer.sendall(head.encode())
        while b"354" not in peer.recv(1_000):
            pass
        peer.setblocking(False)  # nothing is answered before the end
        with pytest.raises(OSError):  # noqa: PT011 - reset or broken, as the system tells it
            _drip(peer)
    assert post.conversations() == []


def _talk_until_left(peer: socket.socket, words: bytes) -> None:
    end = time.monotonic() + 20
    try:
        while peer.recv(1_000):
            assert time.monotonic() < end
            peer.sendall(words)
    except OSError:
        return


def _drip(peer: socket.socket) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with contextlib.suppress(BlockingIOError):
            peer.send(b"x\r\n")


def test_what_takes_long_to_be_kept_is_waited_for(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "IDLE_SECONDS", 0.05)
    waited, take, heed = threading.Event(), post.intake.take, listener.Conversing.heed

    def takes_long(*given: Any, **named: Any) -> str:
        assert waited.wait(20)
        return take(*given, **named)

    def heeds(conversing: listener.Conversing) -> None:
        heed(conversing)
        if conversing.taking:
            waited.set()

    monkeypatch.setattr(post.intake, "take", takes_long)
    monkeypatch.setattr(listener.Conversing, "heed", heeds)
    with post.smtp() as peer:
        peer.send_message(post.mail())
    assert len(post.messages()) == 1


def test_mails_that_come_at_once_never_fill_the_memory(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two letters of a line take a hundred bytes here until the mail is whole."""
    monkeypatch.setattr(listener, "MOST_HELD", 1_000_000)
    with post.smtp() as first, post.smtp() as second:
        for each in (first, second):
            each.ehlo()
            each.mail("asha@example.org")
            each.rcpt(post.address)
            each.putcmd("data")
            assert each.getreply()[0] == 354
        first.send(b"Subject: Many lines\r\n\r\n" + b"\r\n" * 6_000)
        second.send(b"\r\n" * 6_000)
        assert second.getreply()[0] == 421
        first.send(b"Hello\r\n.\r\n")
        assert first.getreply()[0] == 250
        first.send_message(post.mail())
    assert len(post.conversations()) == 2


def test_too_many_connections_are_sent_away(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "CONNECTIONS", 1)
    with post.smtp() as first:
        assert first.noop()[0] == 250
        with pytest.raises(smtplib.SMTPConnectError) as refused:
            post.smtp()
        assert refused.value.smtp_code == 421
        first.send_message(post.mail())
    assert len(post.messages()) == 1


def test_a_crowd_that_has_left_takes_no_place(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "CONNECTIONS", 2)
    gc.disable()  # what has left is gone at once, not some time later
    try:
        where = ("127.0.0.1", post.ports["smtp"])
        crowd = [socket.create_connection(where, timeout=20) for _ in range(5)]
        told = sorted(peer.recv(1_000)[:3] for peer in crowd)
        assert told == [b"220", b"220", b"421", b"421", b"421"]
        for peer in crowd:
            peer.close()
        until(lambda: not post.crowd)
        with post.smtp() as after:
            after.send_message(post.mail())
    finally:
        gc.enable()
    assert len(post.messages()) == 1


def test_somebody_who_leaves_in_the_middle_leaves_nothing(post: Post) -> None:
    with socket.create_connection(("127.0.0.1", post.ports["smtp"]), timeout=20) as peer:
        head = f"EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<{post.address}>\r\nDATA\r\nSubj"
        peer.sendall(head.encode())
        peer.recv(10_000)
    with post.smtp() as after:
        after.send_message(post.mail("Whole"))
    assert [c.last_text for c in post.conversations()] == ["Whole"]


def test_a_taken_port_is_told_before_anything_is_served(post: Post) -> None:
    taken = Listener(post.platform, post.intake, {"smtp": post.ports["smtp"]})
    with pytest.raises(Unavailable, match="Cannot listen for mail"):
        taken.start("127.0.0.1")
    taken.close()


def test_an_inactive_channel_takes_no_mail(post: Post) -> None:
    post.put(active=False)
    with post.smtp() as peer, pytest.raises(smtplib.SMTPRecipientsRefused):
        peer.send_message(post.mail())
    assert post.conversations() == []
