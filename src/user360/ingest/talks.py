"""Messages and deeds on their way through the steps: what is loaded, decided, told and written.

The rules are those of `conversations.saying` and `conversations.deeds`; here they meet the batch.
Where nobody speaks it costs one look at a counter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from user360 import ids
from user360.conversations import attachments, deeds, saying, store, talk, window
from user360.conversations.attachments import Kept
from user360.conversations.deeds import Deed
from user360.conversations.floor import Floor, Told
from user360.conversations.news import News
from user360.conversations.talk import Conversation, Message, Said
from user360.errors import Conflict, Fault, Invalid, NotFound, Problem
from user360.events import event
from user360.ingest.batch import Batch, Work
from user360.ingest.call import Outcome, Verb
from user360.observe import metrics

Session = tuple[str, str]
COUNTED = frozenset(("web", "whatsapp", "email", "api"))


class Talks:
    """What a batch knows of conversations, and what it is going to write of them."""

    def __init__(self, batch: Batch) -> None:
        where = (batch.connection, batch.workspace.id)
        self.known: dict[int, Conversation] = {}
        self.latest: dict[Session, Conversation] = {}
        self.said: dict[str, tuple[int, int]] = {}  # message and conversation by that digest
        self.changed: dict[int, Conversation] = {}
        self.messages: list[tuple[Message, str | None]] = []
        self.ways: list[tuple[int, int, str]] = []
        self.claims: dict[int, str] = {}  # who is claimed to speak, by conversation
        self.floor = Floor(
            batch.workspace.desk,
            batch.workspace.zone,
            batch.now,
            lambda: store.loads(*where),
            lambda: store.waiting(*where),
            lambda record: store.last_agent(batch.connection, record),
        )

    def learn(self, conversation: Conversation) -> Conversation:
        """The one object that stands for a conversation in this batch."""
        return self.known.setdefault(conversation.id, conversation)

    def news(self, workspace: int) -> list[News]:
        """What is to be told once it is on disk."""
        by: dict[int, list[Message]] = {}
        for message, _ in self.messages:
            by.setdefault(message.conversation, []).append(message)
        return [News(workspace, c, by.get(c.id, ())) for c in self.changed.values()]


def count(news: list[News]) -> None:
    """Count what was said; channels that people name as they like are counted as one."""
    for each in news:
        channel = each.conversation.channel
        named = channel if channel in COUNTED else "other"
        for message in each.messages:
            metrics.MESSAGES.labels(named, message.sender).inc()


def find_talks(batch: Batch) -> None:
    """Load the conversations that calls name, by number or by their sessions."""
    pending = batch.pending()
    speaking = [w for w in pending if _speaks(w)]
    if not speaking and batch.workspace.next_conversation == 1:
        return
    talks = batch.talks = Talks(batch)
    where = (batch.connection, batch.dialect, batch.workspace.id)
    numbers = {w.call.conversation for w in speaking if w.call.conversation is not None}
    if numbers:
        talks.known = store.load(*where, numbers)
    for work in speaking:
        if work.call.conversation is not None:
            _name_person(batch, talks, work)
    _find_said(batch, talks, speaking)
    _find_files(batch, speaking)
    sessions = {(s.channel, s.id) for w in batch.pending() if (s := w.call.session) is not None}
    again = (w for w in speaking if w.call.deed is not None and w.call.deed.begins_again)
    sessions |= {_session_of(talks, w) for w in again if w.outcome is None}
    if sessions:
        for session, found in store.latest(*where, sessions).items():
            talks.latest[session] = talks.learn(found)


def _speaks(work: Work) -> bool:
    call = work.call
    return call.said is not None or call.deed is not None or call.conversation is not None


def _name_person(batch: Batch, talks: Talks, work: Work) -> None:
    """A call that names a conversation is about the person whose it is."""
    call = work.call
    assert call.conversation is not None
    found = talks.known.get(call.conversation)
    if found is None:
        batch.fail(work, NotFound("There is no such conversation"))
        return
    if call.user_id is None and call.session is None and call.record is None:
        call.record = found.record
    call.channel = call.channel or found.channel


def _find_said(batch: Batch, talks: Talks, speaking: list[Work]) -> None:
    """A message whose id was said before in its session is answered as a duplicate."""
    for work in speaking:
        said = work.call.said
        if work.outcome is None and said is not None and said.id is not None:
            channel, session = _session_of(talks, work)
            named = f"message:{channel}:{session}:{said.id}"
            work.said = ids.digest(batch.workspace.id, named)
    digests = {work.said for work in speaking if work.said is not None}
    if not digests:
        return
    where = (batch.connection, batch.dialect)
    talks.said = store.said_before(*where, digests)
    for work in speaking:
        _answer_again(talks, work)


def _find_files(batch: Batch, speaking: list[Work]) -> None:
    """Files that are said were uploaded here, and not said before; they are told as they are."""
    saying = [(w, s) for w in speaking if w.outcome is None and (s := w.call.said) is not None]
    named = {a.id for _, said in saying for a in said.attachments if a.id}
    if not named:
        return
    held = attachments.load(batch.connection, batch.dialect, batch.workspace.id, named)
    taken: dict[str, str] = {}  # by which message; one that is sent twice is one
    for i, (work, said) in enumerate(saying):
        faults = _file_faults(said, held, taken, work.said or str(i))
        if faults:
            batch.fail(work, Invalid(faults[0].message, faults=faults))
            continue
        told = [held[a.id].attachment if a.id else a for a in said.attachments]
        work.call.said = msgspec.structs.replace(said, attachments=tuple(told))


def _file_faults(
    said: Said, held: Mapping[str, Kept], taken: dict[str, str], message: str
) -> list[Fault]:
    faults = []
    numbers = [each.id for each in said.attachments]
    for i, number in enumerate(numbers):
        if not number:
            continue
        free = number in held and held[number].message is None and number not in numbers[:i]
        if not free or taken.setdefault(number, message) != message:
            told = "There is no such file that was not said yet"
            faults.append(Fault(f"attachments.{i}.id", "invalid", told))
    return faults


def _session_of(talks: Talks, work: Work) -> Session:
    session = work.call.session
    if session is not None:
        return session.channel, session.id
    assert work.call.conversation is not None
    found = talks.known[work.call.conversation]
    return found.channel, found.session


def _answer_again(talks: Talks, work: Work) -> bool:
    """Whether a work's message was said before; then it has its outcome."""
    found = None if work.said is None else talks.said.get(work.said)
    if found is None:
        return False
    message, conversation = found
    work.outcome = Outcome(status="duplicate", message=message, conversation=conversation)
    return True


