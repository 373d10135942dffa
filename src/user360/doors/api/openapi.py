"""The description of all doors, OpenAPI 3.1: the framework's, made exact for the own API.

The types of what is read and answered are described by the library that reads and writes them, so
that the description cannot say one thing and the code do another.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from user360.access import roles
from user360.doors.api import bodies, shapes
from user360.doors.api.operation import Operation
from user360.doors.gate import MIN_SEQ, PROBLEM, SEQ

COMPONENTS = "#/components/schemas/{name}"
ALWAYS = (400, 401, 403, 429, 503)
WITH_BODY = (413,)
LATER = 202
CONDITION = {
    "title": "Condition",
    "description": "Which records are meant; see the reference of conditions.",
    "type": "object",
    "oneOf": [
        {"required": ["all"]},
        {"required": ["any"]},
        {"required": ["not"]},
        {"required": ["property", "op"]},
        {"required": ["event"]},
        {"required": ["sequence"]},
        {"required": ["segment"]},
    ],
    "properties": {
        "all": {"type": "array", "items": {"$ref": COMPONENTS.format(name="Condition")}},
        "any": {"type": "array", "items": {"$ref": COMPONENTS.format(name="Condition")}},
        "not": {"$ref": COMPONENTS.format(name="Condition")},
        "property": {"type": "string"},
        "op": {"type": "string"},
        "values": {"type": "array", "items": {}},
        "event": {"type": "string"},
        "occurred": {"type": "boolean"},
        "count": {"type": "object"},
        "during": {"type": "object"},
        "where": {"type": "array", "items": {"type": "object"}},
        "sum": {"type": "object"},
        "sequence": {"type": "array", "items": {"type": "object"}},
        "within": {"type": "object"},
        "completed": {"type": "boolean"},
        "segment": {"type": "integer"},
        "in": {"type": "boolean"},
    },
}
SECURITY = {
    "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "The key as user name, an empty password.",
    },
}
WAITING = {
    "name": MIN_SEQ,
    "in": "header",
    "required": False,
    "description": f"Wait until what a write answered as {SEQ} can be seen.",
    "schema": {"type": "string", "pattern": "^[0-9]{0,18}$"},
}
POSITION = {
    "description": f"The position that shows this write; give it back as {MIN_SEQ}.",
    "schema": {"type": "string", "pattern": "^[0-9]+$"},
}


class Told(NamedTuple):
    """One handler of the own API with its place in the description."""

    path: str
    method: str
    handler: HTTPRouteHandler
    operation: Operation


def describe(app: Litestar) -> dict[str, Any]:
    """The whole description as JSON."""
    document: dict[str, Any] = app.openapi_schema.to_schema()
    told = list(operations(app))
    kinds = [kind for each in told for kind in (_body(each), _answer(each)) if kind is not None]
    described = _schemas([*kinds, shapes.Refusal])
    components = document.setdefault("components", {})
    for schema in described.components.values():
        schema["description"] = inspect.cleandoc(schema.get("description", ""))
    components["schemas"] = {
        **components.get("schemas", {}),
        **described.components,
        "Condition": CONDITION,
    }
    components["securitySchemes"] = SECURITY
    components["responses"] = {str(status): _refusal(status) for status in _refusals(told)}
    for each in told:
        _fill(document["paths"][each.path][each.method.lower()], each, described)
    _drop_unused(document)
    return document


def operations(app: Litestar) -> Iterator[Told]:
    """Every handler of the own API."""
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for method, (handler, _) in route.route_handler_map.items():
                if "operation" in handler.opt:
                    yield Told(route.path_format, method, handler, handler.opt["operation"])


class Described(NamedTuple):
    """The schema of each type, and the components they refer to."""

    of: dict[Any, dict[str, Any]]
    components: dict[str, Any]


def _schemas(kinds: Iterable[Any]) -> Described:
    kinds = list(kinds)
    single = list(dict.fromkeys(arm for kind in kinds for arm in bodies.arms(kind)))
    found, components = msgspec.json.schema_components(single, ref_template=COMPONENTS)
    of = dict(zip(single, found, strict=True))
    for kind in kinds:
        if len(bodies.arms(kind)) > 1:
            of[kind] = {"oneOf": [of[arm] for arm in bodies.arms(kind)]}
    return Described(of, dict(components))


def _body(told: Told) -> Any:
    field = told.handler.parsed_fn_signature.parameters.get("data")
    return None if field is None else field.annotation


def _answer(told: Told) -> Any:
    inner = typing.get_args(told.handler.parsed_fn_signature.return_type.annotation)
    return inner[0] if inner and inner[0] is not type(None) else None


def _refusals(told: Iterable[Told]) -> list[int]:
    return sorted({*ALWAYS, *WITH_BODY, *(s for each in told for s in each.operation.refuses)})


def _refusal(status: int) -> dict[str, Any]:
    schema = {"$ref": COMPONENTS.format(name=shapes.Refusal.__name__)}
    told: dict[str, Any] = {
        "description": HTTPStatus(status).phrase,
        "content": {PROBLEM: {"schema": schema}},
    }
    if status in (429, 503):
        told["headers"] = {"Retry-After": {"schema": {"type": "string"}}}
    return told


def _fill(document: dict[str, Any], told: Told, described: Described) -> None:
    """Put types, refusals and examples into one operation."""
    operation = told.operation
    document["security"] = [{name: []} for name in SECURITY]
    document["operationId"] = (
        f"{told.handler.fn.__module__.rpartition('.')[2]}.{told.handler.fn.__name__}"
    )
    document["description"] = f"{document.get('description', '')}\n\n{_who(operation)}".strip()
    statuses = set(ALWAYS) | set(operation.refuses)
    body = _body(told)
    if body is not None or operation.reads is not None:
        statuses |= set(WITH_BODY)
        schema = _text_or_form(operation) if body is None else described.of[body]
        content: dict[str, Any] = {"schema": schema}
        if operation.example.body is not None:
            content["examples"] = {"example": {"value": operation.example.body}}
        kind = operation.reads or "application/json"
        document["requestBody"] = {"required": True, "content": {kind: content}}
    document["responses"] = {
        **{str(status): _success(told, described, status) for status in _successes(told)},
        **{str(s): {"$ref": f"#/components/responses/{s}"} for s in sorted(statuses)},
    }
    _parameters(document, told)


def _text_or_form(operation: Operation) -> dict[str, Any]:
    """The schema of a body that the handler reads itself."""
    if not operation.form:
        return {"type": "string"}
    return {
        "type": "object",
        "properties": dict(operation.form),
        "required": [name for name, part in operation.form.items() if "default" not in part],
        "additionalProperties": False,
    }


def _who(operation: Operation) -> str:
    return f"Roles: {', '.join(roles.MAY[operation.may])}."


def _successes(told: Told) -> list[int]:
    """What a call answers when it goes well: a PUT may make or change, some become jobs."""
    if told.operation.later:
        return [told.handler.status_code, LATER]
    return [200, 201] if told.method == "PUT" else [told.handler.status_code]


def _success(told: Told, described: Described, status: int) -> dict[str, Any]:
    kind = _answer(told)
    success: dict[str, Any] = {"description": "As asked."}
    if told.operation.later:
        now, later = bodies.arms(kind)
        kind = later if status == LATER else now
        if status == LATER:
            success["description"] = "It is a job, to be followed."
    if kind is not None:
        success["content"] = {"application/json": {"schema": described.of[kind]}}
    if told.operation.gives:
        binary = {"schema": {"type": "string", "format": "binary"}}
        held = success.get("content", {})
        success["content"] = held | dict.fromkeys(told.operation.gives, binary)
    if told.operation.writes:
        success["headers"] = {SEQ: POSITION}
    return success


def _parameters(document: dict[str, Any], told: Told) -> None:
    example = told.operation.example
    values = {"path": example.path, "query": example.query}
    for parameter in document.get("parameters", []):
        schema = parameter["schema"] = _without_null(parameter["schema"])
        value = values.get(parameter["in"], {}).get(parameter["name"])
        if value is not None:
            value = [value] if schema.get("type") == "array" else value
            parameter["examples"] = {"example": {"value": value}}
        if parameter["in"] == "path" and schema.get("type") == "string":
            schema["minLength"] = 1
    if told.operation.waits:
        document.setdefault("parameters", []).append(WAITING)


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter that may be left out is never null."""
    kinds = [kind for kind in schema.get("oneOf", ()) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    return {**{k: v for k, v in schema.items() if k != "oneOf"}, **kinds[0]}


def _drop_unused(document: dict[str, Any]) -> None:
    """Leave out the schemas that the framework made of the same types and nobody refers to."""
    schemas = document["components"]["schemas"]
    while True:
        text = msgspec.json.encode(document).decode()
        unused = [n for n in schemas if f'"{COMPONENTS.format(name=n)}"' not in text]
        if not unused:
            return
        for name in unused:
            del schemas[name]
