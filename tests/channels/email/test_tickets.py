"""Mails become tickets on the record of who wrote, and stay together whatever way they come."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage

import pytest

from tests.channels.email.post import Post
from tests.erasure.zelda import erased
from user360.conversations.deeds import Deed
from user360.erasure import jobs as erasure_jobs
from user360.ingest.call import Verb


def test_a_mail_makes_a_ticket_of_a_person_known_by_their_address(post: Post) -> None:
    mail = post.mail("Where is it?", From="Asha Rao <Asha.Rao@Example.ORG>", Subject="Late order")
    with post.smtp() as peer:
        peer.send_message(mail)
    ticket = post.only()
    assert (ticket.channel, ticket.kind, ticket.state) == ("email", "ticket", "open")
    assert (ticket.subject, ticket.last_text) == ("Late order", "Where is it?")
    person = post.person(ticket)
    assert person["userId"] == "asha.rao@example.org"
    assert person["properties"]["email"] == "asha.rao@example.org"
    assert person["properties"]["firstName"] == "Asha"
    assert person["properties"]["lastName"] == "Rao"


def test_a_name_that_is_known_stays(post: Post) -> None:
    post.shop.write("asha@example.org", firstName="Asha", email="asha@work.example.org")
    post.take(post.mail(From='"SALES!" <asha@example.org>'))
    person = post.person(post.only())
    assert person["properties"]["firstName"] == "Asha"
    assert person["properties"]["email"] == "asha@work.example.org"
    assert "lastName" not in person["properties"]


@pytest.mark.parametrize("way", ["smtp", "lmtp", "bytes"])
def test_the_same_mail_by_whatever_way_is_one_message(post: Post, way: str) -> None:
    mail = post.mail()
    assert post.take(mail) == "ticket"
    if way == "smtp":
        with post.smtp() as peer:
            peer.send_message(mail)
    elif way == "lmtp":
        with smtplib.LMTP("127.0.0.1", post.ports["lmtp"]) as peer:
            peer.send_message(mail)
    else:
        assert post.take(mail) == "duplicate"
    assert len(post.messages()) == 1


def test_without_an_id_a_mail_is_known_by_what_it_says(post: Post) -> None:
    mail = post.mail(Message_ID="").as_bytes()
    relayed = b"Received: from there by here\r\n" + mail.replace(b"\n", b"\r\n")
    assert [post.take(mail), post.take(relayed)] == ["ticket", "duplicate"]
    assert post.take(post.mail("Something else", Message_ID="")) == "ticket"


def test_somebody_else_cannot_take_the_place_of_a_mail_by_its_id(post: Post) -> None:
    first = post.mail()
    forged = post.mail(From="eve@example.net", Message_ID=first["Message-ID"])
    assert [post.take(forged), post.take(first)] == ["ticket", "ticket"]


def test_an_answer_goes_into_its_thread_by_any_of_its_references(post: Post) -> None:
    first = post.mail()
    post.take(first)
    near = post.mail("And?", In_Reply_To=first["Message-ID"], Subject="Re: Late order")
    assert post.take(near) == "followed"
    far = post.mail("Hello?", References=f"{first['Message-ID']} <unknown@example.org>")
    assert post.take(far) == "followed"
    assert [m.text for m in post.messages()] == ["Where is my order?", "And?", "Hello?"]
    assert post.take(post.mail("Another matter", In_Reply_To="<unknown@example.org>")) == "ticket"


def test_a_token_finds_back_from_a_subject_and_an_address(post: Post) -> None:
    post.take(post.mail())
    token = post.tokens.token(post.only().id)
    assert post.take(post.mail("One", Subject=f"AW: Late order [{token}]")) == "followed"
    tagged = post.address.replace("@", f"+{token}@")
    mail = post.mail("Two", To="somebody@example.org")
    with post.smtp() as peer:
        peer.send_message(mail, to_addrs=[tagged])
    assert len(post.messages()) == 3
    assert post.only().subject == "Late order"


def test_a_forged_token_opens_nothing(post: Post) -> None:
    post.take(post.mail())
    token = post.tokens.token(post.only().id)
    wrong = token[:-1] + ("0" if token[-1] != "0" else "1")
    forged = post.mail("Let me in", From="eve@example.net", Subject=f"Re: x [{wrong}]")
    assert post.take(forged) == "ticket"
    message_id = f"<{wrong}.m1@{post.address.partition('@')[2]}>"
    again = post.mail("Let me in", From="eve@example.net", In_Reply_To=message_id)
    assert post.take(again) == "ticket"
    assert len(post.conversations()) == 3


def test_somebody_else_in_the_thread_is_named_and_moves_nothing(post: Post) -> None:
    first = post.mail()
    post.take(first)
    ticket = post.only()
    other = post.mail("I am her brother", From="ravi@example.org", In_Reply_To=first["Message-ID"])
    assert post.take(other) == "followed"
    assert post.only().record == ticket.record
    mine, his = post.messages()
    assert (mine.author, his.author) == ("", "ravi@example.org")
    assert post.shop.person("ravi@example.org") is None


def test_an_answer_after_parting_does_not_undo_it(post: Post) -> None:
    first = post.mail()
    post.take(first)
    ticket = post.only()
    post.shop.send(verb=Verb.PART, session=f"email:{ticket.session}")
    parted = post.only().record
    assert parted != ticket.record
    post.take(post.mail("Still me", In_Reply_To=first["Message-ID"]))
    assert post.only().record == parted


def test_who_answers_a_closed_ticket_begins_another_in_the_thread(post: Post) -> None:
    first = post.mail()
    post.take(first)
    closed = Deed(action="state", state="closed")
    post.shop.send(conversation=post.only().id, deed=closed)
    post.take(post.mail("It came back", Subject="Re: Late order", In_Reply_To=first["Message-ID"]))
    old, new = post.conversations()
    assert (old.state, new.state, new.subject) == ("closed", "open", "Late order")
    assert (old.session, old.record) == (new.session, new.record)


def test_files_come_along_as_they_are(post: Post) -> None:
    mail = post.mail()
    photo, winmail = bytes(range(256)) * 4_000, b"\x78\x9f\x3e\x22" + b"\0" * 100
    mail.add_attachment(photo, "image", "jpeg", filename="Fußmatte.jpg")
    mail.add_attachment(winmail, "application", "ms-tnef", filename="winmail.dat")
    with post.smtp() as peer:
        peer.send_message(mail)
    (message,) = post.messages()
    assert [a.name for a in message.attachments] == ["Fußmatte.jpg", "winmail.dat"]
    assert [post.content(message, i) for i in (0, 1)] == [photo, winmail]


def test_a_file_of_twenty_megabytes_gets_through(post: Post) -> None:
    mail = post.mail()
    mail.add_attachment(b"0123456789" * 2_000_000, "video", "mp4", filename="film.mp4")
    with post.smtp() as peer:
        peer.send_message(mail)
    (message,) = post.messages()
    assert message.attachments[0].size == 20_000_000


def test_no_sender_is_nobody_we_know(post: Post) -> None:
    assert post.take(post.mail(From=""), envelope="") == "automatic"
    assert post.take(post.mail(From="")) == "ticket"  # the envelope names one
    assert post.person(post.only())["userId"] == "asha@example.org"
    assert post.take(b"Subject: hello\r\n\r\nIt is me", envelope=None) == "ticket"
    assert post.person(post.conversations()[1])["userId"] is None


def test_an_erased_person_is_not_taken_back(post: Post) -> None:
    erasure_jobs.register(post.platform)
    first = post.mail()
    post.take(first)
    erased(post.shop, "asha@example.org")
    assert post.take(post.mail("It is me again")) == "erased"
    assert post.take(post.mail("And again", In_Reply_To=first["Message-ID"])) == "erased"
    assert post.conversations() == []


def test_mail_for_one_shop_is_never_seen_in_another(post: Post) -> None:
    with post.smtp() as peer:
        refused = peer.send_message(post.mail(), to_addrs=[post.address, "support@nobody.test"])
    assert refused == {"support@nobody.test": (550, b"5.1.1 There is no such mailbox here")}
    token = post.tokens.token(post.only().id)
    other = EmailMessage()
    other["Subject"] = f"Re: [{token}]"
    workspace = post.platform.default
    assert post.intake.take(workspace, other.as_bytes(), envelope="eve@example.net") == "ticket"
    assert len(post.messages()) == 1
