"""Meta's API as far as we call it: send a message, hand in a file, fetch one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote, urlsplit

import msgspec

from user360.channels import calling
from user360.channels.bringing import Permanent, Temporary
from user360.channels.declared import WhatsApp
from user360.channels.whatsapp import trouble
from user360.channels.whatsapp.payload import Trouble

if TYPE_CHECKING:
    import httpx

WHO = "WhatsApp"
LONGEST_ANSWER = 1_048_576
FILE_SECONDS = 120.0
MOST_PAGES = 20
REPORT_SECONDS = 30.0  # within which Meta reports, as a rule, that it has sent something


class Answered(msgspec.Struct, frozen=True):
    """What Meta answers to what we send: its name for it, or an error."""

    id: str = ""
    url: str = ""
    mime_type: str = ""
    file_size: int = 0
    messages: list[dict[str, Any]] = []
    data: list[dict[str, Any]] = []
    paging: dict[str, Any] = {}
    error: Trouble | None = None


class Graph:
    """The API of one number, with its token. Raises `Temporary` and `Permanent`."""

    def __init__(self, client: httpx.Client, settings: WhatsApp) -> None:
        if missing := settings.missing():
            raise Permanent(f"The channel whatsapp is not set up: {' and '.join(missing)} missing")
        self._client = client
        self._base = settings.api_base.rstrip("/")
        self._number = f"{self._base}/{settings.phone_number_id}"
        self._headers = {"Authorization": f"Bearer {settings.access_token}"}

    def send(self, message: dict[str, Any]) -> str:
        """Send a message; Meta's name for it."""
        body = {"messaging_product": "whatsapp", "recipient_type": "individual", **message}
        try:
            answered = self._ask("POST", f"{self._number}/messages", json=body)
        except Temporary as why:
            if _may_be_there(why):
                raise Temporary(str(why), REPORT_SECONDS) from why
            raise
        named = answered.messages[0].get("id") if answered.messages else None
        return named if isinstance(named, str) else ""

    def upload(self, path: Path, name: str, kind: str) -> str:
        """Hand in a file; the id by which it is sent."""
        with path.open("rb") as file:
            answered = self._ask(
                "POST",
                f"{self._number}/media",
                data={"messaging_product": "whatsapp", "type": kind},
                files={"file": (name, file, kind)},
            )
        if not answered.id:
            raise Temporary("WhatsApp took a file and did not say what it calls it")
        return answered.id

    def templates(self, account: str) -> list[dict[str, Any]]:
        """The templates of a business account, page by page, as Meta tells them."""
        found: list[dict[str, Any]] = []
        asked = {"fields": "name,language,status,components", "limit": "100"}
        for _ in range(MOST_PAGES):
            answered = self._ask("GET", f"{self._base}/{account}/message_templates", params=asked)
            found += answered.data
            cursors = answered.paging.get("cursors")
            after = cursors.get("after") if isinstance(cursors, dict) else None
            # The address of the next page is Meta's own to give; the place in it is enough.
            if not answered.paging.get("next") or not isinstance(after, str):
                break
            asked["after"] = after
        return found

    def fetch(self, media: str, into: BinaryIO, most: int) -> None:
        """Fetch a file of at most so many bytes."""
        found = self._ask("GET", f"{self._base}/{quote(media, safe='')}")
        if found.file_size > most:
            raise Permanent(f"The file is larger than the {most // 1_048_576} MB that are kept")
        if not self._may_have_token(found.url):
            raise Permanent("WhatsApp names an address for the file that is not its own")
        with self._stream(found.url) as parts:
            held = 0
            for part in parts:
                held += len(part)
                if held > most:
                    reason = f"The file is larger than the {most // 1_048_576} MB that are kept"
                    raise Permanent(reason)
                into.write(part)

    def _may_have_token(self, url: str) -> bool:
        """The token goes nowhere in the clear, but to where the administrator sends it so."""
        try:
            there, ours = urlsplit(url), urlsplit(self._base)
        except ValueError:
            return False
        same = (there.scheme, there.netloc) == (ours.scheme, ours.netloc)
        return bool(there.hostname) and (there.scheme == "https" or same)

    @contextmanager
    def _stream(self, url: str) -> Iterator[Iterator[bytes]]:
        with calling.told(WHO), self._client.stream("GET", url, headers=self._headers) as response:
            if response.status_code != 200:
                raise trouble.error_of(response.status_code, None)
            yield calling.parts(response, FILE_SECONDS)

    def _ask(self, method: str, url: str, **given: Any) -> Answered:
        with (
            calling.told(WHO),
            self._client.stream(method, url, headers=self._headers, **given) as response,
        ):
            body = calling.whole(response, LONGEST_ANSWER)
        if body is None:
            raise Temporary("WhatsApp answered more than makes sense")
        return _read(response, body)


def _may_be_there(why: Temporary) -> bool:
    """Whether what was sent may have arrived although no answer did; then a report says so."""
    import httpx

    nothing_left = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
    cause = why.__cause__
    return isinstance(cause, httpx.TransportError) and not isinstance(cause, nothing_left)


def _read(response: httpx.Response, body: bytes) -> Answered:
    good = response.status_code == 200
    try:
        answered = msgspec.json.decode(body, type=Answered)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        if good:
            raise Temporary("WhatsApp gave an answer that cannot be read") from error
        answered = Answered()
    if good and answered.error is None:
        return answered
    wait = calling.wanted_wait(response)
    raise trouble.error_of(response.status_code, answered.error, wait)
