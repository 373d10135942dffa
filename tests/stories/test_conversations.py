"""Conversations make records, and follow them: from the first hello to the last answer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stories.shop import Shop
from user360 import ids
from user360.access import members
from user360.access.change import Change
from user360.conversations import managing, store
from user360.conversations.deeds import Deed
from user360.conversations.news import News, Typing
from user360.conversations.talk import Conversation, Message, Said
from user360.ingest.call import Outcome, Session, Verb
from user360.platform import Platform
from user360.storage.ledger import Connection

_numbers = iter(range(1, 1_000))


def says(shop: Shop, text: str, session: str = "s", **known: Any) -> Outcome:
    sender = known.pop("sender", "customer")
    said = {k: known.pop(k) for k in ("id", "author", "kind", "subject") if k in known}
    if "conversation" not in known:
        known["session"] = session
    return shop.settle(shop.call(said=Said(sender=sender, text=text, **said), **known))[0]


def does(shop: Shop, conversation: int | None, action: str, **known: Any) -> Outcome:
    return shop.settle(shop.call(conversation=conversation, deed=Deed(action=action, **known)))[0]


def held(shop: Shop, outcome: Outcome) -> Conversation:
    assert outcome.conversation is not None
    with shop.platform.ledger.read() as connection:
        found = store.load(
            connection, shop.platform.ledger.dialect, shop.workspace.id, [outcome.conversation]
        )
    return found[outcome.conversation]


def change(shop: Shop, job: Any) -> Any:
    def run(connection: Connection) -> Any:
        return job(shop.platform.change(connection, shop.workspace, "key:1"))

    return shop.platform.write(run)


def agent(shop: Shop, capacity: int = 2, availability: str = "available") -> int:
    """Somebody who answers; their number."""
    address = f"agent{next(_numbers)}@example.com"

    def make(change: Change) -> int:
        number, _ = members.invite(change, address, "Somebody", "agent")
        managing.reload(change)
        managing.set_agent(change, number, availability=availability, capacity=capacity)
        return number

    number: int = change(shop, make)
    return number


def test_a_first_message_makes_the_record_and_the_conversation(shop: Shop) -> None:
    outcome = says(shop, "Hello")
    assert outcome.created
    found = held(shop, outcome)
    assert (found.state, found.messages, found.last_text) == ("open", 1, "Hello")
    happened = shop.happened(outcome.record)
    assert happened == ["CONVERSATION_START", "CONVERSATION_OPEN"]


def test_a_message_said_again_is_the_same_message(shop: Shop) -> None:
    first = says(shop, "Hello", id="1")
    again = says(shop, "Hello", id="1")
    assert (again.status, again.message) == ("duplicate", first.message)
    said = shop.call(session="s", said=Said(sender="customer", text="Hello?", id="2"))
    two = shop.settle(said, said)
    assert [o.status for o in two] == ["unchanged", "duplicate"]
    assert two[0].message == two[1].message
    assert held(shop, first).messages == 2
    assert says(shop, "Hello", session="other", id="1").status == "created"


def test_whatsapp_tells_the_country_of_who_writes(shop: Shop) -> None:
    outcome = says(shop, "Namaste", session="whatsapp:919811112222")
    assert shop.record(outcome.record)["properties"]["country"] == "IN"


def test_a_conversation_moves_with_the_person_through_a_merge_and_back(shop: Shop) -> None:
    shop.write("asha", firstName="Asha")
    outcome = says(shop, "It is me")
    alone = outcome.record
    merged = shop.identify("s", "asha")
    assert merged.merge is not None
    found = held(shop, outcome)
    assert found.record == alone  # what it is on is part of her now
    shop.send(verb=Verb.UNMERGE, merge=merged.merge)
    assert held(shop, says(shop, "It was her brother")).record == alone


def test_a_session_that_goes_to_somebody_else_takes_along_what_goes_on(shop: Shop) -> None:
    shop.identify("s", "asha")
    ended = says(shop, "Thanks")
    does(shop, ended.conversation, "resolve")
    going = says(shop, "And another thing")
    other = shop.identify("s", "ravi")
    assert held(shop, ended).record == shop.send(user_id="asha", properties={}).record
    assert held(shop, going).record == other.record


def test_who_has_room_gets_it_and_the_rest_wait_their_turn(shop: Shop) -> None:
    her = agent(shop, capacity=1)
    first, second = says(shop, "One", session="a"), says(shop, "Two", session="b")
    assert (held(shop, first).state, held(shop, first).assignee) == ("assigned", her)
    assert held(shop, second).state == "queued"
    does(shop, first.conversation, "resolve", reason="answered")
    assert held(shop, first).reason == "answered"
    does(shop, second.conversation, "place")
    assert held(shop, second).assignee == her


def test_a_full_queue_misses_who_comes_next(shop: Shop) -> None:
    agent(shop, capacity=0)
    change(shop, lambda c: managing.set_inbox(c, {"queueLimit": 1}))
    calls = [
        shop.call(session=name, said=Said(sender="customer", text="Hello")) for name in ("a", "b")
    ]
    states = [held(shop, outcome).state for outcome in shop.settle(*calls)]
    assert states == ["queued", "missed"]


def test_two_agents_reach_for_one_chat_and_one_gets_it(shop: Shop) -> None:
    change(shop, lambda c: managing.set_inbox(c, {"assignment": "manual"}))
    her, him = agent(shop), agent(shop)
    chat = says(shop, "Anybody?")
    deeds = [Deed(action="assign", assignee=m, if_free=True) for m in (her, him)]
    taking = [shop.call(conversation=chat.conversation, deed=deed) for deed in deeds]
    outcomes = shop.settle(*taking)
    assert outcomes[0].problem is None
    assert outcomes[1].problem is not None
    assert outcomes[1].problem.status == 409
    assert held(shop, chat).assignee == her


def test_a_ticket_goes_from_state_to_state(shop: Shop) -> None:
    her = agent(shop)
    ticket = says(shop, "My order is late", session="email:t1", kind="ticket", subject="Late")
    assert (held(shop, ticket).state, held(shop, ticket).assignee) == ("open", her)
    says(shop, "We look", sender="agent", author=f"member:{her}", conversation=ticket.conversation)
    assert held(shop, ticket).state == "pending"
    says(shop, "And?", session="email:t1")
    assert held(shop, ticket).state == "open"
    does(shop, ticket.conversation, "state", state="onHold")
    does(shop, ticket.conversation, "resolve")
    assert held(shop, ticket).state == "solved"
    says(shop, "Not quite", session="email:t1")
    assert held(shop, ticket).state == "open"
    does(shop, ticket.conversation, "state", state="closed")
    assert says(shop, "Hello again", session="email:t1").conversation != ticket.conversation


@pytest.mark.parametrize(
    ("action", "known", "path"),
    [
        ("assign", {"assignee": 999}, "assignee"),
        ("assign", {"group": 999}, "group"),
        ("edit", {"priority": "huge"}, "priority"),
        ("state", {"state": "onHold"}, "state"),
        ("edit", {"add_tags": ("",)}, "tags.0"),
    ],
)
def test_a_deed_that_makes_no_sense_says_where(
    shop: Shop, action: str, known: dict[str, Any], path: str
) -> None:
    outcome = does(shop, says(shop, "Hello").conversation, action, **known)
    assert outcome.problem is not None
    assert [fault.path for fault in outcome.problem.faults] == [path]


def test_nobody_answers_in_what_has_ended(shop: Shop) -> None:
    chat = says(shop, "Hello")
    does(shop, chat.conversation, "resolve")
    refused = says(shop, "Hi", sender="agent", conversation=chat.conversation)
    assert refused.problem is not None
    assert refused.problem.status == 409
    does(shop, chat.conversation, "reopen")
    assert says(shop, "Hi", sender="agent", conversation=chat.conversation).problem is None


@pytest.mark.parametrize(("kind", "again"), [("chat", {}), ("ticket", {"state": "open"})])
def test_what_has_ended_does_not_go_on_beside_what_was_begun_since(
    shop: Shop, kind: str, again: dict[str, str]
) -> None:
    """Else an agent would answer in the one, and the customer be heard in the other."""
    first = says(shop, "Hello", kind=kind).conversation
    ended = {"state": "closed"} if kind == "ticket" else {}
    action = "state" if kind == "ticket" else "resolve"
    does(shop, first, action, **ended)
    second = says(shop, "Hello again", kind=kind)
    assert second.conversation != first
    does(shop, second.conversation, action, **ended)
    refused = does(shop, first, "state" if again else "reopen", **again)
    assert refused.problem is not None
    assert refused.problem.status == 409
    assert ids.public_conversation_id(second.conversation or 0) in refused.problem.detail
    assert does(shop, second.conversation, "reopen").problem is None
    assert says(shop, "Thanks").conversation == second.conversation


def test_what_is_not_there_is_not_found_and_others_go_on(shop: Shop) -> None:
    other = Shop(shop.platform)
    theirs = says(other, "Hello").conversation
    calls = [
        shop.call(conversation=theirs, said=Said(sender="agent", text="Hi")),
        shop.call(session="s", said=Said(sender="customer", text="")),
        shop.call(session="s", said=Said(sender="customer", text="Hello")),
    ]
    problems = [o.problem for o in shop.settle(*calls)]
    assert [p and p.status for p in problems] == [404, 400, None]


def test_who_is_deleted_takes_along_what_was_said(shop: Shop) -> None:
    shop.identify("s", "asha")
    chat = says(shop, "My secret is blue")
    shop.send(verb=Verb.DELETE, user_id="asha")
    with shop.platform.ledger.read() as connection:
        for table in ("conversations", "messages", "deliveries"):
            count = connection.exec_driver_sql(
                f"SELECT count(*) FROM {table} WHERE workspace_id = {shop.workspace.id}"
            )
            assert count.scalar_one() == 0
    assert does(shop, chat.conversation, "resolve").problem is not None


def test_who_is_not_the_same_person_is_somebody_unknown_from_then_on(shop: Shop) -> None:
    shop.identify("s", "asha")
    chat = says(shop, "I am her brother")
    parted = shop.send(verb=Verb.PART, session=Session("web", "s"), conversation=chat.conversation)
    assert parted.created
    assert held(shop, chat).record == parted.record
    assert shop.record(parted.record)["userId"] is None
    assert says(shop, "Thanks").record == parted.record
    again = shop.call(verb=Verb.PART, session=Session("web", "s"))
    refused = shop.settle(again)[0].problem
    assert refused is not None
    assert refused.status == 409


def test_who_is_merged_while_beginning_to_speak_is_parted_with_what_they_said(shop: Shop) -> None:
    shop.write("asha")
    alone = shop.capture("s", city="Pune").record
    merged = says(shop, "It is me", user_id="asha")
    assert (merged.status, held(shop, merged).record) == ("merged", alone)
    shop.undo(merged.merge)
    assert says(shop, "No, her brother").record == alone


def test_what_has_ended_goes_along_when_it_is_named(shop: Shop) -> None:
    shop.identify("s", "asha")
    chat = says(shop, "I am her brother")
    does(shop, chat.conversation, "resolve")
    parted = shop.send(verb=Verb.PART, session=Session("web", "s"), conversation=chat.conversation)
    assert held(shop, chat).record == parted.record


def test_an_agent_who_left_gives_up_what_she_had(shop: Shop) -> None:
    her = agent(shop)
    chat = says(shop, "Hello")
    change(shop, lambda c: members.remove(c, her))
    shop.platform.reload_members()
    assert does(shop, chat.conversation, "leave", assignee=her).problem is None
    assert (held(shop, chat).assignee, held(shop, chat).state) == (None, "open")


def test_nothing_is_done_when_something_happened_since(shop: Shop) -> None:
    chat = says(shop, "Hello")
    seen = held(shop, chat).updated_at
    says(shop, "Still there?")
    does(shop, chat.conversation, "resolve", unless_since=seen)
    assert held(shop, chat).active


def test_whoever_types_is_seen_by_those_who_watch(shop: Shop, platform: Platform) -> None:
    seen: list[Typing] = []
    leave = platform.exchange.watch(seen.append)
    typing = Typing(shop.workspace.id, 1, "customer")
    platform.exchange.types(typing)
    leave()
    platform.exchange.types(typing)
    assert seen == [typing]


def test_news_come_once_it_is_on_disk_with_what_was_said(shop: Shop, platform: Platform) -> None:
    heard: list[News] = []
    leave = platform.exchange.hear(heard.extend)
    says(shop, "Hello")
    says(shop, "")
    leave()
    says(shop, "Nobody hears")
    assert [[m.text for m in news.messages] for news in heard] == [["Hello"]]
    assert isinstance(heard[0].messages[0], Message)
    assert ids.public_conversation_id(heard[0].conversation.id) == "c1"


def test_a_deed_of_a_batch_sees_those_before_it(shop: Shop) -> None:
    her = agent(shop, capacity=1)
    calls = [
        shop.call(session=name, said=Said(sender="customer", text="Hello")) for name in ("a", "b")
    ]
    assert [held(shop, o).assignee for o in shop.settle(*calls)] == [her, None]
