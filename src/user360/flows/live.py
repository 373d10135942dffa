"""A flow in a real conversation: what it says and does, kept through the spine."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import httpx
import msgspec
import structlog

from user360 import ids
from user360.access.workspaces import Workspace
from user360.conversations import store as conversation_store
from user360.conversations import talk
from user360.conversations.deeds import Deed
from user360.conversations.talk import Conversation, Message, Said
from user360.errors import Conflict, InvalidUserId, NotFound, Problem
from user360.flows import asking, calling, carrying, claims
from user360.flows import state as states
from user360.flows.answers import BadAnswer, parsed
from user360.flows.carrying import Carrier
from user360.flows.claims import Claim
from user360.flows.language import naming
from user360.flows.language.nodes import Request
from user360.flows.language.templates import ValueOf
from user360.flows.state import State
from user360.flows.world import (
    Claimed,
    Ending,
    Identified,
    Line,
    Person,
    Refused,
    Sent,
    TakenOver,
    Unproven,
    Wrong,
)
from user360.identity import identifier, people
from user360.ingest.call import Call, Outcome, Session
from user360.platform import Platform
from user360.records.values import Value
from user360.storage.ledger import Connection

log = structlog.get_logger()
Result = TypeVar("Result")


class Means(msgspec.Struct, frozen=True):
    """What all conversations share: a client for APIs, a carrier for codes."""

    client: httpx.AsyncClient
    carrier: Carrier


class Live:
    """One conversation as a flow acts on it, while it answers one `message` of the customer's."""

    def __init__(
        self,
        platform: Platform,
        workspace: Workspace,
        conversation: Conversation,
        message: Message,
        flow: str,
        secrets: Mapping[str, str],
        means: Means,
    ) -> None:
        self.platform = platform
        self.workspace = workspace
        self.number = conversation.id
        self.channel = conversation.channel
        self.session = Session(conversation.channel, conversation.session)
        self.conversation = ids.public_conversation_id(conversation.id)
        self.text = message.text
        self.ref = f"flow:{flow}"
        self._held = conversation
        self._message = message
        self._secrets = dict(secrets)
        self._means = means

    def _now(self) -> Conversation:
        """The conversation as it is kept now. Raises `TakenOver`."""
        with self.platform.ledger.read() as connection:
            found = conversation_store.load(
                connection, self.platform.ledger.dialect, self.workspace.id, [self.number]
            )
        held = found.get(self.number)
        if held is None or held.state != talk.BOT:
            raise TakenOver
        self._held = held
        return held

    async def person(self) -> Person:
        """See `World`."""
        record = self._now().record
        with self.platform.ledger.read() as connection:
            found = people.one(connection, self.platform.ledger.dialect, self.workspace, record)
        if found is None:
            raise TakenOver  # they were deleted, and what they said with them
        shown = ("userId", "createdAt", "updatedAt", "profileComplete", "tags")
        told = {**found["properties"], **{name: found.get(name) for name in shown}}
        return Person(found["userId"], told)

    async def holds(self, where: Any) -> bool:
        """See `World`."""
        record = self._now().record
        return await asyncio.to_thread(asking.holds, self.platform, self.workspace, where, record)

    async def write(self, properties: Mapping[str, Any]) -> None:
        """See `World`."""
        rest = dict(properties)
        for name in [name for name in rest if self.identifies(name) and rest[name] is not None]:
            # As good as a claim; nobody waits for a code here, so none is sent.
            claimed = await self._claimed(name, rest.pop(name), send=False)
            if isinstance(claimed, Refused):
                raise Problem.at(name, claimed.reason)
        if rest:
            await self._one(self._call(conversation=self.number, properties=rest))

    def identifies(self, name: str) -> bool:
        """See `World`."""
        return name == self.workspace.settings.identifier

    async def claim(self, by: str, value: Value) -> Claimed:
        """See `World`."""
        return await self._claimed(by, value, send=True)

    async def _claimed(self, by: str, value: Value, *, send: bool) -> Claimed:
        held = self._now()
        try:
            claim = self._claim(by, value)
        except BadAnswer as bad:
            return Refused(bad.reason)
        except InvalidUserId as problem:
            return Refused(problem.detail)
        if self.workspace.desk.settings.proof == "claim":
            return await self._identify(claim)
        other = self._other(held, claim)
        if other is None:
            try:
                return await self._identify(claim, if_exists="refuse")
            except Conflict:  # somebody of this userId has come by another door meanwhile
                other = self._other(held, claim)
        theirs = claims.properties_of(self.platform, self.workspace, other) if other else {}
        if other is None or claims.is_vouched(held, claim, theirs):
            return await self._identify(claim)
        if send:
            return await self._send_code(claim, theirs)
        await self._write_ledger(lambda c: claims.keep(c, self.number, claim))
        return Unproven()

    def _claim(self, by: str, value: Value) -> Claim:
        """What somebody says, with the userId it means. Raises `BadAnswer`, `InvalidUserId`."""
        declared = self.workspace.catalogue.get(by)
        if declared is None:
            raise BadAnswer("this cannot be taken in just now")
        kept = parsed(declared.type, str(value))
        assert not isinstance(kept, list)
        user_id = identifier.identifying_value(by, declared.type, kept, by)
        return Claim(by, kept, user_id)

    async def _identify(self, claim: Claim, if_exists: str = "update") -> Claimed:
        """Let the session be theirs, by the table of identity.

        Raises `Conflict` where nobody who is known is to be joined, and that would be somebody.
        """
        call = self._call(
            session=self.session,
            user_id=claim.user_id,
            properties={claim.property: claim.value},
            if_exists=if_exists,
        )
        problem = (await self._settle([call]))[0].problem
        if problem is not None:
            if isinstance(problem, Conflict) and if_exists == "refuse":
                raise problem
            log.info("claim refused", flow=self.ref, reason=problem.code)
            return Refused("this cannot be taken in; an agent can help")
        return Identified()

    async def _send_code(self, claim: Claim, theirs: dict[str, object]) -> Claimed:
        """Send a code by the first way that is set; without one it stays a claim."""
        carrier = self._means.carrier
        for way, address in claims.addresses(claim, theirs):
            if not carrier.ready(self.workspace, way):
                continue
            sent = msgspec.structs.replace(claim, way=way, address=address)
            begun = functools.partial(
                claims.begin,
                platform=self.platform,
                workspace=self.workspace,
                conversation=self._held,
                claim=sent,
            )
            code = await self._write_ledger(begun)
            if code is None:
                break
            try:
                await asyncio.to_thread(carrier.carry, self.workspace, way, address, code)
            except carrying.NotCarried as why:
                log.warning("code not brought", way=way, reason=str(why))
                continue
            return Sent(claims.masked(way, address))
        await self._write_ledger(lambda c: claims.keep(c, self.number, claim))
        return Unproven()

    async def prove(self, code: str) -> Claimed:
        """See `World`."""
        held = self._now()
        judged, claim = await self._write_ledger(
            lambda c: claims.judge(c, self.platform, self.workspace, self.number, code)
        )
        if judged == "right" and claim is not None:
            return await self._identify(claim)
        if judged == "wrong":
            return Wrong()
        if judged == "expired" and claim is not None:
            other = self._other(held, claim)
            theirs = claims.properties_of(self.platform, self.workspace, other) if other else {}
            return await self._send_code(msgspec.structs.replace(claim, way="", address=""), theirs)
        if claim is not None:
            await self._write_ledger(lambda c: claims.keep(c, self.number, claim))
        return Unproven()

    def _other(self, held: Conversation, claim: Claim) -> int | None:
        """The existing record that a claim leads to, unless it is theirs already."""
        with self.platform.ledger.read() as connection:
            return claims.is_somebody_else(
                connection, self.platform, self.workspace, held.record, claim.user_id
            )

    def attested(self, by: str) -> str | None:
        """See `World`."""
        return claims.vouched(self._held) if by == "phone" else None

    async def ask(self, node: Request, value_of: ValueOf, turn: str) -> Any:
        """See `World`."""
        sent = calling.outgoing(node, value_of, self._secrets, f"{self.number}-{turn}")
        return await calling.ask(self._means.client, sent, node.timeout, node.retries)

    async def keep(self, said: Sequence[Line], state: State, ending: Ending | None) -> None:
        """See `World`."""
        self._now()
        turn, calls = self._message.id, []
        for line in said:
            state.said += 1
            calls.append(self._says(line, f"{self.ref}:{turn}:{state.said}"))
        if ending is None:
            deed = Deed(action="flow", by=self.ref, flow=states.encode(state))
        else:
            deed = self._deed(ending)
        calls.append(self._call(conversation=self.number, deed=deed))
        for outcome in await self._settle(calls):
            _raise(outcome)

    def _says(self, line: Line, name: str) -> Call:
        detail = {"choices": list(line.choices)} if line.choices else {}
        said = Said(
            sender=talk.BOT_SAYS,
            text=line.text[: talk.LONGEST_TEXT],
            id=name,
            author=self.ref,
            detail=detail,
            yields=True,
        )
        now = self.platform.now()
        return self._call(conversation=self.number, said=said, at=now, message_id=str(now))

    def _deed(self, ending: Ending) -> Deed:
        if ending.ended:
            return Deed(
                action="resolve",
                by=self.ref,
                reason=ending.reason,
                add_tags=ending.tags,
                with_bot=True,
            )
        return Deed(
            action="hand_over",
            by=self.ref,
            group=naming.group_of(self.workspace, ending.group) if ending.group else None,
            skills=ending.skills,
            subject=ending.subject[: talk.LONGEST_SUBJECT] or None,
            kind=ending.kind,
        )

    def _call(self, **given: Any) -> Call:
        """A call dated as what the customer said, so that taking it in twice changes nothing."""
        told = {
            "workspace": self.workspace.id,
            "source": "conversation",
            "ref": self.ref,
            "at": self._message.at,
            "message_id": str(self._message.id),
        }
        return Call(**{**told, **given})

    async def _one(self, call: Call) -> Outcome:
        outcome = (await self._settle([call]))[0]
        _raise(outcome)
        return outcome

    async def _settle(self, calls: Sequence[Call]) -> list[Outcome]:
        committer = self.platform.committer
        found: list[Outcome] = await answered(lambda done: committer.submit(calls, done))
        return found

    async def _write_ledger(self, job: Callable[[Connection], Result]) -> Result:
        committer = self.platform.committer
        found: Result = await answered(lambda done: committer.submit_job(job, done))
        return found


def _raise(outcome: Outcome) -> None:
    """A conversation that ended or is gone meanwhile is nothing to go on with."""
    if isinstance(outcome.problem, Conflict | NotFound):
        raise TakenOver
    if outcome.problem is not None:
        raise outcome.problem


async def answered(submit: Callable[[Callable[[Any], None]], None]) -> Any:
    """What the writer answers, brought to this loop."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def resolve(result: Any) -> None:
        if future.done():
            return
        if isinstance(result, BaseException):
            future.set_exception(result)
        else:
            future.set_result(result)

    def done(result: Any) -> None:
        loop.call_soon_threadsafe(resolve, result)

    submit(done)
    return await future
