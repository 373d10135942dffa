"""Templates become answers: what every page knows, and what every answer carries."""

from __future__ import annotations

import functools
import json
from typing import Any
from urllib.parse import quote

import jinja2
import msgspec
from litestar import MediaType, Request, Response
from markupsafe import Markup

from user360.access import roles
from user360.doors import gate
from user360.errors import Problem
from user360.pages import navigation, static, words

Asked = Request[Any, Any, Any]
# Nothing from elsewhere, nothing written into the page itself.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
MOST_FAULTS = 20  # that one answer tells of in a header


@functools.cache
def environment() -> jinja2.Environment:
    """The templates, with the words they write and a value for everything they name."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("user360.pages", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.do"],
    )
    made.filters |= {
        "number": words.number,
        "plural": words.plural,
        "title": words.title,
        "size": words.size,
        "value": words.value,
        "percent": words.percent,
        "json": lambda given: msgspec.json.encode(given).decode(),
    }
    made.globals |= {"static": static.address, "icon": lambda name: Markup(static.icon(name))}
    made.globals["formats"] = words.FORMATS
    return made


def page(
    request: Asked,
    template: str,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    **given: Any,
) -> Response[str]:
    """A page, or a part of one, from its template and what it shows."""
    text = environment().get_template(template).render(known(request) | given)
    return Response(
        text, status_code=status, media_type=MediaType.HTML, headers=HEADERS | (headers or {})
    )


def known(request: Asked) -> dict[str, Any]:
    """What every template may name; without a session nobody is known."""
    platform = gate.platform_of(request)
    actor, now = gate.actor_in(request.scope), platform.clock.now()
    if actor is None or actor.sign_in is None:
        return {"me": None, "workspace": None, "csrf": "", "path": request.url.path, "menu": []}
    zone = actor.workspace.zone

    def may(action: str) -> bool:
        return roles.may(actor.role, action)

    me = platform.members[actor.sign_in.member]
    return {
        "me": me,
        "role": actor.role,
        "workspace": actor.workspace,
        "workspaces": [platform.workspaces[number] for number in sorted(me.roles)],
        "csrf": actor.sign_in.csrf,
        "path": request.url.path,
        "may": may,
        "menu": navigation.menu(actor.role),
        "ago": functools.partial(words.ago, zone=zone, now=now),
        "exact": functools.partial(words.exact, zone=zone),
    }


def from_htmx(request: Asked) -> bool:
    """Whether a part of a page asks, rather than the browser for a whole one."""
    return request.headers.get("hx-request") == "true"


def said(text: str) -> dict[str, str]:
    """Headers that make the page say something in passing: "Saved"."""
    return {"HX-Trigger": _ascii({"said": {"text": text}})}


def go(request: Asked, address: str, *, tell: str = "") -> Response[str]:
    """Go on at another page of ours, which says `tell` in passing."""
    headers = dict(HEADERS)
    answer: Response[str]
    if from_htmx(request):
        answer = Response("", status_code=200, headers=headers | {"HX-Redirect": address})
    else:
        answer = Response("", status_code=303, headers=headers | {"Location": address})
    if tell:
        answer.set_cookie("said", quote(tell), max_age=20, samesite="lax")
    return answer


def problem(request: Asked, found: Problem) -> Response[str]:
    """What cannot be done: shown beside the fields it is about, or as a page of its own."""
    if from_htmx(request):
        faults = [msgspec.to_builtins(fault) for fault in found.faults[:MOST_FAULTS]]
        told = _ascii({"problem": {"detail": found.detail[:1_000], "faults": faults}})
        headers = HEADERS | {"HX-Trigger": told, "HX-Reswap": "none"}
        return Response(
            found.detail, status_code=found.status, media_type=MediaType.TEXT, headers=headers
        )
    return page(request, "problem.html", status=found.status, problem=found)


def _ascii(given: Any) -> str:
    """JSON that a header can hold, whatever it says."""
    return json.dumps(given, ensure_ascii=True, separators=(",", ":"))
