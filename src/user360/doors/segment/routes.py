"""The routes of the tracking API: who sends, what came, what became of it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import msgspec
from litestar import Request, Response, post
from litestar.handlers import HTTPRouteHandler

from user360.doors import gate
from user360.doors.gate import Actor
from user360.doors.lane import Sent, Take
from user360.doors.segment import described, messages, report, translate
from user360.doors.segment.described import Accepted
from user360.doors.segment.messages import Common, Message
from user360.doors.segment.translate import Origin
from user360.errors import Fault, Problem
from user360.events import store as event_store
from user360.events.store import Rejection
from user360.ingest.call import Call
from user360.observe import metrics
from user360.platform import Platform

SHORT = {"identify": "i", "track": "t", "page": "p", "screen": "s", "group": "g", "alias": "a"}
# After so many messages other requests have their turn.
AT_ONCE = 500
BATCH = ["/v1/batch", "/v1/b", "/v1/import"]


class Reading:
    """The messages of a request: what was made of them, and what could not be read."""

    def __init__(self, origin: Origin, errors: list[Fault]) -> None:
        self.origin = origin
        self.errors = errors
        self.calls: list[Call] = []
        self.sent: list[Message] = []
        self.counted: dict[Rejection, int] = {}

    def take(self, message: Message, path: str = "", place: int = 0) -> None:
        """Translate a message. Raises `Problem`."""
        for call in translate.translate(message, self.origin, path, place):
            self.calls.append(call)
            self.sent.append(message)

    def refuse(self, problem: Problem, message: Message | None, path: str) -> None:
        """Note what is wrong with a message that no call could be made of."""
        faults = report.refusal(problem, path)
        self.errors += faults
        for rejection, count in report.rejections(faults, report.name_of(message)).items():
            self.counted[rejection] = self.counted.get(rejection, 0) + count


def refused(_request: Request[Any, Any, Any], problem: Problem) -> Response[Any]:
    """A problem in the product's shape, with the two words that RudderStack's SDKs look for.

    Without them they take a refusal for an accident, and send the same again.
    """
    answer = gate.problem_response(problem)
    answer.content |= {"code": problem.code, "message": problem.detail}
    return answer


async def _sent(request: Request[Any, Any, Any]) -> Sent:
    """A request that came through the framework, as one that came past it."""
    state, noted = request.app.state, request.scope["state"]
    key = gate.key_in_headers(request.headers)
    return Sent(state.platform, state.limits, noted, key, await request.body())


def _caller(sent: Sent) -> Actor:
    """Who sends: by a header, or else by the write key in the body."""
    key = sent.key or messages.write_key(sent.body)
    actor = gate.admit(sent.platform, sent.limits, sent.noted, key)
    gate.permit(actor, "ingest")
    return actor


def _reading(platform: Platform, actor: Actor, given: messages.Batch | None = None) -> Reading:
    """An empty reading of a request that has just come in."""
    workspace, received, skew = actor.workspace, platform.now(), 0
    unread: list[Fault] = []
    if given is not None and given.sent_at is not None:
        try:
            skew = translate.skew_of(given.sent_at, received, workspace.zone)
        except ValueError:
            unread.append(translate.not_a_time("sentAt"))
    origin = Origin(
        workspace=workspace.id,
        ref=actor.ref,
        received=received,
        zone=workspace.zone,
        undeclared=workspace.settings.undeclared_traits,
        skew=skew,
        context=None if given is None else given.context,
    )
    return Reading(origin, unread)


def _taking(kind: type[Common]) -> Take:
    """What takes in one message of a kind."""

    async def take(sent: Sent) -> tuple[Accepted, int | None]:
        actor, platform = _caller(sent), sent.platform
        reading = _reading(platform, actor)
        message: Any = None
        try:
            message = messages.read_kind(sent.body, kind)
            reading.take(message)
        except Problem as problem:
            reading.refuse(problem, message, "")
            await _count(platform, actor, reading)
            raise
        outcomes = await gate.settle(platform, reading.calls)
        for call, outcome in zip(reading.calls, outcomes, strict=True):
            failed = report.problem_of(message, call, outcome)
            if failed is not None:
                raise failed
            reading.errors += report.faults_of(message, call, outcome)
        return _accepted(reading), outcomes[-1].seq

    return take


def _single(name: str, take: Take) -> HTTPRouteHandler:
    """The route of one kind of message, under its name and the browser's short form of it."""

    @post(
        [f"/v1/{name}", f"/v1/{SHORT[name]}"],
        status_code=200,
        tags=["tracking"],
        summary=f"Take in one {name} call",
        description=f"{messages.KINDS[name].__doc__} Answered once it is on disk.",
        operation_class=described.of_kind(name),
        responses=described.refusals(),
        exception_handlers={Problem: refused},
    )
    async def single(request: Request[Any, Any, Any]) -> Response[Accepted]:
        content, seq = await take(await _sent(request))
        return gate.answer(content, seq=seq)

    return single