def said_already(batch: Batch, work: Work) -> bool:
    """Whether the same message came earlier in this very batch; then the work has its outcome."""
    return (
        batch.talks is not None and work.call.said is not None and _answer_again(batch.talks, work)
    )


def decided(batch: Batch, work: Work) -> None:
    """Decide what a call says or does, after who it is about. Raises `Problem`s of the rules."""
    talks, call, decision = batch.talks, work.call, work.decision
    assert decision is not None
    if talks is None:
        return
    if call.session is not None and decision.mapped:
        _move(talks, (call.session.channel, call.session.id), decision.leaf)
        if call.verb is Verb.PART and call.conversation is not None:
            _carry(talks, talks.known[call.conversation], decision.leaf)
    if call.deed is not None:
        _refuse(deeds.faults_of(call.deed, batch.workspace.desk))
        conversation = _named(talks, work)
        _need_last(talks, conversation, call.deed)
        told = deeds.carry_out(conversation, call.deed, talks.floor)
        _note(talks, work, conversation, told)
    if call.said is not None:
        _say(batch, talks, work)


def _move(talks: Talks, session: Session, leaf: int) -> None:
    """A conversation that goes on is on the record its session is mapped to."""
    found = talks.latest.get(session)
    if found is not None and saying.goes_on(found):
        _carry(talks, found, leaf)


def _carry(talks: Talks, conversation: Conversation, leaf: int) -> None:
    if conversation.record != leaf:
        conversation.record = leaf
        talks.changed[conversation.id] = conversation


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise Problem(faults[0].message, faults=faults)


def _named(talks: Talks, work: Work) -> Conversation:
    call = work.call
    if call.conversation is not None:
        return talks.known[call.conversation]
    assert call.session is not None
    found = talks.latest.get((call.session.channel, call.session.id))
    if found is None:
        raise NotFound("This session has no conversation")
    return found


def _need_last(talks: Talks, conversation: Conversation, deed: Deed) -> None:
    """What has ended goes on only where nothing was begun since: there the customer is heard."""
    last = talks.latest.get((conversation.channel, conversation.session), conversation)
    if deed.begins_again and not conversation.active and last.id > conversation.id:
        named = ids.public_conversation_id(last.id)
        raise Conflict(f"The customer has begun another conversation since: {named}")


def _note(talks: Talks, work: Work, conversation: Conversation, told: list[Told]) -> None:
    work.told = [*work.told, *told]
    work.conversation = conversation.id
    talks.changed[conversation.id] = conversation


