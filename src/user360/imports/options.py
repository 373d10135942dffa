"""What is wanted of an import: the JSON of the specification, read with every fault by its path."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any, Literal

import msgspec

from user360.errors import Fault, Invalid
from user360.records import values
from user360.records.properties import Type

LONGEST_SEGMENT = 200
MOST_TAGS = 100


class Options(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """How a file is imported (specification: imports and exports, "Import").

    `user_id` names a column; null says that nobody in the file has a userId, and left out it is
    the column that is suggested. Without `mapping` the suggested one is used. `types` are those of
    properties that are made, by column, where they are not to be the ones that fit.
    """

    user_id: str | msgspec.UnsetType | None = msgspec.UNSET
    mapping: dict[str, str] | None = None
    create_properties: bool = False
    types: dict[str, Type] = {}
    on_conflict: Literal["update", "replace", "skip"] = "update"
    merge_tags: bool = False
    tags: list[str] = []
    default_tag: bool = True
    segment: str | None = None
    dry_run: bool = False


_FIELDS = {field.encode_name: field for field in msgspec.structs.fields(Options)}


def read(raw: object) -> Options:
    """The options a JSON object holds. Raises `Invalid` naming every bad one by its path."""
    if not isinstance(raw, Mapping):
        raise Invalid.at("", "options must be a JSON object")
    faults: list[Fault] = []
    kept: dict[str, Any] = {}
    for name, given in raw.items():
        field = _FIELDS.get(name)
        if field is None:
            message = f"There is no such option; there are {', '.join(_FIELDS)}"
            faults.append(Fault(str(name)[:64], "invalid", message))
            continue
        try:
            kept[field.name] = msgspec.convert(given, field.type)
        except msgspec.ValidationError as error:
            faults.append(Fault(name, "invalid", f"{name}: {error}"))
    if "tags" in kept:
        kept["tags"] = _tags(kept["tags"], faults)
    if kept.get("segment") is not None:
        kept["segment"] = _segment(kept["segment"], faults)
    if faults:
        raise Invalid(faults[0].message, faults=faults)
    return Options(**kept)


def _tags(given: list[str], faults: list[Fault]) -> list[str]:
    """The tags as they are kept, without those that are named twice."""
    kept: dict[str, None] = {}
    for place, tag in enumerate(given):
        try:
            text = values.parse(Type.STRING, tag, UTC)
        except values.BadValue:
            text = None
        if isinstance(text, str):
            kept[text] = None
        else:
            message = "a tag is text of 1 to 255 characters"
            faults.append(Fault(f"tags.{place}", "invalidDataType", message))
    if len(kept) > MOST_TAGS:
        faults.append(Fault("tags", "invalid", f"at most {MOST_TAGS} tags can be given"))
    return list(kept)


def _segment(given: str, faults: list[Fault]) -> str:
    name = given.strip()
    if not 1 <= len(name) <= LONGEST_SEGMENT or not name.isprintable():
        message = f"segment must be text of 1 to {LONGEST_SEGMENT} characters"
        faults.append(Fault("segment", "invalid", message))
    return name
