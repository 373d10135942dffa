"""How other servers are called: within reach and a time, up to a size, never led elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from user360.channels.bringing import Permanent, Temporary

if TYPE_CHECKING:
    import httpx

    from user360.platform import Platform

CONNECT_SECONDS, SECONDS = 5.0, 20.0
CHUNK = 1 << 16


def client(platform: Platform) -> httpx.Client:
    """What calls are made with: connections are kept, redirects are not followed."""
    import httpx

    from user360.channels.reach import Reach, Transport

    return httpx.Client(
        timeout=httpx.Timeout(SECONDS, connect=CONNECT_SECONDS),
        follow_redirects=False,
        transport=Transport(
            Reach(platform.settings.call_networks),
            httpx.Limits(max_connections=100, max_keepalive_connections=20),
        ),
    )


def parts(response: httpx.Response, seconds: float = SECONDS) -> Iterator[bytes]:
    """The body as it comes. Raises `Temporary` when all of it takes longer than `seconds`."""
    end = time.monotonic() + seconds
    for part in response.iter_bytes(CHUNK):
        yield part
        if time.monotonic() > end:
            raise Temporary("The answer took too long")


def whole(response: httpx.Response, most: int) -> bytes | None:
    """The body, None when it is larger than `most` bytes."""
    body = bytearray()
    for part in parts(response):
        body += part
        if len(body) > most:
            return None
    return bytes(body)


def wanted_wait(response: httpx.Response) -> float:
    """In how many seconds the other side wants to be asked again; 0 when it does not say."""
    after = response.headers.get("retry-after", "")
    return float(after) if after.isascii() and after.isdigit() and len(after) < 7 else 0.0


@contextmanager
def told(who: str) -> Iterator[None]:
    """What fails on the way is told without the address, which may hold a secret."""
    import httpx

    from user360.channels.reach import OutOfReach

    try:
        yield
    except OutOfReach as error:
        raise Permanent(f"{who} was not called: {error}") from error
    except httpx.TimeoutException as error:
        raise Temporary(f"{who} did not answer in time") from error
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise Temporary(f"{who} could not be reached") from error
