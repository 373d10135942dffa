"""The doors described: for programs as OpenAPI, for people as one page."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import msgspec
from litestar import MediaType, Request, Response, get

from user360.doors.api import openapi

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h2 { margin-top: 2.5rem; text-transform: capitalize } details { border-top: 1px solid #8884 }
summary { padding: .4rem 0; cursor: pointer } code, pre { font: 14px/1.5 ui-monospace, monospace }
summary b { display: inline-block; min-width: 4.5rem } pre { overflow: auto; padding: .5rem }
p, ul, pre { margin: .4rem 0 .8rem } :root { color-scheme: light dark }
"""
POLICY = (
    "default-src 'none'; style-src 'sha256-"
    + base64.b64encode(sha256(STYLE.encode()).digest()).decode()
    + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def _document(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """The description, made when it is first asked for."""
    state = request.app.state
    if "described" not in state:
        state.described = openapi.describe(request.app)
    document: dict[str, Any] = state.described
    return document


@get("/openapi.json", include_in_schema=False, sync_to_thread=False)
def openapi_json(request: Request[Any, Any, Any]) -> Response[bytes]:
    """OpenAPI 3.1."""
    content = msgspec.json.encode(_document(request))
    return Response(content, media_type=MediaType.JSON)


@get("/docs", include_in_schema=False, sync_to_thread=False)
def docs(request: Request[Any, Any, Any]) -> Response[str]:
    """Every call on one page, which needs nothing from anywhere else."""
    return Response(
        page(_document(request)),
        media_type=MediaType.HTML,
        headers={"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"},
    )


def page(document: dict[str, Any]) -> str:
    """The page of a description."""
    by_tag: dict[str, list[str]] = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            tag = (operation.get("tags") or ["other"])[0]
            by_tag.setdefault(tag, []).append("".join(_call(path, method, operation)))
    body = "".join(f"<h2>{html.escape(tag)}</h2>{''.join(c)}" for tag, c in by_tag.items())
    title = html.escape(document["info"]["title"])
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}: the API</title><style>{STYLE}</style></head><body><h1>{title}</h1>"
        '<p>Send your key as <code>x-api-key</code>. <a href="/openapi.json">OpenAPI</a></p>'
        f"{body}</body></html>"
    )


def _call(path: str, method: str, operation: dict[str, Any]) -> Iterator[str]:
    summary = html.escape(operation.get("summary") or "")
    yield f"<details><summary><b>{method.upper()}</b> <code>{html.escape(path)}</code> {summary}"
    yield f"</summary><p>{html.escape(operation.get('description') or '')}</p>"
    parameters = operation.get("parameters", [])
    if parameters:
        yield "<ul>" + "".join(_parameter(each) for each in parameters) + "</ul>"
    for content in operation.get("requestBody", {}).get("content", {}).values():
        for example in content.get("examples", {}).values():
            shown = msgspec.json.format(msgspec.json.encode(example["value"]), indent=2).decode()
            yield f"<pre>{html.escape(shown)}</pre>"
    yield f"<p>Answers {', '.join(operation.get('responses', {}))}.</p></details>"


def _parameter(parameter: dict[str, Any]) -> str:
    about = parameter.get("description") or parameter["in"]
    return f"<li><code>{html.escape(parameter['name'])}</code> {html.escape(about)}</li>"


ROUTES = [openapi_json, docs]
