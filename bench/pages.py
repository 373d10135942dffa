"""Every page over many people and events: how long the server takes, as one who signed in asks."""

from __future__ import annotations

import contextlib
import functools
import http.client
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

from bench import loaded, questions, server, timing
from bench.population import Size
from bench.report import Result, at_most
from bench.server import Failed, Server

WHO = {"email": "bench@example.com", "name": "Bench", "password": "for this benchmark only"}
MOST_MS = 200
SEGMENT = "Bench: three purchases"
FORM = {"content-type": "application/x-www-form-urlencoded"}


def measure(cache: Path, size: Size, rounds: int) -> Result:
    """Ask for each page some times, one after another, from one connection."""
    with loaded.copy(cache, size) as data, server.running(data) as running:
        addresses = _addresses(running)
        with signed_in(running) as ask:
            for address in addresses.values():
                ask(address)
            sides = {
                name: functools.partial(timing.seconds, functools.partial(ask, address))
                for name, address in addresses.items()
            }
            taken = timing.in_turns(sides, rounds)
    slowest = {n: timing.percentile([1_000 * t for t in each], 95) for n, each in taken.items()}
    return Result(
        name="pages",
        title="Pages",
        method=(
            f"Pages over {size.records:,} records and {size.events:,} events, asked for over HTTP "
            f"by a member who signed in, in turns, {rounds} times each: the time until the last "
            "byte has come, the 95th of a hundred."
        ),
        figures=[at_most(name, each, MOST_MS, "ms") for name, each in slowest.items()],
    )


def _addresses(running: Server) -> Mapping[str, str]:
    """The pages, by what they are called."""
    condition = quote(json.dumps(questions.PROPERTIES.tree))
    segment = _segment(running)
    found = running.ask("POST", "/api/v1/users/search", {"limit": 1})
    return {
        "users": "/users",
        "users, a text": "/users?text=bauer",
        "users, a filter": f"/users?where={condition}",
        "a user": f"/users/{found['users'][0]['id']}",
        "segments": "/segments",
        "a segment": f"/segments/{segment}",
        "editing a segment": f"/segments/{segment}/edit",
        "a new segment": "/segments/new",
        "imports": "/imports",
        "exports": "/exports",
        "properties": "/properties",
        "values of a property": "/properties/tags",
        "events": "/events",
        "events, a year": "/events?period=1y",
        "an event": "/events/of/Purchase",
        "activity": "/activity",
        "settings": "/settings",
    }


def _segment(running: Server) -> int:
    """The number of a segment with members, filled."""
    for held in running.ask("GET", "/api/v1/segments")["segments"]:
        if held["name"] == SEGMENT:
            return int(held["id"])
    given = {"name": SEGMENT, "where": questions.BEHAVIOUR.tree}
    made = int(running.ask("POST", "/api/v1/segments", given)["id"])
    running.settled()
    return made


@contextlib.contextmanager
def signed_in(running: Server) -> Iterator[Callable[[str], None]]:
    """A way to ask for a page as a member. Raises `Failed` for any status but 200."""
    with contextlib.closing(server.line(running.port)) as connection:
        cookie = cookie_of(connection)

        def ask(address: str) -> None:
            connection.request("GET", address, headers={"cookie": cookie, "accept": "text/html"})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200:
                raise Failed(f"{address} answered {answer.status}: {text[:300].decode()}")

        yield ask


def cookie_of(connection: http.client.HTTPConnection) -> str:
    """The cookie of a session of the first member, who is made when there is none."""
    cookie = _cookie(connection, "/welcome", WHO | {"key": server.KEY})
    return cookie or _cookie(connection, "/sign-in", WHO)


def _cookie(connection: http.client.HTTPConnection, path: str, form: Mapping[str, str]) -> str:
    """The cookie of the session that a form begins; empty when it does not."""
    connection.request("POST", path, urlencode(form), FORM)
    answer = connection.getresponse()
    answer.read()
    return (answer.getheader("set-cookie") or "").partition(";")[0]
