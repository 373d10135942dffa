"""The inbox's stream tells nobody what is not theirs to see, however they came to look at it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests import signed_in
from tests.channels import served
from tests.channels.served import Served
from tests.inbox.counter import Counter
from tests.waiting import until
from user360 import ids
from user360.conversations.talk import Said
from user360.doors import gate


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served.running() as server:
        yield server


@pytest.fixture
def counter(server: Served) -> Counter:
    """The default workspace, where the members of the sessions are."""
    found = Counter(server.platform)
    found.workspace = server.workspace
    return found


class Looking:
    """Somebody who looks at a conversation, with all that their stream tells."""

    def __init__(self, server: Served, role: str, public: str) -> None:
        cookies = {gate.COOKIE: signed_in.begin(server.platform, role).secret}
        self._url = f"{server.url}/inbox/live?open={public}"
        self._client = httpx.Client(cookies=cookies, timeout=served.PATIENCE)
        self.told: list[dict[str, Any]] = []
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Looking:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def _listen(self) -> None:
        try:
            with self._client.stream("GET", self._url) as answer:
                for line in answer.iter_lines():
                    if line.startswith("data: "):
                        self.told.append(json.loads(line.removeprefix("data: ")))
        except (httpx.HTTPError, httpx.StreamError, OSError):
            return

    def saw(self, word: str) -> bool:
        """Whether any of it holds this word."""
        return word in json.dumps(self.told)


def test_who_lost_a_conversation_hears_no_more_of_it(server: Served, counter: Counter) -> None:
    her, other = (signed_in.member(server.platform, role) for role in ("agent", "editor"))
    number = counter.says("lost", "Hello")
    counter.does(number, "assign", assignee=her)
    public = ids.public_conversation_id(number)
    with Looking(server, "agent", public) as looking:
        until(lambda: looking.saw("Hello"))
        counter.does(number, "assign", assignee=other)
        until(lambda: looking.saw('"lost": true'))
        counter.says("lost", "My secret number")
        counter.call(conversation=number, said=Said(sender="note", text="Another secret"))
        last = counter.says("hers", "Something else")
        counter.does(last, "assign", assignee=her)
        until(lambda: looking.saw("Something else"))
        assert not looking.saw("secret")
