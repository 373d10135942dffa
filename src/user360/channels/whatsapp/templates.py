"""Templates: what WhatsApp has approved, and alone lets be said when the customer was long silent.

A body has places to fill: `{{1}}`, `{{2}}` in their order, or places with names, `{{first_name}}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from user360.access.workspaces import Workspace
from user360.conversations import canned, talk, window
from user360.errors import Fault, Invalid

CHANNEL = "whatsapp"
MOST = 500
LONGEST_NAME, LONGEST_BODY, LONGEST_FIXED, LONGEST_BUTTON = 512, 1_024, 60, 25  # as Meta has them
LONGEST_FILLED = 1_024
MOST_BUTTONS, MOST_PARAMETERS = 10, 50
NAME = re.compile(r"[a-z0-9_]{1,512}\Z")
LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Za-z]{2,4})?\Z")
PLACE = re.compile(r"\{\{\s*([a-z0-9_]+)\s*\}\}")


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One template in one language, as it was approved; `buttons` are answers to choose from."""

    name: str
    language: str
    body: str
    header: str = ""
    footer: str = ""
    buttons: tuple[str, ...] = ()

    @property
    def places(self) -> list[str]:
        """What is to be filled in, in the order in which parameters are given."""
        found = list(dict.fromkeys(PLACE.findall(self.body)))
        return sorted(found, key=int) if all(name.isdigit() for name in found) else found

    @property
    def label(self) -> str:
        """As people tell it from others: `order_update (en)`."""
        return f"{self.name} ({self.language})"


class Chosen(msgspec.Struct, frozen=True):
    """A template to be sent; the language may be left out where there is one alone.

    Parameters may hold what canned answers may: `{{{user.firstName|there}}}`.
    """

    name: str
    language: str = ""
    parameters: Sequence[str] = ()


class Filled(msgspec.Struct, frozen=True):
    """A template with everything put in: the text that people read, and what is sent."""

    text: str
    detail: dict[str, Any]


def of(workspace: Workspace) -> list[Template]:
    """The templates that a workspace's WhatsApp has."""
    channel = workspace.desk.channels.get(CHANNEL)
    given = () if channel is None else channel.settings.get("templates", ())
    return msgspec.convert(given, list[Template])


def fill(
    workspace: Workspace, channel: str, chosen: Chosen, known: Mapping[str, Any], agent: str = ""
) -> Filled:
    """What is said by a template on a channel to somebody of whom this is known.

    Raises `Invalid` naming what is wrong below `template`.
    """
    if channel != CHANNEL:
        message = f"Templates are for WhatsApp; this conversation is on {channel}"
        raise Invalid.at("template", message)
    template = _found(of(workspace), chosen)
    values = _values(workspace, template, chosen.parameters, known, agent)
    detail: dict[str, Any] = {
        window.TEMPLATE: {
            "name": template.name,
            "language": template.language,
            "parameters": values,
        }
    }
    if template.places and not template.places[0].isdigit():
        detail[window.TEMPLATE]["places"] = template.places
    if template.buttons:
        detail["choices"] = list(template.buttons)
    return Filled(words(template, values), detail)


def words(template: Template, values: Sequence[str]) -> str:
    """A template as people read it; a place without a value stands as it is."""
    given = dict(zip(template.places, values, strict=False))
    body = PLACE.sub(lambda place: given.get(place[1]) or place[0], template.body)
    return "\n\n".join(part for part in (template.header, body, template.footer) if part)


def _found(held: Sequence[Template], chosen: Chosen) -> Template:
    named = [each for each in held if each.name == chosen.name]
    if not named:
        raise Invalid.at("template.name", "The channel whatsapp has no template of this name")
    if not chosen.language and len(named) == 1:
        return named[0]
    for each in named:
        if each.language == chosen.language:
            return each
    there = ", ".join(sorted(each.language for each in named))
    raise Invalid.at("template.language", f"This template is there in {there}")


def _values(
    workspace: Workspace,
    template: Template,
    parameters: Sequence[str],
    known: Mapping[str, Any],
    agent: str,
) -> list[str]:
    wanted = len(template.places)
    if len(parameters) != wanted:
        message = f"{template.label} has {wanted} places to fill, and {len(parameters)} are given"
        raise Invalid.at("template.parameters", message)
    faults: list[Fault] = []
    values = []
    for i, given in enumerate(parameters):
        path = f"template.parameters.{i}"
        wrong = canned.faults_of(given, workspace.catalogue) if given.strip() else []
        faults += [msgspec.structs.replace(fault, path=path) for fault in wrong]
        # WhatsApp takes neither lines nor rows of blanks in a parameter.
        value = "" if wrong else " ".join(canned.fill(given, known, agent).split())
        if not wrong and not value:
            message = "Nothing stands here then; give what to say instead: {{{user.name|there}}}"
            faults.append(Fault(path, "invalid", message))
        values.append(value)
    if not faults and len(words(template, values)) > LONGEST_FILLED:
        message = f"With these the template is longer than {LONGEST_FILLED:,} characters"
        faults.append(Fault("template.parameters", "invalid", message))
    if faults:
        raise Invalid(faults[0].message, faults=faults)
    return values


