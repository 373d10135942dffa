"""Addresses: of whoever writes as they identify a person, and of the channels that take mail."""

from __future__ import annotations

from datetime import UTC
from typing import NamedTuple

import email_validator

from user360.access.workspaces import Workspace
from user360.platform import Platform
from user360.records import values
from user360.records.properties import Type

CHANNEL = "email"
LONGEST_NAME = 100


class Address(NamedTuple):
    """An address as it was written, with the name before it."""

    address: str
    name: str = ""


def identifying(address: str) -> str:
    """The address as it identifies a person: in lower case and normalised; empty for none."""
    try:
        found = values.parse(Type.EMAIL, address, UTC)
    except values.BadValue:
        return ""
    return found if isinstance(found, str) else ""


def alike(address: str) -> str:
    """The form in which two writings of one mailbox are equal, whatever its domain; else empty."""
    try:
        found = email_validator.validate_email(
            address.strip(),
            check_deliverability=False,
            test_environment=True,
            allow_domain_literal=True,
        )
    except email_validator.EmailNotValidError:
        return ""
    return found.normalized.lower()


def untagged(address: str) -> tuple[str, str]:
    """An address without what stands after a plus in it, and that: `a+tag@b` is `a@b`, `tag`."""
    local, _, domain = address.rpartition("@")
    local, _, tag = local.partition("+")
    return f"{local}@{domain}", tag


def of_channel(workspace: Workspace) -> str:
    """The address of a workspace's e-mail channel; empty when it takes none."""
    channel = workspace.desk.channels.get(CHANNEL)
    if channel is None or not channel.active:
        return ""
    return alike(str(channel.settings.get("address", "")))


def takes(platform: Platform, address: str) -> Workspace | None:
    """The workspace that takes mail for an address, with or without something after a plus."""
    whole = alike(address)
    if not whole:
        return None
    wanted = {whole, untagged(whole)[0]}
    for workspace in list(platform.workspaces.values()):
        if of_channel(workspace) in wanted:
            return workspace
    return None


def is_ours(workspace: Workspace, address: str) -> bool:
    """Whether mail from this address comes from the workspace's own channel."""
    own, whole = of_channel(workspace), alike(address)
    return bool(own and whole) and own in (whole, untagged(whole)[0])


def names(display: str) -> dict[str, str]:
    """First and last name out of the name beside an address: `Asha Rao` or `Rao, Asha`."""
    name = " ".join(display.strip(" '\"").split())[:LONGEST_NAME]
    if not name or "@" in name or not name.isprintable():
        return {}
    last, comma, first = (part.strip() for part in name.partition(","))
    if not comma:
        first, _, last = name.partition(" ")
    return {k: v for k, v in (("firstName", first), ("lastName", last)) if v}
