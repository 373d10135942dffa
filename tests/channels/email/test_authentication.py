"""Who a mail is from, by what the mail server before us found: nobody else's word counts."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.channels.email.post import Post
from user360.channels.email import authentication, reading
from user360.conversations import managing
from user360.errors import Invalid
from user360.flows import claims
from user360.storage.ledger import Connection

OURS = "mx.shop.example"


def stamped(*found: str, sender: str = "Asha Rao <asha@example.org>") -> bytes:
    """A mail with these headers above its own."""
    own = f"From: {sender}\r\nMessage-ID: <1@example.org>\r\nSubject: x\r\n\r\nWhere is it?\r\n"
    return ("".join(f"{each}\r\n" for each in found) + own).encode()


def says(text: str, server: str = OURS) -> str:
    return f"Authentication-Results: {server}; {text}"


RECEIVED = "Received: from mail.example.org by mx.shop.example; Sun, 22 Nov 2026 10:00:00 +0000"
INSIDE = "Received: from mx.shop.example by store.shop.example; Sun, 22 Nov 2026 10:00:01 +0000"
PASS = "dmarc=pass (p=reject dis=none) header.from=example.org"


@pytest.mark.parametrize(
    "found",
    [
        [says(PASS), RECEIVED],
        [INSIDE, says(PASS), RECEIVED],
        [INSIDE, RECEIVED, says(PASS)],
        [says("spf=fail smtp.mailfrom=list.example.net"), says(PASS), RECEIVED],
        [says("dkim=pass (2048-bit key; unprotected) header.d=example.org header.i=@example.org")],
        [says("dkim=fail header.d=a.example; dkim=pass header.d=example.org")],
        [says(r"spf=pass (a \( (nested (x)) b) smtp.mailfrom=asha@example.org")],
        [says("dmarc=none header.from=example.org; spf=pass smtp.mailfrom=example.org")],
        [says('dkim=pass reason="good; signature" header.d="example.org"')],
        [says("DKIM = PASS header.D=Example.ORG", "MX.Shop.Example 1")],
        [says("spf=none; dmarc=pass", "mx.other.example"), says(PASS)],
        [f"Authentication-Results: {OURS};\r\n\tspf=softfail smtp.mailfrom=x.example;\r\n {PASS}"],
    ],
)
def test_what_our_server_found_to_be_right_is_believed(found: list[str]) -> None:
    mail = reading.read(stamped(*found))
    assert authentication.proves(mail.stated, OURS, mail.sender.address)


@pytest.mark.parametrize(
    "found",
    [
        [],
        [says("none")],
        [says(PASS, "mx.evil.example")],
        [says(PASS, f"{OURS}.evil.example")],
        [says("dmarc=fail header.from=example.org; dkim=pass header.d=example.org")],
        [says("dmarc=pass header.from=evil.example")],
        [says("spf=pass smtp.mailfrom=evil.example")],
        [says("dkim=pass header.d=evil.example")],
        [says("dkim=pass header.d=ample.org")],
        [says("dkim=pass header.d=org")],
        [says("dkim=pass header.d=mail.example.org")],
        [says("dkim=pass")],
        [says("dkim=fail header.d=example.org")],
        [says("(dmarc=pass header.from=example.org)")],
        [says('x-note="; dmarc=pass header.from=example.org"')],
        # What came with the mail from outside, below what our server wrote.
        [says("dmarc=fail header.from=example.org"), RECEIVED, says(PASS)],
        [says("spf=none"), RECEIVED, says(PASS)],
        [INSIDE, RECEIVED, says("dmarc=fail header.from=example.org"), says(PASS)],
        ["X-Authentication-Results: mx.shop.example; dmarc=pass"],
    ],
)
def test_anything_else_is_not(found: list[str]) -> None:
    mail = reading.read(stamped(*found))
    assert not authentication.proves(mail.stated, OURS, mail.sender.address)


@pytest.mark.parametrize(
    "sender",
    [
        "eve@evil.example, asha@example.org",
        "asha@example.org\r\nFrom: eve@evil.example",
        "Undisclosed:;",
    ],
)
def test_a_mail_of_several_senders_is_nobodys(sender: str) -> None:
    mail = reading.read(stamped(says(PASS), sender=sender))
    assert not authentication.proves(mail.stated, OURS, mail.sender.address)


@given(st.text(max_size=200))
def test_whatever_stands_there_is_read_and_proves_nothing(text: str) -> None:
    mail = reading.read(stamped(says(text, "mx.evil.example").replace("\n", " ")))
    assert not authentication.proves(mail.stated, OURS, "asha@example.org")


@pytest.fixture
def strict(post: Post) -> Post:
    """A shop that asks for proof, whose mail server checks senders; Asha is known there."""
    post.put(authservId=OURS)
    prove(post, "proof")
    post.shop.write("asha@example.org", city="Pune")
    return post


def prove(post: Post, how: str) -> None:
    def job(connection: Connection) -> None:
        change = post.platform.change(connection, post.shop.workspace, "key:1")
        managing.set_inbox(change, {"proof": how})

    post.platform.write(job)


def by_lmtp(post: Post, mail: EmailMessage, *found: str) -> None:
    """Hand a mail over as our mail server does, with what it found."""
    raw = "".join(f"{each}\r\n" for each in found).encode() + mail.as_bytes()
    with smtplib.LMTP("127.0.0.1", post.ports["lmtp"], timeout=20) as peer:
        peer.sendmail("asha@example.org", [post.address], raw)


def test_a_mail_that_was_checked_joins_the_record_of_its_sender(strict: Post) -> None:
    by_lmtp(strict, strict.mail(), says(PASS), RECEIVED)
    ticket = strict.only()
    assert strict.person(ticket)["properties"]["city"] == "Pune"
    assert claims.of(strict.platform, ticket.id) is None
    assert "unproven" not in strict.messages()[0].detail


@pytest.mark.parametrize("found", [[], [says("dmarc=fail header.from=example.org"), RECEIVED]])
def test_a_forged_sender_is_a_claim_and_joins_nobody(strict: Post, found: list[str]) -> None:
    by_lmtp(strict, strict.mail(), *found)
    ticket = strict.only()
    person = strict.person(ticket)
    assert person["userId"] is None
    assert not {"city", "email"} & person["properties"].keys()
    standing = claims.of(strict.platform, ticket.id)
    assert standing is not None
    assert (standing.claim.value, standing.waits) == ("asha@example.org", False)
    assert strict.messages()[0].detail["unproven"] is True


def test_who_comes_by_another_door_at_the_same_moment_is_not_joined_either(
    strict: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle = strict.platform.settle

    def meanwhile(*calls: Any) -> Any:
        monkeypatch.undo()
        strict.shop.write("omar@example.net", city="Oslo")
        return settle(*calls)

    monkeypatch.setattr(strict.platform, "settle", meanwhile)
    assert strict.take(strict.mail(From="Omar <omar@example.net>")) == "ticket"
    ticket = strict.only()
    assert strict.person(ticket)["userId"] is None
    standing = claims.of(strict.platform, ticket.id)
    assert standing is not None
    assert standing.claim.user_id == "omar@example.net"
    assert strict.shop.known("omar@example.net") == {"city": "Oslo"}


def test_a_process_that_ends_after_the_mail_was_kept_has_kept_the_claim(
    strict: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail, settle = strict.mail(), strict.platform.settle

    class Ended(BaseException):
        """The process is no more."""

    def ends(*calls: Any) -> NoReturn:
        settle(*calls)
        raise Ended

    monkeypatch.setattr(strict.platform, "settle", ends)
    with pytest.raises(Ended):
        strict.take(mail)
    monkeypatch.undo()
    assert strict.take(mail) == "duplicate"
    standing = claims.of(strict.platform, strict.only().id)
    assert standing is not None
    assert standing.claim.user_id == "asha@example.org"


def test_a_forged_mail_finds_a_thread_by_our_token_alone(strict: Post) -> None:
    first = strict.mail()
    by_lmtp(strict, first, says(PASS), RECEIVED)
    guessed = strict.mail("Send it to me", In_Reply_To=first["Message-ID"])
    by_lmtp(strict, guessed)
    known, forged = strict.conversations()
    assert strict.person(forged)["userId"] is None
    by_lmtp(strict, strict.mail("Me", In_Reply_To=first["Message-ID"]), says(PASS), RECEIVED)
    token = strict.tokens.token(known.id)  # who has it was sent it
    by_lmtp(strict, strict.mail("By token", Subject=f"Re: Late order [{token}]"))
    said = [(m.text, m.detail.get("unproven", False)) for m in strict.messages(known)]
    assert said == [("Where is my order?", False), ("Me", False), ("By token", True)]


def test_somebody_new_is_nobody_else_so_that_needs_no_proof(strict: Post) -> None:
    by_lmtp(strict, strict.mail(From="Omar <omar@example.net>"))
    assert strict.person(strict.only())["userId"] == "omar@example.net"


def test_where_claims_are_believed_so_is_a_mail(strict: Post) -> None:
    prove(strict, "claim")
    by_lmtp(strict, strict.mail(), says("dmarc=fail header.from=example.org"))
    assert strict.person(strict.only())["userId"] == "asha@example.org"


def test_without_a_server_that_checks_no_mail_joins_anybody(strict: Post) -> None:
    strict.put(authservId=None)
    by_lmtp(strict, strict.mail(), says(PASS), RECEIVED)
    assert strict.person(strict.only())["userId"] is None


def test_the_name_of_the_server_is_one(post: Post) -> None:
    with pytest.raises(Invalid) as refused:
        post.put(authservId="mx one; dmarc=pass")
    assert [fault.path for fault in refused.value.faults] == ["authservId"]
