"""Reading a JSON body: one pass when it is right; when it is not, every place that is wrong."""

from __future__ import annotations

import difflib
import functools
import json
import re
import types
import typing
from typing import Any, ClassVar, TypeVar

import msgspec
from litestar.dto import AbstractDTO
from litestar.typing import FieldDefinition

from user360.errors import Fault, Invalid, Malformed, Problem

Kind = TypeVar("Kind")
WHERE = re.compile(r" - at `\$(.*)`\Z")
STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
MOST_FAULTS = 1_000


class Body(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """What a call reads. Fields nobody reads are refused, with a hint at the one that was meant."""


class Broken(msgspec.Struct):
    """A row of a list that is not what it should be; the others are taken."""

    faults: tuple[Fault, ...]


class Rows(Body):
    """A body whose field `ROWS` is a list of which each row may fail alone."""

    ROWS: ClassVar[str]
    ROW: ClassVar[type[Any]]


class Strict(AbstractDTO[Any]):
    """Lets the framework read bodies by `decode`."""

    def decode_bytes(self, value: bytes) -> Any:
        field = self.asgi_connection.route_handler.parsed_data_field
        assert field is not None
        return decode(field.annotation, value)

    @classmethod
    def create_for_field_definition(
        cls, field_definition: FieldDefinition, handler_id: str, backend_cls: Any = None
    ) -> None:
        """Nothing is prepared for a handler."""

    @classmethod
    def create_openapi_schema(
        cls,
        field_definition: FieldDefinition,
        handler_id: str,  # noqa: ARG003 - as the framework calls it
        schema_creator: Any,
    ) -> Any:
        return schema_creator.for_field_definition(field_definition)

    @classmethod
    def generate_field_definitions(cls, model_type: Any) -> Any:  # noqa: ARG003 - likewise
        return iter(())

    @classmethod
    def detect_nested_field(cls, field_definition: FieldDefinition) -> bool:  # noqa: ARG003
        return False


def decode(kind: Any, body: bytes) -> Any:
    """`body` as a `kind`: a struct, or a union of two of which the second is a `Rows`.

    Raises `Malformed` when it is no JSON, `Invalid` naming every place where it is not a `kind`.
    """
    choices = arms(kind)
    for choice in choices:
        try:
            return _decoder(choice).decode(body)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            continue
    return _explain(choices, body)


def _explain(choices: tuple[Any, ...], body: bytes) -> Any:
    """What of a body that is not right can be taken; else say all that is wrong with it."""
    rows = choices[-1]
    if isinstance(rows, type) and issubclass(rows, Rows):
        for attempt in (body, _without_halves(body, rows.ROWS)):
            try:
                loose = _decoder(_loose(rows)).decode(attempt)
            except (msgspec.MsgspecError, ValueError, RecursionError):
                continue
            return _row_by_row(rows, loose)
    given = parse(body)
    with_rows = len(choices) > 1 and isinstance(given, dict) and rows.ROWS in given
    kind = rows if with_rows else choices[0]
    faults = faults_of(kind, given)
    if not faults:  # only how it was written was wrong, such as a number beyond range
        raise Malformed("The body holds what JSON cannot carry")
    raise Invalid(faults[0].message, faults=faults)


def parse(body: bytes) -> Any:
    """Any JSON. Raises `Malformed`."""
    try:
        return msgspec.json.decode(body)
    except RecursionError as error:
        raise Malformed("The body is nested too deeply") from error
    except UnicodeDecodeError as error:
        raise Malformed("The body is not UTF-8") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise Malformed(f"The body is not JSON: {error}") from error


def _without_halves(body: bytes, rows: str) -> bytes:
    """The body with rows that hold half a character (`\\ud83d` alone, cut off by somebody) as text.

    Such a row is refused, and must not take the others along.
    """
    if b"\\u" not in body:
        return b""
    try:
        # Numbers stay as they are written, for the next reading to judge.
        given = json.loads(body, parse_int=_raw, parse_float=_raw, parse_constant=_raw)
        given[rows] = [_whole(row) for row in given[rows]]
        return msgspec.json.encode(given)
    except (ValueError, TypeError, KeyError, RecursionError):
        return b""


def _whole(row: Any) -> Any:
    try:
        msgspec.json.encode(row)
    except UnicodeEncodeError:
        return "half a character"
    return row


def _raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())


def _row_by_row(kind: type[Rows], loose: Any) -> Rows:
    """The body with every row that can be taken; the others as `Broken`."""
    values = {f: getattr(loose, f) for f in kind.__struct_fields__}
    rows = values[kind.ROWS]
    values[kind.ROWS] = [_row(kind, raw, i) for i, raw in enumerate(rows)]
    return kind(**values)


