"""What bots are told and how their answers are read: our format, Rasa's and Botpress's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from user360.channels import formats
from user360.channels.formats import Heard
from user360.conversations import talk
from user360.conversations.deeds import Deed
from user360.conversations.desk import Channel, Desk
from user360.conversations.talk import Attachment, Conversation, Message
from user360.errors import Invalid
from user360.ids import record_number

RECORD = {"id": "r7", "userId": "asha@example.com", "properties": {"firstName": "Asha"}}
WHEN = 1_795_325_000_000_000


def heard(text: str = "Where is my order?", state: str = talk.BOT) -> Heard:
    conversation = Conversation(
        id=record_number(1, 17),
        record=record_number(1, 7),
        channel="web",
        session="visit 17",
        kind=talk.CHAT,
        state=state,
        created_at=WHEN,
        updated_at=WHEN,
    )
    message = Message(
        id=record_number(1, 230),
        conversation=conversation.id,
        sender=talk.CUSTOMER,
        author="",
        text=text,
        attachments=() if text else (Attachment("parcel.jpg", url="https://a.example/p"),),
        at=WHEN,
        received_at=WHEN,
    )
    return Heard("default", message, conversation, RECORD)


def read(form: str, answered: Any) -> formats.Answers:
    return formats.answers(form, answered, record_number(1, 230), "hook:3")


def test_our_own_webhook_tells_message_conversation_and_person() -> None:
    told = formats.body("user360", "https://bot.example", heard())
    assert told["event"] == "message"
    assert told["message"]["id"] == "m230"
    assert told["conversation"]["id"] == "c17"
    assert told["conversation"]["recordId"] == "r7"
    assert told["record"] == RECORD


def test_rasa_is_told_as_its_rest_channel_reads_it() -> None:
    told = formats.body("rasa", "https://rasa.example/webhooks/rest/webhook", heard())
    assert (told["sender"], told["message"]) == ("web:visit 17", "Where is my order?")
    assert told["metadata"]["userId"] == "asha@example.com"


def test_a_file_without_words_is_told_by_its_name() -> None:
    assert formats.body("rasa", "https://rasa.example", heard(""))["message"] == "parcel.jpg"


def test_the_self_hosted_botpress_is_asked_at_the_address_of_the_session() -> None:
    url = "https://bp.example/api/v1/bots/shop/converse/{userId}"
    assert formats.address("botpress", url, heard()).endswith("/converse/web%3Avisit%2017")
    told = formats.body("botpress", url, heard())
    assert told == {"type": "text", "text": "Where is my order?"}


def test_the_hosted_botpress_is_told_where_to_answer() -> None:
    told = formats.body("botpress", "https://webhook.botpress.cloud/1", heard())
    assert told == {
        "userId": "web:visit 17",
        "messageId": "m230",
        "conversationId": "c17",
        "type": "text",
        "text": "Where is my order?",
        "payload": {"text": "Where is my order?", "attachments": []},
    }


def test_rasa_answers_texts_pictures_and_what_to_choose_from() -> None:
    found = read(
        "rasa",
        [
            {"recipient_id": "web:visit 17", "text": "On its way"},
            {"recipient_id": "web:visit 17", "image": "https://a.example/map.png"},
            {"text": "Anything else?", "buttons": [{"title": "No", "payload": "/deny"}]},
            {"custom": {"handOver": {"group": 4, "subject": "Late"}}},
        ],
    )
    assert [said.text for said in found.said] == ["On its way", "", "Anything else?\n• No"]
    assert found.said[1].attachments[0].url == "https://a.example/map.png"
    assert found.said[2].detail == {"choices": [{"title": "No", "value": "/deny"}]}
    assert [said.id for said in found.said] == [f"answer:m230:{i}" for i in range(3)]
    assert found.deed == Deed(action="hand_over", by="hook:3", group=4, subject="Late")


def test_botpress_answers_at_once_or_calls_back() -> None:
    at_once = {"responses": [{"type": "typing", "value": True}, {"type": "text", "text": "Hi"}]}
    assert [said.text for said in read("botpress", at_once).said] == ["Hi"]
    conversation, later = formats.called_back(
        {
            "type": "choice",
            "payload": {"text": "Which?", "options": [{"label": "Red", "value": "red"}]},
            "conversationId": "c17",
            "botpressMessageId": "b-1",
        },
        "hook:3",
    )
    assert conversation == "c17"
    assert [(said.id, said.text) for said in later.said] == [("botpress:b-1", "Which?\n• Red")]


def test_botpress_cards_and_places_become_words_and_files() -> None:
    card = {"title": "Shoe", "subtitle": "Red", "imageUrl": "https://a.example/s.png"}
    place = {"type": "location", "title": "Shop", "latitude": 18.5, "longitude": 73.8}
    found = read("botpress", {"responses": [{"type": "carousel", "items": [card, card]}, place]})
    assert [said.text for said in found.said] == ["Shoe\nRed", "Shoe\nRed", "Shop\n18.5, 73.8"]
    assert found.said[0].attachments == (Attachment("Shoe", url="https://a.example/s.png"),)


def test_our_own_bot_answers_messages_and_hands_over() -> None:
    found = read("user360", {"messages": [{"text": "One moment"}], "handOver": True})
    assert [said.text for said in found.said] == ["One moment"]
    assert found.deed == Deed(action="hand_over", by="hook:3")


@pytest.mark.parametrize("form", formats.hooks.FORMATS)
def test_no_answer_is_one_too(form: str) -> None:
    assert read(form, None) == formats.Answers()


@pytest.mark.parametrize(
    ("form", "answered", "path"),
    [
        ("user360", {"messages": {}}, "messages"),
        ("user360", {"messages": [{"text": 7}]}, "messages.0.text"),
        ("user360", {"messages": [{"text": "x", "attachments": 1}]}, "messages.0.attachments"),
        ("user360", {"messages": [{"text": ""}]}, "0.text"),
        ("user360", {"handOver": {"groupe": 1}}, "handOver"),
        ("rasa", [7], "0"),
        ("rasa", [{"text": {"a": 1}}], "0.text"),
        ("botpress", {"responses": [1]}, "responses.0"),
    ],
)
def test_what_cannot_be_read_is_said_by_its_place(form: str, answered: Any, path: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(form, answered)
    assert [fault.path for fault in refused.value.faults] == [path]


def test_bots_of_others_hear_only_what_they_are_to_answer() -> None:
    desk = Desk(channels={"web": Channel("web", "webhook")})
    agents = heard(state=talk.ASSIGNED).conversation
    assert formats.wanted("rasa", heard().conversation, desk)
    assert not formats.wanted("rasa", heard().conversation, Desk())
    assert not formats.wanted("botpress", agents, desk)
    assert formats.wanted("user360", agents, Desk())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ("text", "messages", "responses", "type", "items", "buttons", "custom", "handOver")
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from(formats.hooks.FORMATS), JSON)
def test_whatever_a_bot_answers_is_read_or_refused(form: str, answered: Any) -> None:
    try:
        found = read(form, answered)
    except Invalid:
        return
    assert all(not talk.faults_of(said) for said in found.said)


@given(JSON)
def test_whatever_calls_back_is_read_or_refused(answered: Any) -> None:
    try:
        _, found = formats.called_back(answered, "hook:3")
    except Invalid:
        return
    assert all(not talk.faults_of(said) for said in found.said)
