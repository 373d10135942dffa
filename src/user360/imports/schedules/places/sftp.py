"""An SFTP server, known by its host key; nothing of the server's own SSH settings is used."""

from __future__ import annotations

import asyncio
import posixpath
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from user360.errors import Invalid, Unavailable
from user360.imports.schedules.places import CHANGED, CHUNK, Found, meant
from user360.imports.schedules.schedule import Sftp

if TYPE_CHECKING:
    from asyncssh import SFTPClient

Result = TypeVar("Result")
CONNECT_SECONDS = 15.0
READ_SECONDS = 60.0


class SftpReader:
    """Reads one directory of the server; a file's version is its size and modification time."""

    def __init__(self, place: Sftp) -> None:
        self._place = place

    def look(self) -> list[Found]:
        """See `Reader.look`."""
        return asyncio.run(self._asked(self._listed))

    def fetch(self, found: Found, target: Path, check: Callable[[], None]) -> None:
        """See `Reader.fetch`."""

        async def copied(client: SFTPClient) -> None:
            path = posixpath.join(self._place.path, found.name)
            async with client.open(path, "rb") as file:
                with target.open("wb") as copy:
                    while data := await asyncio.wait_for(file.read(CHUNK), READ_SECONDS):
                        check()
                        copy.write(cast(bytes, data))
                        if copy.tell() > found.size:
                            raise Unavailable(CHANGED)
                if _found(found.name, await file.stat()) != found:
                    raise Unavailable(CHANGED)

        asyncio.run(self._asked(copied))

    async def _listed(self, client: SFTPClient) -> list[Found]:
        async with asyncio.timeout(READ_SECONDS):
            return await self._entries(client)

    async def _entries(self, client: SFTPClient) -> list[Found]:
        found = []
        async for each in client.scandir(self._place.path):
            name = str(each.filename)
            regular = each.attrs.permissions is None or stat.S_ISREG(each.attrs.permissions)
            if regular and meant(name, self._place.pattern) and "/" not in name:
                found.append(_found(name, each.attrs))
        return sorted(found, key=lambda each: each.name)

    async def _asked(self, question: Callable[[SFTPClient], Awaitable[Result]]) -> Result:
        """The answer of a connected server; what it refuses in our own words."""
        import asyncssh

        try:
            async with _connected(self._place) as client:
                return await question(client)
        except asyncssh.HostKeyNotVerifiable:
            raise Unavailable("The server does not have the host key that is expected") from None
        except asyncssh.PermissionDenied:
            raise Unavailable("The server does not let this user in") from None
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            raise Unavailable("There is no such directory on the server") from None
        except asyncssh.SFTPError as error:
            raise Unavailable(f"The server refuses to read this ({type(error).__name__})") from None
        except TimeoutError:
            raise Unavailable("The server did not answer in time") from None
        except (OSError, asyncssh.Error) as error:
            said = getattr(error, "strerror", None) or type(error).__name__
            raise Unavailable(f"The server cannot be reached: {said}") from None


@asynccontextmanager
async def _connected(place: Sftp) -> AsyncIterator[SFTPClient]:
    import asyncssh

    async with (
        asyncssh.connect(
            place.host,
            place.port,
            username=place.user,
            password=place.password or None,
            client_keys=[private_key(place)] if place.private_key else None,
            known_hosts=([host_key(place)], [], []),
            config=None,
            agent_path=None,
            x509_trusted_certs=None,
            connect_timeout=CONNECT_SECONDS,
            login_timeout=CONNECT_SECONDS,
        ) as connection,
        connection.start_sftp_client() as client,
    ):
        yield client


def host_key(place: Sftp) -> Any:
    """The key the server must have. Raises `Invalid`."""
    import asyncssh

    try:
        return asyncssh.import_public_key(place.host_key)
    except (asyncssh.KeyImportError, ValueError):
        message = "hostKey must be a public key as OpenSSH writes it, such as ssh-ed25519 AAAA..."
        raise Invalid.at("hostKey", message) from None


def private_key(place: Sftp) -> Any:
    """The key to log in with. Raises `Invalid`."""
    import asyncssh

    try:
        return asyncssh.import_private_key(place.private_key, place.passphrase or None)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError):
        message = "privateKey must be a private key in PEM or OpenSSH form that passphrase opens"
        raise Invalid.at("privateKey", message) from None


def _found(name: str, attributes: Any) -> Found:
    size, modified = attributes.size or 0, attributes.mtime or 0
    return Found(name, f"{size}-{modified}", size)
