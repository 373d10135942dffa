"""What bots are told by webhook, and what they answer: our own format, Rasa's and Botpress's.

All of it is pure. Rasa's is that of its REST channel: `{"sender", "message"}` in, a list of
answers out. Botpress has two: the Converse API of the self-hosted one (an address with
`/converse/`), which answers at once, and the Messaging API integration of the hosted one, which
calls back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from user360 import ids
from user360.conversations import hooks, shown, talk
from user360.conversations.deeds import Deed
from user360.conversations.desk import Desk
from user360.conversations.talk import Attachment, Conversation, Message, Said
from user360.errors import Fault, Invalid

USER360, RASA, BOTPRESS = hooks.FORMATS
WEBHOOK = "webhook"
CONVERSE = "/converse/"
PLACE = "{userId}"  # in an address: where the name of the session is put
MOST_ANSWERS = 100


class Heard(msgspec.Struct, frozen=True):
    """A message that a webhook is told of: of which conversation, whose (as the API answers)."""

    workspace: str
    message: Message
    conversation: Conversation
    record: dict[str, Any] | None


class Answers(msgspec.Struct, frozen=True):
    """What a bot answered: its messages in order, and whether it hands over to agents."""

    said: tuple[Said, ...] = ()
    deed: Deed | None = None


def wanted(form: str, conversation: Conversation, desk: Desk) -> bool:
    """Whether a webhook of this format is told of a customer's message.

    Ours is told of every one. A bot behind the other formats knows nothing of agents, so it hears
    only what is said while it has the conversation, on channels that a webhook begins.
    """
    if form == USER360:
        return True
    return conversation.state == talk.BOT and desk.bot_of(conversation.channel) == WEBHOOK


def address(form: str, url: str, heard: Heard) -> str:
    """Where a message is sent: `{userId}` in an address of Botpress becomes the session."""
    return url.replace(PLACE, quote(_session(heard), safe="")) if form == BOTPRESS else url


def body(form: str, url: str, heard: Heard) -> dict[str, Any]:
    """What is sent, as JSON."""
    if form == RASA:
        return _to_rasa(heard)
    if form == BOTPRESS:
        return _to_converse(heard) if CONVERSE in url else _to_messaging(heard)
    record = heard.record
    number = None if record is None else _number(heard.conversation, record["id"])
    return {
        "event": "message",
        "workspace": heard.workspace,
        "message": shown.message(heard.message),
        "conversation": shown.conversation(heard.conversation, number),
        "record": record,
    }


def answers(form: str, given: Any, to: int, author: str) -> Answers:
    """What a bot answered to message `to`, of what its webhook answered (JSON; None for nothing).

    Each message has an id made of `to` and its place, so that one that is read again is the same.
    Raises `Invalid` naming what cannot be read.
    """
    if given in (None, "", {}, []):
        return Answers()
    found = list(READERS[form](given))
    if len(found) > MOST_ANSWERS:
        raise Invalid(f"A bot answers at most {MOST_ANSWERS} messages at once")
    named = ids.public_message_id(to)
    said = [
        msgspec.structs.replace(each, id=f"answer:{named}:{i}", author=author, yields=True)
        for i, each in enumerate(found)
        if isinstance(each, Said)
    ]
    for i, each in enumerate(said):
        _refuse(f"{i}", talk.faults_of(each))
    deeds = [msgspec.structs.replace(d, by=author) for d in found if isinstance(d, Deed)]
    return Answers(tuple(said), deeds[0] if deeds else None)


def called_back(given: Any, author: str) -> tuple[str, Answers]:
    """What Botpress calls back with: the public id of the conversation, and the answer.

    Raises `Invalid`.
    """
    told = _object(given, "")
    conversation, number = told.get("conversationId"), told.get("botpressMessageId")
    if not isinstance(conversation, str):
        raise Invalid.at("conversationId", "conversationId must be text")
    payload = told.get("payload")
    inner = payload if isinstance(payload, dict) else {"text": payload}
    found = list(_of_botpress({**inner, "type": told.get("type")}, "payload"))
    name = number if isinstance(number, str) and number else ids.new_id()
    said = [
        msgspec.structs.replace(
            each, id=f"botpress:{name}"[: talk.LONGEST_ID], author=author, yields=True
        )
        for each in found
        if isinstance(each, Said)
    ]
    for each in said:
        _refuse("payload", talk.faults_of(each))
    deeds = [msgspec.structs.replace(d, by=author) for d in found if isinstance(d, Deed)]
    return conversation, Answers(tuple(said), deeds[0] if deeds else None)


def _session(heard: Heard) -> str:
    """A name for the other side that is the same for all messages of a session."""
    return f"{heard.conversation.channel}:{heard.conversation.session}"


def _number(conversation: Conversation, record: str) -> int | None:
    return ids.parse_record_id(conversation.id >> ids.RECORD_BITS, record)


def _summary(message: Message) -> str:
    """What was said in words; files are told by their names."""
    return message.text or ", ".join(each.name for each in message.attachments)


def _to_rasa(heard: Heard) -> dict[str, Any]:
    metadata = {
        "conversationId": ids.public_conversation_id(heard.conversation.id),
        "messageId": ids.public_message_id(heard.message.id),
        "userId": None if heard.record is None else heard.record["userId"],
    }
    return {"sender": _session(heard), "message": _summary(heard.message), "metadata": metadata}


def _to_converse(heard: Heard) -> dict[str, Any]:
    return {"type": "text", "text": _summary(heard.message)}


def _to_messaging(heard: Heard) -> dict[str, Any]:
    text = _summary(heard.message)
    attachments = [shown.attachment(each) for each in heard.message.attachments]
    return {
        "userId": _session(heard),
        "messageId": ids.public_message_id(heard.message.id),
        "conversationId": ids.public_conversation_id(heard.conversation.id),
        "type": "text",
        "text": text,
        "payload": {"text": text, "attachments": attachments},
    }


def _from_ours(given: Any) -> Iterator[Said | Deed]:
    """`{"messages": [{"text", "attachments"?}], "handOver": true | {...}}`."""
    told = _object(given, "")
    messages = told.get("messages", [])
    if not isinstance(messages, list):
        raise Invalid.at("messages", "messages must be a list")
    for i, each in enumerate(messages):
        message = _object(each, f"messages.{i}")
        files = message.get("attachments", [])
        try:
            attached = msgspec.convert(files, tuple[Attachment, ...])
        except msgspec.ValidationError as error:
            raise Invalid.at(f"messages.{i}.attachments", str(error)) from error
        yield _said(message.get("text", ""), attached, f"messages.{i}.text")
    if told.get("handOver"):
        yield hand_over(told["handOver"], "handOver")


def _from_rasa(given: Any) -> Iterator[Said | Deed]:
    """A list of `{"text"?, "image"?, "attachment"?, "buttons"?, "custom"?}`."""
    if not isinstance(given, list):
        raise Invalid("Rasa answers a list of messages")
    for i, each in enumerate(given):
        message = _object(each, f"{i}")
        buttons = _choices(message.get("buttons"), "title", "payload")
        files = [_file(message.get(name), name) for name in ("image", "attachment")]
        attached = tuple(found for found in files if found is not None)
        if message.get("text") or attached:
            yield _said(message.get("text") or "", attached, f"{i}.text", buttons)
        custom = message.get("custom")
        if isinstance(custom, dict) and custom.get("handOver"):
            yield hand_over(custom["handOver"], f"{i}.custom.handOver")


def _from_botpress(given: Any) -> Iterator[Said | Deed]:
    """What the Converse API answers: `{"responses": [...]}`; the Messaging API says it later."""
    responses = given.get("responses") if isinstance(given, dict) else None
    for i, each in enumerate(responses if isinstance(responses, list) else ()):
        yield from _of_botpress(_object(each, f"responses.{i}"), f"responses.{i}")


def _of_botpress(told: Mapping[str, Any], path: str) -> Iterator[Said | Deed]:
    """One message of Botpress, by its type; what is no message (`typing`) says nothing."""
    kind = told.get("type")
    if told.get("handOver"):
        yield hand_over(told["handOver"], f"{path}.handOver")
    if kind == "carousel" and isinstance(told.get("items"), list):
        for i, item in enumerate(told["items"]):
            card = {"type": "card", **_object(item, f"{path}.items.{i}")}
            yield from _of_botpress(card, f"{path}.items.{i}")
        return
    choices = _choices(told.get("options"), "label", "value")
    choices = choices or _choices(told.get("choices"), "title", "value")
    choices = choices or _choices(told.get("actions"), "label", "value")
    urls = ("imageUrl", "audioUrl", "videoUrl", "fileUrl", "image", "audio", "video", "file")
    files = [_file(told.get(name), str(told.get("title") or name)) for name in urls]
    attached = tuple(found for found in files if found is not None)
    words = [told.get(name) for name in ("text", "title", "subtitle", "address")]
    text = "\n".join(word for word in words if isinstance(word, str) and word.strip())
    if kind == "location" and "latitude" in told and "longitude" in told:
        text = f"{text}\n{told['latitude']}, {told['longitude']}".strip()
    if kind != "typing" and (text or attached or choices):
        yield _said(text, attached, f"{path}.text", choices)


def hand_over(given: Any, path: str) -> Deed:
    """The deed of a bot that hands over: true, or what it knows of where to.

    `{"group": number, "skills": [...], "kind": "ticket", "subject": ...}`. Raises `Invalid`.
    """
    if given is True:
        return Deed(action="hand_over")
    try:
        wish = msgspec.convert(_object(given, path), HandOver)
    except msgspec.ValidationError as error:
        raise Invalid.at(path, str(error)) from error
    return Deed(
        action="hand_over",
        group=wish.group,
        kind=wish.kind,
        subject=wish.subject,
        skills=tuple(wish.skills),
    )


class HandOver(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """Where a bot hands over to, as far as it knows."""

    group: int | None = None
    kind: str = ""
    subject: str | None = None
    skills: list[str] = msgspec.field(default_factory=list)


def _choices(given: Any, title: str, value: str) -> list[dict[str, str]]:
    """What the customer is offered to answer."""
    found = []
    for each in given if isinstance(given, list) else ():
        if isinstance(each, dict) and isinstance(each.get(title), str):
            said = each.get(value)
            found.append({"title": each[title], "value": said if isinstance(said, str) else ""})
    return found


def _said(
    text: Any,
    attachments: tuple[Attachment, ...],
    path: str,
    choices: list[dict[str, str]] | None = None,
) -> Said:
    """A bot's message. What it offers is also told in words, for channels that show nothing else.

    Raises `Invalid` when `text` is none.
    """
    if not isinstance(text, str):
        raise Invalid.at(path, "text must be text")
    lines = [text, *(f"• {choice['title']}" for choice in choices or ())]
    detail = {"choices": choices} if choices else {}
    whole = "\n".join(line for line in lines if line)
    return Said(sender=talk.BOT_SAYS, text=whole, attachments=attachments, detail=detail)


def _file(given: Any, name: str) -> Attachment | None:
    """A file by its address, if there is one; nothing else is understood."""
    if not isinstance(given, str) or not given.startswith(("https://", "http://")):
        return None
    return Attachment(name=name[:255], url=given)


def _object(given: Any, path: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise Invalid.at(path, f"{path or 'the answer'} must be an object")
    return given


def _refuse(path: str, faults: list[Fault]) -> None:
    if faults:
        raise Invalid(faults[0].message, faults=faults).under(path)


READERS: Mapping[str, Callable[[Any], Iterator[Said | Deed]]] = {
    USER360: _from_ours,
    RASA: _from_rasa,
    BOTPRESS: _from_botpress,
}
