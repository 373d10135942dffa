"""A stand-in for Meta's Cloud API, as it is documented: for tests, on a socket of this machine."""

from __future__ import annotations

import hmac
import itertools
import json
import re
import threading
import time
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.channels.served import Served

NUMBER_ID, ACCOUNT = "106540352242922", "102290129340398"
TOKEN, APP_SECRET, VERIFY = "meta-access-token", "meta-app-secret", "meta-verify-token"
PATIENCE = 20.0
TIME = int(time.time()) - 60  # a customer who wrote just now


class Meta:
    """Takes what is sent to customers, holds their files, and delivers what they write."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []  # what was sent to customers, each with its `id`
        self.files: dict[str, tuple[bytes, str, str]] = {}  # content, type, name
        self.templates: list[dict[str, Any]] = []  # of the business account
        self.trouble: list[tuple[int, dict[str, Any]]] = []  # answers for the next sends
        self.changed = threading.Condition()
        self._count = itertools.count(1)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v23.0"

    def __enter__(self) -> Meta:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def fail(self, status: int, code: int, message: str = "It failed") -> None:
        """Answer the next send with this error."""
        error = {"message": f"(#{code}) {message}", "type": "OAuthException", "code": code}
        self.trouble.append((status, {"error": {**error, "fbtrace_id": "Az8or2yhqkZfEZ"}}))

    def wait(self, count: int) -> list[dict[str, Any]]:
        """What was sent, once it is so many."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.sent) >= count, PATIENCE), self.sent
            return list(self.sent)

    def set_up(self, site: Served) -> None:
        """Let a server's WhatsApp be this one."""
        site.put(
            "whatsapp",
            phoneNumberId=NUMBER_ID,
            apiBase=self.base,
            verifyToken=VERIFY,
            appSecret=APP_SECRET,
            accessToken=TOKEN,
        )

    # What Meta delivers

    def deliver(self, webhook: str, *values: dict[str, Any]) -> httpx.Response:
        """Deliver changes, signed with the app's secret."""
        return post(webhook, json.dumps(body(*values)).encode())

    # What it answers

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        meta = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["content-length"]))
                self._answer(*meta._post(self.path, dict(self.headers.items()), content))

            def do_GET(self) -> None:
                self._answer(*meta._get(self.path, dict(self.headers.items())))

            def _answer(self, status: int, content: bytes, kind: str = "application/json") -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Nothing is told."""

        return Handler

    def _post(self, path: str, headers: dict[str, str], content: bytes) -> tuple[int, bytes]:
        if _header(headers, "authorization") != f"Bearer {TOKEN}":
            return _error(401, 190, "Error validating access token")
        if path == f"/v23.0/{NUMBER_ID}/media":
            return self._take_file(_header(headers, "content-type"), content)
        if path != f"/v23.0/{NUMBER_ID}/messages":
            return _error(404, 100, "Unsupported post request")
        with self.changed:
            told = json.loads(content)
            if self.trouble:
                status, answer = self.trouble.pop(0)
                return status, json.dumps(answer).encode()
            named = f"wamid.sent{next(self._count)}"
            self.sent.append({**told, "id": named})
            self.changed.notify_all()
        to = told.get("to", "")
        answer = {
            "messaging_product": "whatsapp",
            "contacts": [{"input": to, "wa_id": to}],
            "messages": [{"id": named}],
        }
        return 200, json.dumps(answer).encode()

    def _approved(self, path: str) -> bytes:
        """Two templates a page, as Meta pages them."""
        begin = int(parse_qs(urlsplit(path).query).get("after", ["0"])[0])
        told: dict[str, Any] = {"data": self.templates[begin : begin + 2]}
        if told["data"]:
            told["paging"] = {"cursors": {"before": str(begin), "after": str(begin + 2)}}
        if begin + 2 < len(self.templates):
            told["paging"]["next"] = f"{self.base}/{ACCOUNT}/message_templates?after={begin + 2}"
        return json.dumps(told).encode()

    def _take_file(self, kind: str, content: bytes) -> tuple[int, bytes]:
        boundary = b"--" + kind.partition("boundary=")[2].encode()
        for part in content.split(boundary):
            head, _, data = part.partition(b"\r\n\r\n")
            named = re.search(rb'filename="([^"]*)"', head)
            if named is not None:
                told = re.search(rb"(?i)content-type: ([^\r\n]+)", head)
                number = f"media{next(self._count)}"
                sort = told[1].decode() if told is not None else ""
                self.files[number] = (data.removesuffix(b"\r\n"), sort, named[1].decode())
                return 200, json.dumps({"id": number}).encode()
        return _error(400, 100, "No file")

    def _get(self, path: str, headers: dict[str, str]) -> tuple[int, bytes, str]:
        if _header(headers, "authorization") != f"Bearer {TOKEN}":
            return *_error(401, 190, "Error validating access token"), "application/json"
        if path.startswith(f"/v23.0/{ACCOUNT}/message_templates?"):
            return 200, self._approved(path), "application/json"
        number = path.rpartition("/")[2]
        found = self.files.get(number)
        if found is None:
            return *_error(404, 100, "Unsupported get request"), "application/json"
        content, kind, _ = found
        if path.startswith("/files/"):
            return 200, content, kind
        told = {
            "messaging_product": "whatsapp",
            "url": f"{self.base.removesuffix('/v23.0')}/files/{number}",
            "mime_type": kind,
            "sha256": sha256(content).hexdigest(),
            "file_size": len(content),
            "id": number,
        }
        return 200, json.dumps(told).encode(), "application/json"


def _header(headers: dict[str, str], name: str) -> str:
    return next((v for k, v in headers.items() if k.lower() == name), "")


def _error(status: int, code: int, message: str) -> tuple[int, bytes]:
    error = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A"}
    return status, json.dumps({"error": error}).encode()


def body(*values: dict[str, Any]) -> dict[str, Any]:
    """A delivery of these changes."""
    changes = [{"field": "messages", "value": value} for value in values]
    entry = {"id": "102290129340398", "changes": changes}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def value(
    *messages: dict[str, Any],
    statuses: list[dict[str, Any]] | None = None,
    name: str = "Kerry Fisher",
    number_id: str = NUMBER_ID,
) -> dict[str, Any]:
    """What happened at a number: messages with their contacts, or statuses."""
    told: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": number_id},
    }
    if messages:
        who = dict.fromkeys(m["from"] for m in messages if "from" in m)
        told["contacts"] = [{"profile": {"name": name}, "wa_id": each} for each in who]
        told["messages"] = list(messages)
    if statuses:
        told["statuses"] = statuses
    return told


def said(kind: str, content: Any, *, of: str, id: str, at: int = TIME, **more: Any) -> Any:
    """A message of a customer of this kind."""
    head = {"from": of, "id": id, "timestamp": str(at), "type": kind}
    return {**head, **({kind: content} if content is not None else {}), **more}


def text(words: str, *, of: str, id: str, at: int = TIME) -> Any:
    return said("text", {"body": words}, of=of, id=id, at=at)


def status(sent: dict[str, Any], what: str, **more: Any) -> dict[str, Any]:
    """What became of a message that was sent."""
    return {
        "id": sent["id"],
        "status": what,
        "timestamp": str(TIME),
        "recipient_id": sent.get("to", ""),
        "biz_opaque_callback_data": sent["biz_opaque_callback_data"],
        **more,
    }


def signature(content: bytes, secret: str = APP_SECRET) -> str:
    return "sha256=" + hmac.digest(secret.encode(), content, sha256).hex()


def post(webhook: str, content: bytes, signed: str | None = None) -> httpx.Response:
    """Hand content in, with the right signature unless another is given."""
    headers = {"Content-Type": "application/json"}
    headers["X-Hub-Signature-256"] = signature(content) if signed is None else signed
    return httpx.post(webhook, content=content, headers=headers, timeout=PATIENCE)
