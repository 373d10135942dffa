"""Bodies that a handler reads itself, described in OpenAPI: the schema and an example."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from litestar.openapi.spec import Example, OpenAPIMediaType, Operation, RequestBody, Schema


def with_body(schema: dict[str, Any], example: dict[str, Any]) -> type[Operation]:
    """The class of an operation that takes a JSON body of this schema."""
    content = {
        "application/json": OpenAPIMediaType(
            schema=cast(Schema, schema), examples={"usual": Example(value=example)}
        )
    }

    @dataclass
    class Described(Operation):
        """An operation whose body is read by its handler itself."""

        def __post_init__(self) -> None:
            self.request_body = RequestBody(content=content, required=True)

    return Described
