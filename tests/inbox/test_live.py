"""Who looks on is told what happened: once, in order, and after an absence too."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from tests.inbox.counter import Counter
from user360.conversations.news import Typing
from user360.inbox.live import Batch, Hub, Room, Viewer
from user360.inbox.presence import Presence
from user360.platform import Platform


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform.temporary() as platform:
        yield platform


@pytest.fixture
def counter(platform: Platform) -> Counter:
    return Counter(platform)


def played(counter: Counter, story: Callable[[Room], Awaitable[None]], fails: bool = False) -> None:
    """A story in a loop in which a hub hears the platform."""

    async def prepare(_workspace: int, batch: Batch) -> None:
        if fails:
            raise ValueError("it cannot be made ready")
        batch.ready["texts"] = [m.text for said in batch.messages.values() for m in said.values()]

    async def run() -> None:
        hub = Hub(counter.platform, prepare, Presence(counter.platform))
        hub.start()
        try:
            await asyncio.wait_for(story(hub.room(counter.workspace.id)), 30)
        finally:
            hub.close()

    asyncio.run(run())


async def told(room: Room, viewer: Viewer, until: str) -> list[Any]:
    """What a viewer hears up to a text."""
    heard: list[Any] = []
    while until not in heard:
        await viewer.wait()
        batches = room.since(viewer)
        assert batches is not None
        heard += [text for batch in batches for text in batch.ready.get("texts", ())]
    return heard


async def says(counter: Counter, *texts: str) -> int:
    numbers = [await asyncio.to_thread(counter.says, "s", text) for text in texts]
    return numbers[-1]


def test_all_who_look_on_hear_everything_once_and_in_order(counter: Counter) -> None:
    async def story(room: Room) -> None:
        viewers = [room.enter(n, None, room.seen)[0] for n in range(3)]
        await says(counter, *"abcd")
        for viewer in viewers:
            assert await told(room, viewer, "d") == list("abcd")

    played(counter, story)


def test_who_was_away_goes_on_from_what_they_saw(counter: Counter) -> None:
    async def story(room: Room) -> None:
        stays, _ = room.enter(1, None, room.seen)
        first, known = room.enter(2, None, room.seen)
        assert known
        await says(counter, "a")
        await told(room, first, "a")
        seen = room.seen
        room.leave(first)
        await says(counter, "b")
        await told(room, stays, "b")
        again, known = room.enter(2, None, seen)
        assert known
        assert await told(room, again, "b") == ["b"]

    played(counter, story)


@pytest.mark.parametrize("seen", ["", "other-3", "x", "-", "1-99999999999999999999"])
def test_who_saw_something_unknown_is_made_to_read_anew(counter: Counter, seen: str) -> None:
    async def story(room: Room) -> None:
        _, known = room.enter(1, None, seen)
        assert not known

    played(counter, story)


def test_who_looked_while_nobody_listened_is_made_to_read_anew(counter: Counter) -> None:
    async def story(room: Room) -> None:
        seen = room.seen
        await says(counter, "a")
        while room.seen == seen:
            await asyncio.sleep(0.02)
        _, known = room.enter(1, None, seen)
        assert not known

    played(counter, story)


def test_what_cannot_be_told_is_read_anew(counter: Counter) -> None:
    async def story(room: Room) -> None:
        viewer, _ = room.enter(1, None, room.seen)
        await says(counter, "a")
        while (found := room.since(viewer)) == []:
            await viewer.wait()
        assert found is None

    played(counter, story, fails=True)


def test_who_is_there_and_types_is_told_to_who_looks_at_it_too(counter: Counter) -> None:
    async def story(room: Room) -> None:
        number = await says(counter, "a")
        viewer, _ = room.enter(1, number, room.seen)
        room.enter(2, number, room.seen)
        assert room.here(number) == {1, 2}
        typing = Typing(counter.workspace.id, number, "customer")
        counter.platform.exchange.types(typing)
        seen: set[str] = set()
        while "customer" not in seen:
            await viewer.wait()
            for batch in room.since(viewer) or ():
                seen |= batch.typing.get(number, set())

    played(counter, story)


def test_another_workspace_hears_nothing(counter: Counter, platform: Platform) -> None:
    other = Counter(platform)

    async def story(room: Room) -> None:
        viewer, _ = room.enter(1, None, room.seen)
        await asyncio.to_thread(other.says, "s", "theirs")
        await says(counter, "ours")
        assert await told(room, viewer, "ours") == ["ours"]

    played(counter, story)


def test_at_the_end_everybody_is_let_go(counter: Counter) -> None:
    async def story(room: Room) -> None:
        viewer, _ = room.enter(1, None, room.seen)
        room.since(viewer)
        room.close()
        assert await viewer.wait()
        assert room.closed

    played(counter, story)
