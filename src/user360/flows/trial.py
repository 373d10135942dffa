"""Trying a flow: a conversation in which nothing is kept, nobody is identified, nothing is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from user360.access.workspaces import Workspace
from user360.errors import Fault, InvalidDataType, InvalidProperty, InvalidUserId
from user360.flows import asking, calling, claims
from user360.flows.answers import BadAnswer, parsed
from user360.flows.language.nodes import Flow, Request
from user360.flows.language.templates import ValueOf
from user360.flows.runner import Run
from user360.flows.state import State
from user360.flows.world import (
    CallFailed,
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
from user360.identity import store as identity_store
from user360.platform import Platform
from user360.records import values
from user360.records.values import Value

MOST_MESSAGES = 50
LONGEST = 30.0  # seconds that a trial with calls may take
CODE = "000000"


class Step(msgspec.Struct, frozen=True):
    """One thing that was said or would be done.

    `kind` is `customer`, `bot`, `set`, `identify`, `code`, `claim`, `call`, `handOver` or `end`.
    """

    kind: str
    text: str
    detail: dict[str, Any] = msgspec.field(default_factory=dict)


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What to try with: what is said, by whom, where.

    `record` is an existing one, else somebody invented speaks; `properties` are what is known of
    them besides. `answers` are what APIs would answer, by the names of the nodes that ask; with
    `calls` the others are really asked.
    """

    messages: Sequence[str]
    record: int | None = None
    properties: Mapping[str, Any] = {}
    channel: str = "web"
    answers: Mapping[str, Any] = {}
    calls: bool = False


class Tried(msgspec.Struct, frozen=True):
    """What came of it; `at` is the node that waits for an answer, None where the flow is done.

    `gave_up` is why it handed over without being told to, else empty.
    """

    steps: list[Step]
    at: str | None
    gave_up: str
    variables: dict[str, Any]


async def attempt(
    platform: Platform, workspace: Workspace, flow: Flow, given: Given, secrets: Mapping[str, str]
) -> Tried:
    """Let somebody say these messages to a flow. Raises `Problem` for bad properties."""
    world = _Dry(platform, workspace, given, secrets)
    state = State(flow="", at=flow.start)
    gave_up = ""
    try:
        async with asyncio.timeout(LONGEST if given.calls else None):
            for turn, text in enumerate(given.messages, 1):
                world.hear(text)
                state.turn = turn
                run = Run(flow, state, world)
                await run.turn()
                gave_up = run.gave_up
                if world.ended:
                    break
    except TimeoutError:
        world.note("call", f"stopped after {LONGEST:g} seconds")
    at = None if world.ended else state.at
    return Tried(world.steps, at, gave_up, state.variables)


