"""Making, changing and ending schedules: what is wanted is checked, secrets are sealed."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec

from user360.access.change import Change
from user360.access.vault import Vault
from user360.access.workspaces import Workspace
from user360.errors import Conflict, Fault, Invalid, NotFound, Problem
from user360.imports import options as import_options
from user360.imports.schedules import calendar as calendars
from user360.imports.schedules import store
from user360.imports.schedules.places import sftp
from user360.imports.schedules.schedule import (
    Bucket,
    Calendar,
    Folder,
    Once,
    Place,
    Schedule,
    Sftp,
)
from user360.storage.ledger import Connection

LONGEST_NAME = 100
LONGEST_TEXT = 1_000
LONGEST_KEY = 20_000
MOST = 100  # schedules of a workspace


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a schedule is to be; the secrets of `place` as they are, or left out to be kept."""

    name: str
    place: Place
    calendar: Calendar
    options: dict[str, Any]
    active: bool = True


def create(change: Change, vault: Vault, wanted: Wanted) -> Schedule:
    """Make a schedule. Raises `Invalid` naming every fault, `Conflict` for a taken name."""
    workspace = change.workspace
    next_at = _checked(change, wanted)
    _refuse_secretless(wanted.place)
    if len(store.all_of(change.connection, workspace.id)) >= MOST:
        raise Conflict(f"A workspace has at most {MOST} schedules")
    made = Schedule(
        id=0,
        workspace=workspace.id,
        name=wanted.name.strip(),
        place=sealed(wanted.place, vault),
        calendar=wanted.calendar,
        options=wanted.options,
        active=wanted.active,
        actor=change.actor,
        created_at=change.now,
        next_at=next_at,
    )
    _refuse_taken(change, made)
    made = msgspec.structs.replace(made, id=store.add(change.connection, made))
    _noted(change, "schedule.create", made)
    return made


def edit(change: Change, vault: Vault, number: int, wanted: Wanted) -> Schedule:
    """Change a schedule; what failed is tried once more. Raises `NotFound` and as `create`."""
    held = find(change.connection, change.workspace.id, number)
    next_at = _checked(change, wanted, held)
    place = _with_kept_secrets(wanted.place, held.place, vault)
    _refuse_secretless(place)
    changed = msgspec.structs.replace(
        held,
        name=wanted.name.strip(),
        place=place,
        calendar=wanted.calendar,
        options=wanted.options,
        active=wanted.active,
        next_at=next_at,
    )
    _refuse_taken(change, changed)
    store.save(change.connection, changed)
    store.try_again(change.connection, number)
    _noted(change, "schedule.update", changed)
    return changed


def remove(change: Change, number: int) -> None:
    """Forget a schedule; what it imported stays. Raises `NotFound`."""
    held = find(change.connection, change.workspace.id, number)
    store.remove(change.connection, number)
    _noted(change, "schedule.delete", held)


def reckon(connection: Connection, workspace: Workspace, now: int) -> None:
    """Work out by the workspace's clocks, as they are now, when each schedule is due."""
    for held in store.all_of(connection, workspace.id):
        if held.next_at is not None and held.next_at > now:
            at = calendars.next_time(held.calendar, now, workspace.zone)
            if at != held.next_at:
                store.set_next(connection, held.id, at)


def find(connection: Connection, workspace: int, number: int) -> Schedule:
    """A schedule of a workspace. Raises `NotFound`."""
    found = store.one(connection, number, workspace)
    if found is None:
        raise NotFound("There is no such schedule")
    return found


def sealed(place: Place, vault: Vault) -> Place:
    """The place as it is kept: nobody reads its secrets in the ledger."""
    secrets = {name: vault.seal(getattr(place, name)) for name in secrets_of(place)}
    return msgspec.structs.replace(place, **secrets)


def unsealed(place: Place, vault: Vault) -> Place:
    """The place as it is used."""
    secrets = {name: vault.unseal(getattr(place, name)) for name in secrets_of(place)}
    return msgspec.structs.replace(place, **secrets)


def secrets_of(place: Place) -> list[str]:
    """The fields of a place that hold a secret."""
    return [name for name in place.SECRET if getattr(place, name)]


