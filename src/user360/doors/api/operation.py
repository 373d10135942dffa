"""One call of the own API as one row: where it is, who may, what it does, an example of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from litestar import delete, get, patch, post, put
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.params import QueryParameter
from litestar.typing import FieldDefinition

from user360.access import workspaces
from user360.doors import gate, staying
from user360.doors.api import bodies
from user360.errors import Fault, Forbidden, Problem

PREFIX = "/api/v1"
FORM = "multipart/form-data"
METHODS: Mapping[str, Callable[..., Any]] = {
    "GET": get,
    "POST": post,
    "PUT": put,
    "PATCH": patch,
    "DELETE": delete,
}


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One call that works on the people, events and segments that the documentation tells of."""

    path: Mapping[str, Any] = {}
    query: Mapping[str, Any] = {}
    body: Any = None


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """What the documentation says of a call, beside its types.

    `refuses` are the statuses beyond those that every call knows; `waits` says that it asks the
    warehouse and honours `X-User360-Min-Seq`, `writes` that it answers with `X-User360-Seq`;
    `reads` is the media type of a body that the handler reads itself: as text, or as a form whose
    parts `form` describes; `gives` are the media types of an answer that is a file; `later` says
    that it may be answered 202 with a job, the last of its types; `everywhere`
    says that it is about all workspaces, and only for keys of the default one.
    """

    may: str
    refuses: tuple[int, ...] = ()
    waits: bool = False
    writes: bool = False
    reads: str | None = None
    form: Mapping[str, Any] = {}
    gives: tuple[str, ...] = ()
    later: bool = False
    everywhere: bool = False
    example: Example = Example()


def operation(
    method: str,
    path: str,
    may: str,
    summary: str,
    *,
    tag: str,
    status: int = 200,
    refuses: tuple[int, ...] = (),
    waits: bool = False,
    writes: bool | None = None,
    reads: str | None = None,
    form: Mapping[str, Any] | None = None,
    gives: tuple[str, ...] = (),
    later: bool = False,
    everywhere: bool = False,
    example: Example | None = None,
) -> Callable[[Any], HTTPRouteHandler]:
    """Make a function the handler of a call.

    Whatever is not read asking is a write unless `writes` says otherwise.
    """
    if writes is None:
        writes = method != "GET" and not waits
    told = Operation(
        may=may,
        refuses=refuses,
        waits=waits,
        writes=writes,
        reads=FORM if form else reads,
        form=form or {},
        gives=gives,
        later=later,
        everywhere=everywhere,
        example=example or Example(),
    )
    decorate: Callable[[Any], HTTPRouteHandler] = METHODS[method](
        PREFIX + path,
        guards=[guard(may, everywhere)],
        status_code=status,
        tags=[tag],
        summary=summary,
        dto=bodies.Strict,
        return_dto=None,
        opt={"operation": told},
    )
    return decorate


def guard(may: str, everywhere: bool = False) -> Any:
    """One guard, for each costs a copy of the handler: who may, and with which parameters."""
    allowed = gate.allow(may)

    async def check(
        connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
    ) -> None:
        await allowed(connection, handler)
        staying.note(connection, may)
        if everywhere and gate.actor_of(connection).workspace.name != workspaces.DEFAULT:
            raise Forbidden("This is about all workspaces; it takes a key of the default one")
        if connection.scope["query_string"]:
            refuse_unknown_parameters(connection, handler)

    return check


def refuse_unknown_parameters(
    connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
) -> None:
    """Raises `Problem` naming every query parameter that nobody reads, or that is given twice."""
    known = parameters_of(handler)
    faults = []
    for name, values in connection.query_params.dict().items():
        if name not in known:
            hint = bodies.hint(name, list(known))
            faults.append(Fault(name[:64], "invalid", f"is not read here{hint}"))
        elif len(values) > 1 and not known[name]:
            faults.append(Fault(name, "invalid", "is given more than once"))
    if faults:
        raise Problem(f"{faults[0].path} {faults[0].message}", faults=faults)


def parameters_of(handler: BaseRouteHandler) -> dict[str, bool]:
    """The names of the query parameters that a handler reads, and which may be given many times."""
    return {
        field.kwarg_definition.name or name: field.match_predicate_recursively(_is_list)
        for name, field in handler.parsed_fn_signature.parameters.items()
        if isinstance(field.kwarg_definition, QueryParameter)
    }


def _is_list(field: FieldDefinition) -> bool:
    return bool(field.is_non_string_sequence)
