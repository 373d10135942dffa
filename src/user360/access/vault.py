"""The directory's own key: what is kept secret is sealed with it, whom it must know hashed.

The key never leaves the data directory but in a backup. Whoever has the ledger alone can neither
read what was sealed nor find out by trying whom a digest stands for.
"""

from __future__ import annotations

import base64
import hmac
import os
import secrets
from hashlib import sha256
from pathlib import Path

from user360.errors import StorageFailed

FILE = "vault.key"
SIZE = 32  # bytes
LOST = (
    "{path} is missing, by which erased people are known; take it from a backup. If it is lost for"
    " good, put {size} random bytes there: erased people may then come again"
)


class Vault:
    """Seals texts and makes keyed digests of them, with two keys derived from one."""

    def __init__(self, key: bytes) -> None:
        self._sealing = hmac.digest(key, b"user360 seal", sha256)
        self._hashing = hmac.digest(key, b"user360 digest", sha256)

    @classmethod
    def open(cls, directory: Path, used: bool = False) -> Vault:
        """The vault of a data directory; its key is made at the first time, for its owner alone.

        Raises `StorageFailed` when the key can be neither read nor written, is damaged, or is not
        there although it was `used`: another one would let in whom this one keeps away.
        """
        path = directory / FILE
        try:
            if not path.exists():
                if used:
                    raise StorageFailed(LOST.format(path=path, size=SIZE))
                _make(path)
            key = path.read_bytes()
        except OSError as error:
            raise StorageFailed(f"{path} cannot be used: {error.strerror}") from error
        if len(key) != SIZE:
            raise StorageFailed(f"{path} is damaged: it must hold {SIZE} bytes")
        return cls(key)

    def seal(self, text: str) -> str:
        """The text, encrypted and signed."""
        from cryptography.fernet import Fernet

        return Fernet(base64.urlsafe_b64encode(self._sealing)).encrypt(text.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """The text that was sealed. Raises `StorageFailed` for what this vault did not seal."""
        from cryptography.fernet import Fernet, InvalidToken

        try:
            return Fernet(base64.urlsafe_b64encode(self._sealing)).decrypt(sealed).decode()
        except InvalidToken as error:
            raise StorageFailed("This was sealed with another key; put back vault.key") from error

    def digest(self, workspace: int, text: str) -> str:
        """A keyed hash of 64 hexadecimal digits; the same text differs between workspaces."""
        return hmac.digest(self._hashing, f"{workspace}:{text}".encode(), sha256).hex()


def _make(path: Path) -> None:
    """Write a fresh key, whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, secrets.token_bytes(SIZE))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    part.rename(path)
