"""What the script in a browser asks, without the browser; and what is done on the other side."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.doors.conftest import Serving
from user360.access.workspaces import Workspace
from user360.channels import settings
from user360.conversations.talk import Said
from user360.ids import record_number
from user360.ingest.call import Call, Outcome
from user360.storage.ledger import Connection

numbers = iter(range(1, 1_000))


class Asking:
    """Asks over a connection of its own each time, so that none is left open."""

    def __init__(self, place: str) -> None:
        self.place = place

    def get(self, path: str, **how: Any) -> httpx.Response:
        return httpx.get(self.place + path, timeout=30, **how)

    def post(self, path: str, **how: Any) -> httpx.Response:
        return httpx.post(self.place + path, timeout=30, **how)


class Browser:
    """What the script in a browser asks, without the browser."""

    def __init__(self, serving: Serving, workspace: str = "default", **begun: Any) -> None:
        self.serving = serving
        self.client = Asking(f"{serving.url}/channels/web")
        self.told = self.start(workspace=workspace, **begun).json()
        self.token = self.told["token"]

    @property
    def headers(self) -> dict[str, str]:
        return {"x-user360-session": self.token}

    def start(self, **body: Any) -> httpx.Response:
        return self.client.post("/start", json=body)

    def says(self, text: str = "Hello", **more: Any) -> httpx.Response:
        body = {"id": f"own-{next(numbers)}", "text": text, **more}
        return self.client.post("/messages", json=body, headers=self.headers)

    def seen(self, **query: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.get(
            "/messages", params=query, headers=self.headers
        ).json()["messages"]
        return found

    @contextmanager
    def listening(self, since: str = "m0") -> Iterator[Callable[[str], dict[str, Any]]]:
        """A stream; what is given waits for the next event of a type."""
        url = f"{self.serving.url}/channels/web/stream"
        with httpx.stream(
            "GET", url, params={"since": since}, headers=self.headers, timeout=30
        ) as answer:
            lines = answer.iter_lines()

            def heard(kind: str) -> dict[str, Any]:
                for line in lines:
                    told = json.loads(line[6:]) if line.startswith("data: ") else {}
                    if told.get("type") == kind:
                        return dict(told)
                raise EOFError

            yield heard


def settled(serving: Serving, message: str, **what: Any) -> Outcome:
    """Something said or done in the conversation that a message of the workspace began."""
    platform = serving.product.platform
    workspace, at = platform.default.id, platform.now()
    with platform.ledger.read() as connection:
        conversation = connection.exec_driver_sql(
            "SELECT conversation_id FROM messages WHERE id = ?",
            (record_number(workspace, int(message[1:])),),
        ).scalar_one()
    call = Call(
        workspace=workspace,
        source="conversation",
        ref="key:1",
        at=at,
        message_id=str(at),
        conversation=conversation,
        **what,
    )
    outcome = platform.settle([call])[0]
    assert outcome.problem is None
    return outcome


def answers(serving: Serving, message: str, text: str, sender: str = "agent", **more: Any) -> None:
    settled(serving, message, said=Said(sender=sender, text=text, **more))


def other_workspace(serving: Serving) -> Workspace:
    made = serving.product.platform.add_workspace(f"other{next(numbers)}")
    change(serving, made)
    return made


def change(serving: Serving, workspace: Workspace | None = None, **given: Any) -> None:
    """Set the channel `web`, of the default workspace if not said; that switches it on."""
    platform = serving.product.platform

    def run(connection: Connection) -> None:
        changing = platform.change(connection, workspace or platform.default, "key:1")
        settings.change(changing, platform.vault, "web", given)

    platform.write(run)
