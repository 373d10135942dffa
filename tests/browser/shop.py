"""A shop on an origin of its own, with the chat on its pages and a strict content policy."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

from tests.browser.site import Site
from user360.channels import settings

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/shop.css"><script src="/early.js"></script>
<script src="{chat}/widget.js" data-workspace="default" {options} async></script></head>
<body><main><h1>Records and more</h1><p>Everything on vinyl.</p>
<button type="button">Buy</button></main></body></html>"""


def switch_on(site: Site) -> None:
    """Let the workspace have a chat on pages."""
    site.change(lambda change: settings.change(change, site.platform.vault, "web", {}))


class Shop(msgspec.Struct):
    """What the shop serves: whose chat is on it, with which options, and what runs before."""

    chat: str
    url: str = ""
    options: str = ""
    early: str = ""
    style: str = "body { font-family: sans-serif }"

    @property
    def policy(self) -> str:
        """Nothing inline, nothing evaluated, nothing from anywhere but here and the chat."""
        return (
            f"default-src 'none'; script-src 'self' {self.chat}; style-src 'self';"
            f" connect-src {self.chat}; base-uri 'none'; form-action 'none';"
            " require-trusted-types-for 'script'; trusted-types 'none'"
        )

    def answer(self, path: str) -> tuple[str, str]:
        """The type and the text of what is at a path."""
        if path == "/shop.css":
            return "text/css", self.style
        if path == "/early.js":
            return "text/javascript", self.early
        return "text/html", PAGE.format(chat=self.chat, options=self.options)


class Server(ThreadingHTTPServer):
    """Lets go of every connection at the end: browsers open some before they need them."""

    daemon_threads = False

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.held: list[socket.socket] = []

    def process_request(self, request: Any, client_address: Any) -> None:
        self.held.append(request)
        super().process_request(request, client_address)

    def server_close(self) -> None:
        for request in self.held:
            with contextlib.suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)
        super().server_close()


@contextlib.contextmanager
def running(chat: str) -> Iterator[Shop]:
    """Serve a shop on a free port until the block ends."""
    shop = Shop(chat)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, text = shop.answer(self.path.partition("?")[0])
            body = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Security-Policy", shop.policy)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is written of what is asked."""

    server = Server(Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    shop.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield shop
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
