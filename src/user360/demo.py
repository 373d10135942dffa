"""The demo: CDNOW's customers and purchases in a data directory, with some segments to ask about.

Everything goes through the same steps as any other call. Loading again changes nothing: the
events have their ids, and the properties were true from the day of the first purchase, so that
whatever was written later stays.
"""

from __future__ import annotations

import contextlib
import datetime
import itertools
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from user360 import clock, data, ids
from user360.access import keys, members, passwords
from user360.access.workspaces import Workspace
from user360.data.segments import PURCHASE, SEGMENTS, Example
from user360.errors import Conflict, StorageFailed
from user360.events import store as event_store
from user360.ingest.call import Call, Event
from user360.platform import LEDGER, Platform
from user360.segments import define
from user360.segments import store as segment_store
from user360.segments.compiler import questions
from user360.segments.language import tree
from user360.storage.ledger import Connection

KEY = "demo.key"
PASSWORD = "demo.password"
MEMBER = "demo@example.com"
CALLS = data.CUSTOMERS + data.PURCHASES
AT_ONCE = 2_000
# Lives in India and bought twice in those 90 days: one more purchase makes the difference.
NEARLY_LOYAL = data.user_id(111)

Progress = Callable[[int], None]  # told how many calls more are on disk


def directory(path: Path, *, reset: bool = False) -> str:
    """Make a demo's directory, or recognise one; returns the admin key of the demo.

    Unlike another directory's it is kept beside the data, so that every start can show it. With
    `reset` what the demo holds is thrown away first. Raises `Conflict` for a directory that holds
    something else.
    """
    if (path / LEDGER).exists() and not (path / KEY).exists():
        raise Conflict(f"{path} holds data that is not the demo's; choose another --data")
    if reset and (path / KEY).exists():
        _throw_away(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        if not (path / KEY).exists():
            (path / KEY).touch(mode=0o600)
            (path / KEY).write_text(keys.new_key(), encoding="ascii")
        if not (path / PASSWORD).exists():
            (path / PASSWORD).touch(mode=0o600)
            (path / PASSWORD).write_text(secrets.token_urlsafe(9), encoding="ascii")
        return (path / KEY).read_text(encoding="ascii").strip()
    except OSError as error:
        raise StorageFailed(f"{path} cannot be used: {error.strerror}") from error


def is_one(path: Path) -> bool:
    """Whether a directory is a demo's."""
    return (path / KEY).exists()


def _throw_away(path: Path) -> None:
    """Remove a demo's directory, unless another process holds it (`DirectoryInUse`)."""
    with contextlib.suppress(StorageFailed):  # what cannot be opened can still be removed
        Platform.open(path, start=False).close()
    try:
        shutil.rmtree(path)
    except OSError as error:
        raise StorageFailed(f"{path} cannot be removed: {error.strerror}") from error


def member(platform: Platform) -> str:
    """Make the demo's member, an admin, unless somebody is one; the password while it is theirs.

    Like the key it is kept beside the data. Empty when they were given another one.
    """
    password = (platform.directory / PASSWORD).read_text(encoding="ascii")
    if not platform.members:

        def make(connection: Connection) -> int:
            change = platform.change(connection, platform.default, "demo")
            return members.first(change, MEMBER, "Demo", password)

        platform.write(make)
        platform.reload_members()
    held = next((m for m in platform.members.values() if m.email == MEMBER), None)
    return password if held is not None and passwords.fits(held.password, password) else ""


def loaded(platform: Platform) -> bool:
    """Whether the last of the purchases is there, and segments, which come after it."""
    last = ids.digest(platform.default.id, event_id(data.PURCHASES))
    with platform.ledger.read() as connection:
        found = event_store.remembered(connection, platform.ledger.dialect, [last])
    return bool(found) and bool(platform.default.segments)


def load(platform: Platform, progress: Progress, limit: int = data.CUSTOMERS) -> None:
    """Load the first `limit` customers and their purchases, and make the segments.

    These come last, so that they fill without telling of thousands. On disk when it returns.

    Raises `Problem` when one of the calls is refused.
    """
    for batch in _batches(calls(platform.default.id, limit), AT_ONCE):
        for outcome in platform.settle(batch):
            if outcome.problem is not None:
                raise outcome.problem
        progress(len(batch))
    platform.write(lambda connection: _make_segments(connection, platform))
    platform.wait()


def count(platform: Platform, example: Example) -> int:
    """How many an example's condition is true of now."""
    workspace = platform.default
    where = _numbered(example.where, workspace)
    node = tree.parse(where, workspace.catalogue, segments=workspace.segments)
    return questions.count(platform.wait(), workspace, node, platform.now())


def _numbered(given: Any, workspace: Workspace) -> Any:
    """A condition with the numbers of the segments that it calls by their names."""
    if isinstance(given, list):
        return [_numbered(each, workspace) for each in given]
    if not isinstance(given, Mapping):
        return given
    found = {key: _numbered(value, workspace) for key, value in given.items()}
    if isinstance(name := given.get("segment"), str):
        found["segment"] = next(s.id for s in workspace.segments.values() if s.name == name)
    return found


def sdk_lines(key: str, url: str) -> tuple[str, ...]:
    """Python that sends a purchase on the last day of the data, with Segment's own SDK."""
    day = data.LAST_DAY
    when = (
        f"datetime.datetime({day.year}, {day.month}, {day.day}, 12, tzinfo=datetime.timezone.utc)"
    )
    what = f'"{NEARLY_LOYAL}", "{PURCHASE}", {{"quantity": 1, "amount": 14.99}}'
    return (
        "import datetime, segment.analytics as analytics",
        f'analytics.write_key, analytics.host = "{key}", "{url}"',
        f"analytics.track({what}, timestamp={when}); analytics.flush()",
    )


def calls(workspace: int, limit: int = data.CUSTOMERS) -> Iterator[Call]:
    """The first `limit` customers, then every purchase of theirs."""
    purchases = [p for p in data.purchases() if p.customer <= limit]
    since: dict[str, int] = {}
    for purchase in purchases:
        at = noon(purchase.date)
        since[purchase.user_id] = min(at, since.get(purchase.user_id, at))
    for customer in data.customers()[:limit]:
        properties: dict[str, Any] = msgspec.to_builtins(customer)
        who = properties.pop("userId")
        yield _call(workspace, who, since[who], who, properties=properties)
    for purchase in purchases:
        number = event_id(purchase.number)
        bought = {"quantity": purchase.quantity, "amount": purchase.amount}
        event = Event(PURCHASE, bought, number)
        yield _call(workspace, purchase.user_id, noon(purchase.date), number, event=event)


def event_id(number: int) -> str:
    """The id of the `number`-th purchase: the same whenever it is loaded."""
    return f"cdnow-purchase-{number:05}"


def noon(day: datetime.date) -> int:
    """When a purchase of a day is taken to have happened, in microseconds: noon in UTC.

    The data knows only the day; at noon it is the same day nearly everywhere.
    """
    return clock.to_us(datetime.datetime.combine(day, datetime.time(12), datetime.UTC))


def _call(workspace: int, who: str, at: int, message: str, **given: Any) -> Call:
    return Call(
        workspace=workspace,
        source="csv",
        ref="demo",
        at=at,
        message_id=message,
        user_id=who,
        **given,
    )


def _batches(items: Iterable[Call], size: int) -> Iterator[list[Call]]:
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, size)):
        yield batch


def _make_segments(connection: Connection, platform: Platform) -> None:
    """Make those of the demo's segments that are missing."""
    workspace = platform.default
    change = platform.change(connection, workspace, "demo")
    for example in SEGMENTS:
        if segment_store.named(connection, workspace.id, example.name) is None:
            where = _numbered(example.where, workspace)
            define.create(change, example.name, example.description, where)
