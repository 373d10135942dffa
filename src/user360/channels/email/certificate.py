"""The certificate that the listener shows to who asks for TLS, read again once it was renewed."""

from __future__ import annotations

import ssl
import threading
from pathlib import Path

import structlog

from user360.errors import Invalid

log = structlog.get_logger()
NAME, KEY = "USER360_SMTP_CERTIFICATE", "USER360_SMTP_KEY"


class Certificate:
    """A certificate with its chain and its key, both PEM; the key may stand in the same file."""

    def __init__(self, certificate: str, key: str = "") -> None:
        """Raises `Invalid`, which names the setting and what is wrong with it."""
        self._files = Path(certificate), Path(key or certificate)
        self._lock = threading.Lock()
        self._seen = self._stamps()
        self._context = self._read()

    def context(self) -> ssl.SSLContext:
        """What a conversation is encrypted with, by the files as they are now.

        While these cannot be used, say halfway through being renewed, it is the one before.
        """
        with self._lock:
            stamps = self._stamps()
            if stamps != self._seen:
                self._seen = stamps
                try:
                    self._context = self._read()
                    log.info("certificate for mail read again")
                except Invalid as error:
                    log.error("certificate for mail not read again", reason=error.detail)
            return self._context

    def _stamps(self) -> list[tuple[int, int, int]]:
        """What changes when the files do."""
        found = []
        for file in self._files:
            try:
                known = file.stat()
                found.append((known.st_ino, known.st_size, known.st_mtime_ns))
            except OSError:
                found.append((0, 0, 0))
        return found

    def _read(self) -> ssl.SSLContext:
        for variable, file in zip((NAME, KEY), self._files, strict=True):
            try:
                file.read_bytes()
            except OSError as error:
                why = f"{file} cannot be read: {error.strerror}"
                raise Invalid.at(variable, f"{variable}: {why}") from error
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(*self._files, password=_asked)
        except _Locked as error:
            raise Invalid.at(KEY, f"{KEY}: the key must not need a password") from error
        except (ssl.SSLError, ValueError) as error:
            why = "these are not a certificate and its key in PEM"
            raise Invalid.at(NAME, f"{NAME}, {KEY}: {why}") from error
        return context


class _Locked(Exception):
    """The key is encrypted."""


def _asked() -> str:
    raise _Locked