def _say(batch: Batch, talks: Talks, work: Work) -> None:
    call, decision = work.call, work.decision
    assert call.said is not None
    assert decision is not None
    if call.conversation is not None:
        conversation, begun = talks.known[call.conversation], False
    else:
        conversation, begun = _running(batch, talks, work)
    heard = (conversation, call.said, talks.messages, batch.now)
    window.need(batch.connection, batch.workspace.id, batch.workspace.desk, *heard)
    told = saying.say(conversation, call.said, call.at, talks.floor, begun=begun)
    _note(talks, work, conversation, told)
    if begun:
        assert call.session is not None
        talks.latest[call.session.channel, call.session.id] = talks.learn(conversation)
    _keep(batch, talks, work, conversation)


def _running(batch: Batch, talks: Talks, work: Work) -> tuple[Conversation, bool]:
    """The conversation of a session that goes on, or a new one."""
    call, decision = work.call, work.decision
    assert call.said is not None
    assert call.session is not None
    assert decision is not None
    found = talks.latest.get((call.session.channel, call.session.id))
    if found is not None and saying.goes_on(found):
        return found, False
    made = Conversation(
        id=ids.record_number(batch.workspace.id, batch.workspace.next_conversation),
        # That of the session, whatever it was merged into by this very call.
        record=batch.known.by_session.get((call.session.channel, call.session.id), decision.leaf),
        channel=call.session.channel,
        session=call.session.id,
        kind=call.said.kind,
        state=talk.BOT if call.said.sender == talk.BOT_SAYS else talk.OPEN,
        created_at=min(call.at, batch.now),
        updated_at=call.at,
        subject=call.said.subject,
    )
    batch.workspace.next_conversation += 1
    return made, True


def _keep(batch: Batch, talks: Talks, work: Work, conversation: Conversation) -> None:
    """Make the message and count it."""
    call, said = work.call, work.call.said
    assert said is not None
    number = ids.record_number(batch.workspace.id, batch.workspace.next_message)
    batch.workspace.next_message += 1
    ways = batch.workspace.desk.ways(conversation.channel, said.sender)
    message = Message(
        id=number,
        conversation=conversation.id,
        sender=said.sender,
        author=said.author,
        text=said.text,
        attachments=said.attachments,
        at=call.at,
        received_at=batch.now,
        delivery=_delivery(said.sender, ways),
        external=said.external,
        detail=said.detail,
    )
    if work.said is not None:
        talks.said[work.said] = (number, conversation.id)
    talks.messages.append((message, work.said))
    talks.ways += [(conversation.id, number, way) for way in (*ways, *said.ways)]
    if said.claim:
        talks.claims[conversation.id] = said.claim
    work.message = number
    conversation.last_message = number
    if said.sender != talk.NOTE:
        conversation.messages += 1
        conversation.last_from = said.sender
        conversation.last_text = said.text[: talk.SHOWN]


def _delivery(sender: str, ways: list[str]) -> str:
    """Where a message's way to the customer begins."""
    if sender not in (talk.BOT_SAYS, talk.AGENT):
        return ""
    return talk.DELIVERY[0] if ways else talk.DELIVERY[1]


def tell(batch: Batch) -> None:
    """Tell the records of what changed, and the callers of their conversations and messages."""
    if batch.talks is None:
        return
    for work in batch.work:
        if work.conversation is None or work.outcome is None or work.outcome.problem is not None:
            continue
        conversation = batch.talks.known[work.conversation]
        work.outcome.conversation, work.outcome.message = conversation.id, work.message
        for told in work.told:
            properties: dict[str, Any] = told.properties
            batch.note(work, event.SYSTEM, conversation.record, told.name, properties)


def save_talks(batch: Batch) -> None:
    """Write conversations and messages; those of people who are gone with them are left out."""
    talks = batch.talks
    if talks is None or not talks.changed:
        return
    gone = {c.id for c in talks.changed.values() if c.record in batch.dead}
    talks.changed = {n: c for n, c in talks.changed.items() if n not in gone}
    talks.messages = [m for m in talks.messages if m[0].conversation not in gone]
    where = (batch.connection, batch.workspace.id)
    store.save(*where, talks.changed.values())
    store.add(*where, talks.messages)
    store.to_bring(*where, [way for way in talks.ways if way[0] not in gone], batch.now)
    if talks.claims:
        store.claimed(batch.connection, [(n, c) for n, c in talks.claims.items() if n not in gone])
    if talks.floor.given:
        store.given(*where, talks.floor.given)
        batch.workspace.desk = _after(batch, talks.floor.given)


def _after(batch: Batch, given: dict[int, int]) -> Any:
    """The desk that knows to whom conversations were given last."""
    desk = batch.workspace.desk
    agents = {
        number: msgspec.structs.replace(agent, last_given=given.get(number, agent.last_given))
        for number, agent in desk.agents.items()
    }
    return msgspec.structs.replace(desk, agents=agents)
