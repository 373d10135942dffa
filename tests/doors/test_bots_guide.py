"""The guide to bots, done as it says: a script of its own, Rasa, and Botpress in both its forms."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.doors.conftest import Serving
from user360.channels import senders

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "connect-a-bot.md"
PATIENCE = 20.0


def blocks(language: str) -> list[str]:
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


class Shop:
    """What the guide is done with: the API by a key."""

    def __init__(self, server: Serving) -> None:
        self.url = server.url
        self.key = server.product.key

    def call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"x-api-key": self.key}
        answer = httpx.request(method, f"{self.url}/api/v1{path}", json=body, headers=headers)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def say(self, session: str, text: str, channel: str = "api") -> str:
        body = {"from": "customer", "text": text}
        told = self.call("POST", f"/sessions/{channel}/{session}/messages", body)
        conversation: str = told["conversationId"]
        return conversation

    def heard(self, conversation: str, count: int) -> list[str]:
        """What was said, once so much was said."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            found = self.call("GET", f"/conversations/{conversation}/messages")["messages"]
            if len(found) >= count:
                return [f"{each['from']}: {each['text']}" for each in found]
            time.sleep(0.05)
        raise TimeoutError(f"only {found} were said")

    def state(self, conversation: str) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"/conversations/{conversation}")["conversation"]
        return found

    def reaches(self, conversation: str, state: str) -> dict[str, Any]:
        """The conversation once it is in this state."""
        until = time.monotonic() + PATIENCE
        while (found := self.state(conversation))["state"] != state:
            assert time.monotonic() < until, found
            time.sleep(0.05)
        return found


@pytest.fixture(scope="module")
def bringing(server: Serving) -> Iterator[Serving]:
    """The server with what brings messages beside the requests, as it is in production."""
    outbox = senders.outbox(server.product.platform)
    outbox.start()
    yield server
    outbox.close()


@pytest.fixture
def shop(bringing: Serving) -> Iterator[Shop]:
    shop = Shop(bringing)
    yield shop
    for hook in shop.call("GET", "/hooks")["hooks"]:
        shop.call("DELETE", f"/hooks/{hook['id']}")


Answer = Callable[[str, dict[str, Any]], Any]


