"""Many users at once, as a job that can be asked after."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, get, post
from litestar.params import QueryParameter

from user360 import ids
from user360.doors import gate
from user360.doors.raw import with_body
from user360.doors.yellow import asking, translate
from user360.doors.yellow.asking import Asked, Bot
from user360.errors import Malformed, NotFound, Problem
from user360.ingest.call import Call, Outcome
from user360.jobs import store as jobs_store

MOST = 1_000
KIND = "yellow.create-bulk"
BODY = {
    "type": "object",
    "properties": {"users": {"type": "array", "maxItems": MOST, "items": {"type": "object"}}},
    "required": ["users"],
}
# What becomes of a user that exists already.
CONFLICT = {"UPDATE_EXISTING": "update", "RETAIN_IMPORTED": "skip"}


class Begun(msgspec.Struct):
    """The id under which the job can be asked after."""

    message: str
    data: str


class Result(msgspec.Struct, rename="camel", omit_defaults=True):
    """The userIds that are new and those that were there, each with its bot; what failed, and why.

    A failure is told under the place in the body, such as `users.3.email`.
    """

    new_users: dict[str, str]
    conflicted_users: dict[str, str]
    failed_users: dict[str, str] = {}


class Status(msgspec.Struct):
    """How far a job is."""

    comment: str
    result: Result


class OfJob(msgspec.Struct):
    """A job."""

    message: str
    data: Status


@post(
    "/cdp/api/v1/user/create-bulk",
    guards=[asking.allow("records.write")],
    status_code=200,
    tags=["yellow.ai"],
    summary="Create many users",
    operation_class=with_body(
        BODY, {"users": [{"userId": "asha@example.com", "firstName": "Asha"}]}
    ),
    responses=asking.refusals(413),
    exception_handlers=asking.REFUSE,
)
async def create(
    request: Asked,
    bot: Bot = None,  # noqa: ARG001 - read by the guard
    upon_conflict: Annotated[
        Literal["UPDATE_EXISTING", "RETAIN_IMPORTED"],
        QueryParameter(
            name="uponConflict",
            description="of a userId that exists: update it, or retain what it has",
        ),
    ] = "UPDATE_EXISTING",
) -> Response[Begun]:
    """Up to 1,000; each user fails alone. The job is done when this is answered."""
    users = (await asking.body_of(request)).get("users")
    if not isinstance(users, list) or len(users) > MOST:
        raise Malformed.at("users", f"users must be a list of at most {MOST}")
    platform = gate.platform_of(request)
    result = Result({}, {})
    calls = _calls(request, users, CONFLICT[upon_conflict], result)
    outcomes = await gate.settle(platform, calls) if calls else []
    for call, outcome in zip(calls, outcomes, strict=True):
        _note(result, asking.bot_of(request), call, outcome)
    job = ids.new_id()
    workspace, now = gate.actor_of(request).workspace.id, platform.now()
    await gate.write(platform, lambda c: jobs_store.keep(c, workspace, job, KIND, now, result))
    return gate.answer(Begun("", job), seq=outcomes[-1].seq if outcomes else None)


def _calls(request: Asked, users: list[Any], if_exists: str, result: Result) -> list[Call]:
    """A call for each user; what is none is noted as failed."""
    calls = []
    for place, body in enumerate(users):
        path = f"users.{place}"
        try:
            if not isinstance(body, dict):
                raise Malformed.at("", "a user must be a JSON object")
            call = asking.call(
                request,
                user_id=translate.user_id_of(body),
                properties=translate.properties_of(body),
                if_exists=if_exists,
                complete=True,
                path=path,
            )
        except Problem as problem:
            _failed(result, problem.under(path), path)
        else:
            calls.append(call)
    return calls


def _note(result: Result, bot: str, call: Call, outcome: Outcome) -> None:
    if outcome.problem is not None:
        _failed(result, outcome.problem, call.path)
    elif outcome.created:
        result.new_users[call.user_id] = bot
    else:
        result.conflicted_users[call.user_id] = bot


def _failed(result: Result, problem: Problem, path: str) -> None:
    for fault in problem.faults:
        result.failed_users[fault.path.replace(".properties.", ".")] = fault.message
    if not problem.faults:
        result.failed_users[path] = problem.detail


@get(
    "/cdp/api/v1/user/create-bulk",
    guards=[asking.allow("records.read")],
    tags=["yellow.ai"],
    summary="What became of a job",
    responses=asking.refusals(404),
    exception_handlers=asking.REFUSE,
)
async def status(
    request: Asked,
    bot: Bot = None,  # noqa: ARG001 - read by the guard
    job: Annotated[str | None, QueryParameter(name="id", description="as it was answered")] = None,
) -> Response[OfJob]:
    """Which users are new, which were there already, and which could not be kept."""
    if not job:
        raise Malformed.at("id", "the parameter id is required")
    workspace = gate.actor_of(request).workspace.id
    found = await gate.read(
        gate.platform_of(request), lambda c: jobs_store.find(c, workspace, job, KIND)
    )
    if found is None:
        raise NotFound("There is no such job")
    done = Status("finished processing", msgspec.convert(found, Result))
    return gate.answer(OfJob("Fetched the status successfully", done))


ROUTES: list[Any] = [create, status]
