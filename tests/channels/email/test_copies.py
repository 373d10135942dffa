"""Who was in copy is known, and gets an answer only where whoever answers says so."""

from __future__ import annotations

import pytest

from tests.channels.email.post import Post
from tests.channels.email.test_automatic import bounce
from tests.channels.email.test_sending import Peer, bring, peer
from user360.channels.email import recipients
from user360.conversations.talk import Conversation
from user360.errors import Invalid

__all__ = ["peer"]  # a fixture of the tests of sending

ASHA, RAVI, MEERA = "asha@example.org", "ravi@example.org", "Meera@Example.net"


def offered(post: Post, conversation: Conversation | None = None) -> list[str]:
    with post.platform.ledger.read() as connection:
        held = conversation or post.only()
        return recipients.offered(connection, post.shop.workspace, held)


def in_copy(post: Post) -> None:
    to = f"Our shop <{post.address}>, Ravi <{RAVI}>"
    also = f"{MEERA}, no-reply@example.org, {post.address.replace('@', '+x@')}, {ASHA.upper()}"
    post.take(post.mail(To=to, Cc=also))


def test_who_was_in_copy_is_shown_and_offered_without_us_and_robots(post: Post) -> None:
    in_copy(post)
    (mail,) = post.messages()
    shown = recipients.others(post.shop.workspace, mail)
    assert shown == [RAVI, MEERA, "no-reply@example.org"]
    assert offered(post) == [RAVI, MEERA]


def test_an_answer_goes_to_its_sender_alone_unless_all_are_answered(post: Post, peer: Peer) -> None:
    in_copy(post)
    post.answer("For you alone")
    bring(post)
    assert peer.got[0][1] == [ASHA]
    assert "Cc" not in peer.last()
    post.answer("For all of you", detail={"cc": offered(post)})
    sent = bring(post)
    assert sent.delivery == "sent"
    assert peer.got[1][1] == [ASHA, RAVI, "Meera@example.net"]
    assert [a.addr_spec for a in peer.last()["Cc"].addresses] == [RAVI, "Meera@example.net"]
    assert peer.last()["To"] == ASHA
    assert recipients.others(post.shop.workspace, sent) == [RAVI, MEERA]


def test_who_wrote_beside_the_customer_is_offered_a_copy(post: Post, peer: Peer) -> None:
    first = post.mail()
    post.take(first)
    assert offered(post) == []
    other = post.mail("I am her brother", From=RAVI, In_Reply_To=first["Message-ID"])
    post.take(other)
    assert offered(post) == [RAVI]
    post.answer("To both", detail={"cc": offered(post)})
    bring(post)
    assert peer.got[0][1] == [ASHA, RAVI]
    back = post.mail("Thanks", From=RAVI, In_Reply_To=peer.last()["Message-ID"])
    assert post.take(back) == "followed"


def test_an_answer_whose_copy_is_refused_arrives_and_agents_are_told(
    post: Post, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_copy(post)
    monkeypatch.setitem(peer.refuses, RAVI, f"550 5.1.1 <{RAVI}> is unknown")
    post.answer("For all of you", detail={"cc": offered(post)})
    bring(post)
    assert peer.got[0][1] == [ASHA, "Meera@example.net"]
    answer, note = post.messages()[1:]
    assert (answer.delivery, answer.error) == ("sent", "")
    assert note.sender == "note"
    assert note.text.splitlines() == [
        "The answer went out, but not to all in copy.",
        f"{RAVI}: The mail server refused it: the address is unknown (550)",
    ]


def test_a_bounce_of_a_copy_is_told_and_leaves_the_answer_as_it_is(post: Post, peer: Peer) -> None:
    in_copy(post)
    post.answer("For all of you", detail={"cc": offered(post)})
    sent = bring(post)
    bounced = bounce(post, sent.external).replace(b"822; asha@", b"822; Ravi@")
    assert post.take(bounced, envelope="") == "noted"
    answer, note = post.messages()[1:]
    assert answer.delivery == "sent"
    assert note.text == f"The copy to {RAVI} did not arrive: there is no such mailbox (5.1.1)"
    assert post.take(bounce(post, sent.external, status="5.2.2"), envelope="") == "marked"
    assert post.messages()[1].delivery == "failed"
    assert peer.got  # it was sent once


@pytest.mark.parametrize(("answer", "state"), [("550 no", "failed"), ("450 later", "queued")])
def test_where_the_customer_cannot_be_answered_nobody_gets_a_copy(
    post: Post, peer: Peer, answer: str, state: str
) -> None:
    in_copy(post)
    peer.refuses[ASHA] = answer
    post.answer("For all of you", detail={"cc": offered(post)})
    assert bring(post).delivery == state
    assert peer.got == []


def test_no_header_comes_in_by_an_address(post: Post) -> None:
    workspace = post.shop.workspace
    given = ["a@b.test\r\nBcc: all@shop.test", "x", post.address, "good@b.test", "<a@b.test>"]
    with pytest.raises(Invalid) as refused:
        recipients.checked(workspace, "email", given)
    assert [each.path for each in refused.value.faults] == ["cc.0", "cc.1", "cc.2", "cc.4"]
    assert recipients.checked(workspace, "email", ["A@b.test ", "a@B.test"]) == ["A@b.test"]
    with pytest.raises(Invalid, match="e-mails alone"):
        recipients.checked(workspace, "whatsapp", ["a@b.test"])
    with pytest.raises(Invalid, match="at most 50"):
        recipients.checked(workspace, "email", [f"{n}@b.test" for n in range(51)])


@pytest.mark.parametrize(
    "robot",
    [
        "noreply@x.test",
        "no-reply@x.test",
        "do_not_reply@x.test",
        "NEVER-REPLY@x.test",
        "MAILER-DAEMON@x.test",
        "bounces+7@x.test",
    ],
)
def test_robots_are_offered_no_copy(post: Post, robot: str) -> None:
    post.take(post.mail(Cc=f"{robot}, norbert@x.test"))
    assert offered(post) == ["norbert@x.test"]
