"""All that takes mail in while the platform is served: the listener, and who fetches by IMAP."""

from __future__ import annotations

import threading

import structlog

from user360.access.workspaces import Workspace
from user360.channels import settings
from user360.channels.declared import Email, Imap
from user360.channels.email import certificate
from user360.channels.email.addresses import CHANNEL
from user360.channels.email.certificate import Certificate
from user360.channels.email.fetching import Fetching
from user360.channels.email.intake import Intake
from user360.channels.email.listener import Listener, Secured
from user360.conversations.desk import Channel
from user360.errors import Invalid, Problem
from user360.platform import Platform

log = structlog.get_logger()
LOOK_SECONDS = 1.0
CLOSE_SECONDS = 15.0
REQUIRED = "required"


class Office:
    """Takes mail in: `host` is where it listens, the ports are those of the settings."""

    def __init__(self, platform: Platform) -> None:
        self.host = "127.0.0.1"
        self._platform = platform
        self._intake = Intake(platform)
        own = platform.settings
        ports = {"smtp": own.smtp_port, "lmtp": own.lmtp_port}
        wanted = {name: port for name, port in ports.items() if port}
        self.listener = Listener(platform, self._intake, wanted)
        self._fetching: dict[int, Fetching] = {}
        self._seen: dict[int, Channel | None] = {}
        self._followed: dict[int, Channel | None] = {}
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="mailboxes", daemon=True)

    def start(self) -> None:
        """Raises `Unavailable` when a port cannot be had, `Invalid` for a wrong certificate."""
        self.listener.start(self.host, self._secured())
        self._thread.start()

    def _secured(self) -> Secured | None:
        own = self._platform.settings
        if not own.smtp_certificate:
            given = certificate.KEY if own.smtp_key else "USER360_SMTP_TLS"
            if own.smtp_key or own.smtp_tls == REQUIRED:
                raise Invalid.at(given, f"{given} needs {certificate.NAME}, which is not set")
            return None
        made = Certificate(own.smtp_certificate, own.smtp_key)
        return Secured(made, required=own.smtp_tls == REQUIRED)

    def close(self) -> None:
        self._closing.set()
        self.listener.close()
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)
        for fetching in self._fetching.values():
            fetching.stop()
        for fetching in self._fetching.values():
            fetching.close()

    def _loop(self) -> None:
        while not self._closing.is_set():
            for workspace in list(self._platform.workspaces.values()):
                self._follow(workspace)
            self._closing.wait(LOOK_SECONDS)

    def _follow(self, workspace: Workspace) -> None:
        """Fetch as the channel is set now; who fetches otherwise ends first."""
        channel = workspace.desk.channels.get(CHANNEL)
        # It is another object after every change, a moment before that is on disk: what stood for
        # one look can be read.
        before, self._seen[workspace.id] = self._seen.get(workspace.id), channel
        if channel is not before or channel is self._followed.get(workspace.id):
            return
        try:
            access = self._access(workspace, channel)
        except Problem as problem:
            log.warning("mailbox not read", workspace=workspace.id, reason=problem.code)
            return
        self._followed[workspace.id] = channel
        running = self._fetching.get(workspace.id)
        if running is not None and running.access == access:
            return
        if running is not None:
            running.close()
            del self._fetching[workspace.id]
        if access is not None and not self._closing.is_set():
            made = Fetching(self._platform, workspace, self._intake, access)
            self._fetching[workspace.id] = made
            made.start()

    def _access(self, workspace: Workspace, channel: Channel | None) -> Imap | None:
        if channel is None or not channel.active:
            return None
        access = settings.whole(self._platform, workspace, CHANNEL, Email).imap
        return access if access.host else None
