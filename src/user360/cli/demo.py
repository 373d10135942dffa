"""`user360 demo`: the customers of CDNOW, and a server to ask about them."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from user360 import settings
from user360.cli import output, server
from user360.cli.server import AsJson, Host, Port

if TYPE_CHECKING:
    from user360.platform import Platform

Data = Annotated[Path, typer.Option("--data", help="The demo's directory; made when new.")]
Reset = Annotated[bool, typer.Option("--reset", help="Throw away what the demo holds and begin.")]


def demo(
    data: Data = Path("data/demo"),
    host: Host = "127.0.0.1",
    port: Port = 3600,
    reset: Reset = False,
    as_json: AsJson = False,
) -> None:
    """Fill a directory with real purchases and made-up names, and serve it.

    The 23,570 customers of the CD shop CDNOW and the 69,659 purchases they made in 1997 and 1998,
    with a few segments. What was loaded before is not loaded again.

    Examples:

        user360 demo

        user360 demo --port 8080 --reset
    """
    from user360 import demo as demonstration
    from user360 import demo_inbox, listen

    with listen.bound(host, port) as held:
        key = demonstration.directory(data, reset=reset)
        chosen = settings.from_environment()
        if "USER360_LOG_LEVEL" not in os.environ:  # the terminal is for what the demo says
            chosen = msgspec.structs.replace(chosen, log_level="warning")
        if not chosen.admin_key:
            chosen = msgspec.structs.replace(chosen, admin_key=key)
        with server.opened(data, chosen) as platform:
            _load(platform)
            demonstration.member(platform)
            demo_inbox.load(platform, (data / demonstration.PASSWORD).read_text(encoding="ascii"))
            after = _try_it(platform, server.reachable(held))
            server.run(platform, held, as_json, key=chosen.admin_key, after=after)


def _load(platform: Platform) -> None:
    from user360 import demo as demonstration
    from user360.cli import progress

    if demonstration.loaded(platform):
        return
    output.note("Loading 23,570 customers and 69,659 purchases")
    with progress.bar("Loading") as reached:
        done = 0

        def advance(more: int) -> None:
            nonlocal done
            done += more
            reached(done, demonstration.CALLS)

        demonstration.load(platform, advance)


def _try_it(platform: Platform, url: str) -> str:
    """What to do next: an event by Segment's SDK, and the count that it changes."""
    from user360 import demo as demonstration
    from user360 import demo_inbox
    from user360.data.segments import LOYAL

    key, password = platform.settings.admin_key, demonstration.member(platform)
    count = demonstration.count(platform, LOYAL)
    install = () if find_spec("segment") else ("  pip install segment-analytics-python\n",)
    who = f"{demonstration.MEMBER} with the password {password}" if password else "a member"
    lines = [
        f"Open {url} in a browser and sign in as {who}.",
        f"A shop with the chat is at {url}/demo/shop; the bot there knows"
        f" {demo_inbox.email(demo_inbox.WHO)}.",
        f"Its agent signs in as {demo_inbox.AGENT} with the same password, and answers at"
        f" {url}/inbox.",
        f"The admin key of the demo, for programs: {key}",
        f"\n{LOYAL.description}: {count} people.",
        f"Send a purchase with Segment's own SDK, in Python ({sys.executable}):\n",
        *install,
        *(f"  {line}" for line in demonstration.sdk_lines(key, url)),
        "\nand count again:\n",
        f'  {program()} segment count "{LOYAL.name}" --url {url} --key {key}\n',
    ]
    return "\n".join(lines)


def program() -> str:
    """How this program is called here."""
    if shutil.which("user360"):
        return "user360"
    called = Path(sys.argv[0])
    return str(called) if called.name == "user360" else f"{sys.executable} -m user360"
