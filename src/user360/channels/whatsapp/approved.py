"""The templates that Meta has approved, fetched from the business account as Meta tells them."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from user360.access.workspaces import Workspace
from user360.channels import settings
from user360.channels.bringing import Permanent, Temporary
from user360.channels.declared import WhatsApp
from user360.channels.whatsapp import templates
from user360.channels.whatsapp.sending import Numbers
from user360.channels.whatsapp.templates import CHANNEL, Template
from user360.errors import Conflict, Unavailable
from user360.platform import Platform

APPROVED = "APPROVED"
# Buttons with nothing to fill in; those of other kinds need what nobody can give here.
PLAIN_BUTTONS = ("QUICK_REPLY", "PHONE_NUMBER", "URL", "VOICE_CALL")


class Button(msgspec.Struct, frozen=True):
    """A button of a template; an address may have a place to fill."""

    type: str = ""
    text: str = ""
    url: str = ""


class Component(msgspec.Struct, frozen=True):
    """A part of a template: header, body, footer or buttons."""

    type: str = ""
    format: str = ""
    text: str = ""
    buttons: list[Button] = []


class Told(msgspec.Struct, frozen=True):
    """A template as Meta tells it."""

    name: str
    language: str
    status: str = ""
    components: list[Component] = []


class Fetched(NamedTuple):
    """The templates that can be said here, and the labels of those that cannot, with why not."""

    templates: list[Template]
    left_out: dict[str, str]


def fetch(platform: Platform, workspace: Workspace) -> Fetched:
    """Those of a workspace's business account.

    Raises `Conflict` where that is not set up or is refused, `Unavailable` where it may pass.
    """
    account = settings.whole(platform, workspace, CHANNEL, WhatsApp).business_account_id
    if not account:
        message = "The business account whose templates these are is not set"
        raise Conflict.at("businessAccountId", message)
    numbers = Numbers(platform)
    try:
        told = numbers.of(workspace.id).templates(account)
    except Temporary as why:
        raise Unavailable(str(why)) from why
    except Permanent as why:
        raise Conflict(str(why)) from why
    finally:
        numbers.close()
    return read(told)


def read(told: list[dict[str, Any]]) -> Fetched:
    """What of these can be said here; those that Meta has not approved are passed over."""
    found = Fetched([], {})
    for given in told:
        try:
            each = msgspec.convert(given, Told)
        except msgspec.ValidationError:
            continue  # whatever it is, it is no template
        if each.status != APPROVED:
            continue
        made, why = _made(each)
        faults = [] if why else templates.faults_of([msgspec.to_builtins(made)])
        why = why or next((fault.message for fault in faults), "")
        if why:
            found.left_out[made.label] = why
        else:
            found.templates.append(made)
    return found


def _made(told: Told) -> tuple[Template, str]:
    """The template, and why it cannot be said here if it cannot."""
    parts = {each.type.upper(): each for each in told.components}
    header, buttons = parts.get("HEADER", Component()), parts.get("BUTTONS", Component()).buttons
    texts = {name: parts.get(name, Component()).text for name in ("BODY", "FOOTER")}
    made = Template(
        name=told.name,
        language=told.language,
        body=texts["BODY"],
        header=header.text,
        footer=texts["FOOTER"],
        buttons=tuple(button.text for button in buttons),
    )
    if others := parts.keys() - {"HEADER", "BODY", "FOOTER", "BUTTONS"}:
        return made, f"It has a part that is not filled in here: {min(others).lower()[:40]}"
    if header.format.upper() not in ("", "TEXT"):
        return made, "Its header is a file"
    if any(b.type.upper() not in PLAIN_BUTTONS or "{{" in b.url for b in buttons):
        return made, "It has a button that needs a value of its own"
    return made, ""
