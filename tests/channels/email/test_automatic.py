"""Mails that nobody wrote by hand are known for what they are, and no machine answers another."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from limits import RateLimitItemPerHour

from tests.channels.email.post import Post
from tests.stories.shop import Shop
from user360.channels.email import intake
from user360.conversations import marks
from user360.conversations.marks import Mark
from user360.conversations.talk import Message


def sent(post: Post) -> Message:
    """A message of ours that a mail server has taken over."""
    post.take(post.mail())
    outcome = post.answer("It is on its way")
    assert outcome.message is not None
    conversation = post.only().id
    external = post.tokens.message_id(conversation, outcome.message, "shop.test")
    mark = Mark(message=outcome.message, delivery="sent", external=external)
    workspace, dialect = post.shop.workspace.id, post.platform.ledger.dialect
    post.platform.tell(lambda c: marks.put(c, dialect, workspace, [mark]))
    return post.messages()[-1]


def bounce(post: Post, of: str, action: str = "failed", status: str = "5.1.1") -> bytes:
    """What a mail server reports of a mail (RFC 3464)."""
    return (
        f"From: MAILER-DAEMON@mail.example.org\r\nTo: {post.address}\r\n"
        f"Message-ID: <bounce-{action}{status}@mail.example.org>\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="x"\r\n\r\n'
        "--x\r\nContent-Type: text/plain\r\n\r\nI am sorry.\r\n"
        "--x\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mail.example.org\r\n\r\n"
        f"Final-Recipient: rfc822; asha@example.org\r\nAction: {action}\r\nStatus: {status}\r\n"
        "Diagnostic-Code: smtp; 550 <asha@example.org> is not here\r\n\r\n"
        "--x\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        f"Message-ID: <{of}>\r\nSubject: Re: Late order\r\n\r\n--x--\r\n"
    ).encode()


def test_a_bounce_marks_the_message_that_did_not_arrive(post: Post) -> None:
    message = sent(post)
    assert message.delivery == "sent"
    assert post.take(bounce(post, message.external), envelope="") == "marked"
    failed = post.messages()[-1]
    assert failed.delivery == "failed"
    assert failed.error == "The mail did not arrive: there is no such mailbox (5.1.1)"
    assert len(post.messages()) == 2


def test_a_bounce_after_several_tries_says_so_and_names_no_address(post: Post) -> None:
    message = sent(post)
    post.take(bounce(post, message.external, status="4.9.9"), envelope="")
    error = post.messages()[-1].error
    assert error.endswith(
        "550 the address is not here (4.9.9); it was given up after several tries"
    )


def test_a_mail_that_is_late_is_noted(post: Post) -> None:
    message = sent(post)
    late = bounce(post, message.external, action="delayed", status="4.4.1")
    assert [post.take(late, envelope=""), post.take(late, envelope="")] == ["noted", "duplicate"]
    *_, kept, note = post.messages()
    assert kept.delivery == "sent"
    assert note.sender == "note"
    assert note.text.startswith("A mail has not arrived yet: the other mail server did not answer")


def test_a_bounce_of_nothing_of_ours_is_left(post: Post) -> None:
    forged = "c1-0123456789abcdef.m1@shop.test"
    assert post.take(bounce(post, forged), envelope="") == "automatic"
    assert post.conversations() == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied (vacation)"},
        {"X_Autoreply": "yes"},
        {"Precedence": "auto_reply"},
        {"Subject": "Automatic reply: Late order"},
        {"Subject": "=?utf-8?q?R=C3=A9ponse_automatique?= : Late"},
        {"Return_Path": "<>"},
    ],
)
def test_who_is_away_is_noted_in_the_thread_and_begins_none(
    post: Post, headers: dict[str, str]
) -> None:
    assert post.take(post.mail("I am away", **headers), envelope=None) == "automatic"
    message = sent(post)
    away = post.mail("I am away", In_Reply_To=f"<{message.external}>", **headers)
    assert post.take(away, envelope=None) == "noted"
    ticket = post.only()
    assert post.messages()[-1].sender == "note"
    assert ticket.state == "pending"  # nobody waits for an answer to that
    assert ticket.last_text == "It is on its way"


@pytest.mark.parametrize(
    "headers",
    [
        {"List_Id": "<news.example.org>"},
        {"Precedence": "bulk"},
        {"Auto_Submitted": "auto-generated"},
        {"List_Unsubscribe": "<https://example.org/off>"},
    ],
)
def test_what_goes_to_many_or_a_machine_wrote_is_for_agents_not_for_bots(
    post: Post, headers: dict[str, str]
) -> None:
    post.put(bot="webhook")
    assert post.take(post.mail("Written by hand")) == "ticket"
    assert post.take(post.mail("Not written by hand", **headers)) == "ticket"
    by_hand, machine = post.conversations()
    assert (by_hand.state, machine.state) == ("bot", "open")
    assert post.messages(machine)[0].detail["automatic"] in ("list", "generated")


def test_our_own_mails_are_not_heard(post: Post) -> None:
    message = sent(post)
    own = post.mail("Back again", From=post.address.upper(), Message_ID=f"<{message.external}>")
    looped = post.mail("Round and round", X_Loop=post.address)
    tagged = post.mail("From me to me", From=post.address.replace("@", "+sales@"))
    assert [post.take(each) for each in (own, looped, tagged)] == ["own"] * 3
    assert len(post.messages()) == 2


def test_a_flood_of_one_sender_is_not_answered_and_then_left(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MANY", RateLimitItemPerHour(2))
    monkeypatch.setattr(intake, "TOO_MANY", RateLimitItemPerHour(4))
    post.put(bot="webhook")
    became = [post.take(post.mail(f"Mail {n}")) for n in range(6)]
    assert became == ["ticket"] * 4 + ["flood"] * 2
    assert [c.state for c in post.conversations()] == ["bot", "bot", "open", "open"]
    assert post.take(post.mail("Somebody else", From="ravi@example.org")) == "ticket"


def test_two_machines_fall_silent(post: Post) -> None:
    """Another desk that answers every mail by itself meets ours."""
    mail: EmailMessage | None = post.mail("Hello")
    for _ in range(5):
        assert mail is not None
        if post.take(mail) not in ("ticket", "followed"):
            break
        message = post.messages()[-1]
        mail = post.mail("We got your mail", In_Reply_To=f"<{message.external}>")
        mail["Auto-Submitted"] = "auto-replied"
    assert [m.sender for m in post.messages()] == ["customer", "note"]


def test_a_machine_that_goes_on_in_a_thread_is_heard_some_times(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MANY", RateLimitItemPerHour(2))
    first = post.mail()
    post.take(first)
    away = {"Auto_Submitted": "auto-replied", "In_Reply_To": first["Message-ID"]}
    became = [post.take(post.mail(f"Away {n}", **away)) for n in range(4)]
    assert became == ["noted", "noted", "flood", "flood"]
    assert post.take(post.mail("I am back", In_Reply_To=first["Message-ID"])) == "followed"


def test_two_of_our_own_desks_fall_silent_too(post: Post) -> None:
    """A mailbox of one workspace writes to that of another, and both have a bot."""
    other = Post(post.platform, Shop(post.platform))
    for each in (post, other):
        each.put(address=each.address, bot="webhook")
    mail = other.mail("We got your mail", From=post.address)
    mail["Auto-Submitted"], mail["X-Loop"] = "auto-replied", post.address
    assert other.take(mail) == "automatic"  # of no thread: nobody asked
    assert other.take(other.mail("By hand", From=post.address)) == "ticket"
    answer = post.mail("We got yours", From=other.address)
    answer["Auto-Submitted"], answer["X-Loop"] = "auto-replied", other.address
    assert post.take(answer) == "automatic"
    assert (len(post.conversations()), len(other.conversations())) == (0, 1)


def test_what_a_stranger_sends_as_an_address_is_kept_without_what_nobody_sees(post: Post) -> None:
    assert post.take(post.mail(From=""), envelope="a\x00b@example.org") == "ticket"
    assert post.messages()[0].detail["from"] == "ab@example.org"
