"""What the builder asks while somebody builds: the form again, the count, what values there are."""

from __future__ import annotations

from urllib.parse import parse_qsl

from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery

from user360.doors import gate
from user360.doors.api import conditions, members
from user360.pages import render, route
from user360.pages.builder import deeds, form, values, view
from user360.pages.render import Asked
from user360.segments.compiler import questions

# Told to the page when there is a whole condition to count; aimed at what is surely still there.
WHOLE = {"HX-Trigger": '{"builder-whole":{"target":"#builder"}}'}


async def pairs(request: Asked) -> list[tuple[str, str]]:
    """The fields of a form in the order they stand in, empty ones too."""
    kind, _ = request.content_type
    if kind != "application/x-www-form-urlencoded":
        found = await request.form()
        return [(name, given) for name, given in found.multi_items() if isinstance(given, str)]
    body = await request.body()
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)


@route.deed("/builder", may="segments.read")
async def build(request: Asked) -> Response[str]:
    """The form as it is after what was chosen, or after the `deed` of a button."""
    given = await pairs(request)
    draft, deed = form.read(given), dict(given).get("deed", "")
    focus = deeds.do(draft, deed) if deed else ""
    workspace = gate.actor_of(request).workspace
    shown = view.of_draft(workspace, draft, view.segment_of(given), focus)
    headers = WHOLE if shown.whole else {}
    return render.page(request, "builder/form.html", builder=shown, headers=headers)


@route.deed("/builder/count", may="segments.read")
async def count(request: Asked) -> Response[str]:
    """How many the condition is true of, and the newest of them; nothing new until it is whole."""
    given = await pairs(request)
    workspace = gate.actor_of(request).workspace
    shown = view.of_draft(workspace, form.read(given), view.segment_of(given))
    if not shown.whole:
        return Response("", status_code=204)
    node = await conditions.read(request, shown.where) if shown.segment is None else shown.node
    found = await members.preview(request, node)
    platform = gate.platform_of(request)
    now = platform.now()
    total = await gate.ask(request, lambda w: questions.count(w, workspace, None, now))
    return render.page(request, "builder/panel.html", found=found, total=total)


@route.shown("/builder/values", may="segments.read")
async def suggest(request: Asked, property: FromQuery[str] = "") -> Response[str]:
    """The values that may be meant, as the options of a list; what was typed is a field of ours."""
    typed = next((v for name, v in request.query_params.items() if name.startswith("b.")), "")
    found = await values.of(request, property, typed)
    return render.page(request, "builder/values.html", found=found)


ROUTES: list[HTTPRouteHandler] = [build, count, suggest]
