"""What every door stands on: who calls, reading and waiting, answers and errors."""

from __future__ import annotations

import asyncio
import base64
import binascii
import functools
import hmac
import typing
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler

from user360.access import keys, roles
from user360.access.change import Change
from user360.access.limits import LimitReached, Limits, Room
from user360.access.signing import SignIn
from user360.access.workspaces import Workspace
from user360.errors import (
    Fault,
    Forbidden,
    Malformed,
    NotFound,
    Problem,
    StorageFailed,
    TooLarge,
    Unauthenticated,
)
from user360.ingest.call import Call, Outcome
from user360.platform import Platform
from user360.storage.ledger import Connection
from user360.storage.warehouse import Warehouse

Result = TypeVar("Result")
Anyone = ASGIConnection[Any, Any, Any, Any]
AsyncGuard = Callable[[Anyone, BaseRouteHandler], Awaitable[None]]
SEQ = "X-User360-Seq"
MIN_SEQ = "X-User360-Min-Seq"
PROBLEM = "application/problem+json"
ACTOR, ROOM = "user360.actor", "user360.room"
# The cookie of a session, and the header that shows that one of our own pages writes.
COOKIE, CSRF = "user360", "X-CSRF-Token"
SAFE = ("GET", "HEAD", "OPTIONS")


class Actor(msgspec.Struct, frozen=True):
    """Who calls, a key or a member who signed in: in which workspace, in which role.

    `ref` is how provenance and audit name them.
    """

    workspace: Workspace
    role: str
    ref: str
    sign_in: SignIn | None = None


def platform_of(connection: Anyone) -> Platform:
    """The platform that the application serves."""
    platform: Platform = connection.app.state.platform
    return platform


def key_in_headers(headers: Mapping[str, str]) -> str | None:
    """The key a request carries: `x-api-key`, `Bearer`, or Basic with the key as user name."""
    if given := headers.get("x-api-key") or headers.get("x-auth-token"):
        return given
    scheme, _, value = headers.get("authorization", "").partition(" ")
    scheme = scheme.lower()
    if scheme == "bearer":
        return value.strip()
    if scheme == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[0]
        except (binascii.Error, ValueError):
            return None
    return None


def authenticate(connection: Anyone, key: str | None) -> Actor:
    """The caller of a request by its key, or without one by the session in its cookie.

    Raises `Unauthenticated`, `LimitReached`, and `Forbidden` for a write from another site.
    """
    state, noted = connection.app.state, connection.scope["state"]
    if key is None and (found := signed_in(connection)) is not None:
        if writes(connection):
            refuse_forged(found, connection.headers.get(CSRF))
        noted[ACTOR] = found
        return found
    return admit(state.platform, state.limits, noted, key)


def writes(connection: Anyone) -> bool:
    """Whether a request may change something."""
    return connection.scope.get("method", "") not in SAFE


def signed_in(connection: Anyone) -> Actor | None:
    """The member behind the session in a request's cookie, in the workspace they look into."""
    secret, platform = connection.cookies.get(COOKIE), platform_of(connection)
    found = platform.sign_ins.get(keys.fingerprint(secret)) if secret else None
    if found is None or found.until <= platform.clock.now():
        return None
    member = platform.members.get(found.member)
    role = None if member is None else member.roles.get(found.workspace)
    if member is None or role is None:
        return None
    return Actor(platform.workspaces[found.workspace], role, member.ref, found)


def refuse_forged(actor: Actor, given: str | None) -> None:
    """Raises `Forbidden` when a member's write does not carry what only our pages know."""
    known = "" if actor.sign_in is None else actor.sign_in.csrf
    if not given or not hmac.compare_digest(known.encode(), given.encode()):
        raise Forbidden("This page is too old to write from; load it again")


def admit(platform: Platform, limits: Limits, noted: dict[str, Any], key: str | None) -> Actor:
    """The caller behind a key, counted against its limit, and both noted for who answers.

    Raises `Unauthenticated`, `LimitReached`.
    """
    found = platform.keys.get(keys.fingerprint(key)) if key else None
    if found is None:
        raise Unauthenticated
    platform.key_used(found.id)
    workspace = platform.workspaces[found.workspace]
    if workspace.settings.rate_limit:
        room, allowed = limits.take(found, workspace.settings.rate_limit)
        noted[ROOM] = room
        if not allowed:
            raise LimitReached(room)
    actor = noted[ACTOR] = Actor(workspace, found.role, f"key:{found.id}")
    return actor


