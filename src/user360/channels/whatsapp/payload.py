"""What Meta's webhook tells, in its own shape. What is not read here may be there too."""

from __future__ import annotations

from typing import Any

import msgspec

ACCOUNT = "whatsapp_business_account"
LONGEST_NAME = 255  # characters of what Meta calls a person or a message
MESSAGES = "messages"  # the only field whose changes are about conversations


class Text(msgspec.Struct, frozen=True):
    """Words."""

    body: str = ""


class Media(msgspec.Struct, frozen=True):
    """A file that Meta holds for some weeks: fetched by its id."""

    id: str
    mime_type: str = "application/octet-stream"
    caption: str = ""
    filename: str = ""
    sha256: str = ""


class Location(msgspec.Struct, frozen=True):
    """A place."""

    latitude: float
    longitude: float
    name: str = ""
    address: str = ""


class Reaction(msgspec.Struct, frozen=True):
    """An emoji put to a message, or taken away where it is empty."""

    message_id: str
    emoji: str = ""


class Reply(msgspec.Struct, frozen=True):
    """What was chosen of buttons or of a list."""

    id: str = ""
    title: str = ""
    description: str = ""


class Form(msgspec.Struct, frozen=True):
    """A form that was filled in."""

    body: str = ""
    response_json: str = ""


class Interactive(msgspec.Struct, frozen=True):
    """An answer to a message with buttons, a list or a form."""

    type: str = ""
    button_reply: Reply | None = None
    list_reply: Reply | None = None
    nfm_reply: Form | None = None


class Button(msgspec.Struct, frozen=True):
    """A quick answer of a template."""

    text: str = ""
    payload: str = ""


class Context(msgspec.Struct, frozen=True):
    """The message that is answered to."""

    id: str | None = None


class System(msgspec.Struct, frozen=True):
    """What WhatsApp itself tells: somebody has another number now."""

    body: str = ""


class Trouble(msgspec.Struct, frozen=True):
    """An error as Meta tells it."""

    code: int = 0
    title: str = ""
    message: str = ""
    error_data: dict[str, Any] = msgspec.field(default_factory=dict)


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Something a customer said; which part is there depends on its type."""

    id: str
    timestamp: str
    type: str
    sender: str = msgspec.field(default="", name="from")
    from_user_id: str = ""
    text: Text | None = None
    image: Media | None = None
    audio: Media | None = None
    video: Media | None = None
    document: Media | None = None
    sticker: Media | None = None
    location: Location | None = None
    contacts: list[dict[str, Any]] | None = None
    reaction: Reaction | None = None
    interactive: Interactive | None = None
    button: Button | None = None
    system: System | None = None
    order: dict[str, Any] | None = None
    referral: dict[str, Any] | None = None
    context: Context | None = None
    errors: list[Trouble] | None = None

    @property
    def session(self) -> str:
        """Who it is of: their number, or what stands for it where they hide it."""
        return self.sender or self.from_user_id

    @property
    def media(self) -> Media | None:
        """The file it carries, whatever it is."""
        return self.image or self.audio or self.video or self.document or self.sticker


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a message of ours."""

    id: str
    status: str
    timestamp: str = ""
    errors: list[Trouble] | None = None
    biz_opaque_callback_data: str = ""


class Profile(msgspec.Struct, frozen=True):
    """How somebody calls themselves."""

    name: str = ""


class Contact(msgspec.Struct, frozen=True):
    """Somebody who wrote."""

    wa_id: str = ""
    user_id: str = ""
    profile: Profile = Profile()


class Metadata(msgspec.Struct, frozen=True):
    """The number of the business that it is about."""

    phone_number_id: str
    display_phone_number: str = ""


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """What a change of the field `messages` holds."""

    metadata: Metadata
    contacts: list[Contact] = []
    messages: list[Message] = []
    statuses: list[Status] = []


class Change(msgspec.Struct, frozen=True):
    """One change; `value` depends on the field."""

    field: str
    value: msgspec.Raw


class Entry(msgspec.Struct, frozen=True):
    """The changes of one business account."""

    changes: list[Change]
    id: str = ""


class Body(msgspec.Struct, frozen=True):
    """One delivery of the webhook."""

    object: str
    entry: list[Entry]


def read(body: bytes) -> list[Value]:
    """What a delivery tells of conversations, in its order.

    Raises `msgspec.ValidationError` for what is not of this shape, with the whole path.
    """
    found = []
    told = msgspec.json.decode(body, type=Body)
    if told.object != ACCOUNT:
        raise msgspec.ValidationError(f"object must be {ACCOUNT} - at `$.object`")
    for i, entry in enumerate(told.entry):
        for j, change in enumerate(entry.changes):
            if change.field == MESSAGES:
                found.append(_value(change.value, f"$.entry[{i}].changes[{j}].value"))
    return found


def _value(raw: msgspec.Raw, path: str) -> Value:
    try:
        value = msgspec.json.decode(raw, type=Value)
    except msgspec.ValidationError as error:
        what, at, where = str(error).partition(" - at `$")
        whole = path + (where if at else "`")
        raise msgspec.ValidationError(f"{what} - at `{whole}") from error
    for i, message in enumerate(value.messages):
        here = f"{path}.messages[{i}]"
        if not _is_name(message.session):
            raise msgspec.ValidationError(f"Expected who wrote - at `{here}.from`")
        if not _is_name(message.id):
            raise msgspec.ValidationError(f"Expected a name for it - at `{here}.id`")
        if not _is_time(message.timestamp):
            reason = "Expected seconds since 1970 as text"
            raise msgspec.ValidationError(f"{reason} - at `{here}.timestamp`")
    return value


def _is_name(text: str) -> bool:
    return 1 <= len(text.strip()) <= LONGEST_NAME and text.isprintable()


def _is_time(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 12
