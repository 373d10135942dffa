"""Mail is fetched from a real IMAP server: each mail once, whatever happens in between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from tests.channels.email.cutting import Cutting
from tests.channels.email.dovecot import PASSWORD, Dovecot
from tests.channels.email.post import Post
from tests.waiting import until
from user360.channels import settings
from user360.channels.declared import Imap
from user360.channels.email import fetching
from user360.channels.email.fetching import Fetching
from user360.errors import StorageFailed


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    server = Dovecot()
    try:
        server.start()
        yield server
    finally:
        server.stop()


class Mailbox:
    """The mailbox of a shop, and who fetches from it."""

    def __init__(self, post: Post, dovecot: Dovecot) -> None:
        self.post = post
        self.dovecot = dovecot
        self.user = post.shop.workspace.name
        self.access = Imap("127.0.0.1", dovecot.port, "none", self.user, PASSWORD, "INBOX")
        self.running: list[Fetching] = []

    def follow(self, **other: Any) -> Fetching:
        access = msgspec.structs.replace(self.access, **other)
        post = self.post
        made = Fetching(post.platform, post.shop.workspace, post.intake, access)
        made.start()
        self.running.append(made)
        return made

    def follow_from_now(self) -> Fetching:
        made = self.follow()
        until(lambda: bool(self.state().get("seen")))
        return made

    def receive(self, text: str, days_ago: int = 0, **headers: str) -> None:
        at = datetime.now(UTC) - timedelta(days=days_ago)
        self.dovecot.deliver(self.user, self.post.mail(text, **headers).as_bytes(), at)

    def state(self) -> dict[str, Any]:
        where = (self.post.platform, self.post.shop.workspace, "email")
        found: dict[str, Any] = settings.state(*where).get("imap", {})
        return found

    def heard(self) -> list[str]:
        return [c.last_text for c in self.post.conversations()]


@pytest.fixture
def mailbox(post: Post, dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    # What comes just before the server is asked to tell is found at the next look.
    monkeypatch.setattr(fetching, "LOOK_SECONDS", 1.0)
    mailbox = Mailbox(post, dovecot)
    yield mailbox
    for running in mailbox.running:
        running.close()


def test_what_comes_after_it_was_set_is_fetched_and_the_rest_left(mailbox: Mailbox) -> None:
    mailbox.receive("Long ago", days_ago=1)
    mailbox.follow_from_now()
    mailbox.receive("One")
    mailbox.receive("Two")
    until(lambda: len(mailbox.heard()) == 2)
    assert mailbox.heard() == ["One", "Two"]
    with mailbox.dovecot.mailbox(mailbox.user) as client:
        assert client.search("UNSEEN") == [1, 2, 3]  # nothing was done to the mailbox


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_nothing_is_lost_or_twice_when_it_ends_before_it_has_noted_what_it_took(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = mailbox.follow_from_now()
    kept = first._keep

    def cut_off(place: fetching.Place) -> None:
        if place.uid:
            raise KeyboardInterrupt  # as if the process had ended here
        kept(place)

    monkeypatch.setattr(first, "_keep", cut_off)
    mailbox.receive("One")
    until(lambda: not first._thread.is_alive())
    assert mailbox.heard() == ["One"]
    mailbox.receive("Two")
    mailbox.follow()
    until(lambda: len(mailbox.heard()) == 2)
    assert [len(mailbox.post.messages(c)) for c in mailbox.post.conversations()] == [1, 1]


def test_a_server_that_closes_in_the_middle_costs_no_mail_and_doubles_none(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(fetching, "LONGEST_WAIT", 0.01)
    first = mailbox.follow_from_now()
    first.close()
    texts = [f"Mail {n} " + "x" * 3_000 for n in range(8)]
    for text in texts:
        mailbox.receive(text)
    # In the greeting, the first answers, and one mail after another.
    way = Cutting(mailbox.dovecot.port, 10, 500, 1_500, *range(3_000, 24_000, 3_000))
    try:
        mailbox.follow(port=way.port)
        until(lambda: len(mailbox.heard()) == len(texts))
    finally:
        way.close()
    assert way.made > 3
    heard = [m.text for c in mailbox.post.conversations() for m in mailbox.post.messages(c)]
    assert sorted(heard) == texts


def test_a_mail_that_cannot_be_kept_is_fetched_again(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "FIRST_WAIT", 0.05)
    take, failed = mailbox.post.intake.take, []

    def full(*given: Any, **named: Any) -> str:
        if not failed:
            failed.append(True)
            raise StorageFailed("The disk is full")
        return take(*given, **named)

    mailbox.follow_from_now()
    monkeypatch.setattr(mailbox.post.intake, "take", full)
    mailbox.receive("One")
    until(lambda: mailbox.heard() == ["One"])
    assert failed


@pytest.mark.parametrize("notice", [True, False])
def test_a_mail_that_is_never_taken_holds_up_no_other(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, notice: bool
) -> None:
    """What defies us is told of; where even that is refused, the next one is taken."""
    monkeypatch.setattr(fetching, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(fetching, "LONGEST_WAIT", 0.01)
    take = mailbox.post.intake.take

    def defied(workspace: Any, raw: bytes, **named: Any) -> str:
        if b"Poison" in raw and (b"could not be taken over" not in raw or not notice):
            raise ValueError("nobody foresaw it")
        return take(workspace, raw, **named)

    mailbox.follow_from_now()
    monkeypatch.setattr(mailbox.post.intake, "take", defied)
    mailbox.receive("Bad", Subject="Poison")
    mailbox.receive("Good")
    until(lambda: "Good" in mailbox.heard())
    told = "This mail could not be taken over. It is still in the mailbox."
    assert mailbox.heard() == ([told, "Good"] if notice else ["Good"])


def test_mails_that_are_numbered_anew_are_not_taken_twice(mailbox: Mailbox) -> None:
    mailbox.receive("Long ago", days_ago=1)
    before = mailbox.follow_from_now()
    mailbox.receive("One")
    until(lambda: mailbox.heard() == ["One"])
    validity = mailbox.state()["validity"]
    before.close()
    mailbox.dovecot.forget_numbers(mailbox.user)
    mailbox.receive("Two")
    mailbox.follow()
    until(lambda: len(mailbox.heard()) >= 2 and mailbox.state()["uid"] == 3)
    assert mailbox.state()["validity"] != validity
    assert mailbox.heard() == ["One", "Two"]


def test_a_server_without_idle_is_looked_into_again(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr("imapclient.IMAPClient.has_capability", lambda *_: False)
    mailbox.follow_from_now()
    mailbox.receive("One")
    until(lambda: mailbox.heard() == ["One"])


def test_trouble_is_told_in_words_and_passes(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "FIRST_WAIT", 0.05)
    for access, told in (
        ({"password": "wrong"}, "The mail server does not let us in"),
        ({"folder": "Nowhere"}, "There is no such folder"),
        ({"port": 1}, "The mail server could not be reached"),
        ({"security": "tls"}, "could not agree how to talk"),
        ({"security": "tls", "port": mailbox.dovecot.tls_port}, "cannot be trusted"),
    ):
        wrong = mailbox.follow(**access)
        until(lambda told=told: told in mailbox.state().get("error", ""))
        assert PASSWORD not in str(mailbox.state())
        wrong.close()
    mailbox.follow_from_now()
    until(lambda: mailbox.state()["error"] == "")


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_mail_is_fetched_over_tls_from_a_server_that_can_be_trusted(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(mailbox.dovecot.certificate))
    dovecot = mailbox.dovecot
    port = dovecot.tls_port if security == "tls" else dovecot.port
    mailbox.follow(security=security, port=port)
    until(lambda: bool(mailbox.state().get("seen")))
    mailbox.receive("One")
    until(lambda: mailbox.heard() == ["One"])


def test_a_mail_too_large_to_fetch_is_told_of(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "LARGEST", 10_000)
    mailbox.follow_from_now()
    mailbox.receive("x" * 70 + "\n" + "y\n" * 6_000, Subject="All my photos")
    until(lambda: len(mailbox.heard()) == 1)
    assert "too large to be taken over" in mailbox.heard()[0]
    assert mailbox.post.only().subject == "All my photos"
    assert mailbox.post.person(mailbox.post.only())["userId"] == "asha@example.org"
