"""Runs a flow: one turn takes a customer's message to the next question, or to the end.

What is said and where the flow stands are kept together, so that after a crash the turn goes on
where it was and nothing is said twice.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import jmespath
import jmespath.exceptions
import msgspec
import structlog

from user360.errors import InvalidCondition, Problem
from user360.flows import state as states
from user360.flows.answers import BadAnswer, answer_of
from user360.flows.language import nodes, templates
from user360.flows.language.nodes import Flow, Node
from user360.flows.language.templates import Template, ValueOf
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
    Unproven,
    World,
    Wrong,
)

log = structlog.get_logger()
MOST_STEPS = 100  # nodes in one turn
MOST_IN_ALL = 2_000  # nodes in one conversation
LONGEST_WISH = 10  # words of a message that may ask for an agent
LONGEST_KEPT = 10_000  # characters of one variable
LOOP, GONE, ASKED, WRONG, CALL, BROKEN = (
    "loop",
    "nodeGone",
    "asked",
    "attempts",
    "callFailed",
    "conditionBroken",
)
# How many choices a channel shows as buttons, and how long each may be.
_BUTTONS = {"web": (20, 100), "whatsapp": (3, 20)}
WRONG_CODE = "that is not the code"
_WORD = re.compile(r"\w+")


class Run:
    """A flow at work in one conversation. `gave_up` is why it handed over without being told to."""

    def __init__(self, flow: Flow, state: State, world: World) -> None:
        self.flow = flow
        self.state = state
        self.world = world
        self.gave_up = ""
        self._said: list[Line] = []
        self._done = False
        self._person: Person | None = None

    async def turn(self) -> None:
        """Take in what the customer said, and go on until they are asked or nothing is left."""
        if wishes_agent(self.world.text, self.flow.hand_over_words):
            await self._give_up(ASKED)
        elif self.state.waits:
            await self._answered(self.world.text)
        steps = 0
        while not self._done:
            node = self.flow.nodes.get(self.state.at)
            steps += 1
            self.state.steps += 1
            if node is None:
                await self._give_up(GONE)
            elif steps > MOST_STEPS or self.state.steps > MOST_IN_ALL:
                await self._give_up(LOOP)
            else:
                await _STEPS[type(node)](self, node)

    async def _answered(self, answer: str) -> None:
        node = self.flow.nodes.get(self.state.at)
        self.state.waits = False
        if isinstance(node, nodes.Prompt | nodes.Identify):
            if self.state.code:
                await self._claimed(node, await self.world.prove(answer))
            else:
                await self._taken(node, answer)
        elif node is None:
            await self._give_up(GONE)
        # Any other node took the place of the question meanwhile: it is done as it stands now.

    async def _taken(self, node: nodes.Prompt | nodes.Identify, answer: str) -> None:
        """Check an answer and keep it."""
        try:
            value = answer_of(node, answer)
        except BadAnswer as bad:
            await self._again(node, bad.reason)
            return
        if isinstance(node, nodes.Identify):
            await self._claimed(node, await self.world.claim(node.by, value))
            return
        if node.variable:
            self.state.variables[node.variable] = value
        if node.use_as_user_id or self.world.identifies(node.into):
            await self._claimed(node, await self.world.claim(node.into, value))
            return
        if node.into:
            try:
                await self._write({node.into: value})
            except Problem as problem:
                await self._again(node, problem.detail)
                return
        self._lead(node.next)

    async def _claimed(self, node: nodes.Prompt | nodes.Identify, claimed: Claimed) -> None:
        self._person = None
        match claimed:
            case Identified():
                self._lead(node.next)
            case Sent():
                self.state.code = True
                await self._say(node.code, {"address": claimed.address})
                await self._wait()
            case Wrong():  # how often that is borne is the code's own matter
                await self._say(node.again, {"reason": WRONG_CODE})
                await self._wait()
            case Refused():
                self.state.code = False
                await self._again(node, claimed.reason)
            case Unproven():
                self._lead(node.otherwise or node.next)

    async def _again(self, node: nodes.Prompt | nodes.Identify, reason: str) -> None:
        """Ask again with the reason, or go elsewhere after too many attempts."""
        self.state.attempts += 1
        if self.state.attempts < node.attempts:
            await self._say(node.again, {"reason": reason})
            await self._wait()
        elif node.otherwise:
            self._lead(node.otherwise)
        elif isinstance(node, nodes.Identify):
            self._lead(node.next)
        else:
            await self._give_up(WRONG)

    async def _message(self, node: nodes.Message) -> None:
        await self._say(node.text)
        self._lead(node.next)

    async def _prompt(self, node: nodes.Prompt) -> None:
        await self._ask(node, node.choices)

    async def _identify(self, node: nodes.Identify) -> None:
        if (await self._known()).user_id is not None and not node.always:
            self._lead(node.next)
            return
        attested = self.world.attested(node.by)
        if attested is not None and not node.always:
            claimed = await self.world.claim(node.by, attested)
            if isinstance(claimed, Identified):
                await self._claimed(node, claimed)
                return
        await self._ask(node)

    async def _ask(
        self, node: nodes.Prompt | nodes.Identify, choices: tuple[str, ...] = ()
    ) -> None:
        await self._say(node.ask, choices=choices)
        self.state.attempts, self.state.code = 0, False
        await self._wait()

    async def _set(self, node: nodes.Set) -> None:
        value_of = await self._values()
        for name, given in node.variables.items():
            self.state.variables[name] = kept(templates.filled(given, value_of))
        if node.properties:
            wanted = {
                name: templates.filled(given, value_of) for name, given in node.properties.items()
            }
            try:
                await self._write(wanted)
            except Problem:
                await self._give_up(BROKEN)
                return
        self._lead(node.next)

    async def _condition(self, node: nodes.Condition) -> None:
        try:
            for branch in node.branches:
                if await self._holds(branch):
                    self._lead(branch.next)
                    return
        except InvalidCondition:  # what it names was deleted since
            await self._give_up(BROKEN)
            return
        self._lead(node.next)

    async def _holds(self, branch: nodes.Branch) -> bool:
        if not branch.variable:
            return await self.world.holds(branch.where)
        found = self.state.variables.get(branch.variable)
        shown = "" if found is None else templates.text_of(found)
        return shown.strip().casefold() in {each.strip().casefold() for each in branch.values}

    async def _request(self, node: nodes.Request) -> None:
        # What was said so far is told before somebody has to wait for somebody else's answer.
        await self._flush(None)
        value_of = await self._values()
        turn = f"{self.state.turn}-{self.state.steps}"
        try:
            answer = await self.world.ask(node, value_of, turn)
            found = {name: kept(_path(path, answer)) for name, path in node.variables.items()}
            self.state.variables |= found
            if states.too_large(self.state):
                self.state.variables = {
                    n: v for n, v in self.state.variables.items() if n not in found
                }
                raise CallFailed("the answer is too large to be kept")
        except CallFailed as failed:
            log.warning(
                "flow call failed", flow=self.state.flow, node=self.state.at, reason=str(failed)
            )
            if not node.failed:
                await self._give_up(CALL)
                return
            self._lead(node.failed)
        else:
            self._lead(node.next)
        await self._flush(None)

    async def _hand_over(self, node: nodes.HandOver) -> None:
        subject = templates.fill(node.subject, await self._values())
        ending = Ending(group=node.group, skills=node.skills, subject=subject, kind=node.kind)
        await self._finish(ending)

    async def _end(self, node: nodes.End) -> None:
        await self._finish(Ending(ended=True, reason=node.reason, tags=node.tags))

    async def _give_up(self, reason: str) -> None:
        """Hand over to agents because the flow cannot go on, or because they are asked for."""
        self.gave_up = reason
        await self._finish(Ending())

    async def _finish(self, ending: Ending) -> None:
        self._done = True
        self.state.turn = 0
        await self._flush(ending)

    async def _write(self, properties: dict[str, Any]) -> None:
        await self.world.write(properties)
        self._person = None

    def _lead(self, name: str) -> None:
        self.state.at, self.state.waits = name, False
        self.state.attempts, self.state.code = 0, False

    async def _wait(self) -> None:
        self._done = True
        self.state.waits, self.state.turn = True, 0
        await self._flush(None)

    async def _flush(self, ending: Ending | None) -> None:
        said, self._said = self._said, []
        await self.world.keep(said, self.state, ending)

    async def _say(
        self,
        template: Template,
        beside: dict[str, str] | None = None,
        choices: tuple[str, ...] = (),
    ) -> None:
        text = templates.fill(template, await self._values(beside)).strip()
        text += listed(self.world.channel, choices)
        if text:
            self._said.append(Line(text, choices))

    async def _known(self) -> Person:
        if self._person is None:
            self._person = await self.world.person()
        return self._person

    async def _values(self, beside: dict[str, str] | None = None) -> ValueOf:
        """What the names of places stand for now."""
        person = await self._known()
        of = {
            "user": person.told,
            "flow": self.state.variables,
            "message": {"text": self.world.text},
            "conversation": {"id": self.world.conversation, "channel": self.world.channel},
        }

        def value_of(name: str) -> Any:
            source, _, key = name.partition(".")
            return of.get(source, {}).get(key) if key else (beside or {}).get(name)

        return value_of


_STEPS: dict[type[Node], Callable[[Run, Any], Awaitable[None]]] = {
    nodes.Message: Run._message,
    nodes.Prompt: Run._prompt,
    nodes.Identify: Run._identify,
    nodes.Set: Run._set,
    nodes.Condition: Run._condition,
    nodes.Request: Run._request,
    nodes.HandOver: Run._hand_over,
    nodes.End: Run._end,
}


def wishes_agent(text: str, words: tuple[str, ...]) -> bool:
    """Whether a short message asks for an agent by one of these words."""
    said = [word.casefold() for word in _WORD.findall(text)]
    if not said or len(said) > LONGEST_WISH:
        return False
    wanted = [[part.casefold() for part in _WORD.findall(word)] for word in words]
    return any(word == said[i : i + len(word)] for word in wanted if word for i in range(len(said)))


def shown_as_buttons(channel: str, choices: tuple[str, ...]) -> bool:
    """Whether a channel shows what can be chosen by itself, so that it need not be listed."""
    most, longest = _BUTTONS.get(channel, (0, 0))
    return len(choices) <= most and all(len(choice) <= longest for choice in choices)


def listed(channel: str, choices: tuple[str, ...]) -> str:
    """What can be chosen as lines of text, where a channel does not show it by itself."""
    if shown_as_buttons(channel, choices):
        return ""
    return "".join(f"\n{i}. {choice}" for i, choice in enumerate(choices, 1))


def kept(value: Any) -> Any:
    """A value as a variable keeps it."""
    if isinstance(value, str):
        return value[:LONGEST_KEPT]
    if value is None or isinstance(value, bool | int | float):
        return value
    encoded = msgspec.json.encode(value)
    return value if len(encoded) <= LONGEST_KEPT else None


def _path(path: str, answer: Any) -> Any:
    try:
        return jmespath.search(path, answer)
    except jmespath.exceptions.JMESPathError as error:
        raise CallFailed("the answer is not of the shape that the flow expects") from error
