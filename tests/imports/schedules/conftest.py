"""A real SFTP server and a real S3-compatible one, on this machine, for as long as a test needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import asyncssh
import obstore
import pytest
from anyio.from_thread import start_blocking_portal
from moto.server import ThreadedMotoServer
from obstore.store import S3Store

from user360.imports.schedules.schedule import Bucket, Sftp

PASSWORD = "let me in"
KEYS = {"access_key_id": "AK", "secret_access_key": "SK"}


class SftpServer(NamedTuple):
    """A running server: its directory, its key, a key that it lets in, and where it is."""

    directory: Path
    host_key: str
    user_key: str
    port: int

    def place(self, **given: Any) -> Sftp:
        usual = {"password": PASSWORD, "host_key": self.host_key, "port": self.port}
        return Sftp(**{"host": "127.0.0.1", "user": "u360", "path": "out", **usual, **given})


class _Door(asyncssh.SSHServer):
    def __init__(self, public: asyncssh.SSHKey) -> None:
        self._public = public

    def begin_auth(self, username: str) -> bool:  # noqa: ARG002 - asyncssh's own
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("u360", PASSWORD)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == "u360" and key == self._public


@pytest.fixture(scope="module")
def keys() -> tuple[asyncssh.SSHKey, asyncssh.SSHKey]:
    """The key of the server, and one of its user."""
    server = asyncssh.generate_private_key("ssh-ed25519")
    return server, asyncssh.generate_private_key("ssh-ed25519")


@pytest.fixture
def server(tmp_path: Path, keys: Any) -> Iterator[SftpServer]:
    """An SFTP server with a directory `out`."""
    host, user = keys
    root = tmp_path / "sftp"
    (root / "out").mkdir(parents=True)

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[host],
            server_factory=lambda: _Door(user.convert_to_public()),
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(root).encode()),
        )

    async def close(acceptor: asyncssh.SSHAcceptor) -> None:
        acceptor.close()
        await acceptor.wait_closed()

    with start_blocking_portal() as portal:
        acceptor = portal.call(listen)
        try:
            yield SftpServer(
                root / "out",
                host.export_public_key().decode(),
                user.export_private_key().decode(),
                acceptor.get_port(),
            )
        finally:
            portal.call(close, acceptor)


class S3Server(NamedTuple):
    """A running server with a bucket `people`."""

    endpoint: str
    bucket: S3Store

    def place(self, **given: Any) -> Bucket:
        keys = {"access_key": "AK", "secret_key": "SK", "endpoint": self.endpoint}
        return Bucket(**{"bucket": "people", "prefix": "in", **keys, **given})

    def put(self, name: str, data: bytes) -> None:
        obstore.put(self.bucket, name, data)


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    running = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def s3(moto: str) -> S3Server:
    """An S3-compatible server with an empty bucket."""
    import httpx

    assert httpx.post(f"{moto}/moto-api/reset").status_code == 200
    assert httpx.put(f"{moto}/people").status_code == 200
    store = S3Store(
        "people",
        config={"endpoint": moto, "region": "us-east-1", **KEYS},  # type: ignore[typeddict-item] # the keys are two of them
        client_options={"allow_http": True},
    )
    return S3Server(moto, store)