def allow(action: str) -> AsyncGuard:
    """A guard that lets in keys whose role may do `action`, and notes the caller."""

    # Not awaiting anything, but async: the framework runs the others on threads.
    async def guard(connection: Anyone, _handler: BaseRouteHandler) -> None:
        permit(authenticate(connection, key_in_headers(connection.headers)), action)

    return guard


def permit(actor: Actor, action: str) -> None:
    """Raises `Forbidden` when the caller's role may not do `action`."""
    if not roles.may(actor.role, action):
        who = "A key" if actor.sign_in is None else "Somebody"
        raise Forbidden(f"{who} with the role {actor.role} may not do this")


def actor_of(connection: Anyone) -> Actor:
    """The caller that the guard let in."""
    actor: Actor = connection.scope["state"][ACTOR]
    return actor


def actor_in(scope: Any) -> Actor | None:
    """The caller of a request, when it got so far."""
    actor: Actor | None = scope.get("state", {}).get(ACTOR)
    return actor


def room_of(scope: Any) -> Room | None:
    """What is left of the caller's rate limit, when there is one."""
    room: Room | None = scope.get("state", {}).get(ROOM)
    return room


async def settle(platform: Platform, calls: Sequence[Call]) -> list[Outcome]:
    """Hand calls to the committer; returns once they are on disk. Raises `Busy` and the like."""
    outcomes: list[Outcome] = await _answered(lambda done: platform.committer.submit(calls, done))
    return outcomes


async def one(platform: Platform, call: Call) -> Outcome:
    """Settle one call; its own problem is raised."""
    outcome = (await settle(platform, [call]))[0]
    if outcome.problem is not None:
        raise outcome.problem
    return outcome


async def write(platform: Platform, job: Callable[[Connection], Result]) -> Result:
    """Run a job in the writer's transaction; returns once it is on disk."""
    result: Result = await _answered(lambda done: platform.committer.submit_job(job, done))
    return result


async def change(
    request: Request[Any, Any, Any], job: Callable[[Change], Result]
) -> tuple[Result, int]:
    """Run a change of the caller's workspace; its result, and the position that shows it."""
    platform, actor = platform_of(request), actor_of(request)
    position = platform.committer.position

    def run(connection: Connection) -> tuple[Result, int]:
        given = Change(
            connection,
            platform.ledger.dialect,
            actor.workspace,
            now=platform.now(),
            actor=actor.ref,
            take=position.take,
        )
        return job(given), position.last

    return await write(platform, run)


class Told:
    """Brings results from the writer's thread to a loop: those of one commit with one waking."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._results: deque[tuple[asyncio.Future[Any], Any]] = deque()
        self._awake = False

    def tell(self, future: asyncio.Future[Any], result: Any) -> None:
        """Called on the writer's thread. Raises `RuntimeError` when the loop is closed."""
        self._results.append((future, result))
        if not self._awake:
            self._awake = True
            self.loop.call_soon_threadsafe(self._resolve)

    def _resolve(self) -> None:
        # In this order: what is added from now on wakes the loop again.
        self._awake = False
        while self._results:
            future, result = self._results.popleft()
            if future.done():
                continue
            if isinstance(result, BaseException):
                future.set_exception(result)
            else:
                future.set_result(result)


# A loop is one of a few for as long as a process serves.
_told = functools.lru_cache(maxsize=8)(Told)


async def _answered(submit: Callable[[Callable[[Any], None]], None]) -> Any:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()
    submit(functools.partial(_told(loop).tell, future))
    return await future


async def read(platform: Platform, question: Callable[[Connection], Result]) -> Result:
    """Ask the ledger, on a thread."""

    def ask() -> Result:
        with platform.ledger.read() as connection:
            return question(connection)

    return await asyncio.to_thread(ask)


def glance(platform: Platform, question: Callable[[Connection], Result]) -> Result:
    """Ask the ledger for one thing by its key, at once: that costs less than another thread.

    There are more connections for reading than threads that read, so it never waits for one.
    """
    with platform.ledger.glance() as connection:
        return question(connection)


