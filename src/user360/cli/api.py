"""One small client for all commands: the product's API on a server, or the same in this process."""

from __future__ import annotations

import contextlib
import functools
import io
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from user360.cli import files
from user360.errors import Fault, Invalid, NotFound, Problem, Unavailable

if TYPE_CHECKING:
    import httpx

    from user360.platform import Platform

Send = Callable[["httpx.Request"], "httpx.Response"]
HERE = "http://user360"  # where requests go that stay in this process
PAGE = 1_000
PIECE = 8 << 20  # bytes of a file in one answer
SEQ, MIN_SEQ = "X-User360-Seq", "X-User360-Min-Seq"


class Refused(Problem):
    """The API refused a request."""


class Api:
    """Asks the API and gives its answers as plain data; what is refused is raised as `Refused`.

    Whatever was written before, by this object, is seen by what it asks after.
    """

    def __init__(self, send: Send, url: str, key: str, seq: int = 0) -> None:
        self._send = send
        self.url = url.rstrip("/")
        self._key = key
        self._seq = seq

    def get(self, *path: str, **query: Any) -> Any:
        return self._ask("GET", path, query)

    def post(self, *path: str, body: Any, **query: Any) -> Any:
        return self._ask("POST", path, query, body)

    def upload(self, text: str, /, *path: str, **query: Any) -> Any:
        """Send the text of a CSV file."""
        return self._ask("POST", path, query, text.encode(), "text/csv")

    def send_file(
        self,
        file: Path,
        /,
        *path: str,
        most: int | None = None,
        reached: Callable[[float, float], None] = lambda *_: None,
        **parts: Any,
    ) -> Any:
        """Send a file, or its first `most` bytes, as a form; `parts` go with it as JSON.

        `reached` is told how many bytes are sent, and of how many. Raises `Invalid`.
        """
        try:
            with file.open("rb") as content:
                size = os.fstat(content.fileno()).st_size
                given: Any = content
                if most is not None and size > most:
                    given = io.BytesIO(files.beginning(content.read(most)))
                form: dict[str, Any] = {
                    name: (None, msgspec.json.encode(part)) for name, part in parts.items()
                }
                sent = files.Counted(given, lambda done: reached(done, size))
                form["file"] = (file.name, sent)
                return self._ask("POST", path, {}, form=form)
        except OSError as error:
            raise Invalid(f"{file} cannot be read: {error.strerror}") from error

    def download(self, target: Path, /, *path: str, **query: Any) -> None:
        """Write a file that the API makes to `target`. Raises `Invalid` when it cannot be."""
        with contextlib.closing(self._sent("GET", path, query)) as response:
            try:
                with target.open("wb") as file:
                    for piece in response.iter_bytes():
                        file.write(piece)
            except OSError as error:
                raise Invalid(f"{target} cannot be written: {error.strerror}") from error

    def pieces(self, size: int, /, *path: str) -> Iterator[bytes]:
        """A file of `size` bytes that the API keeps, a piece at a time."""
        for first in range(0, size, PIECE):
            wanted = {"range": f"bytes={first}-{min(first + PIECE, size) - 1}"}
            with contextlib.closing(self._sent("GET", path, {}, more=wanted)) as response:
                yield response.read()

    def put(self, *path: str, body: Any) -> Any:
        return self._ask("PUT", path, {}, body)

    def put_text(self, text: str, kind: str, /, *path: str) -> Any:
        """Write a text of a media type."""
        return self._ask("PUT", path, {}, text.encode(), kind)

    def text(self, *path: str) -> str:
        """Read a text."""
        with contextlib.closing(self._sent("GET", path, {})) as response:
            return response.read().decode()

    def patch(self, *path: str, body: Any, **query: Any) -> Any:
        return self._ask("PATCH", path, query, body)

    def delete(self, *path: str, **query: Any) -> Any:
        return self._ask("DELETE", path, query)

    def rows(self, field: str, *path: str, limit: int | None = None, **query: Any) -> list[Any]:
        """The rows of a list that is answered in pages: the first `limit` of them, or all."""
        found: list[Any] = []
        cursor = None
        while True:
            wanted = PAGE if limit is None else min(PAGE, limit - len(found))
            page = self.get(*path, limit=wanted, cursor=cursor, **query)
            found += page[field]
            cursor = page["cursor"]
            if cursor is None or len(found) == limit:
                return found

    def _ask(
        self,
        method: str,
        path: tuple[str, ...],
        query: Mapping[str, Any],
        body: Any = None,
        kind: str = "application/json",
        form: Mapping[str, Any] | None = None,
    ) -> Any:
        response = self._sent(method, path, query, body, kind, form)
        content = response.read()
        response.close()
        return msgspec.json.decode(content) if content else None

    def _sent(
        self,
        method: str,
        path: tuple[str, ...],
        query: Mapping[str, Any],
        body: Any = None,
        kind: str = "application/json",
        form: Mapping[str, Any] | None = None,
        more: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """The answer to a request, of which the body may still be on its way."""
        import httpx

        headers = {"x-api-key": self._key, MIN_SEQ: str(self._seq), **(more or {})}
        if not self._seq:
            del headers[MIN_SEQ]
        content = None
        if body is not None:
            headers["content-type"] = kind
            content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        address = "/".join([self.url, "api", "v1", *(quote(part, safe="") for part in path)])
        # `from` cannot be the name of a Python argument, so it is passed as `from_`.
        given = {name.rstrip("_"): value for name, value in query.items() if value is not None}
        request = httpx.Request(
            method, address, params=given, content=content, files=form, headers=headers
        )
        response = self._send(request)
        if response.status_code >= 400:
            response.read()
            raise _refused(response)
        self._seq = max(self._seq, int(response.headers.get(SEQ, 0)))
        return response


def _refused(response: httpx.Response) -> Problem:
    try:
        said = msgspec.json.decode(response.content)
        faults = [Fault(e["path"], e["code"], e["message"]) for e in said["errors"]]
        detail = str(said["detail"])
    except (msgspec.MsgspecError, LookupError, TypeError):
        return Refused(f"The server answered {response.status_code}; is it a User 360?")
    if response.status_code == 401:
        detail += "; give it with --key or USER360_KEY"
    return Refused(detail, faults=faults)


@contextlib.contextmanager
def remote(url: str, key: str | None) -> Iterator[Api]:
    """The API of a running server. Raises `Invalid` without a key or with a useless URL."""
    import httpx

    if not key:
        raise Invalid("A key is needed to ask a server: --key or USER360_KEY")
    try:
        usable = httpx.URL(url).scheme in ("http", "https") and httpx.URL(url).host
    except httpx.InvalidURL:
        usable = False
    if not usable:
        raise Invalid(f"{url} is no address of a server, such as http://127.0.0.1:3600")
    with httpx.Client(timeout=httpx.Timeout(600, connect=10)) as client:
        send = functools.partial(client.send, stream=True)
        yield Api(_plainly(send, url), url, key)


def _plainly(send: Send, url: str) -> Send:
    """Say what is wrong with the network in a sentence."""
    import httpx

    def sent(request: httpx.Request) -> httpx.Response:
        try:
            return send(request)
        except httpx.ConnectError as error:
            raise Unavailable(f"No server answers at {url}; is it running?") from error
        except httpx.HTTPError as error:
            raise Unavailable(f"The server at {url} did not answer: {error}") from error

    return sent


@contextlib.contextmanager
def local(data: Path, workspace: str) -> Iterator[Api]:
    """The API on a data directory that no server holds: the same application in this process."""
    with existing(data) as platform, in_process(platform, workspace) as api:
        yield api


@contextlib.contextmanager
def existing(data: Path, *, start: bool = True) -> Iterator[Platform]:
    """The platform on a directory that is there. Raises `NotFound` rather than making one."""
    from user360 import settings
    from user360.observe import logs
    from user360.platform import LEDGER, Platform

    chosen = settings.from_environment()
    logs.configure("warning", "text")
    if not chosen.ledger and not (data / LEDGER).exists():
        raise NotFound(f"There is no User 360 data in {data}; `user360 serve --data` makes it")
    with Platform.open(data, chosen, start=start) as platform:
        yield platform


@contextlib.contextmanager
def in_process(platform: Platform, workspace: str) -> Iterator[Api]:
    """The API of an open platform. Whoever holds the directory may do everything."""
    import httpx
    from anyio.from_thread import start_blocking_portal

    from user360 import app
    from user360.access import keys

    number = platform.workspace(workspace).id
    text = keys.new_key()
    key = keys.Key(0, number, "command line", "admin", text[:6], platform.now())
    transport = httpx.ASGITransport(app.create(platform, alone=True))  # type: ignore[arg-type] # Litestar types its messages more closely
    with start_blocking_portal() as portal:

        def send(request: httpx.Request) -> httpx.Response:
            platform.keys[keys.fingerprint(text)] = key  # never on disk, forgotten at a reload
            return portal.call(_whole, transport, request)

        yield Api(send, HERE, text, platform.committer.position.last)


async def _whole(transport: httpx.ASGITransport, request: httpx.Request) -> httpx.Response:
    import httpx

    response = await transport.handle_async_request(request)
    content = await response.aread()
    return httpx.Response(response.status_code, headers=response.headers, content=content)
