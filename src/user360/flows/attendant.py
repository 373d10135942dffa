"""Answers customers by flows: whoever writes to the bot gets the next turn of its flow.

What has to be answered stands in the ledger: news only say where to look. So nothing is lost when
the process ends, and after the next start every conversation goes on where it was. Each goes on in
its order, all of them side by side; one that waits for an API holds up nobody else.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence

import httpx
import structlog

from user360 import ids
from user360.access.workspaces import Workspace
from user360.conversations import store as conversation_store
from user360.conversations import talk
from user360.conversations.deeds import Deed
from user360.conversations.news import News
from user360.conversations.talk import Conversation, Message
from user360.errors import Problem
from user360.flows import calling, greeting, live, managing, runner, store
from user360.flows import state as states
from user360.flows.carrying import Carrier, Channels
from user360.flows.language import reading
from user360.flows.language.nodes import Flow
from user360.flows.live import Live, Means
from user360.flows.runner import Run
from user360.flows.state import State
from user360.flows.store import Kept
from user360.flows.world import TakenOver
from user360.ingest.call import Call
from user360.observe import metrics
from user360.platform import Platform

log = structlog.get_logger()
SIDE_BY_SIDE = 1_000  # conversations at once; more wait for their turn
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0  # seconds, after trouble of our own
CLOSE_SECONDS = 5.0
DELETED, UNREADABLE, SWITCHED_OFF, DEFECT = "deleted", "unreadable", "switchedOff", "defect"
BY = "flows"
Place = tuple[int, int]  # workspace and conversation


class Attendant:
    """Runs the flows of a platform while it serves, on a thread with a loop of its own."""

    def __init__(self, platform: Platform, carrier: Carrier | None = None) -> None:
        self._platform = platform
        self._carrier = carrier or Channels(platform)
        self._loop: asyncio.AbstractEventLoop
        self._busy: dict[Place, asyncio.Task[None]] = {}
        self._again: set[Place] = set()
        self._room = asyncio.Semaphore(SIDE_BY_SIDE)
        self._client: httpx.AsyncClient | None = None
        self._read: dict[tuple[int, str], tuple[str, Flow | None]] = {}
        self._leave: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._serve, name="flows", daemon=True)

    def start(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._leave = self._platform.exchange.hear(self._heard)
        self._thread.start()
        self._loop.call_soon_threadsafe(self._pick_up)

    def close(self) -> None:
        """Begin no more turns; what is under way goes on after the next start."""
        self._leave()
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(CLOSE_SECONDS)
        self._carrier.close()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._client = calling.client(self._platform.settings.call_networks)
        try:
            self._loop.run_forever()
        finally:
            for task in self._busy.values():
                task.cancel()
            ending = asyncio.gather(*self._busy.values(), return_exceptions=True)
            self._loop.run_until_complete(ending)
            self._loop.run_until_complete(self._client.aclose())
            self._loop.close()

    def _heard(self, news: Sequence[News]) -> None:
        """Called by the writer: note where a customer may wait for the bot."""
        places = [(n.workspace, n.conversation.id) for n in news if _concerns(n)]
        if places:
            self._loop.call_soon_threadsafe(self._look, places)

    def _look(self, places: Sequence[Place]) -> None:
        """Answer in these conversations, or once more when that is being done just now."""
        for place in places:
            if place in self._busy:
                self._again.add(place)
            else:
                self._busy[place] = self._loop.create_task(self._answer(place))

    def _pick_up(self) -> None:
        """Go on with what waited while nobody served."""
        try:
            for workspace in list(self._platform.workspaces.values()):
                with self._platform.ledger.read() as connection:
                    numbers = store.with_bot(connection, workspace.id)
                self._look([(workspace.id, number) for number in numbers])
        except Problem as problem:
            log.warning("flows wait", reason=problem.code)
            self._loop.call_later(LONGEST_WAIT, self._pick_up)

    async def _answer(self, place: Place) -> None:
        """Answer in one conversation until nobody waits there; again after trouble of our own."""
        wait = FIRST_WAIT
        try:
            while True:
                self._again.discard(place)
                try:
                    async with self._room:
                        more = await self._turn(*place)
                except Exception as error:  # noqa: BLE001 - whoever waits is not forgotten
                    _tell(error)
                    await asyncio.sleep(wait)
                    wait = min(LONGEST_WAIT, wait * 2)
                    continue
                if not more and place not in self._again:
                    return
                wait = FIRST_WAIT
        finally:
            del self._busy[place]

    async def _turn(self, number: int, conversation: int) -> bool:
        """Take one turn in a conversation; whether there may be another to take.

        Raises the `Problem`s of a storage that is busy or in trouble.
        """
        workspace = self._platform.workspaces.get(number)
        held = None if workspace is None else self._load(workspace, conversation)
        if workspace is None or held is None or held.state != talk.BOT:
            return False
        state = states.decode(held.flow)
        name = _name_of(workspace, held, state)
        message = None if name is None else self._waiting(held, state)
        if name is None or message is None:
            return False
        kept, flow = self._flow(workspace, name)
        try:
            if kept is None or flow is None:
                gone = UNREADABLE if kept is not None else DELETED
                await self._hand_over(held, workspace, gone if name else SWITCHED_OFF)
                return False
            begun = _begun(state, kept, flow, message)
            world = self._live(workspace, held, message, kept)
            await self._run(Run(flow, begun, world), held, workspace)
        except TakenOver:
            return False
        return True

    async def _run(self, run: Run, held: Conversation, workspace: Workspace) -> None:
        """One turn; what nobody foresaw in it is a matter for agents."""
        try:
            await run.turn()
        except Problem as problem:
            if problem.status >= 429:  # the storage is busy or in trouble: it goes on later
                raise
            log.warning("flow refused", flow=run.state.flow, reason=problem.code)
            await self._hand_over(held, workspace, DEFECT)
        except TakenOver:
            raise
        except Exception as error:
            log.error("flow failed", flow=run.state.flow, exc_info=error)
            await self._hand_over(held, workspace, DEFECT)
        else:
            if run.gave_up:
                metrics.FLOW_HANDOVERS.labels(run.gave_up).inc()

    async def _hand_over(self, held: Conversation, workspace: Workspace, reason: str) -> None:
        """Give a conversation to agents that no flow can go on with."""
        platform, now = self._platform, self._platform.now()
        log.warning("flow handed over", reason=reason)
        call = Call(
            workspace=workspace.id,
            source="conversation",
            ref=BY,
            at=now,
            message_id=str(now),
            conversation=held.id,
            deed=Deed(action="hand_over", by=BY),
        )
        submit = platform.committer.submit
        for outcome in await live.answered(lambda done: submit([call], done)):
            if outcome.problem is not None and outcome.problem.status >= 429:
                raise outcome.problem
        metrics.FLOW_HANDOVERS.labels(reason).inc()

    def _load(self, workspace: Workspace, conversation: int) -> Conversation | None:
        ledger = self._platform.ledger
        with ledger.read() as connection:
            found = conversation_store.load(
                connection, ledger.dialect, workspace.id, [conversation]
            )
        return found.get(conversation)

    def _waiting(self, held: Conversation, state: State | None) -> Message | None:
        """The customer's message that the bot has to answer now; None when nobody waits.

        What was said before the question was asked is no answer to it, unless it asks for an agent.
        """
        if state is None and held.waiting_since is None:
            return None
        with self._platform.ledger.read() as connection:
            if state is None:
                return store.last_of_customer(connection, held.id)
            if state.turn:
                return store.said(connection, held.id, state.turn)
            said = store.said_since(connection, held.id, state.handled)
        ref = managing.BOT + state.flow
        asked = max((m.id for m in said if m.author == ref), default=0)
        theirs = [m for m in said if m.sender == talk.CUSTOMER]
        return next((m for m in theirs if m.id > asked or self._wishes(held, state, m)), None)

    def _wishes(self, held: Conversation, state: State, message: Message) -> bool:
        """Whether a message asks for an agent by the words of its flow."""
        workspace = self._platform.workspaces[held.id >> ids.RECORD_BITS]
        _, flow = self._flow(workspace, state.flow)
        return flow is not None and runner.wishes_agent(message.text, flow.hand_over_words)

    def _flow(self, workspace: Workspace, name: str) -> tuple[Kept | None, Flow | None]:
        """A flow as it is kept now, and as it was read, which is done once."""
        with self._platform.ledger.read() as connection:
            kept = store.one(connection, workspace.id, name)
        if kept is None:
            return None, None
        text, flow = self._read.get((workspace.id, name), ("", None))
        if text != kept.text:
            flow, troubles, _ = reading.read(kept.text)
            flow = None if troubles else flow
            self._read[workspace.id, name] = kept.text, flow
        return kept, flow

    def _live(self, workspace: Workspace, held: Conversation, message: Message, kept: Kept) -> Live:
        assert self._client is not None
        secrets = managing.secrets_in(kept.secrets, self._platform.vault)
        means = Means(self._client, self._carrier)
        return Live(self._platform, workspace, held, message, kept.name, secrets, means)


def _tell(error: Exception) -> None:
    if isinstance(error, Problem):
        log.warning("flow waits", reason=error.code)
    else:
        log.error("flow waits", exc_info=error)


def _concerns(news: News) -> bool:
    """Whether somebody may wait for the bot: they wrote, or were given to it."""
    conversation = news.conversation
    if conversation.state != talk.BOT:
        return False
    return not conversation.flow or any(m.sender == talk.CUSTOMER for m in news.messages)


def _name_of(workspace: Workspace, held: Conversation, state: State | None) -> str | None:
    """The flow that has a conversation, or would begin it.

    Empty where a flow had it that was switched off, None where it is no flow's matter.
    """
    bot = workspace.desk.bot_of(held.channel)
    if bot.startswith(managing.BOT):
        return bot.removeprefix(managing.BOT) if state is None else state.flow
    return None if bot or state is None else ""


def _begun(state: State | None, kept: Kept, flow: Flow, message: Message) -> State:
    """Where a turn begins: anew, with an answer, or where the last one was cut off.

    Who was shown the first question before writing has answered it.
    """
    if state is None:
        question = greeting.answered(kept, message.detail.get(talk.ASKED))
        return State(
            flow=kept.name,
            at=question or flow.start,
            turn=message.id,
            handled=message.id,
            waits=bool(question),
        )
    if not state.turn:
        state.turn = state.handled = message.id
        state.said = 0
    return state