async def ask(
    request: Request[Any, Any, Any], question: Callable[[Warehouse], Result], at_least: int = 0
) -> Result:
    """Ask the warehouse once it shows what the caller says it must see (`X-User360-Min-Seq`).

    The declarations in force are always shown: a question may name any declared property. When
    they change while it is being asked, or the warehouse's file is replaced, it is asked again.
    """
    platform, workspace = platform_of(request), actor_of(request).workspace
    position = max(at_least, min_seq(request))

    def asked() -> Result:
        while True:
            version = workspace.catalogue.version
            warehouse = platform.wait(max(position, version))
            try:
                return question(warehouse)
            except Exception:
                replaced = platform.projector.replaced(warehouse)
                if workspace.catalogue.version == version and not replaced:
                    raise

    return await asyncio.to_thread(asked)


def min_seq(connection: Anyone) -> int:
    """The position a reader asks for; raises `Problem` when it is no number or lies ahead."""
    text = connection.headers.get(MIN_SEQ)
    if not text:
        return 0
    last = platform_of(connection).committer.position.last
    if not text.isdigit() or int(text) > last:
        raise Problem.at(MIN_SEQ, f"{MIN_SEQ} must be a position this server has answered")
    return int(text)


def answer(content: Any, status: int = 200, seq: int | None = None) -> Response[Any]:
    """A JSON answer; a write's says at which position a reader sees it."""
    headers = {} if seq is None else {SEQ: str(seq)}
    return Response(content, status_code=status, headers=headers)


def problem_body(problem: Problem) -> dict[str, Any]:
    """RFC 9457: what is wrong, in words and by place."""
    return {
        "type": f"urn:user360:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "errors": [msgspec.to_builtins(fault) for fault in problem.faults],
    }


def problem_response(problem: Problem) -> Response[Any]:
    """The answer to a request that cannot be carried out."""
    headers = {}
    if problem.status in (429, 503):
        headers["Retry-After"] = str(getattr(problem, "retry_after", 1))
    if problem.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="User 360", Bearer'
    if allowed := getattr(problem, "allowed", None):
        headers["Allow"] = allowed
    return Response(
        problem_body(problem), status_code=problem.status, media_type=PROBLEM, headers=headers
    )


class NoRoute(NotFound):
    """There is nothing at this address."""


class NoMethod(Problem):
    """This address does not answer this method."""

    status = 405
    code = "methodNotAllowed"

    def __init__(self, allowed: str) -> None:
        super().__init__(f"This address answers {allowed}")
        self.allowed = allowed


def from_framework(error: HTTPException, asked: Request[Any, Any, Any] | None = None) -> Problem:
    """The framework's own refusals (no such route, a parameter of the wrong type) as a `Problem`.

    Its own words are not passed on where they repeat the path, or keep back what may be `asked`.
    """
    if error.status_code == 404:
        return NoRoute()
    if error.status_code == 405:
        return NoMethod((error.headers or {}).get("allow", ""))
    if error.status_code == 413:
        return TooLarge()
    if error.status_code >= 500:
        return StorageFailed("The server could not answer; it has been logged")
    extra: Any = error.extra if isinstance(error.extra, list) else []
    faults = [_fault(item, asked) for item in extra if isinstance(item, dict)]
    detail = faults[0].message if faults else "The request is not what this call reads"
    return Malformed(detail, faults=faults)


def _fault(item: dict[str, Any], asked: Request[Any, Any, Any] | None) -> Fault:
    """One place in what the framework refuses: a parameter, or a body that is not there."""
    name, source = str(item.get("key", "")), item.get("source")
    if name == "data" or source == "body":
        return Fault("", "malformed", "expected a JSON body")
    if values := _values(name, asked):
        return Fault(name, "invalid", f"{name} must be one of {', '.join(values)}")
    message = str(item.get("message", "")).partition(" - at")[0].strip("'")
    return Fault(name, "invalid", f"{name}: {message.lower()}")


def _values(name: str, asked: Request[Any, Any, Any] | None) -> list[str]:
    """What a parameter may be, where it is one of a few texts."""
    if asked is None:
        return []
    held = asked.route_handler.parsed_fn_signature.parameters.get(name)
    kinds = () if held is None else (held.annotation, *typing.get_args(held.annotation))
    return [v for k in kinds if typing.get_origin(k) is typing.Literal for v in typing.get_args(k)]
