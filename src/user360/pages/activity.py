"""Activity: who did what."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from litestar import Response
from litestar.handlers import HTTPRouteHandler

from user360.access import audit, keys
from user360.doors import gate
from user360.pages import activity_words, forms, render, route
from user360.pages.render import Asked
from user360.storage.ledger import Connection

PAGE = 50


@route.shown("/activity", may="audit")
async def activity(request: Asked) -> Response[str]:
    """The audit by day, newest first; by whom and about what is in the address."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    who, what = (request.query_params.get(name, "") for name in ("who", "what"))
    before = forms.number(request.query_params.get("before", ""))

    def ask(connection: Connection) -> Any:
        found = audit.lines(connection, workspace.id, before, PAGE + 1, actor=who, kind=what)
        held = {key.id: key for key in keys.all_keys(connection).values()}
        return found, audit.actors(connection, workspace.id), held

    found, actors, held = await gate.read(platform, ask)
    names = activity_words.Names(workspace, platform.members, held)
    lines = [activity_words.line(row, names) for row in found[:PAGE]]
    days = itertools.groupby(
        lines, key=lambda line: datetime.fromisoformat(line.at).astimezone(workspace.zone).date()
    )
    older = {"who": who, "what": what, "before": lines[-1].id} if len(found) > PAGE else {}
    return render.page(
        request,
        "activity/list.html",
        days=[(f"{day:%A}, {day.day} {day:%B %Y}", list(some)) for day, some in days],
        actors={ref: names.actor(ref) for ref in actors},
        kinds=activity_words.KINDS,
        who=who,
        what=what,
        older=urlencode(older),
        newest=before is None,
    )


ROUTES: list[HTTPRouteHandler] = [activity]
