"""Mail comes in over TLS, by the certificate as it is now; never in clear where that is so."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from tests.channels.email.certified import certify
from tests.channels.email.post import Post
from user360 import settings
from user360.channels.email.certificate import Certificate
from user360.channels.email.listener import Listener, Secured
from user360.channels.email.office import Office
from user360.errors import Invalid
from user360.platform import Platform


class Desk:
    """A listener with a certificate of its own."""

    def __init__(self, post: Post, directory: Path) -> None:
        self.post = post
        self.directory = directory
        self.listener = Listener(post.platform, post.intake, {"smtp": 0, "lmtp": 0})
        certify(directory)

    @property
    def trusted(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.directory / "cert.pem"))

    def start(self, *, required: bool = False) -> None:
        files = (str(self.directory / "cert.pem"), str(self.directory / "key.pem"))
        self.listener.start("127.0.0.1", Secured(Certificate(*files), required))

    def peer(self) -> smtplib.SMTP:
        return smtplib.SMTP("127.0.0.1", self.listener.ports["smtp"], timeout=20)


@pytest.fixture
def desk(post: Post, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(post, tmp_path)
    yield made
    made.listener.close()


def test_a_mail_is_handed_in_over_tls(desk: Desk) -> None:
    desk.start()
    with desk.peer() as peer:
        peer.ehlo()
        assert peer.has_extn("starttls")
        peer.starttls(context=desk.trusted)
        assert not peer.has_extn("starttls")  # what was said in clear is forgotten
        peer.ehlo()
        assert not {"starttls", "auth"} & peer.esmtp_features.keys()
        peer.send_message(desk.post.mail("In secret"))
        mail = desk.post.mail()
        mail.add_attachment(b"0123456789" * 100_000, "video", "mp4", filename="film.mp4")
        peer.send_message(mail)
    assert [c.last_text for c in desk.post.conversations()] == ["In secret", "Where is my order?"]


def test_where_tls_is_offered_mail_in_clear_is_taken_too(desk: Desk) -> None:
    desk.start()
    with desk.peer() as peer:
        peer.send_message(desk.post.mail())
    assert len(desk.post.conversations()) == 1


def test_where_tls_is_required_nothing_is_taken_in_clear(desk: Desk) -> None:
    desk.start(required=True)
    with desk.peer() as peer:
        peer.ehlo()
        assert peer.mail("asha@example.org")[0] == 530
        peer.starttls(context=desk.trusted)
        peer.send_message(desk.post.mail())
    with smtplib.LMTP("127.0.0.1", desk.listener.ports["lmtp"], timeout=20) as beside:
        beside.send_message(desk.post.mail("From the server beside this one"))
    assert len(desk.post.conversations()) == 2


def test_what_was_sent_before_the_handshake_counts_for_nothing(desk: Desk) -> None:
    """Whoever sits between puts commands behind STARTTLS, to be done once it is encrypted."""
    desk.start()
    where = ("127.0.0.1", desk.listener.ports["smtp"])
    with socket.create_connection(where, timeout=20) as plain:
        plain.recv(1_000)
        plain.sendall(b"EHLO x\r\n")
        while b"HELP" not in plain.recv(1_000):
            pass
        plain.sendall(b"STARTTLS\r\nEHLO evil\r\nMAIL FROM:<eve@example.net>\r\n")
        assert plain.recv(1_000).startswith(b"220")
        # The words behind it are taken for a handshake, or dropped.
        try:
            with desk.trusted.wrap_socket(plain, server_hostname="localhost") as within:
                within.sendall(f"RCPT TO:<{desk.post.address}>\r\n".encode())
                assert within.recv(1_000).startswith(b"503")
        except OSError:
            pass
    with desk.peer() as peer:
        assert peer.noop()[0] == 250


def test_who_speaks_no_tls_after_all_is_left_and_others_go_on(desk: Desk) -> None:
    desk.start()
    where = ("127.0.0.1", desk.listener.ports["smtp"])
    with socket.create_connection(where, timeout=20) as plain:
        plain.recv(1_000)
        plain.sendall(b"STARTTLS\r\n")
        plain.recv(1_000)
        plain.sendall(b"this is no handshake\r\n")
        while plain.recv(1_000):
            pass
    with desk.peer() as peer:
        peer.starttls(context=desk.trusted)
        peer.send_message(desk.post.mail())
    assert len(desk.post.conversations()) == 1


def test_a_renewed_certificate_is_shown_without_a_restart(desk: Desk) -> None:
    desk.start()
    with desk.peer() as peer:
        peer.starttls(context=desk.trusted)
    (desk.directory / "cert.pem").write_text("half written")
    old = ssl.create_default_context()
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    with desk.peer() as peer:
        assert peer.starttls(context=old)[0] == 220  # the one before, until both are whole
    certify(desk.directory)
    with desk.peer() as peer:
        peer.starttls(context=desk.trusted)
        peer.send_message(desk.post.mail())
    assert len(desk.post.conversations()) == 1


def test_certificate_and_key_may_stand_in_one_file(tmp_path: Path) -> None:
    certify(tmp_path)
    both = tmp_path / "both.pem"
    both.write_text((tmp_path / "cert.pem").read_text() + (tmp_path / "key.pem").read_text())
    assert Certificate(str(both)).context().check_hostname is False


def test_a_certificate_that_cannot_be_used_is_told_with_its_setting(tmp_path: Path) -> None:
    certify(tmp_path)
    cert, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    with pytest.raises(Invalid, match=r"USER360_SMTP_CERTIFICATE: .*missing\.pem cannot be read"):
        Certificate(str(tmp_path / "missing.pem"), key)
    with pytest.raises(Invalid, match=r"USER360_SMTP_KEY: .* cannot be read: Is a directory"):
        Certificate(cert, str(tmp_path))
    with pytest.raises(Invalid, match="not a certificate and its key"):
        Certificate(key, key)
    other = tmp_path / "other"
    other.mkdir()
    certify(other)
    with pytest.raises(Invalid, match="not a certificate and its key"):
        Certificate(cert, str(other / "key.pem"))
    with pytest.raises(Invalid, match="must not need a password"):
        Certificate(cert, _locked(Path(key)))


def _locked(key: Path) -> str:
    found = serialization.load_pem_private_key(key.read_bytes(), None)
    locked = found.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    (key.parent / "locked.pem").write_bytes(locked)
    return str(key.parent / "locked.pem")


@pytest.mark.parametrize(
    ("given", "at"),
    [
        ({"smtp_tls": "required"}, "USER360_SMTP_TLS"),
        ({"smtp_key": "key.pem"}, "USER360_SMTP_KEY"),
        ({"smtp_certificate": "nowhere.pem"}, "USER360_SMTP_CERTIFICATE"),
    ],
)
def test_settings_that_contradict_each_other_are_told_at_the_start(
    tmp_path: Path, given: dict[str, str], at: str
) -> None:
    own = settings.from_environment({}, smtp_port=2525, **given)
    with Platform.open(tmp_path / "data", own) as platform:
        office = Office(platform)
        with pytest.raises(Invalid) as refused:
            office.start()
        office.close()
    assert [fault.path for fault in refused.value.faults] == [at]
