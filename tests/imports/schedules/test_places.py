"""Folders, buckets and SFTP servers: what is there is found and copied, else a reason is told."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from tests.imports.schedules.conftest import S3Server, SftpServer
from user360.errors import Invalid, Unavailable
from user360.imports.schedules.places import Found, Reader, meant
from user360.imports.schedules.places.bucket import BucketReader
from user360.imports.schedules.places.folder import FolderReader
from user360.imports.schedules.places.sftp import SftpReader
from user360.imports.schedules.schedule import Folder
from user360.jobs.job import Cancelled

DATA = b"userId,city\nasha,Pune\n"
LARGE = os.urandom(3_000_000)


class Somewhere:
    """A place of any kind, with a way to put a file there."""

    def __init__(self, make: Callable[[], Reader], put: Callable[[str, bytes], None]) -> None:
        self.make, self.put = make, put


@pytest.fixture(params=["folder", "s3", "sftp"])
def somewhere(request: Any, tmp_path: Path) -> Somewhere:
    kind = request.param
    if kind == "s3":
        s3: S3Server = request.getfixturevalue("s3")
        return Somewhere(lambda: BucketReader(s3.place()), lambda n, d: s3.put(f"in/{n}", d))
    if kind == "sftp":
        server: SftpServer = request.getfixturevalue("server")
        return Somewhere(
            lambda: SftpReader(server.place()),
            lambda name, data: _write(server.directory / name, data),
        )
    own = tmp_path / "root" / "default"
    (own / "in").mkdir(parents=True)
    root = str(tmp_path / "root")
    return Somewhere(
        lambda: FolderReader(Folder(path="in"), root, "default"),
        lambda name, data: _write(own / "in" / name, data),
    )


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def ignored() -> None:
    """Nobody wants the copying to end early."""


def test_files_of_the_name_are_found_and_copied(somewhere: Somewhere, tmp_path: Path) -> None:
    for name in ("userdata_2.csv", "userdata_1.csv", "other.csv", ".userdata_3.csv"):
        somewhere.put(name, DATA)
    somewhere.put("userdata_large.csv", LARGE)
    somewhere.put("deeper/userdata_4.csv", DATA)
    place = somewhere.make()
    found = place.look()
    assert [f.name for f in found] == ["userdata_1.csv", "userdata_2.csv", "userdata_large.csv"]
    assert [f.size for f in found] == [len(DATA), len(DATA), len(LARGE)]
    target = tmp_path / "copy"
    place.fetch(found[0], target, ignored)
    assert target.read_bytes() == DATA
    place.fetch(found[2], target, ignored)
    assert target.read_bytes() == LARGE


def test_another_content_is_another_version(somewhere: Somewhere, tmp_path: Path) -> None:
    somewhere.put("userdata_1.csv", DATA)
    place = somewhere.make()
    (before,) = place.look()
    assert place.look() == [before]
    somewhere.put("userdata_1.csv", DATA + b"ravi,Goa\n")
    (after,) = somewhere.make().look()
    assert after.version != before.version
    with pytest.raises(Unavailable, match="changed while"):
        place.fetch(before, tmp_path / "copy", ignored)


def test_copying_ends_when_it_is_to(somewhere: Somewhere, tmp_path: Path) -> None:
    somewhere.put("userdata_1.csv", LARGE)
    place = somewhere.make()
    (found,) = place.look()

    def cancelled() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        place.fetch(found, tmp_path / "copy", cancelled)


def test_a_file_that_is_gone_is_told(somewhere: Somewhere, tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        somewhere.make().fetch(Found("userdata_1.csv", "1-1", 1), tmp_path / "copy", ignored)


def test_hidden_files_are_meant_only_by_name() -> None:
    assert meant("userdata_1.csv", "userdata_*.csv")
    assert not meant("USERDATA_1.csv", "userdata_*.csv")
    assert not meant(".hidden", "*")
    assert meant(".hidden", ".h*")


@pytest.mark.parametrize("path", ["../other", "/etc", "in/../../other", "link", "file", "gone"])
def test_no_folder_leads_out_of_those_of_the_workspace(tmp_path: Path, path: str) -> None:
    for name in ("default/in", "other"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "default" / "link").symlink_to(tmp_path / "other")
    (tmp_path / "default" / "file").write_text("x")
    with pytest.raises(Unavailable, match="no such folder"):
        FolderReader(Folder(path=path), str(tmp_path), "default")


def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    own = tmp_path / "default"
    own.mkdir()
    (tmp_path / "secret").write_text("secret")
    (own / "userdata_1.csv").symlink_to(tmp_path / "secret")
    place = FolderReader(Folder(), str(tmp_path), "default")
    assert place.look() == []
    with pytest.raises(Unavailable):
        place.fetch(Found("userdata_1.csv", "6-1", 6), tmp_path / "copy", ignored)


def test_without_a_root_no_folder_is_read() -> None:
    with pytest.raises(Unavailable, match="USER360_IMPORT_ROOT"):
        FolderReader(Folder(), "", "default")


def test_a_bucket_that_is_not_there_or_not_reached_is_told(s3: S3Server) -> None:
    with pytest.raises(Unavailable, match="no such bucket"):
        BucketReader(s3.place(bucket="elsewhere")).look()
    with pytest.raises(Unavailable, match="cannot be read") as problem:
        BucketReader(s3.place(endpoint="http://127.0.0.1:1")).look()
    assert "SK" not in problem.value.detail


def test_a_user_comes_in_with_a_key(server: SftpServer, keys: Any) -> None:
    (server.directory / "userdata_1.csv").write_bytes(DATA)
    place = server.place(password="", private_key=server.user_key)
    assert [f.name for f in SftpReader(place).look()] == ["userdata_1.csv"]
    sealed = keys[1].export_private_key(passphrase="open").decode()
    place = server.place(password="", private_key=sealed, passphrase="open")
    assert len(SftpReader(place).look()) == 1


def test_a_server_that_is_another_one_is_not_told_the_password(server: SftpServer) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    with pytest.raises(Unavailable, match="host key"):
        SftpReader(server.place(host_key=other)).look()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"password": "wrong"}, "does not let this user in"),
        ({"user": "nobody"}, "does not let this user in"),
        ({"path": "elsewhere"}, "no such directory"),
        ({"port": 1}, "cannot be reached"),
    ],
)
def test_a_server_that_refuses_is_told(
    server: SftpServer, given: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Unavailable, match=reason):
        SftpReader(server.place(**given)).look()


def test_keys_that_are_none_are_named(server: SftpServer) -> None:
    with pytest.raises(Invalid, match="hostKey"):
        SftpReader(server.place(host_key="nonsense")).look()
    with pytest.raises(Invalid, match="privateKey"):
        SftpReader(server.place(private_key="nonsense")).look()
