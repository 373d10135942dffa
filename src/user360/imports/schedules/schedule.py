"""A scheduled import: where its files are, when they are looked for, how they are imported."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

PATTERN = "userdata_*.csv"


class Files(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What every place has: `pattern`, which files there are meant (`*`, `?` and `[...]`)."""

    SECRET: ClassVar[tuple[str, ...]] = ()
    # What a secret was given for; it is not kept for another of these.
    WHERE: ClassVar[tuple[str, ...]] = ()

    pattern: str = PATTERN


class Folder(Files, frozen=True, tag_field="kind", tag="folder"):
    """A folder beneath the one that the server keeps for the workspace; empty is that one."""

    path: str = ""


class Bucket(Files, frozen=True, kw_only=True, tag_field="kind", tag="s3"):
    """A bucket of S3, or of what understands S3 at `endpoint`. Without keys it must be public."""

    SECRET: ClassVar[tuple[str, ...]] = ("secret_key",)
    WHERE: ClassVar[tuple[str, ...]] = ("bucket", "endpoint", "region", "access_key")

    bucket: str
    prefix: str = ""
    region: str = "us-east-1"
    endpoint: str = ""
    access_key: str = ""
    secret_key: str = ""


class Sftp(Files, frozen=True, kw_only=True, tag_field="kind", tag="sftp"):
    """A directory of an SFTP server, known by `host_key` (a line of OpenSSH, `ssh-ed25519 ...`)."""

    SECRET: ClassVar[tuple[str, ...]] = ("password", "private_key", "passphrase")
    WHERE: ClassVar[tuple[str, ...]] = ("host", "port", "user", "host_key")

    host: str
    user: str
    host_key: str
    port: int = 22
    path: str = "."
    password: str = ""
    private_key: str = ""
    passphrase: str = ""


Place = Folder | Bucket | Sftp
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class Once(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="repeat", tag="once"):
    """At one moment, `2026-11-22 09:30` by the clocks of the workspace."""

    at: str


class Daily(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="repeat", tag="daily"
):
    """Every day at a time, `09:30`."""

    time: str


class Weekly(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="repeat", tag="weekly"
):
    """Every week on a day."""

    weekday: Weekday
    time: str


class Monthly(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="repeat", tag="monthly"
):
    """Every month on a day; in a month without it on its last one."""

    day: int
    time: str


class Cron(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="repeat", tag="cron"):
    """By a cron expression of five fields."""

    cron: str


Calendar = Once | Daily | Weekly | Monthly | Cron


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """One scheduled import; the secrets of its place are sealed. Times are microseconds since 1970.

    `options` are the JSON of an import's options; `next_at` is when files are looked for next,
    None when never. One that is not `active` waits for nothing, and can still be run by hand.
    """

    id: int
    workspace: int
    name: str
    place: Place
    calendar: Calendar
    options: dict[str, Any]
    active: bool
    actor: str
    created_at: int
    next_at: int | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file, or of a look that brought none.

    `status` is `taken` for a file that became the import `job`, `failed` for one that could not be
    read or a place that could not be reached, `missing` where no file has such a name, `nothing`
    where each was imported before.
    """

    id: int
    at: int
    status: str
    reason: str = ""
    file: str | None = None
    version: str | None = None
    job: str | None = None
