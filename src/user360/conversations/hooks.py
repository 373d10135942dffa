"""Webhooks: who is told of what customers say, in which format, signed with which secret.

A secret is shown once, when it is made; both it and the authorization that the other side wants
are kept sealed. Changes are audited and reach the desk at once.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

import msgspec

from user360.access.change import Change
from user360.access.vault import Vault
from user360.conversations import managing
from user360.errors import Fault, Invalid, NotFound
from user360.storage.ledger import Connection, array, text

FORMATS = ("user360", "rasa", "botpress")
LONGEST = 2_048  # characters of an address, or of an authorization
MOST = 50  # webhooks of a workspace
MOST_CHANNELS = 100
_texts = msgspec.json.Decoder(tuple[str, ...]).decode
COLUMNS = "id, url, format, channels, active, created_at, secret"


class Sealed(msgspec.Struct, frozen=True):
    """What is kept secret of a webhook.

    `key` signs what is sent; `authorization` is the header of this name, empty for none.
    """

    key: str
    authorization: str = ""


class Hook(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook; it is told of what is said on its `channels`, or on all of them without any."""

    id: int
    url: str
    format: str
    channels: tuple[str, ...]
    active: bool
    created_at: int
    sealed: Sealed

    def hears(self, channel: str) -> bool:
        """Whether it is told of what is said on a channel."""
        return not self.channels or channel in self.channels


def listed(connection: Connection, vault: Vault, workspace: int) -> list[Hook]:
    """The webhooks of a workspace, by number."""
    query = f"SELECT {COLUMNS} FROM hooks WHERE workspace_id = :workspace ORDER BY id"
    rows = connection.execute(text(query), {"workspace": workspace})
    return [_hook(row, vault) for row in rows]


def one(connection: Connection, vault: Vault, workspace: int, number: int) -> Hook | None:
    """A webhook of a workspace, None when there is none by this number."""
    query = f"SELECT {COLUMNS} FROM hooks WHERE workspace_id = :workspace AND id = :id"
    given = {"workspace": workspace, "id": number}
    row = connection.execute(text(query), given).one_or_none()
    return None if row is None else _hook(row, vault)


def anywhere(connection: Connection, vault: Vault, number: int) -> tuple[int, Hook] | None:
    """A webhook of whichever workspace, with the number of that."""
    query = f"SELECT {COLUMNS}, workspace_id FROM hooks WHERE id = :id"
    row = connection.execute(text(query), {"id": number}).one_or_none()
    return None if row is None else (row.workspace_id, _hook(row, vault))


def make(change: Change, vault: Vault, given: dict[str, Any]) -> Hook:
    """Make a webhook of what is given: `url`, and as `edit` takes them. Raises `Invalid`."""
    held = change.connection.execute(
        text("SELECT count(*) FROM hooks WHERE workspace_id = :workspace"),
        {"workspace": change.workspace.id},
    ).scalar_one()
    if held >= MOST:
        raise Invalid(f"A workspace has at most {MOST} webhooks")
    usual = {"format": FORMATS[0], "channels": (), "active": True, "url": ""}
    _check({**usual, **given})
    sealed = Sealed(secrets.token_urlsafe(32), given.get("authorization") or "")
    number = change.connection.execute(
        text(
            "INSERT INTO hooks (workspace_id, url, secret, format, channels, active, created_at)"
            " VALUES (:workspace, :url, :secret, :format, :channels, :active, :now) RETURNING id"
        ),
        {**_row({**usual, **given}, sealed, vault, change.workspace.id), "now": change.now},
    ).scalar_one()
    change.audit("hook.make", f"hook:{number}")
    managing.reload(change)
    return _need(change, vault, number)