@pytest.fixture
def peer() -> Iterator[Callable[[Answer], str]]:
    """Makes a bot that answers as a function says; its address."""
    running: list[ThreadingHTTPServer] = []

    def start(answer: Answer) -> str:
        class Bot(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                told["authorization"] = self.headers.get("Authorization", "")
                body = json.dumps(answer(self.path, told)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        made = ThreadingHTTPServer(("127.0.0.1", 0), Bot)
        running.append(made)
        threading.Thread(target=made.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{made.server_address[1]}"

    yield start
    for made in running:
        made.shutdown()
        made.server_close()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


@pytest.fixture
def script() -> Iterator[int]:
    """The script of the guide, running; the port it was given instead of its own."""
    (code,) = blocks("python")
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", code.replace("5005", str(port))], stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + PATIENCE
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert time.monotonic() < until
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=10)


def test_the_script_of_the_guide_answers_and_hands_over(shop: Shop, script: int) -> None:
    setup, talk = blocks("console")
    environment = {
        **os.environ,
        "USER360_URL": shop.url,
        "USER360_KEY": shop.key,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }

    def run(code: str) -> str:
        command = ["bash", "-euc", code.replace("5005", str(script))]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert '"secret"' in run(setup)
    assert "customer: Where is my order?" in run(talk)
    said = shop.heard("c1", 2)
    assert said[1] == "bot: Hello there, it is on its way."
    shop.say("visit-17", "It was the wrong colour")
    assert shop.heard("c1", 4)[3] == "bot: One moment, there."
    held = shop.reaches("c1", "open")
    assert (held["kind"], held["subject"]) == ("ticket", "It was the wrong colour")


def begin_with_webhook(shop: Shop, channel: str, url: str, form: str, **more: Any) -> Any:
    shop.call("PATCH", f"/channels/{channel}", {"bot": "webhook"})
    hook = {"url": url, "format": form, "channels": [channel], **more}
    return shop.call("POST", "/hooks", hook)


def test_rasa_answers_by_its_rest_channel_and_hands_over(shop: Shop, peer: Any) -> None:
    asked: list[tuple[str, dict[str, Any]]] = []

    def rasa(path: str, told: dict[str, Any]) -> Any:
        asked.append((path, told))
        if "human" in told["message"]:
            text = {"recipient_id": told["sender"], "text": "I fetch somebody"}
            return [text, {"recipient_id": told["sender"], "custom": {"handOver": True}}]
        return [{"recipient_id": told["sender"], "text": "Hey!"}]

    url = f"{peer(rasa)}/webhooks/rest/webhook"
    begin_with_webhook(shop, "rasa", url, "rasa")
    conversation = shop.say("a", "Hi", "rasa")
    assert shop.heard(conversation, 2)[1] == "bot: Hey!"
    assert asked[0][0] == "/webhooks/rest/webhook"
    assert (asked[0][1]["sender"], asked[0][1]["message"]) == ("rasa:a", "Hi")
    shop.say("a", "A human, please", "rasa")
    assert shop.heard(conversation, 4)[3] == "bot: I fetch somebody"
    shop.reaches(conversation, "open")


def test_botpress_answers_at_once_by_its_converse_api(shop: Shop, peer: Any) -> None:
    asked: list[tuple[str, dict[str, Any]]] = []

    def botpress(path: str, told: dict[str, Any]) -> Any:
        asked.append((path, told))
        return {"responses": [{"type": "typing", "value": True}, {"type": "text", "text": "Yes?"}]}

    url = f"{peer(botpress)}/api/v1/bots/shop/converse/{{userId}}"
    begin_with_webhook(shop, "converse", url, "botpress")
    conversation = shop.say("a b", "Hi", "converse")
    assert shop.heard(conversation, 2)[1] == "bot: Yes?"
    path, told = asked[0]
    assert path == "/api/v1/bots/shop/converse/converse%3Aa%20b"
    assert {name: told[name] for name in ("type", "text")} == {"type": "text", "text": "Hi"}


def test_botpress_calls_back_by_its_messaging_api(shop: Shop, peer: Any) -> None:
    asked: list[dict[str, Any]] = []

    def botpress(_path: str, told: dict[str, Any]) -> Any:
        asked.append(told)
        return {"message": {}, "user": {}, "conversation": {}}

    made = begin_with_webhook(
        shop, "hosted", peer(botpress), "botpress", authorization="Bearer bp_pat_1"
    )
    conversation = shop.say("a", "Hi", "hosted")
    until = time.monotonic() + PATIENCE
    while not asked:
        assert time.monotonic() < until
        time.sleep(0.05)
    told = asked[0]
    assert told["authorization"] == "Bearer bp_pat_1"
    who = (told["userId"], told["conversationId"], told["text"])
    assert who == ("hosted:a", conversation, "Hi")
    answer = {
        "type": "text",
        "payload": {"text": "Hello from far away"},
        "conversationId": conversation,
        "botpressUserId": "u",
        "botpressMessageId": "b-1",
        "botpressConversationId": "c",
    }
    for _ in range(2):
        assert httpx.post(shop.url + made["answersPath"], json=answer).status_code == 200
    assert shop.heard(conversation, 2) == ["customer: Hi", "bot: Hello from far away"]


def test_botpress_says_nothing_more_once_an_agent_has_answered(shop: Shop) -> None:
    made = begin_with_webhook(shop, "slow", "http://127.0.0.1:9", "botpress")
    conversation = shop.say("late", "Hi", "slow")
    shop.call("POST", f"/conversations/{conversation}/reply", {"text": "I am a human"})
    elsewhere = shop.say("late", "Hi", "another")
    answer = {"type": "text", "payload": {"text": "I am a machine"}}
    path = shop.url + made["answersPath"]
    assert httpx.post(path, json={**answer, "conversationId": conversation}).status_code == 200
    assert httpx.post(path, json={**answer, "conversationId": elsewhere}).status_code == 404
    assert shop.heard(conversation, 2) == ["customer: Hi", "agent: I am a human"]
    assert shop.heard(elsewhere, 1) == ["customer: Hi"]


def test_only_who_knows_the_path_says_anything_by_it(shop: Shop) -> None:
    made = begin_with_webhook(shop, "hosted", "http://127.0.0.1:9", "botpress")
    conversation = shop.say("b", "Hi", "hosted")
    answer = {"type": "text", "payload": {"text": "x"}, "conversationId": conversation}
    path = made["answersPath"]
    for wrong in (
        path[:-1] + ("0" if path[-1] != "0" else "1"),
        "/channels/botpress/999/abc",
        f"{path[:-1]}%C3%A9",
        f"/channels/botpress/{10**20}/abc",
    ):
        assert httpx.post(shop.url + wrong, json=answer).status_code == 404
    for odd in ({}, [], {**answer, "conversationId": 7}, {**answer, "payload": {"text": 7}}):
        refused = httpx.post(shop.url + path, json=odd)
        assert refused.status_code in (200, 400), refused.text
    assert httpx.post(shop.url + path, content=b"{").status_code == 400
    nowhere = {**answer, "conversationId": "c99999"}
    assert httpx.post(shop.url + path, json=nowhere).status_code == 404
    assert shop.heard(conversation, 1) == ["customer: Hi"]
    shop.call("DELETE", f"/hooks/{made['id']}")
    assert httpx.post(shop.url + path, json=answer).status_code == 404
