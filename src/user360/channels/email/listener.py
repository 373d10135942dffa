"""Takes mail by SMTP and LMTP, on a loop of its own: said to be taken only once it is on disk."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session, TLSSetupException

from user360.access.workspaces import Workspace
from user360.channels.email import addresses
from user360.channels.email.certificate import Certificate
from user360.channels.email.intake import Intake
from user360.errors import Busy, Problem, Unavailable
from user360.platform import Platform

log = structlog.get_logger()
# Of a mail as it comes: 25 MB of files take a third more, written as text.
LARGEST = 36 * 1024 * 1024
LONGEST_LINE = 1_048_576  # the standard allows 1,000; many who write long ones mean no harm
MOST_RECIPIENTS = 100
CONNECTIONS = 64
AT_WORK = 4  # mails that are read at once
IDLE_SECONDS = 120.0
# What may be held of mails that are on their way in, and what a line takes besides its letters.
MOST_HELD, LINE_BYTES = 256 * 1024 * 1024, 90
# How long somebody may stay who hands in no mail, and how slowly one may come besides.
PATIENCE_SECONDS = 300.0
SLOWEST = 10_000  # bytes a second
CLOSE_SECONDS = 10.0
NAME = "user360"
FULL = "452 4.3.1 There is too much to do just now; try again"
CROWDED = "421 4.3.1 There is too much to do just now; try again"
FAILED = "451 4.3.0 The mail could not be kept just now; try again"


class Secured(NamedTuple):
    """How conversations by SMTP are encrypted; where `required`, no mail is taken in clear."""

    certificate: Certificate
    required: bool


class Handler:
    """What the protocol asks: whom mail is taken for, and what becomes of one."""

    def __init__(self, platform: Platform, intake: Intake, threads: ThreadPoolExecutor) -> None:
        self._platform = platform
        self._intake = intake
        self._threads = threads

    async def handle_EHLO(
        self,
        _server: SMTP,
        session: Session,
        _envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        session.host_name = hostname
        # Nobody signs in here, which the library offers over TLS.
        return [each for each in responses if not each[4:].startswith("AUTH")]

    async def handle_exception(self, error: Exception) -> str:
        """What nobody foresaw: logged by its kind alone, as what was sent may stand in it."""
        if isinstance(error, TLSSetupException):
            log.info("mail conversation not encrypted after all")
        else:
            log.error("mail conversation failed", kind=type(error).__name__)
        return FAILED

    async def handle_MAIL(
        self,
        server: Conversing,
        _session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        server.begin()
        if not self._platform.committer.room():
            return FULL
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients of one mail"
        if addresses.takes(self._platform, address) is None:
            return "550 5.1.1 There is no such mailbox here"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: Conversing, _session: Session, envelope: Envelope) -> str:
        loop = asyncio.get_running_loop()
        server.taking = True
        try:
            told = [
                await loop.run_in_executor(self._threads, self._take, recipient, envelope)
                for recipient in envelope.rcpt_tos
            ]
        finally:
            server.taking = False
            server.begin()
            server.heed()
        if isinstance(server, LMTP):
            return "\r\n".join(told)  # one answer for each recipient
        # By SMTP there is one for all: what was taken for some is known when it comes again.
        return next((each for each in told if not each.startswith("2")), told[0])

    def _take(self, recipient: str, envelope: Envelope) -> str:
        workspace: Workspace | None = addresses.takes(self._platform, recipient)
        if workspace is None:
            return "550 5.1.1 There is no such mailbox here any more"
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode()
        sender = envelope.mail_from or ""
        try:
            self._intake.take(workspace, raw, envelope=sender, recipient=recipient)
        except (Busy, Unavailable):
            return FULL
        except Problem as problem:
            log.warning("mail not taken in", workspace=workspace.id, reason=problem.code)
            return FAILED
        except Exception as error:
            log.error("mail not taken in", workspace=workspace.id, exc_info=error)
            return FAILED
        return "250 2.0.0 Taken"


class Conversing(SMTP):
    """The library's protocol, which bears long lines and ends with who sends without an end.

    `full` turns away who comes while there are too many; `taking` is while a mail is taken in.
    `held` is what a mail on its way in takes here, `others` are all that are here, this one too.
    """

    line_length_limit = LONGEST_LINE
    full = False
    taking = False
    others: set[Conversing]
    held = 0
    _came = 0
    _since = 0.0

    def begin(self) -> None:
        """Another mail begins."""
        self._came = self.held = 0

    def heed(self) -> None:
        """Somebody hands in mails here: there is time for another."""
        self._since = self.loop.time()

    def leave(self) -> None:
        """End the conversation."""
        if self.transport is not None:
            self.transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Of the same one that goes on by TLS it was decided before.
        self.full = self not in self.others and len(self.others) >= CONNECTIONS
        if self.full and isinstance(transport, asyncio.Transport):
            transport.write(b"421 4.3.2 Too many connections; try again\r\n")
            transport.close()
            return
        if self not in self.others:
            self.others.add(self)
            self.heed()
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self.full:
            return
        self._came += len(data)
        self.held += len(data) + LINE_BYTES * data.count(b"\n")
        if self._came > 2 * LARGEST or self.held > MOST_HELD or self._left() <= 0:
            self.leave()
        elif sum(each.held for each in self.others) > MOST_HELD:
            if self.transport is not None:
                self._writer.write(f"{CROWDED}\r\n".encode())
            self.leave()
        else:
            self._reset_timeout()
            super().data_received(data)

    def _reset_timeout(self, duration: float | None = None) -> None:
        """Nobody may be silent for long, nor keep a place for long by saying little."""
        super()._reset_timeout(max(0.001, min(duration or IDLE_SECONDS, self._left())))

    def _left(self) -> float:
        """Seconds until a mail must have been handed in."""
        until = self._since + PATIENCE_SECONDS + self._came / SLOWEST
        return until - self.loop.time()

    def _timeout_cb(self) -> None:
        if self.taking:  # what waits for our answer is not too slow
            self.heed()
            self._reset_timeout()
        else:
            self.leave()

    def connection_lost(self, error: Exception | None) -> None:
        self.others.discard(self)
        if not self.full:
            super().connection_lost(error)


class ConversingLocally(LMTP, Conversing):
    """The same for mail servers that hand over mail they have taken."""


class Listener:
    """Listens while the platform is served, by SMTP and LMTP at the ports that are given.

    `ports` has the port for each that is wanted, 0 for a free one; once started, those it has.
    """

    def __init__(self, platform: Platform, intake: Intake, ports: Mapping[str, int]) -> None:
        self.ports = dict(ports)
        self._threads = ThreadPoolExecutor(AT_WORK, thread_name_prefix="mail")
        self._handler = Handler(platform, intake, self._threads)
        self._loop: asyncio.AbstractEventLoop
        self._thread: threading.Thread | None = None  # once there is something to listen for
        self._servers: list[asyncio.Server] = []
        self._open: set[Conversing] = set()
        self._secured: Secured | None = None

    def start(self, host: str, secured: Secured | None = None) -> None:
        """Listen at a host. Raises `Unavailable` when a port cannot be had."""
        if not self.ports:
            return
        self._secured = secured
        # The library would tell of every peer and address.
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="smtp", daemon=True)
        self._thread.start()
        for name, port in self.ports.items():
            listening = asyncio.run_coroutine_threadsafe(self._listen(name, host, port), self._loop)
            try:
                self.ports[name] = listening.result()
            except OSError as error:
                where = f"Cannot listen for mail ({name}) at {host}:{port}"
                raise Unavailable(f"{where}: {error.strerror}") from error
            log.info("listening for mail", by=name, port=self.ports[name])

    def close(self) -> None:
        """Take no more; what is being taken in is answered first."""
        if self._thread is not None:
            ending = asyncio.run_coroutine_threadsafe(self._end(), self._loop)
            with contextlib.suppress(TimeoutError):
                ending.result(CLOSE_SECONDS)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(CLOSE_SECONDS)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    async def _listen(self, name: str, host: str, port: int) -> int:
        made = KINDS[name]
        server = await self._loop.create_server(lambda: self._conversing(made), host, port)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    def _conversing(self, kind: type[Conversing]) -> Conversing:
        # By LMTP a mail server beside this one hands over what it has taken.
        secured = None if issubclass(kind, LMTP) else self._secured
        made = kind(
            self._handler,
            data_size_limit=LARGEST,
            enable_SMTPUTF8=True,
            hostname=NAME,
            ident="User 360",
            timeout=IDLE_SECONDS,
            tls_context=None if secured is None else secured.certificate.context(),
            require_starttls=secured is not None and secured.required,
            loop=self._loop,
        )
        made.others = self._open
        return made

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        waiting = [each for each in self._open if each.taking]
        for each in set(self._open) - set(waiting):
            each.leave()
        while any(each.taking for each in waiting):
            await asyncio.sleep(0.01)
        for each in waiting:
            each.leave()


KINDS: Mapping[str, type[Conversing]] = {"smtp": Conversing, "lmtp": ConversingLocally}
