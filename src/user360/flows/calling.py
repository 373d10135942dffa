"""Asking an HTTP API for a flow: bounded in time and size, never led elsewhere."""

from __future__ import annotations

import asyncio
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from user360.channels.reach import AsyncTransport, OutOfReach, Reach
from user360.flows.language import templates
from user360.flows.language.nodes import Request
from user360.flows.language.templates import ValueOf
from user360.flows.world import CallFailed

LARGEST = 1 << 20  # bytes of an answer
TEMPORARY = (408, 425, 429, 500, 502, 503, 504)
FIRST_WAIT = 0.5  # seconds; twice as long each time


class Outgoing(msgspec.Struct, frozen=True):
    """What is sent, with all its places filled."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None


def outgoing(node: Request, value_of: ValueOf, secrets: dict[str, str], turn: str) -> Outgoing:
    """The request of a node: values percent-encoded in the address, encoded as JSON in the body.

    The same turn has the same `Idempotency-Key`. Raises `CallFailed` for an address that the
    values would lead elsewhere.
    """

    def with_secrets(name: str) -> Any:
        source, _, key = name.partition(".")
        return secrets.get(key) if source == "secret" else value_of(name)

    url = templates.fill(node.url, value_of, templates.in_address)
    _refuse_dots(url)
    headers = {
        name: templates.fill(given, with_secrets, templates.in_header)
        for name, given in node.headers.items()
    }
    headers = {name: templates.in_header(value) for name, value in headers.items()}
    headers.setdefault("Accept", "application/json")
    headers.setdefault("Idempotency-Key", turn)
    if node.body is None:
        return Outgoing(node.method, url, headers, None)
    headers.setdefault("Content-Type", "application/json")
    body = msgspec.json.encode(templates.filled(node.body, value_of))
    return Outgoing(node.method, url, headers, body)


def _refuse_dots(url: str) -> None:
    """A segment of dots alone leads up, however it came about."""
    parts = urlsplit(url).path.lower().replace("%2e", ".").split("/")
    if any(part in (".", "..") for part in parts):
        raise CallFailed("the address leads elsewhere with these values")


async def ask(client: httpx.AsyncClient, sent: Outgoing, timeout: float, retries: int) -> Any:
    """The JSON that an API answers, tried again after temporary failures.

    `timeout` is in seconds for each attempt as a whole. Raises `CallFailed`.
    """
    for attempt in range(retries + 1):
        try:
            return await _once(client, sent, timeout)
        except _Temporary as failed:
            if attempt == retries:
                raise CallFailed(str(failed)) from failed
            await asyncio.sleep(FIRST_WAIT * 2**attempt)
    raise AssertionError  # the last attempt answers or raises


class _Temporary(Exception):
    """It may go well another time."""


async def _once(client: httpx.AsyncClient, sent: Outgoing, timeout: float) -> Any:
    try:
        async with asyncio.timeout(timeout):
            status, body = await _answer(client, sent)
    except TimeoutError as error:
        raise _Temporary(f"it did not answer within {timeout:g} seconds") from error
    except OutOfReach as error:
        raise CallFailed(str(error)) from error
    except httpx.TransportError as error:
        raise _Temporary(f"it cannot be reached ({type(error).__name__})") from error
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise CallFailed(f"it cannot be asked ({type(error).__name__})") from error
    if status in TEMPORARY:
        raise _Temporary(f"it answered {status}")
    if not 200 <= status < 300:
        raise CallFailed(f"it answered {status}")
    if not body.strip():
        return None
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise CallFailed("it answered no JSON") from error


async def _answer(client: httpx.AsyncClient, sent: Outgoing) -> tuple[int, bytes]:
    """Status and body; what is too large is not read to its end."""
    asked = client.build_request(sent.method, sent.url, headers=sent.headers, content=sent.body)
    answer = await client.send(asked, stream=True, follow_redirects=False)
    try:
        parts: list[bytes] = []
        size = 0
        async for part in answer.aiter_raw():
            size += len(part)
            if size > LARGEST:
                raise CallFailed(f"it answered more than {LARGEST:,} bytes")
            parts.append(part)
    finally:
        await answer.aclose()
    return answer.status_code, b"".join(parts)


def client(networks: str) -> httpx.AsyncClient:
    """A client for the calls of flows: no proxies, no cookies kept, many at once.

    `networks` are those that may be called though they are not public.
    """
    limits = httpx.Limits(max_connections=500, max_keepalive_connections=50)
    return httpx.AsyncClient(
        transport=AsyncTransport(Reach(networks), limits),
        timeout=None,
        trust_env=False,
        # What one conversation is told must not be sent for another.
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        # Not compressed, so that what is read is what there is.
        headers={"User-Agent": "User360", "Accept-Encoding": "identity"},
    )