def _checked(change: Change, wanted: Wanted, held: Schedule | None = None) -> int | None:
    """When files are looked for next. Raises `Invalid` naming everything that is wrong."""
    faults = [*_name_faults(wanted.name), *place_faults(wanted.place)]
    next_at = None
    try:
        next_at = calendars.next_time(wanted.calendar, change.now, change.workspace.zone)
    except Problem as problem:
        faults += problem.under("calendar").faults
    else:
        passed = next_at is None and not (held and held.calendar == wanted.calendar)
        if passed and isinstance(wanted.calendar, Once):
            faults.append(Fault("calendar.at", "invalid", "at has passed already"))
        elif passed:
            faults.append(Fault("calendar", "invalid", "this never comes"))
    try:
        if import_options.read(wanted.options).dry_run:
            message = "a schedule imports; dryRun is for trying a file out"
            faults.append(Fault("options.dryRun", "invalid", message))
    except Problem as problem:
        faults += problem.under("options").faults
    if faults:
        raise Invalid(faults[0].message, faults=faults)
    return next_at


def _name_faults(name: str) -> list[Fault]:
    if 0 < len(name.strip()) <= LONGEST_NAME and name.isprintable():
        return []
    return [Fault("name", "invalid", f"name must be a line of 1 to {LONGEST_NAME} characters")]


def place_faults(place: Place) -> list[Fault]:
    """What is wrong with a place, as far as it shows without going there."""
    faults = [
        Fault(f"place.{field.encode_name}", "invalid", f"{field.encode_name} is too long")
        for field in msgspec.structs.fields(place)
        if isinstance(text := getattr(place, field.name), str)
        and len(text) > (LONGEST_KEY if field.name in place.SECRET else LONGEST_TEXT)
    ]
    if not place.pattern or "/" in place.pattern:
        message = "pattern must be the form of a name, such as userdata_*.csv"
        faults.append(Fault("place.pattern", "invalid", message))
    return faults + _faults_of_kind(place)


def _faults_of_kind(place: Place) -> list[Fault]:
    if isinstance(place, Folder):
        outside = place.path.startswith("/") or ".." in place.path.split("/") or "\0" in place.path
        message = "path must lie beneath the folder of the workspace"
        return [Fault("place.path", "invalid", message)] if outside else []
    if isinstance(place, Bucket):
        return _bucket_faults(place)
    return _sftp_faults(place)


def _bucket_faults(place: Bucket) -> list[Fault]:
    faults = []
    if not place.bucket.strip():
        faults.append(Fault("place.bucket", "invalid", "bucket must be the name of a bucket"))
    try:
        address = urlsplit(place.endpoint)
        sound = not place.endpoint or (address.scheme in ("http", "https") and address.hostname)
    except ValueError:
        sound = False
    if not sound:
        message = "endpoint must be an address such as https://s3.example.com"
        faults.append(Fault("place.endpoint", "invalid", message))
    return faults


def _sftp_faults(place: Sftp) -> list[Fault]:
    faults = [
        Fault(f"place.{name}", "invalid", f"{name} must be given")
        for name in ("host", "user")
        if not getattr(place, name).strip()
    ]
    if not 0 < place.port < 65_536:
        faults.append(Fault("place.port", "invalid", "port must be a number from 1 to 65535"))
    for check in (sftp.host_key, sftp.private_key):
        try:
            if check is sftp.host_key or place.private_key:
                check(place)
        except Problem as problem:
            faults += problem.under("place").faults
    return faults


def _refuse_secretless(place: Place) -> None:
    if isinstance(place, Bucket) and place.access_key and not place.secret_key:
        raise Invalid.at("place.secretKey", "secretKey must be given with an accessKey")
    if isinstance(place, Sftp) and not place.password and not place.private_key:
        message = "a password or a privateKey must be given, anew when it is for another server"
        raise Invalid.at("place.password", message)


def _with_kept_secrets(place: Place, held: Place, vault: Vault) -> Place:
    """A secret that is left out stays, but never goes to another server than it was given for."""
    same = type(place) is type(held) and all(
        getattr(place, name) == getattr(held, name) for name in place.WHERE
    )
    if same and not secrets_of(place):
        return msgspec.structs.replace(place, **{n: getattr(held, n) for n in place.SECRET})
    return sealed(place, vault)


def _refuse_taken(change: Change, wanted: Schedule) -> None:
    taken = store.named(change.connection, wanted.workspace, wanted.name)
    if taken is not None and taken != wanted.id:
        raise Conflict.at("name", "Another schedule has this name")


def _noted(change: Change, action: str, schedule: Schedule) -> None:
    kind = schedule.place.__struct_config__.tag
    change.audit(action, f"schedule:{schedule.id}", place=kind, active=schedule.active)