async def take_batch(sent: Sent) -> tuple[Accepted, int | None]:
    """Take in a batch; what cannot be kept is named in `errors`."""
    actor, platform = _caller(sent), sent.platform
    given = messages.read_batch(sent.body)
    reading = _reading(platform, actor, given)
    for place, raw in enumerate(given.batch):
        _read(reading, raw, place)
        if place % AT_ONCE == AT_ONCE - 1:
            await asyncio.sleep(0)
    seq = None
    if reading.calls:
        outcomes = await gate.settle(platform, reading.calls)
        seq = outcomes[-1].seq
        for i, outcome in enumerate(outcomes):
            if outcome.problem is not None or outcome.status == "dropped":
                reading.errors += report.faults_of(reading.sent[i], reading.calls[i], outcome)
    await _count(platform, actor, reading)
    return _accepted(reading), seq


@post(
    BATCH,
    status_code=200,
    tags=["tracking"],
    summary="Take in a batch of calls",
    operation_class=described.of_batch(),
    responses=described.refusals(),
    exception_handlers={Problem: refused},
)
async def batch(request: Request[Any, Any, Any]) -> Response[Accepted]:
    """What cannot be kept is named in `errors`; the rest is, and answered once it is on disk."""
    content, seq = await take_batch(await _sent(request))
    return gate.answer(content, seq=seq)


def _read(reading: Reading, raw: msgspec.Raw, place: int) -> None:
    """Read and translate one message of a batch; one that cannot be is refused alone."""
    path, message = f"batch.{place}", None
    try:
        message = messages.read_message(raw)
        reading.take(message, path, place)
    except Problem as problem:
        reading.refuse(problem, message, path)


async def _count(platform: Platform, actor: Actor, reading: Reading) -> None:
    """Let the event hub count what never became a call.

    It is not worth failing the request for: what was kept is kept, and the answer names the rest.
    """
    if not reading.counted:
        return
    counted, workspace, now = reading.counted, actor.workspace.id, platform.clock.now()
    for rejection, count in counted.items():
        metrics.DROPS.labels(rejection.code).inc(count)
    with contextlib.suppress(Problem):
        await gate.write(
            platform, lambda c: event_store.save_rejections(c, workspace, counted, now)
        )


def _accepted(reading: Reading) -> Accepted:
    errors = report.listed(reading.errors) if reading.errors else []
    return Accepted(errors=errors) if errors else Accepted()


_TAKES = {name: _taking(kind) for name, kind in messages.KINDS.items()}
ROUTES = [*(_single(name, take) for name, take in _TAKES.items()), batch]
# What answers by itself, past the framework, at which path.
TAKES: dict[str, Take] = {
    **{f"/v1/{word}": take for name, take in _TAKES.items() for word in (name, SHORT[name])},
    **dict.fromkeys(BATCH, take_batch),
}
