"""The kinds of nodes: one row each, with its fields, what they say, and how it is read.

The reference page is printed from this table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import jmespath
import jmespath.exceptions
import msgspec

from user360.conversations import talk
from user360.flows.language import nodes, templates
from user360.flows.language.nodes import ATTEMPTS, Node
from user360.flows.language.reader import Reader
from user360.flows.language.templates import Template
from user360.records.properties import Type

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
AGAIN = "Sorry, that does not fit: {{{reason}}}. Please try again."
CODE = "We have sent a code to {{{address}}}. Please type it here."
LONGEST_TIMEOUT, MOST_RETRIES = 60, 5
MOST_BRANCHES, MOST_CHOICES = 50, 20
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}\Z")
# What HTTP itself says, and we with it.
_OURS = ("host", "content-length", "transfer-encoding", "connection")


class Asked(msgspec.Struct, frozen=True):
    """What a prompt can ask for: its type, where it is kept unless said, and what is said of it."""

    type: Type
    property: str
    says: str


PROMPTS: Mapping[str, Asked] = {
    "name": Asked(Type.STRING, "firstName", "a name: at least one letter, no digits"),
    "phone": Asked(Type.PHONE, "phone", "a phone number with its country code"),
    "email": Asked(Type.EMAIL, "email", "an e-mail address"),
    "number": Asked(Type.NUMBER, "", "a number"),
    "date": Asked(Type.DATE, "", "a day, written YYYY-MM-DD"),
    "choice": Asked(Type.STRING, "", "one of `choices`, by its text or its number"),
    "text": Asked(Type.STRING, "", "any text of at most 255 characters"),
}


class Field(msgspec.Struct, frozen=True):
    """One field of a node: what it holds, and whether it must be there."""

    name: str
    says: str
    needed: bool = False


Read = Callable[[Reader, str, Any, Mapping[str, Any]], Node]


class Kind(msgspec.Struct, frozen=True):
    """A kind of node: `leads` says whether it has a `next`."""

    name: str
    says: str
    fields: tuple[Field, ...]
    read: Read
    leads: bool = True

    @property
    def names(self) -> list[str]:
        return [field.name for field in self.fields]


def _message(reader: Reader, path: str, given: Any, common: Mapping[str, Any]) -> Node:
    return nodes.Message(text=reader.template(path, given), **common)


def _attempts(reader: Reader, path: str, held: Mapping[str, Any]) -> dict[str, Any]:
    """What all that ask have in common."""
    found: dict[str, Any] = {
        "ask": reader.template(f"{path}.ask", held.get("ask")),
        "again": reader.template(f"{path}.again", held.get("again", AGAIN), ("reason",)),
        "code": reader.template(f"{path}.code", held.get("code", CODE), ("address",)),
        "attempts": int(reader.number(f"{path}.attempts", held.get("attempts", ATTEMPTS), 1, 10)),
    }
    if "otherwise" in held:
        found["otherwise"] = reader.target(f"{path}.otherwise", held["otherwise"])
    return found


def _prompt(reader: Reader, path: str, given: Any, common: Mapping[str, Any]) -> Node:
    held = reader.mapping(path, given, KINDS["prompt"].names)
    kind = reader.choice(f"{path}.kind", held.get("kind"), tuple(PROMPTS))
    variable = held.get("variable")
    choices: tuple[str, ...] = ()
    if kind == "choice":
        choices = reader.texts(f"{path}.choices", held.get("choices"), 100, MOST_CHOICES)
    elif "choices" in held and kind:
        reader.trouble(f"{path}.choices", "only a prompt of the kind choice has choices")
    told = held.get("property", PROMPTS[kind].property if kind else "")
    named = "" if told in ("", None) else reader.text(f"{path}.property", told, 64)
    known_as = reader.fills(f"{path}.variable", variable) if variable is not None else ""
    if kind and not named and not known_as:
        reader.trouble(path, "an answer is kept: name a property, a variable, or both")
    return nodes.Prompt(
        kind=kind or "text",
        into=named,
        variable=known_as,
        choices=choices,
        use_as_user_id=reader.flag(f"{path}.useAsUserId", held.get("useAsUserId", False)),
        **_attempts(reader, path, held),
        **common,
    )


def _identify(reader: Reader, path: str, given: Any, common: Mapping[str, Any]) -> Node:
    held = reader.mapping(path, given, KINDS["identify"].names)
    return nodes.Identify(
        by=reader.text(f"{path}.by", held.get("by"), 64),
        always=reader.flag(f"{path}.always", held.get("always", False)),
        **_attempts(reader, path, held),
        **common,
    )


def _set(reader: Reader, path: str, given: Any, common: Mapping[str, Any]) -> Node:
    properties: dict[str, Any] = {}
    variables: dict[str, Any] = {}
    if not isinstance(given, dict) or not given:
        reader.trouble(path, "set is a list of properties and flow.variables with their values")
        return nodes.Set(**common)
    for name, value in given.items():
        below = f"{path}.{name}"
        held = _leaves(reader, below, value)
        if name.startswith("flow."):
            variables[reader.fills(below, name.removeprefix("flow."))] = held
        else:
            properties[name] = held
    return nodes.Set(properties=properties, variables=variables, **common)


def _leaves(reader: Reader, path: str, given: Any, more: tuple[str, ...] = ()) -> Any:
    """Any value, with its texts as templates."""
    if isinstance(given, dict):
        return {k: _leaves(reader, f"{path}.{k}", each, more) for k, each in given.items()}
    if isinstance(given, list):
        return [_leaves(reader, f"{path}.{i}", each, more) for i, each in enumerate(given)]
    return reader.template(path, given, more) if isinstance(given, str) and given else given


def _condition(reader: Reader, path: str, given: Any, common: Mapping[str, Any]) -> Node:
    if not isinstance(given, list) or not 2 <= len(given) <= MOST_BRANCHES:
        message = "condition is a list of branches, each with if and next; the last is else"
        reader.trouble(path, message)
        return nodes.Condition(branches=(), **common)
    branches = [_branch(reader, f"{path}.{i}", each) for i, each in enumerate(given[:-1])]
    last = f"{path}.{len(given) - 1}"
    held = reader.mapping(last, given[-1], ("else",))
    otherwise = reader.target(f"{last}.else", held.get("else"))
    return nodes.Condition(branches=tuple(branches), **{**common, "next": otherwise})


def _branch(reader: Reader, path: str, given: Any) -> nodes.Branch:
    held = reader.mapping(path, given, ("if", "variable", "is", "next"))
    following = reader.target(f"{path}.next", held.get("next"))
    if ("if" in held) == ("variable" in held):
        reader.trouble(path, "a branch has either if, or variable and is")
    if "variable" not in held:
        return nodes.Branch(next=following, where=held.get("if"))
    variable = reader.text(f"{path}.variable", held["variable"], 64)
    reader.variables.setdefault(variable, f"{path}.variable")
    wanted = held.get("is")
    listed = wanted if isinstance(wanted, list) else [wanted]
    shown = tuple(templates.text_of(each) for each in listed if each is not None)
    if not shown:
        reader.trouble(f"{path}.is", "is holds one value, or a list of some")
    return nodes.Branch(next=following, variable=variable, values=shown)


def _call(reader: Reader, path: str, given: Any, common: Mapping[str, Any]) -> Node:
    held = reader.mapping(path, given, KINDS["call"].names)
    method = reader.choice(f"{path}.method", held.get("method", "GET"), METHODS)
    if "body" in held and method == "GET":
        reader.trouble(f"{path}.body", "a GET has no body; write method: POST")
    failed = reader.target(f"{path}.failed", held["failed"]) if "failed" in held else ""
    tried = held.get("retries", 2)
    return nodes.Request(
        method=method,
        url=_url(reader, f"{path}.url", held.get("url")),
        headers=_headers(reader, f"{path}.headers", held.get("headers", {})),
        body=_leaves(reader, f"{path}.body", held.get("body")),
        timeout=reader.number(f"{path}.timeout", held.get("timeout", 10), 0.1, LONGEST_TIMEOUT),
        retries=int(reader.number(f"{path}.retries", tried, 0, MOST_RETRIES)),
        variables=_variables(reader, f"{path}.variables", held.get("variables", {})),
        failed=failed,
        **common,
    )


def _url(reader: Reader, path: str, given: Any) -> Template:
    """An address whose host stands in the flow itself, so that no value leads elsewhere."""
    found = reader.template(path, given)
    first = found.parts[0] if found.parts and isinstance(found.parts[0], str) else ""
    try:
        parts = urlsplit(first)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
        parts = urlsplit("")
    open_ended = len(found.parts) > 1 and not (parts.path or parts.query)
    if found and (not sound or open_ended or "@" in parts.netloc or "#" in first):
        reader.trouble(path, "url begins with http:// or https://, its host and a /, written out")
    return found


def _headers(reader: Reader, path: str, given: Any) -> dict[str, Template]:
    if not isinstance(given, dict):
        reader.trouble(path, "headers are a list of names and values")
        return {}
    found = {}
    for name, value in given.items():
        if not _HEADER.match(name) or name.lower() in _OURS:
            reader.trouble(f"{path}.{name}", f"{name[:60]} is no header that can be set")
        found[name] = reader.template(f"{path}.{name}", value, ("secret",))
    return found


def _variables(reader: Reader, path: str, given: Any) -> dict[str, str]:
    if not isinstance(given, dict):
        reader.trouble(path, "variables are a list of names, each with a path into the answer")
        return {}
    found = {}
    for name, value in given.items():
        below = f"{path}.{name}"
        expression = reader.text(below, value, 500)
        try:
            if expression:
                jmespath.compile(expression)
        except jmespath.exceptions.JMESPathError:
            reader.trouble(below, "this is no path into an answer, such as order.items[0].name")
        found[reader.fills(below, name)] = expression
    return found


def _hand_over(reader: Reader, path: str, given: Any, common: Mapping[str, Any]) -> Node:
    held = reader.mapping(path, {} if given is None else given, KINDS["handOver"].names)
    found: dict[str, Any] = {}
    if "group" in held:
        found["group"] = reader.text(f"{path}.group", held["group"], 100)
    if "skills" in held:
        found["skills"] = reader.texts(f"{path}.skills", held["skills"])
    if "subject" in held:
        found["subject"] = reader.template(f"{path}.subject", held["subject"])
    if "kind" in held:
        found["kind"] = reader.choice(f"{path}.kind", held["kind"], talk.KINDS)
    return nodes.HandOver(**found, **common)


def _end(reader: Reader, path: str, given: Any, common: Mapping[str, Any]) -> Node:
    held = reader.mapping(path, {} if given is None else given, KINDS["end"].names)
    found: dict[str, Any] = {}
    if "reason" in held:
        found["reason"] = reader.text(f"{path}.reason", held["reason"], 200)
    if "tags" in held:
        found["tags"] = reader.texts(f"{path}.tags", held["tags"])
    return nodes.End(**found, **common)


_ASKING = (
    Field("ask", "the question", needed=True),
    Field("again", "what is said to an answer that does not fit; `{{{reason}}}` says why"),
    Field("code", "what is said when a code was sent to `{{{address}}}`"),
    Field("attempts", f"how often it may be answered, 1 to 10; {ATTEMPTS} unless said"),
)
KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("message", "Says a text, which stands right here.", (), _message),
        Kind(
            "prompt",
            "Asks, checks the answer, asks again with the reason, and keeps what fits.",
            (
                Field("kind", f"one of {', '.join(PROMPTS)}", needed=True),
                *_ASKING,
                Field("property", "where it is kept; name, phone and email have their own"),
                Field("variable", "a variable that gets it too, for `{{{flow...}}}`"),
                Field("choices", f"the texts to choose from, at most {MOST_CHOICES}"),
                Field("useAsUserId", "true: who answers is identified by the answer"),
                Field("otherwise", "where to go after too many attempts; to agents unless said"),
            ),
            _prompt,
        ),
        Kind(
            "identify",
            "Finds out who this is; passes at once when that is known.",
            (
                Field("by", "`email`, `phone` or a custom property", needed=True),
                *_ASKING,
                Field("always", "true: asks even if it is known, for it may be somebody else"),
                Field("otherwise", "where to go when it is not found out; on unless said"),
            ),
            _identify,
        ),
        Kind(
            "set",
            "Writes properties (`city: Pune`) and variables (`flow.tries: 1`); null clears.",
            (),
            _set,
        ),
        Kind(
            "condition",
            "Goes the way of the first branch that holds: `if` (the language of segments, whose"
            " `segment` may be a name), or `variable` with `is`; the last branch is `else`.",
            (),
            _condition,
            leads=False,
        ),
        Kind(
            "call",
            "Asks an HTTP API; paths into its JSON answer fill variables.",
            (
                Field("url", "where; its host stands here, values are percent-encoded", True),
                Field("method", f"one of {', '.join(METHODS)}; GET unless said"),
                Field("headers", "names and values; `{{{secret...}}}` is kept apart, sealed"),
                Field("body", "sent as JSON; a single place keeps the type of its value"),
                Field("timeout", f"seconds in all, at most {LONGEST_TIMEOUT}; 10 unless said"),
                Field("retries", f"after temporary failures, 0 to {MOST_RETRIES}; 2 unless said"),
                Field("variables", "names, each with a JMESPath such as `order.items[0].name`"),
                Field("failed", "where to go when it fails; to agents unless said"),
            ),
            _call,
        ),
        Kind(
            "handOver",
            "Gives the conversation to agents.",
            (
                Field("group", "the name of a group of agents"),
                Field("skills", "what an agent must know"),
                Field("subject", "what it is about"),
                Field("kind", "chat or ticket; as it is unless said"),
            ),
            _hand_over,
            leads=False,
        ),
        Kind(
            "end",
            "Ends the conversation; who writes again begins another.",
            (
                Field("reason", "why, for the reports"),
                Field("tags", "tags of the conversation"),
            ),
            _end,
            leads=False,
        ),
    )
}
