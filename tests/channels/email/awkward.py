"""Mails as the world writes them: each with what has to be understood of it."""

from __future__ import annotations

import base64

CRLF = b"\r\n"


def _mail(head: str | bytes, body: bytes = b"Hello\r\n") -> bytes:
    given = head.encode() if isinstance(head, str) else head
    lines = CRLF.join(line.strip() if line[:1] != b" " else line for line in given.splitlines())
    return lines + CRLF + CRLF + body


HTML = b"""<html><head><style>p{position:fixed}</style><title>x</title></head><body>
<p onclick="x()">Dear   <b>shop</b>,<br>where is&nbsp;it?</p><script>alert(1)</script>
<img src="https://spy.test/pixel.gif"><ul><li>one</li><li>two</li></ul>
<a href="javascript:alert(1)">no</a> <a href="https://example.org/order">the order</a>
<iframe src="https://spy.test"></iframe><form action="/x"><input name=a></form></body></html>
"""

# What it is called; the mail; what its text has, what its subject is, its files' names.
MAILS: dict[str, tuple[bytes, str, str, list[str]]] = {
    "nothing at all": (b"", "", "", []),
    "only a body": (b"\r\nHello\r\n", "Hello", "", []),
    "a charset nobody knows": (
        _mail("From: a@b.test\nContent-Type: text/plain; charset=klingon", "Grüße".encode()),
        "Grüße",
        "",
        [],
    ),
    "a charset that is not true": (
        _mail(
            "From: a@b.test\nContent-Type: text/plain; charset=utf-8",
            "Gr\xfc\xdfe".encode("latin-1"),
        ),
        "Grüße",
        "",
        [],
    ),
    "a charset that is no charset": (
        _mail("From: a@b.test\nContent-Type: text/plain; charset=punycode", b"Hello"),
        "Hello",
        "",
        [],
    ),
    "encoded words gone wrong": (
        _mail("From: a@b.test\nSubject: =?utf-8?b?R3LDvMOf=ZQ?= =?x?q?a=ZZ?= =?utf-8?q?=C3?="),
        "Hello",
        "*",
        [],
    ),
    "8-bit headers": (
        _mail("From: Jürgen <j@b.test>\nSubject: Grüße".encode("latin-1")),
        "Hello",
        "Grüße",
        [],
    ),
    "only HTML": (
        _mail("From: a@b.test\nContent-Type: text/html; charset=utf-8", HTML),
        "Dear shop,\nwhere is it?\n\n- one\n- two\n\nno the order <https://example.org/order>",
        "",
        [],
    ),
    "a calendar part": (
        _mail(
            'From: a@b.test\nContent-Type: multipart/mixed; boundary="x"',
            b"--x\r\n\r\nSee you\r\n--x\r\nContent-Type: text/calendar\r\n\r\nBEGIN\r\n--x--",
        ),
        "See you",
        "",
        ["attachment-1.ics"],
    ),
    "a mail in a mail": (
        _mail(
            'From: a@b.test\nContent-Type: multipart/mixed; boundary="x"',
            b"--x\r\n\r\nSee below\r\n--x\r\nContent-Type: message/rfc822\r\n\r\n"
            b"From: c@d.test\r\nSubject: inner\r\n\r\ninner words\r\n--x--",
        ),
        "See below",
        "",
        ["attachment-1.eml"],
    ),
    "a file with a path for a name": (
        _mail(
            'From: a@b.test\nContent-Type: multipart/mixed; boundary="x"',
            b'--x\r\nContent-Type: a/b; name="..\\..\\etc/pass\x01wd"\r\n\r\nabc\r\n--x--',
        ),
        "",
        "",
        ["passwd"],
    ),
    "a boundary that never ends": (
        _mail(
            'From: a@b.test\nContent-Type: multipart/alternative; boundary="x"',
            b"--x\r\nContent-Type: text/plain\r\n\r\nHello there",
        ),
        "Hello there",
        "",
        [],
    ),
    "a boundary that is not there": (
        _mail("From: a@b.test\nContent-Type: multipart/mixed", b"Just words"),
        "Just words",
        "",
        [],
    ),
    "base64 that is broken": (
        _mail(
            "From: a@b.test\nContent-Transfer-Encoding: base64",
            base64.b64encode(b"Hello there, how are you") + b"=!x",
        ),
        "Hello there, how are you",
        "",
        [],
    ),
    "zeros": (_mail("From: a@b.test\nSubject: a\x00b", b"He\x00llo\x00"), "Hello", "ab", []),
    "several senders": (_mail("From: First <a@b.test>, c@d.test\nFrom: e@f.test"), "Hello", "", []),
    "a date of another century": (
        _mail("From: a@b.test\nDate: Mon, 1 Jan 1926 00:00:00 +0000"),
        "Hello",
        "",
        [],
    ),
    "a date that is none": (_mail("From: a@b.test\nDate: 99 Foo 99999999999999"), "Hello", "", []),
    "headers without an end": (
        b"From: a@b.test\r\nX-Long: " + b"a " * 300_000 + b"\r\nTo: " + b"x@y.test, " * 30_000,
        "",
        "",
        [],
    ),
    "parts within parts": (
        b"".join(
            b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n)
            for n in range(3_000)
        ),
        "*",
        "*",
        ["*"],
    ),
    "a hundred files": (
        _mail(
            'From: a@b.test\nContent-Type: multipart/mixed; boundary="x"',
            b"".join(b"--x\r\nContent-Type: a/b\r\n\r\n%d\r\n" % n for n in range(100)) + b"--x--",
        ),
        "",
        "",
        ["message.eml"],
    ),
    "parts without end": (
        _mail(
            'From: a@b.test\nContent-Type: multipart/mixed; boundary="x"',
            b"--x\r\n\r\nx\r\n" * 60_000,
        ),
        "*",
        "*",
        ["*"],
    ),
    "headers without number": (_mail("X: y\n" * 250_000 + "From: a@b.test"), "*", "*", ["*"]),
    "a report on everything": (
        _mail(
            'From: a@b.test\nContent-Type: multipart/report; boundary="x"',
            b"--x\r\nContent-Type: message/Delivery-Status\r\n\r\n" + b"\r\n" * 120_000,
        ),
        "*",
        "*",
        ["*"],
    ),
    "lines without number": (_mail("From: a@b.test", b"\n" * 1_000_001), "*", "*", ["*"]),
}
