"""What the widget asks: to begin, to say something, what was said before, what has been seen."""

from __future__ import annotations

import asyncio
import hmac
import re
from typing import Any

import msgspec
from litestar import Response, get, post

from user360.access.workspaces import Workspace
from user360.channels import settings
from user360.channels.web import calls, identity, sessions, shown, store
from user360.channels.web.identity import Identity
from user360.channels.web.sessions import CHANNEL, Held, NoSession, Visitor
from user360.conversations import marks, talk
from user360.conversations.news import News, Typing
from user360.conversations.talk import Said
from user360.doors import gate
from user360.doors.api import bodies
from user360.doors.api.bodies import Body
from user360.doors.widget import asking, files, pace
from user360.doors.widget.asking import Asked
from user360.doors.widget.stream import since
from user360.errors import Fault, Invalid, PersonErased
from user360.flows import greeting
from user360.identity import people
from user360.identity import store as identity_store
from user360.ids import parse_message_id, public_message_id
from user360.ingest.call import Call, Outcome
from user360.platform import Platform
from user360.storage.ledger import Connection, array

PAGE = 50  # messages that are shown at once
ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
LONGEST_ADDRESS = 2_048
MOST_PROPERTIES = 50
MOST_FILES = 10


class Begin(Body):
    """A page with the chat on it: whose, in which session, and who its server says is there."""

    workspace: str = "default"
    token: str = ""
    identity: str = ""


class Page(Body):
    """What a page tells by itself, once after it was loaded."""

    address: str = ""
    timezone: str = ""
    properties: dict[str, Any] = msgspec.field(default_factory=dict)


class Say(Body):
    """A message of the customer; `id` makes it the same one however often it is sent.

    `asked` is what stood for the question that was shown to them before they wrote.
    """

    id: str
    text: str = ""
    asked: str = ""
    files: list[files.FileSaid] = msgspec.field(default_factory=list)
    page: Page | None = None


class Seen(Body):
    """Up to which message what was answered has come, and was read."""

    delivered: str = ""
    read: str = ""


@post("/channels/web/start", status_code=200, include_in_schema=False)
async def start(request: Asked) -> Response[dict[str, Any]]:
    """Begin or go on: the token to ask with, what was said last, how the conversation stands.

    Who is signed in on the page now never sees what somebody else said in the same browser.
    """
    platform, place = gate.platform_of(request), asking.place_of(request)
    asking.pace_of(request).at(place)
    given: Begin = bodies.decode(Begin, await request.body())
    workspace = asking.workspace_named(platform, given.workspace)
    held, person = _resumed(platform, workspace, given.token)
    known, refused = _identity(platform, workspace, given.identity)
    other = known is not None and (held is None or _is_other(person, known))
    now = platform.clock.now()
    if held is None or other or sessions.is_over(held, workspace, now):
        asking.pace_of(request).at(place, pace.BEGINS)
        visitor, person, token = sessions.begin(workspace.id), None, ""
    else:
        visitor, token = held.visitor, given.token
    if not token or (held is not None and sessions.is_old(held, workspace, now)):
        token = sessions.token(platform.vault, visitor, now)
    told: dict[str, Any] = {"token": token, "other": other}
    if known is not None:
        told["refused"] = await _identify(platform, visitor, known, person)
    elif refused:
        told["refused"] = [refused]
    told["identified"] = known is not None and not told["refused"]
    told |= _seen(platform, visitor, None, state=True)
    if not told["messages"]:
        told |= _greeting(platform, workspace, visitor if told["identified"] else None)
    return gate.answer(told)


def _is_other(person: dict[str, Any] | None, known: Identity) -> bool:
    """Whether a session is somebody else's than of who is signed in now."""
    return person is not None and person["userId"] not in (None, known.user_id)


def _greeting(
    platform: Platform, workspace: Workspace, signed_in: Visitor | None
) -> dict[str, Any]:
    """What is shown before anything is said; properties to whom the page's server vouches for."""
    person = None if signed_in is None else _person(platform, workspace, signed_in)
    found = _greets(platform, workspace, person)
    told = {"greeting": found.lines, "greets": found.said}
    if not found.asked:
        return told
    known = "" if signed_in is None else sessions.vouched(platform.vault, signed_in)
    return {**told, "asked": f"{found.asked}.{known}", "choices": found.choices}


