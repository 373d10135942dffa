"""How the tracking API is described in OpenAPI: bodies by their types, an example each."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Operation

from user360.doors.gate import PROBLEM
from user360.doors.raw import with_body
from user360.doors.segment import messages
from user360.errors import Fault

WRITE_KEY = {"type": "string", "description": "A key, where no header carries one"}
SINGLE: dict[str, dict[str, object]] = {
    "identify": {"traits": {"firstName": "Ana", "country": "BR", "plan": "pro"}},
    "track": {"event": "Purchase", "properties": {"amount": 18.5, "sku": "cd-118"}},
    "page": {"name": "Prices", "properties": {"path": "/prices"}},
    "screen": {"name": "Basket", "properties": {"items": 2}},
    "group": {"groupId": "acme", "traits": {"name": "Acme", "employees": 12}},
    "alias": {"previousId": "browser-7"},
}


class Accepted(msgspec.Struct):
    """That the messages were kept; `errors` names those that were not, if any."""

    success: bool = True
    errors: list[Fault] | msgspec.UnsetType = msgspec.UNSET


class Refused(msgspec.Struct):
    """RFC 9457: what is wrong, in words and by place; `code` and `message` are for SDKs."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Fault]
    code: str | msgspec.UnsetType = msgspec.UNSET
    message: str | msgspec.UnsetType = msgspec.UNSET


def refusals() -> dict[int, ResponseSpec]:
    """The answers of every route that say no."""
    told = {
        400: "The body cannot be read, or the message cannot be kept",
        401: "No valid key",
        403: "The role of the key does not allow it",
        413: "Larger than 4 MB, or a message than 32 KB",
        429: "More is coming in than can be written, or the key's rate is used up",
        503: "The storage or the server is not able to write now",
    }
    return {
        status: ResponseSpec(Refused, False, description, media_type=PROBLEM)
        for status, description in told.items()
    }


def of_kind(name: str) -> type[Operation]:
    """The operation of a route that takes one message of this kind."""
    schema = _inlined(messages.KINDS[name])
    schema["required"] = [n for n in schema.get("required", []) if n != "type"]
    schema["properties"]["writeKey"] = WRITE_KEY
    example = {"userId": "ana@example.com", **SINGLE[name]}
    return with_body(schema, example)


def of_batch() -> type[Operation]:
    """The operation of a route that takes a batch."""
    kinds = [_inlined(kind) for kind in messages.KINDS.values()]
    properties = {
        "batch": {"type": "array", "maxItems": messages.MOST, "items": {"oneOf": kinds}},
        "sentAt": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "context": _inlined(messages.Context),
        "writeKey": WRITE_KEY,
    }
    schema = {"type": "object", "properties": properties, "required": ["batch"]}
    sent = [
        {"type": "track", "anonymousId": "browser-7", "event": "Product Viewed"},
        {"type": "identify", "userId": "ana@example.com", "anonymousId": "browser-7"},
    ]
    return with_body(schema, {"batch": sent, "sentAt": "2026-11-22T05:40:00Z"})


def _inlined(kind: type) -> dict[str, Any]:
    """The JSON Schema of a type with all that it refers to put in place."""
    (found,), parts = msgspec.json.schema_components([kind])

    def place(node: Any) -> Any:
        if isinstance(node, list):
            return [place(item) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return place(parts[node["$ref"].rpartition("/")[2]])
        return {name: place(item) for name, item in node.items()}

    inlined: dict[str, Any] = place(found)
    return inlined
