"""What there is to set on each channel: one declared shape a channel, with its secrets named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

import email_validator
import msgspec

from user360.channels.whatsapp.templates import LANGUAGE, NAME, Template
from user360.flows.language import templates

LONGEST = 4_096  # characters of a setting
GRAPH = "https://graph.facebook.com/v23.0"
LONGEST_GREETING = 1_000
LONGEST_SESSION = 400  # days
LEAST_KEY = 32  # characters of a key that signs
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?\Z|\[?[0-9A-Fa-f:.]+\]?\Z")


class Shape(msgspec.Struct, frozen=True, rename="camel"):
    """The settings of a channel that needs none of its own: any bot's, by the API.

    `SECRET` names those that are kept encrypted and never told again, by their dotted paths; `TO`
    which settings say to what server a secret is sent; `SENDS` and `HEARS` those without which
    nothing is sent, or nothing heard.
    """

    SECRET: ClassVar[tuple[str, ...]] = ()
    TO: ClassVar[Mapping[str, str]] = {}
    SENDS: ClassVar[tuple[str, ...]] = ()
    HEARS: ClassVar[tuple[str, ...]] = ()

    def missing(self) -> list[str]:
        """The paths of those that are not set and without which nothing is sent."""
        held = flat(msgspec.to_builtins(self))
        return [path for path in self.SENDS if not held[path]]


class Web(Shape, frozen=True, rename="camel"):
    """The widget: `signingKey` signs who is signed in on the page.

    `pageProperties` says whether what a page tells without a signature is kept as well. `greeting`
    stands in the chat before anybody writes, with places as in flows: `{{{user.firstName|there}}}`.
    `sessionDays` is for how long a browser keeps its conversation that nobody uses.
    """

    SECRET: ClassVar[tuple[str, ...]] = ("signingKey",)
    signing_key: str = ""
    page_properties: bool = False
    greeting: str = ""
    session_days: int = 90


class WhatsApp(Shape, frozen=True, rename="camel"):
    """The Cloud API, by the names that Meta gives its parts.

    `businessAccountId` is where the templates are fetched from, when somebody asks for that.
    `codeTemplate` and `codeLanguage` are the template for one-time codes.
    """

    SECRET: ClassVar[tuple[str, ...]] = ("verifyToken", "appSecret", "accessToken")
    TO: ClassVar[Mapping[str, str]] = {"accessToken": "apiBase"}
    SENDS: ClassVar[tuple[str, ...]] = ("phoneNumberId", "accessToken")
    HEARS: ClassVar[tuple[str, ...]] = ("appSecret", "verifyToken")
    phone_number_id: str = ""
    business_account_id: str = ""
    templates: tuple[Template, ...] = ()
    code_template: str = ""
    code_language: str = "en"
    api_base: str = GRAPH
    verify_token: str = ""
    app_secret: str = ""
    access_token: str = ""


Security = Literal["starttls", "tls", "none"]


class Smtp(msgspec.Struct, frozen=True):
    """Where mail is handed in."""

    host: str = ""
    port: int = 587
    security: Security = "starttls"
    user: str = ""
    password: str = ""


class Imap(msgspec.Struct, frozen=True):
    """Where mail is fetched."""

    host: str = ""
    port: int = 993
    security: Security = "tls"
    user: str = ""
    password: str = ""
    folder: str = "INBOX"


class Email(Shape, frozen=True, rename="camel"):
    """A mailbox: `address` is who it is, `name` how it signs.

    `threadBy` is what an answer carries besides its headers to find back: a token in its `subject`,
    or in an `address` of the form `support+token@domain`, for mailboxes that take such mail.
    `authservId` is how the mail server before it signs what it found of senders (RFC 8601).
    """

    SECRET: ClassVar[tuple[str, ...]] = ("smtp.password", "imap.password")
    TO: ClassVar[Mapping[str, str]] = {"smtp.password": "smtp.host", "imap.password": "imap.host"}
    SENDS: ClassVar[tuple[str, ...]] = ("address", "smtp.host")
    HEARS: ClassVar[tuple[str, ...]] = ("address",)
    address: str = ""
    name: str = ""
    thread_by: Literal["subject", "address"] = "subject"
    authserv_id: str = ""
    smtp: Smtp = Smtp()
    imap: Imap = Imap()


SHAPES: Mapping[str, type[Shape]] = {"web": Web, "whatsapp": WhatsApp, "email": Email}


def shape_of(channel: str) -> type[Shape]:
    """The settings that a channel of this name has."""
    return SHAPES.get(channel, Shape)


def leaves(shape: type[Any], above: str = "") -> dict[str, Any]:
    """Every single setting of a shape by its dotted path, with its type."""
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(shape):
        path = above + field.encode_name
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            found |= leaves(field.type, f"{path}.")
        else:
            found[path] = field.type
    return found


def flat(nested: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Nested settings by their dotted paths."""
    found: dict[str, Any] = {}
    for name, value in nested.items():
        path = f"{above}{name}"
        found |= flat(value, f"{path}.") if isinstance(value, dict) else {path: value}
    return found


def wrong_with(path: str, value: object) -> str:
    """What is wrong with a setting that has the right type; empty when nothing is.

    An empty text takes a setting away, so it is always right.
    """
    if isinstance(value, str) and value:
        return _wrong_text(path, value)
    if path.endswith(".port") and isinstance(value, int) and not 1 <= value <= 65_535:
        return "a port is a number from 1 to 65535"
    if path == "sessionDays" and isinstance(value, int) and not 1 <= value <= LONGEST_SESSION:
        return f"sessionDays is a number from 1 to {LONGEST_SESSION}"
    return ""


def _wrong_text(path: str, value: str) -> str:
    name = path.rpartition(".")[2]
    if len(value) > LONGEST:
        return f"{name} has at most {LONGEST:,} characters"
    if not value.isprintable():
        return f"{name} must be one line of text"
    if name == "apiBase" and not _is_address(value):
        return "apiBase must begin with https:// or http:// and name a host"
    numbers = ("phoneNumberId", "businessAccountId")
    if name in numbers and not (value.isascii() and value.isdigit()):
        return f"{name} is the number that Meta shows for it: digits alone"
    if name == "codeTemplate" and not NAME.match(value):
        return "codeTemplate is a template's name: small letters, digits and _"
    if name == "codeLanguage" and not LANGUAGE.match(value):
        return "codeLanguage is a language's code, such as en or pt_BR"
    if name == "host" and not _HOST.match(value):
        return "host must be a host name or an address, without a port"
    if name == "authservId" and not _HOST.match(value):
        return "authservId is the name at the beginning of Authentication-Results, as a host's"
    if name == "greeting":
        return _wrong_greeting(value)
    if name == "signingKey" and len(value) < LEAST_KEY:
        return f"signingKey needs at least {LEAST_KEY} characters"
    if name == "address":
        return _wrong_mail(value)
    return ""


def _wrong_greeting(value: str) -> str:
    if len(value) > LONGEST_GREETING:
        return f"greeting has at most {LONGEST_GREETING:,} characters"
    try:
        names = [place.name for place in templates.read(value).places]
    except templates.BadTemplate as bad:
        return f"greeting: {bad}"
    if strange := next((name for name in names if not name.startswith("user.")), ""):
        return f"greeting: only what is known of the user can be filled in, not {strange}"
    return ""


def _is_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _wrong_mail(value: str) -> str:
    try:
        email_validator.validate_email(
            value, check_deliverability=False, test_environment=True, allow_domain_literal=True
        )
    except email_validator.EmailNotValidError:
        return "address must be an e-mail address"
    return ""