def _greets(
    platform: Platform, workspace: Workspace, person: dict[str, Any] | None
) -> greeting.Greeting:
    known = None if person is None else {**person["properties"], "userId": person["userId"]}
    return gate.glance(platform, lambda c: greeting.of(c, workspace, CHANNEL, known))


def _asked(
    platform: Platform, workspace: Workspace, visitor: Visitor, said: Said, asked: str
) -> list[Call]:
    """The greeting as messages, where a customer's first words answer the question at its end.

    None where it is no longer how the flow begins, or what is said will be refused. What is known
    of a person is told again to those alone who were told it.
    """
    if not asked or talk.faults_of(said):
        return []
    if gate.glance(platform, lambda c: store.conversation_of(c, visitor)) is not None:
        return []
    question, _, known = asked.partition(".")
    vouched = hmac.compare_digest(
        sessions.vouched(platform.vault, visitor).encode(), known.encode()
    )
    person = _person(platform, workspace, visitor) if vouched else None
    found = _greets(platform, workspace, person)
    return calls.greeting(platform, visitor, found) if found.asked == question else []


def _resumed(
    platform: Platform, workspace: Workspace, token: str
) -> tuple[Held | None, dict[str, Any] | None]:
    """The session that a browser has or had, with its person; neither for one that is not here."""
    try:
        held = sessions.read(platform.vault, token)
    except NoSession:
        return None, None
    if held.visitor.workspace != workspace.id:
        return None, None
    person = _person(platform, workspace, held.visitor)
    if person is None and workspace.erased.holds_session((CHANNEL, held.visitor.session)):
        return None, None
    return held, person


def _person(platform: Platform, workspace: Workspace, visitor: Visitor) -> dict[str, Any] | None:
    def look(connection: Connection) -> dict[str, Any] | None:
        number = identity_store.of_session(connection, workspace.id, CHANNEL, visitor.session)
        return people.one(connection, platform.ledger.dialect, workspace, number)

    return gate.glance(platform, look)


def _identity(platform: Platform, workspace: Workspace, given: str) -> tuple[Identity | None, str]:
    """Who the page's server says is there, or why that cannot be believed."""
    if not given:
        return None, ""
    key = settings.secrets(platform, workspace, CHANNEL).get("signingKey", "")
    try:
        return identity.read(given, key, platform.clock.now()), ""
    except identity.Refused as refused:
        return None, refused.detail


async def _identify(
    platform: Platform, visitor: Visitor, known: Identity, person: dict[str, Any] | None
) -> list[str]:
    """Let a session be that of a known person; what of it was refused."""
    asked = calls.identifying(platform, visitor, known, person)
    return _refusals(await gate.settle(platform, asked)) if asked else []


def _refusals(outcomes: list[Outcome]) -> list[str]:
    problems = [outcome.problem for outcome in outcomes if outcome.problem is not None]
    return [m for p in problems for m in ([f.message for f in p.faults] or [p.detail])]


def _seen(
    platform: Platform, visitor: Visitor, before: int | None, *, state: bool
) -> dict[str, Any]:
    """What was said last, before a message or of all, and how the conversation stands."""

    def look(connection: Connection) -> dict[str, Any]:
        found = store.said_before(connection, visitor, before, PAGE + 1)
        held = store.conversation_of(connection, visitor) if state else None
        said = [shown.message(platform, visitor.workspace, each) for each in found[-PAGE:]]
        told = {"messages": said, "more": len(found) > PAGE}
        return {**told, "state": shown.conversation(platform, held)} if state else told

    return gate.glance(platform, look)


@get("/channels/web/messages", include_in_schema=False)
async def history(request: Asked) -> Response[dict[str, Any]]:
    """What was said before a message (`before`), the oldest first."""
    visitor, workspace = asking.visitor_of(request)
    asking.pace_of(request).of(visitor)
    before = since(request, workspace, "before") or None
    return gate.answer(_seen(gate.platform_of(request), visitor, before, state=False))