def _row(kind: type[Rows], raw: msgspec.Raw, place: int) -> Any:
    try:
        return decode(kind.ROW, bytes(raw))
    except Problem as problem:
        path = f"{kind.ROWS}.{place}"
        if not problem.faults:
            return Broken((Fault(path, problem.code, problem.detail),))
        return Broken(problem.under(path).faults)


@functools.cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


@functools.cache
def _loose(kind: type[Rows]) -> type[msgspec.Struct]:
    """The same body with its rows left as the text they are."""
    fields: list[tuple[str, Any, Any]] = []
    for field in msgspec.structs.fields(kind):
        taken: Any = field.type
        if field.name == kind.ROWS:
            taken = typing.Annotated[(list[msgspec.Raw], *getattr(taken, "__metadata__", ()))]
        default = msgspec.field() if field.required else field.default
        fields.append((field.name, taken, default))
    return msgspec.defstruct(
        f"Loose{kind.__name__}", fields, rename="camel", forbid_unknown_fields=True, kw_only=True
    )


def arms(kind: Any) -> tuple[Any, ...]:
    """The members of a union, or the kind itself."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return tuple(arm for arm in typing.get_args(kind) if arm is not type(None))
    return (kind,)


def faults_of(kind: Any, given: Any, path: str = "") -> list[Fault]:
    """Every place where `given` (JSON) is not a `kind`."""
    bare = typing.get_args(kind)[0] if typing.get_origin(kind) is typing.Annotated else kind
    found = _inside(bare, given, path)
    if found:
        return found[:MOST_FAULTS]
    try:
        msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        named = _named_values(bare)
        if named and isinstance(given, str):
            return [Fault(path, "invalid", f"must be one of {', '.join(named)}")]
        return [fault(str(error), path)]
    return []


def _named_values(kind: Any) -> list[str]:
    """The texts that a field takes, when it takes a few and nothing else."""
    choices = [arm for arm in arms(kind) if arm is not msgspec.UnsetType]
    if not all(typing.get_origin(choice) is typing.Literal for choice in choices):
        return []
    return [str(value) for choice in choices for value in typing.get_args(choice)]


def _inside(kind: Any, given: Any, path: str) -> list[Fault]:
    if isinstance(given, dict):
        kinds = [k for k in arms(kind) if isinstance(k, type) and issubclass(k, msgspec.Struct)]
        return _of_one(kinds, given, path) if kinds else []
    if isinstance(given, list) and typing.get_origin(kind) is list:
        inner = typing.get_args(kind)[0]
        return [f for i, each in enumerate(given) for f in faults_of(inner, each, _at(path, i))]
    return []


def _of_one(kinds: list[type[msgspec.Struct]], given: dict[str, Any], path: str) -> list[Fault]:
    """What is wrong with the one of several structs that is meant, by its tag if they have one."""
    named = kinds[0].__struct_config__.tag_field
    if named is None:
        return _fields(kinds[0], given, path)
    tags = {kind.__struct_config__.tag: kind for kind in kinds}
    tag = given.get(named)
    if not isinstance(tag, str) or tag not in tags:
        message = f"{named} must be one of {', '.join(map(str, tags))}"
        return [Fault(_at(path, named), "invalid", message)]
    return _fields(tags[tag], {k: v for k, v in given.items() if k != named}, path)


def _fields(kind: type[msgspec.Struct], given: dict[str, Any], path: str) -> list[Fault]:
    fields = {f.encode_name: f for f in msgspec.structs.fields(kind)}
    found = [
        Fault(_at(path, str(name)[:64]), "invalid", f"is not read here{hint(name, list(fields))}")
        for name in given
        if name not in fields
    ]
    for name, field in fields.items():
        if name in given:
            found += faults_of(field.type, given[name], _at(path, name))
        elif field.required:
            found.append(Fault(_at(path, name), "invalid", f"{name} is required"))
    return found


def hint(name: str, names: list[str]) -> str:
    """`; did you mean userId?`, or what there is."""
    if not names:
        return "; this call reads none"
    near = difflib.get_close_matches(name[:64], names, n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else f"; there is {', '.join(names)}"


def fault(message: str, path: str) -> Fault:
    """What msgspec says, with its place in our way of writing it."""
    where = WHERE.search(message)
    steps = STEP.findall(where[1]) if where else []
    for name, place in steps:
        path = _at(path, name or place)
    text = WHERE.sub("", message).replace("`", "")
    return Fault(path, "invalid", text[:1].lower() + text[1:])


def _at(path: str, step: object) -> str:
    return f"{path}.{step}" if path else str(step)
