"""The fields of a channel's form: what each setting is called, and what to put there."""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from user360.channels import declared
from user360.errors import Fault, Invalid


class Field(msgspec.Struct, frozen=True):
    """One setting: its dotted path, its label, and what helps to fill it in."""

    path: str
    label: str
    hint: str = ""


class Shown(msgspec.Struct, frozen=True):
    """A field as a form shows it: its kind, what it holds, what may be chosen, whether it is set.

    `kind` is `text`, `number`, `check`, `choice` or `secret`, whose value is never shown.
    """

    path: str
    label: str
    hint: str
    kind: str
    value: Any = ""
    choices: tuple[str, ...] = ()
    held: bool = False


class Channel(msgspec.Struct, frozen=True):
    """How a channel is presented: its title, its icon, what it is, its groups of fields."""

    title: str
    icon: str
    about: str
    groups: Sequence[tuple[str, Sequence[Field]]] = ()


def _mail(of: str, login: str) -> tuple[Field, ...]:
    return (
        Field(f"{of}.host", "Server", "Empty where there is none."),
        Field(f"{of}.port", "Port"),
        Field(f"{of}.security", "Encryption"),
        Field(f"{of}.user", "User", login),
        Field(f"{of}.password", "Password"),
    )


CHANNELS: Mapping[str, Channel] = {
    "web": Channel(
        "Web",
        "world",
        "A chat on any page, by one line of HTML.",
        [
            (
                "Before anybody writes",
                [
                    Field(
                        "greeting",
                        "Greeting",
                        "Empty: the messages with which the flow begins, if one answers."
                        " {{{user.firstName|there}}} is filled in for who is signed in.",
                    ),
                ],
            ),
            (
                "Who comes again",
                [
                    Field(
                        "sessionDays",
                        "Days that a browser keeps its chat",
                        "Counted anew whenever it is used. Later, a new one begins.",
                    ),
                ],
            ),
            (
                "Who is signed in on the page",
                [
                    Field(
                        "signingKey",
                        "Signing key",
                        "Your server signs with it who is signed in. At least 32 characters.",
                    ),
                    Field(
                        "pageProperties",
                        "Keep what the page says without a signature",
                        "Anybody can make a page say anything, so it never identifies.",
                    ),
                ],
            ),
        ],
    ),
    "whatsapp": Channel(
        "WhatsApp",
        "brand-whatsapp",
        "A number of WhatsApp's Cloud API.",
        [
            (
                "From your app at Meta",
                [
                    Field("phoneNumberId", "Phone number ID", "Digits, under API setup."),
                    Field(
                        "businessAccountId",
                        "Business account ID",
                        "Where templates are fetched from, when you ask for that.",
                    ),
                    Field("accessToken", "Access token", "Of a system user, so that it lasts."),
                    Field("appSecret", "App secret", "Signs what Meta delivers."),
                    Field("verifyToken", "Verify token", "Any words: put the same in at Meta."),
                    Field("apiBase", "Address of the API", "With the version of it that you use."),
                ],
            ),
            (
                "Codes that prove a number",
                [
                    Field(
                        "codeTemplate",
                        "Template",
                        "An approved one of the category Authentication. Without it only who wrote"
                        " within 24 hours gets codes.",
                    ),
                    Field("codeLanguage", "Its language", "As Meta writes it: en, pt_BR."),
                ],
            ),
        ],
    ),
    "email": Channel(
        "E-mail",
        "mail",
        "A mailbox whose mails are tickets.",
        [
            (
                "The mailbox",
                [
                    Field("address", "Address", "Where customers write to."),
                    Field("name", "Name", "How answers are signed."),
                    Field("threadBy", "Answers are known by", "A token in this part of a mail."),
                    Field(
                        "authservId",
                        "Who checks senders",
                        "The name with which your mail server begins Authentication-Results.",
                    ),
                ],
            ),
            ("Sending (SMTP)", _mail("smtp", "Empty where nobody signs in.")),
            (
                "Fetching (IMAP)",
                (*_mail("imap", "Often the address itself."), Field("imap.folder", "Folder")),
            ),
        ],
    ),
    "api": Channel("API", "code", "Any app or bot that sends messages by the API."),
}


def of(name: str) -> Channel:
    """How a channel is presented, whatever it is."""
    return CHANNELS.get(name) or Channel(name, "message", "Messages that are sent by the API.")


def lacking(name: str, told: Mapping[str, Any]) -> dict[str, list[str]]:
    """What cannot be done yet, with the labels of the settings that it needs."""
    shape = declared.shape_of(name)
    labels = {
        field.path: _label(title, field) for title, fields in of(name).groups for field in fields
    }
    needed = {"sent": shape.SENDS, "heard": shape.HEARS}
    found = {what: [p for p in paths if p in told["missing"]] for what, paths in needed.items()}
    return {what: [labels[path] for path in paths] for what, paths in found.items() if paths}


def _label(title: str, field: Field) -> str:
    """A label that says of itself which server is meant."""
    return f"{field.label} under {title}" if "." in field.path else field.label


def shown(name: str, told: Mapping[str, Any]) -> list[tuple[str, list[Shown]]]:
    """The groups of a channel's fields with what they hold."""
    shape = declared.shape_of(name)
    kinds = declared.leaves(shape)
    return [
        (title, [_shown(each, kinds[each.path], told, shape.SECRET) for each in fields])
        for title, fields in of(name).groups
    ]


def _shown(field: Field, kind: Any, told: Mapping[str, Any], secret: Sequence[str]) -> Shown:
    about = (field.path, field.label, field.hint)
    if field.path in secret:
        return Shown(*about, "secret", held=field.path in told["secretsSet"])
    value: Any = told
    for step in field.path.split("."):
        value = value[step]
    if kind is bool:
        return Shown(*about, "check", value)
    if kind is int:
        return Shown(*about, "number", value)
    choices = typing.get_args(kind)
    return Shown(*about, "choice" if choices else "text", value, choices)


def given(name: str, form: Mapping[str, str]) -> dict[str, Any]:
    """The settings that a form holds, nested. Raises `Invalid` for a number that is none.

    A secret that was left empty stays; one whose box is ticked is forgotten.
    """
    shape = declared.shape_of(name)
    found: dict[str, Any] = {}
    faults = []
    for path, kind in declared.leaves(shape).items():
        text = form.get(path, "").strip()
        if path in shape.SECRET:
            if text or f"forget.{path}" in form:
                _put(found, path, text or None)
        elif kind is bool:
            _put(found, path, path in form)
        elif path not in form:
            continue
        elif kind is int and not (text.isascii() and text.isdigit() and len(text) < 9):
            faults.append(Fault(path, "invalid", "This must be a whole number"))
        else:
            _put(found, path, int(text) if kind is int else text)
    if faults:
        raise Invalid(faults[0].message, faults=faults)
    return found


def _put(into: dict[str, Any], path: str, value: Any) -> None:
    *above, name = path.split(".")
    for step in above:
        into = into.setdefault(step, {})
    into[name] = value