@post("/channels/web/messages", status_code=200, include_in_schema=False)
async def say(request: Asked) -> Response[dict[str, Any]]:
    """Take in what the customer says; answered once it is on disk. The same id is one message."""
    visitor, workspace, token = asking.session_of(request)
    asking.pace_of(request).of(visitor, pace.WRITES)
    platform = gate.platform_of(request)
    given: Say = bodies.decode(Say, await request.body())
    _refuse(given)
    attached = files.said(platform, workspace, given.files)
    said = Said(
        sender=talk.CUSTOMER,
        text=given.text,
        attachments=attached,
        id=given.id,
        external=given.id,
        detail=_detail(given.page),
    )
    before = _asked(platform, workspace, visitor, said, given.asked)
    if before:
        question = given.asked.partition(".")[0]
        said = msgspec.structs.replace(said, detail={**said.detail, talk.ASKED: question})
    asked = _calls(platform, workspace, visitor, said, given.page)
    outcomes = (await gate.settle(platform, [*before, *asked]))[len(before) :]
    if (problem := outcomes[0].problem) is not None:
        raise NoSession if isinstance(problem, PersonErased) else problem
    assert outcomes[0].message is not None
    told = {
        "n": public_message_id(outcomes[0].message),
        "at": asked[0].at // 1_000,  # milliseconds; the clock of the browser may be off
        "refused": _refusals(outcomes[1:]),
    }
    if token:
        told["token"] = token
    return gate.answer(told, seq=outcomes[0].seq)


def _refuse(given: Say) -> None:
    faults = []
    if not ID.match(given.id):
        message = "id must be 1 to 64 letters, digits, - and _"
        faults.append(Fault("id", "invalid", message))
    if len(given.files) > MOST_FILES:
        message = f"a message carries at most {MOST_FILES} files"
        faults.append(Fault("files", "invalid", message))
    if given.page is not None and len(given.page.properties) > MOST_PROPERTIES:
        message = f"a page tells at most {MOST_PROPERTIES} properties"
        faults.append(Fault("page.properties", "invalid", message))
    if faults:
        raise Invalid(faults[0].message, faults=faults)


def _detail(page: Page | None) -> dict[str, Any]:
    """Where on the site it was said: for agents, never acted upon."""
    address = "" if page is None else page.address[:LONGEST_ADDRESS]
    return {"page": address} if address.startswith(("https://", "http://")) else {}


def _calls(
    platform: Platform, workspace: Workspace, visitor: Visitor, said: Said, page: Page | None
) -> list[Any]:
    if page is None:
        return [calls.saying(platform, visitor, said, "", None)]
    person = _person(platform, workspace, visitor)
    return [
        calls.saying(platform, visitor, said, page.timezone, person),
        *calls.claiming(platform, workspace, visitor, page.properties, person),
    ]


@post("/channels/web/seen", status_code=204, include_in_schema=False)
async def seen(request: Asked) -> None:
    """Mark what was answered as having come, and as read, up to a message each."""
    visitor, workspace = asking.visitor_of(request)
    asking.pace_of(request).of(visitor)
    platform = gate.platform_of(request)
    given: Seen = bodies.decode(Seen, await request.body())
    read, delivered = (
        parse_message_id(workspace.id, each) or 0 for each in (given.read, given.delivered)
    )

    def mark(connection: Connection) -> list[News]:
        told = [
            marks.Mark(message=number, delivery=state)
            for state, upto, before in (("read", read, 3), ("delivered", delivered, 2))
            for number in store.unread(connection, visitor, upto, array(talk.DELIVERY[:before]))
        ]
        return marks.put(connection, platform.ledger.dialect, workspace.id, told)

    await asyncio.to_thread(platform.tell, mark)


@post("/channels/web/typing", status_code=204, include_in_schema=False)
async def types(request: Asked) -> None:
    """Tell the agents that the customer is writing."""
    visitor, workspace = asking.visitor_of(request)
    asking.pace_of(request).of(visitor)
    platform = gate.platform_of(request)
    held = gate.glance(platform, lambda c: store.conversation_of(c, visitor))
    if held is not None and held.active:
        platform.exchange.types(Typing(workspace.id, held.id, talk.CUSTOMER))


ROUTES = [start, history, say, seen, types]
