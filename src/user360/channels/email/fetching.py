"""Fetches the mail of one mailbox by IMAP: what is new, each once, the mailbox left as it is.

How far it was read stands in the channel's state, written after each mail that was taken in. A
process that ends between the two reads that mail again, and the intake knows it.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import imapclient
import msgspec
import structlog
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError

from user360.access.workspaces import Workspace
from user360.channels import settings
from user360.channels.declared import Imap
from user360.channels.email.addresses import CHANNEL
from user360.channels.email.intake import Intake
from user360.errors import Busy, Problem
from user360.platform import Platform

log = structlog.get_logger()
SECONDS = 30.0  # that a server may take for an answer
LOOK_SECONDS = 30.0  # between two looks, where the server tells of nothing before
FIRST_WAIT, LONGEST_WAIT = 2.0, 300.0
LARGEST = 64 * 1024 * 1024  # of a larger one only the headers are taken in
AT_ONCE = 100
CLOSE_SECONDS = 10.0
# How often a mail is tried that is refused for what it is, not for what is wrong with the storage.
MOST_TRIES = 5
TOLD = b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
TOO_LARGE = (
    TOLD + b"This mail is too large to be taken over (%d bytes). It is still in the mailbox.\r\n"
)
DEFIED = TOLD + b"This mail could not be taken over. It is still in the mailbox.\r\n"


class Place(msgspec.Struct, frozen=True):
    """How far the mailbox `of` was read: up to the mail `uid` of `validity`; last at `seen`, first
    at `began` (ISO 8601).

    `error` is what went wrong last and `failed_at` when; empty when all is well.
    """

    of: str = ""
    validity: int = 0
    uid: int = 0
    began: str = ""
    seen: str = ""
    error: str = ""
    failed_at: str = ""


class NoFolder(Exception):
    """The mailbox has no folder of the name that was set."""


class Fetching:
    """Follows one mailbox on a thread of its own until it is closed."""

    def __init__(
        self, platform: Platform, workspace: Workspace, intake: Intake, access: Imap
    ) -> None:
        self.access = access
        self._platform = platform
        self._workspace = workspace
        self._intake = intake
        self._place = _place(settings.state(platform, workspace, CHANNEL), access)
        self._was_well = False
        self._tried, self._tries = 0, 0  # the mail that was tried last, and how often
        self._closing = threading.Event()
        self._client: imapclient.IMAPClient | None = None
        self._thread = threading.Thread(
            target=self._follow, name=f"imap-{workspace.id}", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """End; a mail that is being taken in is taken in first."""
        self.stop()
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)

    def stop(self) -> None:
        """Begin to end."""
        self._closing.set()
        client = self._client
        if client is not None:
            # Wakes whoever waits for the server.
            with contextlib.suppress(OSError, AttributeError):
                client.socket().shutdown(socket.SHUT_RDWR)

    def _follow(self) -> None:
        wait = FIRST_WAIT
        while not self._closing.is_set():
            self._was_well = False
            reason = self._visited()
            if self._closing.is_set():
                return
            wait = FIRST_WAIT if self._was_well else min(2 * wait, LONGEST_WAIT)
            self._trouble(reason)
            self._closing.wait(wait)

    def _visited(self) -> str:
        """Follow the mailbox until the connection ends; why it did, naming no address."""
        try:
            with self._connected() as client:
                self._stay(client)
        except LoginError:
            return "The mail server does not let us in: user or password are not right"
        except ssl.SSLCertVerificationError:
            return "The certificate of the mail server cannot be trusted"
        except Problem as problem:
            return f"Mail could not be kept: {problem.detail}"
        except NoFolder:
            return "There is no such folder in the mailbox"
        except IMAPClientAbortError:
            return "The mail server ended the connection"
        except TimeoutError:
            return "The mail server did not answer in time"
        except (ssl.SSLError, IMAPClientError) as error:
            return f"The mail server and we could not agree how to talk ({type(error).__name__})"
        except OSError as error:
            return f"The mail server could not be reached: {error.strerror or 'no connection'}"
        except Exception as error:
            log.error("mailbox failed", workspace=self._workspace.id, exc_info=error)
            return "Something nobody foresaw; it has been logged"
        return "The mail server ended the connection"

    @contextlib.contextmanager
    def _connected(self) -> Any:
        access = self.access
        context = ssl.create_default_context()
        client = imapclient.IMAPClient(
            access.host,
            port=access.port,
            ssl=access.security == "tls",
            ssl_context=context,
            timeout=SECONDS,
        )
        self._client = client
        try:
            if access.security == "starttls":
                client.starttls(context)
            client.login(access.user, access.password)
            yield client
        finally:
            self._client = None
            with contextlib.suppress(Exception):
                client.shutdown()

    def _stay(self, client: imapclient.IMAPClient) -> None:
        self._begin(self._chosen(client))
        idles = client.has_capability("IDLE")
        while not self._closing.is_set():
            self._take_new(client)
            self._well()
            if idles:
                self._idle(client)
            else:
                self._closing.wait(LOOK_SECONDS)
                client.noop()

    def _chosen(self, client: imapclient.IMAPClient) -> dict[bytes, Any]:
        try:
            chosen: dict[bytes, Any] = client.select_folder(self.access.folder, readonly=True)
        except IMAPClientAbortError:
            raise
        except IMAPClientError as error:
            raise NoFolder from error
        return chosen

    def _idle(self, client: imapclient.IMAPClient) -> None:
        """Wait until the server tells of something."""
        client.idle()
        client.idle_check(timeout=LOOK_SECONDS)
        if not self._closing.is_set():
            client.idle_done()

    def _begin(self, chosen: dict[bytes, Any]) -> None:
        """Where to read on. What was there before this mailbox was set is left to whoever read it.

        A server that numbers its mails anew is read from the day it was seen last.
        """
        validity, place = int(chosen[b"UIDVALIDITY"]), self._place
        if place.validity == validity:
            return
        if not place.began:
            newest = max(0, int(chosen.get(b"UIDNEXT", 1)) - 1)
            self._keep(msgspec.structs.replace(place, validity=validity, uid=newest, began=_now()))
        else:
            self._keep(msgspec.structs.replace(place, validity=validity, uid=0))

    def _take_new(self, client: imapclient.IMAPClient) -> None:
        """Take in what is new, oldest first."""
        while not self._closing.is_set():
            # `n:*` answers with the last mail even where none is so far.
            asked: list[Any] = ["UID", f"{self._place.uid + 1}:*"]
            if self._place.uid == 0 and self._place.seen:
                since = datetime.fromisoformat(self._place.seen) - timedelta(days=1)
                asked += ["SINCE", since.date()]
            found = sorted(uid for uid in client.search(asked) if uid > self._place.uid)
            if not found:
                return
            for uid in found[:AT_ONCE]:
                if self._closing.is_set():
                    return
                self._take(client, uid)

    def _take(self, client: imapclient.IMAPClient, uid: int) -> None:
        told = client.fetch([uid], ["RFC822.SIZE", "INTERNALDATE"]).get(uid, {})
        size, came = int(told.get(b"RFC822.SIZE", 0)), told.get(b"INTERNALDATE")
        if told and not self._is_before(came):
            raw = self._raw(client, uid, size)
            if raw:
                self._hand_in(client, uid, raw)
        self._keep(msgspec.structs.replace(self._place, uid=uid))

    def _hand_in(self, client: imapclient.IMAPClient, uid: int, raw: bytes) -> None:
        """Have a mail taken in; of one that defies it again and again, that it is there.

        All that comes after it would wait for ever.
        """
        self._tries = self._tries + 1 if self._tried == uid else 1
        self._tried = uid
        told = self._head(client, uid) + DEFIED if self._tries > MOST_TRIES else raw
        try:
            self._intake.take(self._workspace, told)
        except Exception as error:
            passes = isinstance(error, Problem) and error.status >= Busy.status
            if passes or self._tries <= MOST_TRIES:
                self._tries -= passes
                raise
            log.error("mail passed over", workspace=self._workspace.id, exc_info=error)

    def _is_before(self, came: datetime | None) -> bool:
        """Whether a mail was there before the mailbox was set, where all are numbered anew."""
        if came is None or not self._place.began:
            return False
        began = datetime.fromisoformat(self._place.began)
        return came.astimezone(UTC) < began - timedelta(seconds=1)

    def _raw(self, client: imapclient.IMAPClient, uid: int, size: int) -> bytes:
        if size <= LARGEST:
            whole = client.fetch([uid], ["BODY.PEEK[]"]).get(uid, {})
            return bytes(whole.get(b"BODY[]") or b"")
        return self._head(client, uid) + TOO_LARGE % size

    def _head(self, client: imapclient.IMAPClient, uid: int) -> bytes:
        """What a mail says of itself, without what it says."""
        fields = "FROM TO CC REPLY-TO SUBJECT DATE MESSAGE-ID IN-REPLY-TO REFERENCES"
        fields += " AUTO-SUBMITTED PRECEDENCE LIST-ID RETURN-PATH X-LOOP"
        item = f"BODY.PEEK[HEADER.FIELDS ({fields})]"
        found = client.fetch([uid], [item]).get(uid, {})
        head = next((v for k, v in found.items() if k.startswith(b"BODY[")), b"")
        return bytes(head).rstrip(b"\r\n") + b"\r\n"

    # What is noted

    def _keep(self, place: Place) -> None:
        noted = msgspec.to_builtins(place)
        self._platform.write(lambda c: settings.note(c, self._workspace, CHANNEL, "imap", noted))
        self._place = place

    def _well(self) -> None:
        now, self._was_well = _now(), True
        if self._place.error or self._place.seen[:13] != now[:13]:
            self._keep(msgspec.structs.replace(self._place, seen=now, error="", failed_at=""))

    def _trouble(self, reason: str) -> None:
        log.warning("mailbox waits", workspace=self._workspace.id)
        if reason != self._place.error:
            with contextlib.suppress(Problem):
                place = msgspec.structs.replace(self._place, error=reason, failed_at=_now())
                self._keep(place)


def _place(state: dict[str, Any], access: Imap) -> Place:
    """How far a mailbox was read; another one than before is read from its own beginning."""
    of = f"{access.user}@{access.host}/{access.folder}"
    found = msgspec.convert(state.get("imap", {}), Place)
    return found if found.of == of else Place(of=of)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