class _Dry:
    """A world in which everything is told and nothing is done."""

    def __init__(
        self, platform: Platform, workspace: Workspace, given: Given, secrets: Mapping[str, str]
    ) -> None:
        self.platform = platform
        self.workspace = workspace
        self.channel = given.channel
        self.conversation = "c0"
        self.text = ""
        self.steps: list[Step] = []
        self.ended = False
        self._given = given
        self._secrets = dict(secrets)
        self._record = given.record
        self._user_id: str | None = None
        self._beside = _properties(workspace, given.properties)
        self._claim: claims.Claim | None = None

    def note(self, kind: str, text: str, /, **detail: Any) -> None:
        self.steps.append(Step(kind, text, detail))

    def hear(self, text: str) -> None:
        """The customer says something."""
        self.text = text
        self.note("customer", text)

    async def person(self) -> Person:
        """See `World`."""
        found = await asyncio.to_thread(self._known)
        if found is None:
            return Person(self._user_id, {**self._beside, "userId": self._user_id})
        shown = {n: found.get(n) for n in ("createdAt", "updatedAt", "profileComplete", "tags")}
        told = {**found["properties"], **shown, **self._beside, "userId": found["userId"]}
        return Person(found["userId"], told)

    def _known(self) -> dict[str, Any] | None:
        if self._record is None:
            return None
        with self.platform.ledger.read() as connection:
            given = (connection, self.platform.ledger.dialect, self.workspace, self._record)
            found = people.one(*given)
        if found is None:
            raise TakenOver
        return found

    async def holds(self, where: Any) -> bool:
        """See `World`."""
        given = (self.platform, self.workspace, where, self._record, dict(self._beside))
        return await asyncio.to_thread(asking.holds, *given)

    async def write(self, properties: Mapping[str, Any]) -> None:
        """See `World`."""
        kept = _properties(self.workspace, properties)
        self._beside |= kept
        self.note("set", ", ".join(kept), **kept)

    def identifies(self, name: str) -> bool:
        """See `World`."""
        return name == self.workspace.settings.identifier

    async def claim(self, by: str, value: Value) -> Claimed:
        """See `World`."""
        declared = self.workspace.catalogue.get(by)
        if declared is None:
            return Refused("this cannot be taken in just now")
        try:
            kept = parsed(declared.type, str(value))
            user_id = identifier.identifying_value(by, declared.type, kept, by)
        except BadAnswer as bad:
            return Refused(bad.reason)
        except InvalidUserId as problem:
            return Refused(problem.detail)
        assert not isinstance(kept, list)
        claim = claims.Claim(by, kept, user_id)
        own, other = (await self.person()).user_id, await asyncio.to_thread(self._of, user_id)
        if self.workspace.desk.settings.proof == "claim" or other is None or own == user_id:
            return self._identify(claim, own, other)
        self._claim = claim
        self.note("code", f"a code is sent, if the channels are set; here it is {CODE}")
        return Sent("***")

    def _of(self, user_id: str) -> int | None:
        with self.platform.ledger.read() as connection:
            number = identity_store.of_user(connection, self.workspace.id, user_id)
            found = [] if number is None else [number]
            roots = identity_store.roots_of(connection, self.platform.ledger.dialect, found)
        return next(iter(roots), None)

    def _identify(self, claim: claims.Claim, own: str | None, other: int | None) -> Claimed:
        """What the table of identity would make of it."""
        if own == claim.user_id:
            outcome = "unchanged"
        elif own is None:
            outcome = "assigned" if other is None else "merged"
        else:
            outcome = "created" if other is None else "switched"
            self._beside = {}
        if other is not None and own != claim.user_id:
            self._record = other
        elif outcome == "created":
            self._record = None
        self._user_id = claim.user_id
        self._beside[claim.property] = claim.value
        self.note("identify", outcome, userId=claim.user_id, by=claim.property)
        return Identified()

    async def prove(self, code: str) -> Claimed:
        """See `World`."""
        claim = self._claim
        if claim is None:
            return Unproven()
        if code.strip() != CODE:
            return Wrong()
        own, other = (await self.person()).user_id, await asyncio.to_thread(self._of, claim.user_id)
        return self._identify(claim, own, other)

    def attested(self, _by: str) -> str | None:
        """See `World`."""
        return None

    async def ask(self, node: Request, value_of: ValueOf, turn: str) -> Any:
        """See `World`."""
        sent = calling.outgoing(node, value_of, self._secrets, turn)
        if node.name in self._given.answers:
            self.note("call", f"{sent.method} {sent.url}", answer="given")
            return self._given.answers[node.name]
        if not self._given.calls:
            self.note("call", f"{sent.method} {sent.url}", answer="not asked")
            return None
        try:
            async with calling.client(self.platform.settings.call_networks) as client:
                answer = await calling.ask(client, sent, node.timeout, node.retries)
        except CallFailed as failed:
            self.note("call", f"{sent.method} {sent.url}", answer="failed", reason=str(failed))
            raise
        self.note("call", f"{sent.method} {sent.url}", answer="asked")
        return answer

    async def keep(self, said: Sequence[Line], _state: State, ending: Ending | None) -> None:
        """See `World`."""
        for line in said:
            self.note("bot", line.text, **({"choices": list(line.choices)} if line.choices else {}))
        if ending is None:
            return
        self.ended = True
        if ending.ended:
            self.note("end", ending.reason, tags=list(ending.tags))
        else:
            told = {"group": ending.group, "skills": list(ending.skills), "kind": ending.kind}
            self.note("handOver", ending.subject, **told)


def _properties(workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    """Properties as they would be kept. Raises `Problem` naming each that cannot be."""
    found: dict[str, Any] = {}
    faults = []
    for name, value in given.items():
        declared = workspace.catalogue.get(name)
        if declared is None or name == "userId":
            message = f"{name[:64]} is no property that can be written"
            faults.append(Fault(f"properties.{name[:64]}", InvalidProperty.code, message))
            continue
        try:
            found[name] = values.parse(declared.type, value, workspace.zone)
        except values.BadValue as bad:
            faults.append(Fault(f"properties.{name}", InvalidDataType.code, bad.message))
    if faults:
        raise InvalidProperty(faults[0].message, faults=faults)
    return found
