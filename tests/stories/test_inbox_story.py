"""From the first hello to the solved ticket: one customer on three channels, and her brother.

Everything goes through the doors: the API as a bot or a page uses it, Meta's webhook, a mail.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import httpx
import pytest

from tests.channels import meta, served
from tests.channels.meta import Meta
from tests.channels.served import Served
from user360.access import keys
from user360.channels.email.intake import Intake
from user360.storage.ledger import Connection

ASHA = "asha@example.com"
PHONE = "919811112222"
KEY = "u3_story-of-the-inbox-key"


class Desk:
    """Whoever answers, by the API."""

    def __init__(self, site: Served) -> None:
        self.client = httpx.Client(
            base_url=f"{site.url}/api/v1", headers={"x-api-key": KEY}, timeout=30
        )

    def close(self) -> None:
        self.client.close()

    def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = self.client.request(method, path, json=body)
        assert answer.status_code < 300, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        return self.ask("POST", path, body)

    def of(self, record: str) -> list[dict[str, Any]]:
        """The conversations of a person, the newest first."""
        told: list[dict[str, Any]] = self.ask("GET", f"/conversations?recordId={record}")[
            "conversations"
        ]
        return told


@pytest.fixture(scope="module")
def graph() -> Iterator[Meta]:
    with Meta() as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def site(graph: Meta) -> Iterator[Served]:
    with served.running() as site:
        graph.set_up(site)
        site.put("email", address="help@shop.test")
        platform = site.platform

        def let_in(connection: Connection) -> None:
            keys.create(connection, site.workspace.id, "story", "admin", KEY, platform.now())
            platform.reload_keys(connection)

        platform.write(let_in)
        yield site


def writes(site: Served, graph: Meta, text: str, number: int) -> None:
    """Somebody writes on WhatsApp."""
    said = meta.text(text, of=PHONE, id=f"wamid.{number}")
    webhook = f"{site.url}/channels/whatsapp/webhook?workspace=default"
    assert graph.deliver(webhook, meta.value(said, name="Ravi")).json()["messages"] == 1


def mail(text: str, number: int) -> bytes:
    letter = EmailMessage()
    letter["From"], letter["To"] = f"Asha Rao <{ASHA}>", "help@shop.test"
    letter["Subject"], letter["Message-ID"] = "My order is late", f"<{number}@example.com>"
    letter.set_content(text)
    return letter.as_bytes()


def test_from_the_first_hello_to_the_solved_ticket(site: Served, graph: Meta) -> None:
    with contextlib.closing(Desk(site)) as desk:
        tell(desk, site, graph)


def tell(desk: Desk, site: Served, graph: Meta) -> None:
    # Somebody says hello on the web; nobody knows who it is.
    hello = desk.post("/sessions/web/visit-1/messages", **{"from": "customer", "text": "Hello"})
    visitor, chat = hello["record"], hello["conversationId"]
    assert visitor["userId"] is None
    assert [c["id"] for c in desk.of(visitor["id"])] == [chat]

    # The bot asks, she answers, and is Asha, of whom the shop knows a few things.
    desk.ask("PUT", f"/users/{ASHA}", {"properties": {"firstName": "Asha", "city": "Pune"}})
    desk.post("/sessions/web/visit-1/messages", **{"from": "bot", "text": "Your e-mail, please?"})
    known = desk.post(
        "/sessions/web/visit-1/messages", **{"from": "customer", "text": ASHA, "userId": ASHA}
    )
    asha = known["record"]
    assert (asha["userId"], asha["properties"]["city"]) == (ASHA, "Pune")
    assert known["conversationId"] == chat

    # On WhatsApp her number tells the country; an agent takes it for hers, and they are merged.
    writes(site, graph, "My sister's order is late", 1)
    (told,) = site.conversations(PHONE)
    assert site.record(PHONE)["country"] == "IN"
    merged = desk.post(f"/sessions/whatsapp/{PHONE}/identify", userId=ASHA)
    assert {c["channel"] for c in desk.of(asha["id"])} == {"web", "whatsapp"}
    assert merged["record"]["properties"]["country"] == "IN"

    # She writes a mail: a ticket of the same person, since its address is her userId.
    intake = Intake(site.platform)
    assert intake.take(site.workspace, mail("Where is it?", 1)) == "ticket"
    ticket = next(c for c in desk.of(asha["id"]) if c["channel"] == "email")
    assert (ticket["kind"], ticket["state"]) == ("ticket", "open")

    # It was her brother who wrote on WhatsApp: the merge is undone, all of it is as it was.
    desk.post(f"/merges/{merged['mergeId']}/undo", reason="It was her brother")
    assert {c["channel"] for c in desk.of(asha["id"])} == {"web", "email"}
    assert "country" not in desk.ask("GET", f"/users/{ASHA}")["properties"]
    again = site.conversations(PHONE)[0]
    assert again.id == told.id
    assert again.record == told.record

    # Done right: he is somebody of his own, and what he writes next goes on in his conversation.
    ravi = desk.post(f"/sessions/whatsapp/{PHONE}/identify", userId="ravi@example.com")["record"]
    writes(site, graph, "Thanks", 2)
    assert [m.text for m in site.messages(PHONE)] == ["My sister's order is late", "Thanks"]
    assert [c["channel"] for c in desk.of(ravi["id"])] == ["whatsapp"]

    # The ticket is answered and solved; and stands with her alone.
    desk.post(f"/conversations/{ticket['id']}/reply", text="It left the house today.")
    desk.post(f"/conversations/{ticket['id']}/resolve", reason="answered", tags=["late"])
    solved = desk.ask("GET", f"/conversations/{ticket['id']}")
    assert solved["conversation"]["state"] == "solved"
    assert [m["from"] for m in solved["messages"]] == ["customer", "agent"]
    assert solved["record"]["userId"] == ASHA

    # Nothing was said twice, and the report counts each conversation once.
    report = desk.ask("GET", "/reports/inbox?by=channel&from=2026-01-01")
    counts = {line["key"]: line["numbers"]["conversations"] for line in report["lines"]}
    assert counts == {"web": 1, "whatsapp": 1, "email": 1}
    assert report["total"]["resolved"] == 1