def edit(change: Change, vault: Vault, number: int, given: dict[str, Any]) -> Hook:
    """Change what is given: `url`, `format`, `channels`, `active`, `authorization`.

    An authorization is for the server it was given for: whoever names another gives it anew.
    Raises `NotFound`, `Invalid` naming each bad one.
    """
    found = _need(change, vault, number)
    merged = {**msgspec.structs.asdict(found), **given}
    _check(merged)
    moved = _server(merged["url"]) != _server(found.url)
    if moved and found.sealed.authorization and "authorization" not in given:
        message = "Give the authorization again: what is kept was for another server"
        raise Invalid.at("authorization", message)
    authorization = given.get("authorization", found.sealed.authorization) or ""
    sealed = Sealed(found.sealed.key, authorization)
    change.connection.execute(
        text(
            "UPDATE hooks SET url = :url, secret = :secret, format = :format,"
            " channels = :channels, active = :active"
            " WHERE workspace_id = :workspace AND id = :id"
        ),
        {**_row(merged, sealed, vault, change.workspace.id), "id": number},
    )
    change.audit("hook.edit", f"hook:{number}", changed=sorted(given))
    managing.reload(change)
    return _need(change, vault, number)


def delete(change: Change, number: int) -> None:
    """Remove a webhook with what it was still to be told. Raises `NotFound`."""
    given = {"workspace": change.workspace.id, "id": number, "way": f"webhook:{number}"}
    for statement in (
        "DELETE FROM hooks WHERE workspace_id = :workspace AND id = :id RETURNING id",
        "DELETE FROM deliveries WHERE workspace_id = :workspace AND way = :way RETURNING id",
    ):
        found = change.connection.execute(text(statement), given).all()
        if not found and statement.startswith("DELETE FROM hooks"):
            raise NotFound("There is no such webhook")
    change.audit("hook.delete", f"hook:{number}")
    managing.reload(change)


def _need(change: Change, vault: Vault, number: int) -> Hook:
    found = one(change.connection, vault, change.workspace.id, number)
    if found is None:
        raise NotFound("There is no such webhook")
    return found


def _hook(row: Any, vault: Vault) -> Hook:
    sealed = msgspec.json.decode(vault.unseal(row.secret.decode()), type=Sealed)
    return Hook(
        id=row.id,
        url=row.url,
        format=row.format,
        channels=_texts(row.channels),
        active=bool(row.active),
        created_at=row.created_at,
        sealed=sealed,
    )


def _row(merged: dict[str, Any], sealed: Sealed, vault: Vault, workspace: int) -> dict[str, Any]:
    return {
        "workspace": workspace,
        "url": merged["url"],
        "secret": vault.seal(msgspec.json.encode(sealed).decode()).encode(),
        "format": merged["format"],
        "channels": array(list(dict.fromkeys(merged["channels"]))),
        "active": merged["active"],
    }


def _check(given: dict[str, Any]) -> None:
    faults = _wrong_url(given["url"])
    if given["format"] not in FORMATS:
        message = f"format must be one of {', '.join(FORMATS)}"
        faults.append(Fault("format", "invalid", message))
    faults += _wrong_channels(given["channels"])
    authorization = given.get("authorization") or ""
    if len(authorization) > LONGEST or not (
        authorization.isascii() and authorization.isprintable()
    ):
        message = f"authorization is one line of at most {LONGEST} ASCII characters"
        faults.append(Fault("authorization", "invalid", message))
    if faults:
        raise Invalid(faults[0].message, faults=faults)


def _wrong_url(url: str) -> list[Fault]:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if good and url.isprintable() and " " not in url and len(url) <= LONGEST:
        return []
    message = f"url must begin with https:// or http://, at most {LONGEST} characters"
    return [Fault("url", "invalid", message)]


def _server(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _wrong_channels(channels: Collection[str]) -> list[Fault]:
    found = []
    if len(channels) > MOST_CHANNELS:
        found.append(Fault("channels", "invalid", f"at most {MOST_CHANNELS} channels are named"))
    for i, name in enumerate(channels):
        if not 1 <= len(name) <= 64 or not name.isprintable():
            message = "a channel's name is 1 to 64 characters"
            found.append(Fault(f"channels.{i}", "invalid", message))
    return found
