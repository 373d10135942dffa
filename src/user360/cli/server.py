"""`user360 serve`: run the server on a data directory."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from user360 import settings
from user360.cli import output

if TYPE_CHECKING:
    from user360.platform import Platform

Data = Annotated[
    Path, typer.Option("--data", envvar="USER360_DATA", help="The data directory; made when new.")
]
Host = Annotated[str, typer.Option("--host", help="The address to listen at.")]
Port = Annotated[
    int, typer.Option("--port", min=0, max=65_535, help="The port; 0 is any free one.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Say where it serves as one line of JSON.")]


def serve(
    data: Data = Path("data"),
    host: Host = "127.0.0.1",
    port: Port = 3600,
    as_json: AsJson = False,
) -> None:
    """Run the server until it is told to stop (Ctrl-C, SIGTERM).

    The first start makes the directory and the workspace "default", and prints a first admin key
    once. Set USER360_ADMIN_KEY to choose that key yourself.

    Examples:

        user360 serve --data /var/lib/user360

        user360 serve --data data --host 0.0.0.0 --port 8080
    """
    # Imported here so that `user360 --help` does not wait for them.
    from user360 import listen

    chosen = settings.from_environment()
    with listen.bound(host, port) as held, opened(data, chosen) as platform:
        key = platform.first_key if platform.first_key != chosen.admin_key else None
        if key and not as_json:
            output.line(f'The first admin key of the workspace "default", shown only now: {key}')
        run(platform, held, as_json, key=key)


def opened(data: Path, chosen: settings.Settings) -> Platform:
    """The platform on a directory, with the process's memory and logs set up for serving."""
    from user360 import memory
    from user360.observe import logs
    from user360.platform import Platform

    memory.give_back()
    logs.configure(chosen.log_level, chosen.log_format)
    return Platform.open(data, chosen)


def run(
    platform: Platform,
    held: socket.socket,
    as_json: bool,
    *,
    key: str | None = None,
    after: str = "",
) -> None:
    """Serve; say where, and then `after`, once requests are answered. `key` is told in JSON."""
    from user360 import serve as server

    where = reachable(held)

    def ready() -> None:
        if as_json:
            output.json_line({"url": where, "key": key, "pid": os.getpid()})
            return
        output.line(f"Serving {platform.directory} at {where} (API: {where}/docs). Stop: Ctrl-C.")
        if not platform.members:
            output.line(f"Nobody can sign in yet: make the first member at {where}/welcome")
        if after:
            output.line(after)

    server.run(platform, held, ready)


def reachable(held: socket.socket) -> str:
    """The address to type on this machine."""
    from user360 import listen

    host, port = listen.address(held)
    return listen.url({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port)
