"""The first step: is what a call says acceptable at all? Every offending path is named."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Sequence
from datetime import UTC
from typing import Any

import msgspec

from user360 import clock
from user360.conversations import talk
from user360.errors import (
    Fault,
    Invalid,
    InvalidDataType,
    InvalidProperty,
    InvalidUserId,
    Problem,
    PropertiesRequired,
)
from user360.events import event
from user360.identity import identifier
from user360.ingest.batch import Batch, Work
from user360.ingest.call import Call, Outcome, Session, Verb
from user360.records import store, values
from user360.records.declare import NAME
from user360.records.properties import READ_ONLY, Catalogue, Property, Type

RESERVED = {name.lower(): name for name in ("userId", *READ_ONLY)}
AUTO = ("country", "timezone", "city")
LONGEST_NAME = 64
PROBLEMS = {
    p.code: p for p in (InvalidDataType, InvalidProperty, InvalidUserId, PropertiesRequired)
}


def check(batch: Batch) -> None:
    """Refuse what cannot be kept, and turn the rest into canonical values."""
    for work in batch.pending():
        faults = _faults(batch, work)
        if faults:
            kind = PROBLEMS.get(faults[0].code, Invalid)
            batch.fail(work, kind(faults[0].message, faults=faults))
            continue
        if work.new:
            _declare(batch, work, work.new)
        if work.call.event is not None:
            _drop_inactive(batch, work)


def _faults(batch: Batch, work: Work) -> list[Fault]:
    call = work.call
    faults: list[Fault] = []
    if call.user_id is not None:
        faults += _clean_user_id(call)
    if call.session is not None:
        faults += _session(call.session)
    elif call.user_id is None and call.record is None and _names_nobody(call):
        faults.append(Fault("userId", "invalid", "a userId, a session or a record must be given"))
    if not clock.EARLIEST <= call.at <= batch.now + clock.AHEAD:
        message = "timestamp must lie between 1970 and one day from now"
        faults.append(Fault("timestamp", "invalid", message))
    if call.event is not None:
        faults += event.faults_of(call.event.name, call.event.properties, "")
    if call.said is not None:
        faults += talk.faults_of(call.said)
        if call.session is None and call.conversation is None:
            faults.append(Fault("session", "invalid", "a session or a conversation must be given"))
    if call.properties or call.complete:
        faults += _properties(batch, work)
    if call.auto:
        faults += _auto(batch, work)
    if call.add_tags or call.remove_tags:
        work.add_tags = tags("add", call.add_tags, faults)
        work.remove_tags = tags("remove", call.remove_tags, faults)
    return faults


# The same people keep writing; what cannot be hashed cannot be a userId either.
_cleaned = functools.lru_cache(maxsize=65_536)(identifier.clean_user_id)


def _names_nobody(call: Call) -> bool:
    """Whether somebody has to be named; a complete write may also make an unidentified record."""
    return call.verb is Verb.WRITE and not call.complete and call.conversation is None


def _clean_user_id(call: Call) -> list[Fault]:
    clean = _cleaned if isinstance(call.user_id, str) else identifier.clean_user_id
    try:
        call.user_id = clean(call.user_id)
    except Problem as problem:
        return list(problem.faults)
    return []


def _session(session: Session) -> list[Fault]:
    return [
        Fault(path, "invalid", f"{path} must be text of 1 to 255 characters")
        for path, text in (("session.channel", session.channel), ("session.id", session.id))
        if not _is_name(text)
    ]


def _is_name(text: object) -> bool:
    return (
        isinstance(text, str) and 1 <= len(text.strip()) <= 255 and not values.CONTROL.search(text)
    )


def _properties(batch: Batch, work: Work) -> list[Fault]:
    """Parse the call's properties into `work.values`; also find the identifier among them."""
    call, faults = work.call, []
    zone, catalogue = batch.workspace.zone, batch.workspace.catalogue
    for name, given in call.properties.items():
        declared = catalogue.by_name.get(name)
        path = f"{call.properties_path}.{name}"
        try:
            if declared is None or declared.name == "userId":
                declared = _undeclared(batch, work, name, given)
                if declared is None:
                    continue
            work.values[declared.name] = values.parse(declared.type, given, zone)
        except values.BadValue as bad:
            faults.append(Fault(path, "invalidDataType", bad.message))
        except Problem as problem:
            faults.append(Fault(path, problem.code, problem.detail))
    if call.complete:
        required = [p.name for p in batch.workspace.catalogue.custom if p.required]
        work.required = [name for name in required if work.values.get(name) is None]
    try:
        _identify_by_property(batch, work)
    except Problem as problem:
        faults += problem.faults
    return faults