def payload(sent: Mapping[str, Any]) -> dict[str, Any]:
    """What WhatsApp is sent for a template that a message's detail names."""
    values = sent["parameters"]
    named = sent.get("places") or [""] * len(values)
    parameters = [
        {"type": "text", **({"parameter_name": name} if name else {}), "text": value}
        for name, value in zip(named, values, strict=True)
    ]
    components: list[dict[str, Any]] = []
    if parameters:
        components.append({"type": "body", "parameters": parameters})
    components += [_button(i, value) for i, value in enumerate(sent.get("buttons", ()))]
    told = {"name": sent["name"], "language": {"code": sent["language"]}}
    return {
        "type": "template",
        "template": {**told, **({"components": components} if components else {})},
    }


def of_code(name: str, language: str, code: str) -> dict[str, Any]:
    """A message's detail that says a one-time code by a template for such codes.

    Meta asks for the code twice: for the text, and for the button that copies it or fills it in.
    """
    told = {"name": name, "language": language, "parameters": [code], "buttons": [code]}
    return {window.TEMPLATE: told}


def _button(index: int, value: str) -> dict[str, Any]:
    given = [{"type": "text", "text": value}]
    return {"type": "button", "sub_type": "url", "index": str(index), "parameters": given}


def faults_of(given: object) -> list[Fault]:
    """What is wrong with the setting `templates`, each by its path."""
    if not isinstance(given, list | tuple):
        return [Fault("templates", "invalidDataType", "templates must be a list")]
    if len(given) > MOST:
        return [Fault("templates", "invalid", f"There are at most {MOST} templates")]
    found: list[Fault] = []
    seen: set[tuple[str, str]] = set()
    for i, each in enumerate(given):
        path = f"templates.{i}"
        try:
            template = msgspec.convert(each, Template)
        except msgspec.ValidationError as error:
            found.append(Fault(path, "invalidDataType", str(error)))
            continue
        found += [msgspec.structs.replace(f, path=f"{path}.{f.path}") for f in _wrong(template)]
        key = (template.name, template.language)
        if key in seen:
            found.append(Fault(path, "invalid", f"{template.label} is there twice"))
        seen.add(key)
    return found


def _wrong(template: Template) -> list[Fault]:
    found = []
    if not NAME.match(template.name):
        message = "name is 1 to 512 small letters, digits and _"
        found.append(Fault("name", "invalid", message))
    if not LANGUAGE.match(template.language):
        found.append(Fault("language", "invalid", "language is a code such as en or pt_BR"))
    found += talk.text_faults("body", template.body, LONGEST_BODY)
    for name in ("header", "footer"):
        found += _fixed(name, getattr(template, name), LONGEST_FIXED, empty=True)
    if len(template.buttons) > MOST_BUTTONS:
        found.append(Fault("buttons", "invalid", f"There are at most {MOST_BUTTONS} buttons"))
    for i, button in enumerate(template.buttons):
        found += _fixed(f"buttons.{i}", button, LONGEST_BUTTON)
    return found + _wrong_places(template)


def _fixed(path: str, given: str, most: int, *, empty: bool = False) -> list[Fault]:
    if "{{" in given:
        return [Fault(path, "invalid", "Only the body may have places to fill")]
    return talk.text_faults(path, given, most, empty=empty)


def _wrong_places(template: Template) -> list[Fault]:
    if "{{" in PLACE.sub("", template.body):
        return [Fault("body", "invalid", "A place to fill is written {{1}}, or {{name}}")]
    numbered = [name.isdigit() for name in set(PLACE.findall(template.body))]
    if any(numbered) and not all(numbered):
        message = "Places to fill have numbers or names, not both"
        return [Fault("body", "invalid", message)]
    if len(numbered) > MOST_PARAMETERS:
        return [Fault("body", "invalid", f"There are at most {MOST_PARAMETERS} places to fill")]
    expected = [str(n) for n in range(1, len(numbered) + 1)]
    if all(numbered) and template.places != expected:
        return [Fault("body", "invalid", "Places are numbered from {{1}} without a gap")]
    return []
