"""Bots are told by webhook what customers say, can know that it is us, and answer at once."""

from __future__ import annotations

import hmac
import json
import re
import threading
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.channels.test_settings import put
from tests.stories.shop import Shop
from user360 import ids
from user360.access.change import Change
from user360.channels import deliveries
from user360.channels.bringing import Delivery
from user360.channels.outbox import Outbox
from user360.channels.webhooks import WebhookSender
from user360.conversations import hooks, kept
from user360.conversations.deeds import Deed
from user360.conversations.hooks import Hook
from user360.conversations.talk import Message, Said
from user360.storage.ledger import Connection

DOCS = Path(__file__).resolve().parents[2] / "docs"


class Bot:
    """A web server that answers as it is told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.status, self.headers, self.body = 200, {"Content-Type": "application/json"}, b""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Bot:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def says(self, answer: Any) -> None:
        self.body = json.dumps(answer).encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        bot = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["content-length"]))
                headers = {k.lower(): v for k, v in self.headers.items()}
                bot.asked.append((self.path, headers, content))
                self.send_response(bot.status)
                for name, value in bot.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(bot.body)

            def log_message(self, *_: object) -> None:
                """Nothing is told."""

        return Handler


@pytest.fixture
def bot() -> Iterator[Bot]:
    with Bot() as bot:
        yield bot


def hook(shop: Shop, url: str, **given: Any) -> Hook:
    platform = shop.platform

    def job(connection: Connection) -> Hook:
        change: Change = platform.change(connection, shop.workspace, "key:1")
        return hooks.make(change, platform.vault, {"url": url, **given})

    return platform.write(job)


def says(shop: Shop, text: str, session: str = "telegram:7") -> Any:
    return shop.send(session=session, said=Said(sender="customer", text=text))


def left(shop: Shop, *, failed: bool = False) -> list[Delivery]:
    with shop.platform.ledger.read() as connection:
        return deliveries.listed(connection, shop.workspace.id, failed=failed)


def bring(shop: Shop, waiting: list[Delivery] | None = None) -> None:
    """Bring all that waits, or what waited then, once."""
    box = Outbox(shop.platform, {"webhook": WebhookSender})
    for delivery in reversed(left(shop) if waiting is None else waiting):
        box.bring(delivery)
    box.close()


def said(shop: Shop, conversation: int) -> list[Message]:
    with shop.platform.ledger.read() as connection:
        return list(kept.messages_of(connection, shop.platform.ledger.dialect, [conversation]))


def test_a_webhook_is_told_and_can_know_that_it_is_us(shop: Shop, bot: Bot) -> None:
    made = hook(shop, f"{bot.url}/hear", authorization="Bearer theirs")
    outcome = says(shop, "Hello")
    bot.body = b"ok"
    bring(shop)
    ((path, headers, body),) = bot.asked
    told = json.loads(body)
    assert (path, told["event"], told["message"]["text"]) == ("/hear", "message", "Hello")
    assert told["conversation"]["session"] == "7"
    assert told["record"]["id"] == ids.public_record_id(outcome.record)
    signed = headers["x-user360-timestamp"].encode() + b"." + body
    expected = hmac.new(made.sealed.key.encode(), signed, sha256).hexdigest()
    assert headers["x-user360-signature-256"] == f"sha256={expected}"
    assert headers["authorization"] == "Bearer theirs"
    assert headers["idempotency-key"] == f"{told['message']['id']}-{made.id}"
    assert left(shop) == []


def test_the_lines_of_the_guide_know_us(shop: Shop, bot: Bot) -> None:
    text = (DOCS / "how-to" / "trust-a-webhook.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    known: dict[str, Any] = {}
    exec(code, known)
    made = hook(shop, bot.url)
    says(shop, "Hello")
    bring(shop)
    ((_, headers, body),) = bot.asked
    assert known["is_ours"](made.sealed.key, headers, body)
    assert not known["is_ours"](made.sealed.key, headers, body + b" ")
    assert not known["is_ours"](made.sealed.key, {**headers, "x-user360-timestamp": "1"}, body)


def test_what_rasa_answers_is_said_once(shop: Shop, bot: Bot) -> None:
    put(shop, "telegram", bot="webhook")
    hook(shop, f"{bot.url}/webhooks/rest/webhook", format="rasa")
    outcome = says(shop, "Hi")
    bot.says([{"recipient_id": "7", "text": "Hey!"}, {"recipient_id": "7", "text": "How are you?"}])
    waiting = left(shop)
    for _ in range(2):  # as after a crash between the answer and its note
        bring(shop, waiting)
    messages = said(shop, outcome.conversation)
    assert [(m.sender, m.text) for m in messages] == [
        ("customer", "Hi"),
        ("bot", "Hey!"),
        ("bot", "How are you?"),
    ]
    told = json.loads(bot.asked[0][2])
    assert (told["sender"], told["message"]) == ("telegram:7", "Hi")


def test_a_bot_hands_over_and_hears_no_more(shop: Shop, bot: Bot) -> None:
    put(shop, "telegram", bot="webhook")
    hook(shop, bot.url, format="rasa")
    outcome = says(shop, "Let me talk to somebody")
    bot.says([{"text": "One moment"}, {"custom": {"handOver": True}}])
    bring(shop)
    says(shop, "Anybody?")
    bring(shop)
    assert len(bot.asked) == 1
    assert [m.text for m in said(shop, outcome.conversation)][-1] == "Anybody?"
    assert left(shop) == []


def test_a_webhook_hears_its_own_channels(shop: Shop, bot: Bot) -> None:
    hook(shop, bot.url, channels=["web"])
    says(shop, "on telegram")
    says(shop, "on the web", session="web:1")
    bring(shop)
    assert [json.loads(body)["message"]["text"] for _, _, body in bot.asked] == ["on the web"]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (302, "The webhook answered with status 302; redirects are not followed"),
        (404, "The webhook answered with status 404"),
    ],
)
def test_what_will_not_go_well_is_given_up(shop: Shop, bot: Bot, status: int, reason: str) -> None:
    hook(shop, bot.url)
    bot.status, bot.headers = status, {"Location": f"{bot.url}/elsewhere"}
    outcome = says(shop, "Hello")
    bring(shop)
    assert [d.error for d in left(shop, failed=True)] == [reason]
    assert len(bot.asked) == 1
    assert said(shop, outcome.conversation)[0].error == ""  # the customer's words are as they were


@pytest.mark.parametrize("status", [429, 503])
def test_what_may_go_well_later_is_tried_when_the_other_side_wants(
    shop: Shop, bot: Bot, status: int
) -> None:
    hook(shop, bot.url)
    bot.status, bot.headers = status, {"Retry-After": "600"}
    says(shop, "Hello")
    bring(shop)
    (waiting,) = left(shop)
    assert waiting.error == f"The webhook answered with status {status}"
    assert waiting.due_at - shop.platform.clock.now() > 500_000_000


@pytest.mark.parametrize("answer", [b"{", b"x" * 1_100_000, b'[{"text": 7}]', b'{"text": "x"}'])
def test_an_answer_that_cannot_be_read_is_told(shop: Shop, bot: Bot, answer: bytes) -> None:
    put(shop, "telegram", bot="webhook")
    hook(shop, bot.url, format="rasa")
    bot.body = answer
    outcome = says(shop, "Hello")
    bring(shop)
    assert len(left(shop, failed=True)) == 1
    assert len(said(shop, outcome.conversation)) == 1


def test_nobody_there_is_tried_again(shop: Shop) -> None:
    with Bot() as gone:
        hook(shop, gone.url)
    says(shop, "Hello")
    bring(shop)
    assert [d.error for d in left(shop)] == ["The webhook could not be reached"]


def test_an_answer_that_comes_too_late_is_not_said(shop: Shop, bot: Bot) -> None:
    put(shop, "telegram", bot="webhook")
    hook(shop, bot.url)
    outcome = says(shop, "Hello")
    waiting = left(shop)
    shop.send(conversation=outcome.conversation, deed=Deed(action="resolve"))
    bot.says({"messages": [{"text": "Hello!"}]})
    bring(shop, waiting)
    assert [m.text for m in said(shop, outcome.conversation)] == ["Hello"]


def test_an_answer_that_an_agent_was_quicker_than_is_not_said(shop: Shop, bot: Bot) -> None:
    put(shop, "telegram", bot="webhook")
    hook(shop, bot.url)
    outcome = says(shop, "Hello")
    waiting, spoken_by = left(shop), outcome.conversation
    agent = Said(sender="agent", text="I am a human", author="key:1")
    shop.send(conversation=spoken_by, said=agent)
    bot.says({"messages": [{"text": "I am a machine"}], "handOver": True})
    bring(shop, waiting)
    assert [m.text for m in said(shop, spoken_by)] == ["Hello", "I am a human"]
    assert left(shop) == left(shop, failed=True) == []


def test_a_webhook_that_was_removed_is_told_nothing(shop: Shop, bot: Bot) -> None:
    made = hook(shop, bot.url)
    says(shop, "Hello")
    waiting = left(shop)
    platform = shop.platform
    platform.write(lambda c: hooks.delete(platform.change(c, shop.workspace, "key:1"), made.id))
    bring(shop, waiting)
    assert (bot.asked, left(shop)) == ([], [])
