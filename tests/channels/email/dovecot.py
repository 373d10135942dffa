"""A real IMAP server for tests: Debian's Dovecot, run from a directory of its own."""

from __future__ import annotations

import datetime
import grp
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import imapclient

from tests.channels.email.certified import certify

PASSWORD = "secret-of-the-mailbox"
PATIENCE = 20.0
SETTINGS = """
protocols = imap
base_dir = {directory}/run
state_dir = {directory}/state
log_path = {directory}/log
default_internal_user = {inner}
default_internal_group = {inner_group}
default_login_user = {inner}
disable_plaintext_auth = no
auth_failure_delay = 0
first_valid_uid = 1
mail_location = maildir:~/Maildir
ssl = yes
ssl_cert = <{directory}/cert.pem
ssl_key = <{directory}/key.pem
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={directory}/mail/%u
}}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {tls_port}
    ssl = yes
  }}
}}
service stats {{
  chroot =
}}
"""


class Dovecot:
    """A running server with a mailbox for everybody who knows the password."""

    def __init__(self) -> None:
        # Not below the directories of pytest: others than who runs it may not look into those.
        self.directory = directory = Path(tempfile.mkdtemp(prefix="u360-imap-"))
        self.port, self.tls_port = _free(), _free()
        self._process: subprocess.Popen[bytes] | None = None
        directory.chmod(0o755)
        for name in ("run", "state", "mail"):
            (directory / name).mkdir()
        certify(directory)
        (directory / "users").write_text("")
        self._configure()

    @property
    def certificate(self) -> Path:
        return self.directory / "cert.pem"

    def _configure(self) -> None:
        # Root may not have mail there; whoever else runs it has their own.
        root = os.getuid() == 0
        mine = pwd.getpwuid(os.getuid())
        nobody = pwd.getpwnam("nobody") if root else mine
        self._owner = (nobody.pw_uid, nobody.pw_gid)
        os.chown(self.directory / "mail", *self._owner)
        text = SETTINGS.format(
            directory=self.directory,
            password=PASSWORD,
            inner=nobody.pw_name,
            inner_group=grp.getgrgid(nobody.pw_gid).gr_name,
            uid=nobody.pw_uid,
            gid=nobody.pw_gid,
            port=self.port,
            tls_port=self.tls_port,
        )
        (self.directory / "dovecot.conf").write_text(text)

    def start(self) -> None:
        command = shutil.which("dovecot", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        assert command is not None, "Dovecot is missing: tools/need dovecot=dovecot-imapd"
        self._process = subprocess.Popen(
            [command, "-F", "-c", str(self.directory / "dovecot.conf")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5) as peer:
                    if peer.recv(4):
                        return
            except OSError:
                time.sleep(0.05)
        raise AssertionError((self.directory / "log").read_text())

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE)
            self._process = None
        shutil.rmtree(self.directory)

    def mailbox(self, user: str) -> imapclient.IMAPClient:
        """A connection of somebody else to a mailbox, its inbox open."""
        client = imapclient.IMAPClient("127.0.0.1", self.port, ssl=False, timeout=20)
        client.login(user, PASSWORD)
        client.select_folder("INBOX")
        return client

    def deliver(self, user: str, raw: bytes, at: datetime.datetime) -> None:
        """Put a mail into a mailbox."""
        lines = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        with self.mailbox(user) as client:
            client.append("INBOX", lines, msg_time=at)

    def forget_numbers(self, user: str) -> None:
        """Number the mails of a mailbox anew, as after it was restored."""
        for name in (
            "dovecot-uidlist",
            "dovecot.index",
            "dovecot.index.log",
            "dovecot.index.cache",
        ):
            for path in (self.directory / "mail" / user / "Maildir").glob(f"{name}*"):
                path.unlink()
        (self.directory / "mail" / user / "Maildir" / "dovecot-uidvalidity").unlink(missing_ok=True)


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
