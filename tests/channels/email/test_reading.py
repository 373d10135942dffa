"""Every mail can be read, whoever wrote it; what it says is told as well as it can be."""

from __future__ import annotations

import email
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.channels.email.awkward import MAILS
from tests.channels.email.post import Post
from user360.channels.email import headers, markup, quoting, reading


@pytest.mark.parametrize("name", MAILS)
def test_awkward_mails_are_understood(name: str) -> None:
    raw, text, subject, names = MAILS[name]
    mail = reading.read(raw)
    if text != "*":
        assert mail.text.strip() == text
    if subject != "*":
        assert mail.subject == subject
    if names != ["*"]:
        assert [file.name for file in mail.files] == names


@pytest.mark.parametrize("name", MAILS)
def test_awkward_mails_are_kept_once(post: Post, name: str) -> None:
    raw = MAILS[name][0]
    assert post.take(raw, envelope=None) == "ticket"
    assert post.take(raw, envelope=None) == "duplicate"
    (message,) = post.messages()
    assert message.text.strip() or message.attachments
    # Neither a century off nor ahead: what cannot be believed is now.
    assert abs(message.at - post.platform.clock.now()) < 3_600_000_000


def test_safe_html_fetches_nothing_and_does_nothing() -> None:
    html = reading.read(MAILS["only HTML"][0]).html
    for bad in ("script", "onclick", "img", "style", "iframe", "form", "input", "javascript"):
        assert bad not in html
    assert 'href="https://example.org/order"' in html
    assert "noopener" in html


def test_a_name_cannot_bring_an_address_with_it() -> None:
    raw = b"From: =?utf-8?q?boss=40shop=2Etest=2C?= <eve@example.org>\r\n\r\n"
    part = email.message_from_bytes(raw)
    assert headers.addresses(part, "From") == [("eve@example.org", "boss@shop.test,")]


def test_a_letter_cut_between_two_encoded_words_is_whole() -> None:
    assert headers.text("=?utf-8?q?M=C3?=  =?utf-8?q?=BCller?= x") == "Müller x"


@pytest.mark.parametrize(
    ("text", "new", "older"),
    [
        ("Yes\n\nOn Mon, 1 Jan 2026, Shop <s@shop.test> wrote:\n> Really?\n", "Yes", "On Mon"),
        ("Ja\n\nAm 1.1.2026 schrieb Shop:\n> Wirklich?", "Ja", "Am 1.1"),
        ("Yes\n\nOn Mon, 1 Jan 2026, Shop <s@shop.test>\nwrote:\n> Really?", "Yes", "On Mon"),
        ("Yes\n\n-----Original Message-----\nFrom: Shop\n\nReally?", "Yes", "-----Orig"),
        ("Yes\n\nFrom: Shop <s@shop.test>\nSent: Monday\n\nReally?", "Yes", "From: Shop"),
        ("Yes\n\n> Really?\n> Now?\n> So?", "Yes", "> Really?"),
        ("> Really?\nYes\n> Now?\nNo", "> Really?\nYes\n> Now?\nNo", ""),
        ("Hi\nOn Mon, Shop wrote 1:\n> Really?\nYes, really", "Hi\nOn Mon, Shop wrote 1:", ""),
        ("> All is quoted\n> and\n> older", "> All is quoted", ""),
        ("From: the bottom of my heart\nThanks", "From: the bottom", ""),
    ],
)
def test_older_text_is_folded_and_new_text_never(text: str, new: str, older: str) -> None:
    found = quoting.folded(text)
    assert found[0].startswith(new)
    assert found[1].startswith(older)
    assert bool(found[1]) == bool(older)
    assert [w for part in found for w in part.split()] == text.split()


@given(st.binary(max_size=400), st.binary(max_size=400))
def test_no_bytes_are_too_strange(head: bytes, body: bytes) -> None:
    for raw in (head + body, b"From: " + head + b"\r\nSubject: " + body, b"\r\n\r\n" + body):
        mail = reading.read(raw)
        mail.text.encode()
        mail.subject.encode()
        assert "\x00" not in mail.text + mail.subject + mail.sender.address


NAMES = ("From", "To", "Subject", "Date", "Message-ID", "References", "Content-Type", "X-Loop")
NAMES += ("Content-Disposition", "Content-Transfer-Encoding", "In-Reply-To", "Auto-Submitted")
PIECES = st.sampled_from(
    ["=?utf-8?b?", "?=", "=?", "<", ">", "@", ";", "boundary=", '"', "filename*=", "multipart/",
     "mixed", "text/html", "report", ",", " ", "\t", "\\", "ü", "\udcff", "a@b.test", "base64",
     "%", "''", "(", ")", "=", ":", "\r\n ", "charset="]
)  # fmt: skip


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(NAMES), st.lists(PIECES, max_size=8)), max_size=6))
def test_no_header_is_too_strange(given_headers: list[tuple[str, list[str]]]) -> None:
    lines = [f"{name}: {''.join(pieces)}" for name, pieces in given_headers]
    raw = "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n--\r\n\r\nHello"
    mail = reading.read(raw)
    assert mail.text != "This mail could not be read; it is attached as it came."
    for text in (mail.subject, mail.sender.address, mail.sender.name, mail.id, *mail.references):
        text.encode()


@given(st.text(max_size=300))
def test_text_out_of_html_holds_no_markup(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace("\x00", "")
    told = markup.text(markup.safe(f"<div>{escaped}</div>"))
    assert "".join(told.split()) == "".join(text.replace("\x00", "").split())


def test_hostile_lengths_take_no_hostile_time() -> None:
    rng = random.Random(7)
    started = time.process_time()
    quoting.folded("On 1 wrote:\n" * 12_000 + "> x")
    quoting.folded("From: a\n" * 16_000)
    markup.text(markup.safe("<div>" * 26_000 + "x"))
    markup.text(markup.safe("<a href='https://x.test'>" * 10_000))
    headers.text("=?utf-8?q?" * 6_000 + "".join(rng.choice("=?q ") for _ in range(30_000)))
    # Each takes a fraction of a second; what grew with the square would take minutes.
    assert time.process_time() - started < 60