def _undeclared(batch: Batch, work: Work, name: str, given: object) -> Property | None:
    """What to do with a property nobody declared: the property to use, or None to leave it out."""
    catalogue = batch.workspace.catalogue
    if work.call.undeclared == "ignore" and name not in RESERVED.values():
        return None
    if (reserved := RESERVED.get(name.lower())) == "userId":
        raise InvalidProperty("userId is never edited; it is given beside the properties")
    if reserved is not None:
        raise InvalidProperty(f"{reserved} is read-only")
    if work.call.undeclared == "create":
        return catalogue.near(name) or _new(batch, work, name, given)
    raise InvalidProperty(f"{name[:64]!r} is not declared{_hint(batch, name)}")


def _hint(batch: Batch, name: str) -> str:
    """What was meant, perhaps: looked for slowly, so only for the first few of a batch."""
    batch.hints -= 1
    if batch.hints < 0 or len(name) > 2 * LONGEST_NAME:
        return "; declare it first"
    catalogue = batch.workspace.catalogue
    near = difflib.get_close_matches(name, catalogue.by_name, n=1, cutoff=0.7)
    return f"; did you mean {near[0]}?" if near else "; declare it first"


def _new(batch: Batch, work: Work, name: str, given: object) -> Property | None:
    """A property of the type its first value shows; None when there is no value to show.

    It is declared only once nothing is found wrong with the call: what is refused leaves no trace.
    """
    work.new = work.new or {}
    if values.is_blank(given) or name.lower() in work.new:
        return work.new.get(name.lower())
    workspace = batch.workspace
    if not NAME.match(name):
        raise InvalidProperty("a property name is a letter, then letters, digits and _, at most 64")
    if len(workspace.catalogue.custom) + len(work.new) >= workspace.settings.property_limit:
        raise InvalidProperty(
            f"the workspace allows {workspace.settings.property_limit} custom properties; "
            "raise its setting propertyLimit, or declare fewer"
        )
    work.new[name.lower()] = Property(0, name, values.of_first_value(given))
    return work.new[name.lower()]


def _declare(batch: Batch, work: Work, new: dict[str, Property]) -> None:
    workspace = batch.workspace
    for wanted in new.values():
        number = store.next_property(batch.connection, workspace.id)
        # Values of a deleted property of this name may still be held, of whatever type it had.
        gone = store.deleted_properties(batch.connection, workspace.id)
        held = any(p.name.lower() == wanted.name.lower() for p in gone)
        declared = Property(number, wanted.name, wanted.type, retyped=held)
        store.save_property(batch.connection, workspace.id, declared, batch.now)
        entry = batch.note(work, event.INTERNAL, 0, "property", {"name": declared.name})
        workspace.catalogue = Catalogue([*workspace.catalogue.custom, declared], entry.seq)


def _identify_by_property(batch: Batch, work: Work) -> None:
    """With another identifier than userId, writing that property in a session identifies it."""
    name = batch.workspace.settings.identifier
    call = work.call
    if name == "userId" or call.session is None or call.user_id is not None:
        return
    value = work.values.get(name)
    declared = batch.workspace.catalogue.get(name)
    if value is not None and declared is not None:
        path = f"{call.properties_path}.{name}"
        call.user_id = identifier.identifying_value(name, declared.type, value, path)


def _auto(batch: Batch, work: Work) -> list[Fault]:
    faults = []
    for name, given in work.call.auto.items():
        declared = batch.workspace.catalogue.get(name)
        if name not in AUTO or declared is None:
            message = f"auto may hold {', '.join(AUTO)}"
            faults.append(Fault(f"auto.{name}", "invalidProperty", message))
            continue
        try:
            value = values.parse(declared.type, given, batch.workspace.zone)
            if value is not None:
                work.auto[name] = value
        except values.BadValue as bad:
            faults.append(Fault(f"auto.{name}", "invalidDataType", bad.message))
    return faults


def tags(path: str, given: Sequence[object], faults: list[Fault]) -> list[str]:
    """The tags as they are kept: read as those of a list are, so that one is like the other."""
    found: list[str] = []
    for i, tag in enumerate(given):
        try:
            text = values.parse(Type.STRING, tag, UTC)
        except values.BadValue:
            text = None
        if isinstance(text, str):
            found.append(text)
        else:
            message = "a tag is text of 1 to 255 characters"
            faults.append(Fault(f"{path}.{i}", "invalidDataType", message))
    return found


def _drop_inactive(batch: Batch, work: Work) -> None:
    """Events of an inactive definition are dropped and counted, with the reason."""
    call: Any = work.call
    if call.event.name != call.event.name.strip():
        call.event = msgspec.structs.replace(call.event, name=call.event.name.strip())
    definition = batch.workspace.definitions.get(call.event.name)
    if definition is None or definition.active or call.verb is not Verb.WRITE:
        return

    work.outcome = Outcome(status="dropped")
    fault = Fault("", "inactive", f"The event definition {call.event.name} is not active")
    batch.reject(work, call.event.name, fault)
