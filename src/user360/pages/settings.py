"""Settings: the workspace, its members, its API keys."""

from __future__ import annotations

import zoneinfo
from typing import Any

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler

from user360.access.workspaces import WorkspaceSettings
from user360.doors import gate
from user360.doors.api import workspace as api
from user360.errors import Fault, Invalid
from user360.identity.identifier import IDENTIFYING
from user360.pages import (
    forms,
    render,
    route,
    settings_channels,
    settings_hooks,
    settings_inbox,
    settings_keys,
    settings_members,
)
from user360.pages.render import Asked

# Settings that are numbers: what they are called, and what they say.
NUMBERS = {
    "mergeLimit": ("Merges of one user", "How many records one user can take in at most."),
    "propertyLimit": ("Custom properties", "How many there may be at most."),
    "rateLimit": ("Calls a minute for each key", "0 for no limit."),
    "archiveAfterDays": (
        "Archive segments after days without use",
        "They can be taken out again. 0 for never.",
    ),
}
UNDECLARED = {
    "create": "become properties by themselves",
    "ignore": "are left out",
    "reject": "are refused with the call",
}


@route.shown("/settings", may="workspace.read")
async def workspace(request: Asked) -> Response[str]:
    """The settings of the workspace; who may not change them reads them."""
    held = gate.actor_of(request).workspace
    return render.page(
        request,
        "settings/workspace.html",
        settings=msgspec.to_builtins(held.settings),
        numbers=NUMBERS,
        undeclared=UNDECLARED,
        zones=sorted(zoneinfo.available_timezones()),
        identifiers=["userId", *(p.name for p in held.catalogue if _identifies(p))],
    )


def _identifies(declared: Any) -> bool:
    return declared.type in IDENTIFYING and declared.name != "userId"


@route.deed("/settings", may="workspace.write")
async def save(request: Asked) -> Response[str]:
    """Keep the settings that the form holds; each that is wrong is named."""
    form = await forms.read(request)
    known = {field.encode_name for field in msgspec.structs.fields(WorkspaceSettings)}
    given: dict[str, Any] = {name: form[name].strip() for name in known & form.keys()}
    faults = []
    for name in NUMBERS.keys() & given.keys():
        if given[name].lstrip("-").isdecimal() and len(given[name]) < 10:
            given[name] = int(given[name])
        else:
            faults.append(Fault(name, "invalid", "This must be a whole number"))
    if faults:
        raise Invalid(faults[0].message, faults=faults)
    await api.keep_settings(request, given)
    return render.go(request, "/settings", tell="Saved")


ROUTES: list[HTTPRouteHandler] = [
    workspace,
    save,
    *settings_members.ROUTES,
    *settings_keys.ROUTES,
    *settings_inbox.ROUTES,
    *settings_channels.ROUTES,
    *settings_hooks.ROUTES,
]
