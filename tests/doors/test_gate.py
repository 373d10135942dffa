"""Results come from the writer's thread to the loop: all of them, once, few wakings for many."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from user360.doors import gate
from user360.errors import Busy

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Loop:
    """A loop as the writer's thread sees it: what it is asked to call later."""

    def __init__(self) -> None:
        self.asked: list[Callable[[], None]] = []

    def call_soon_threadsafe(self, callback: Callable[[], None]) -> None:
        self.asked.append(callback)

    def turn(self) -> None:
        asked, self.asked = self.asked, []
        for callback in asked:
            callback()


def waiting(count: int) -> list[asyncio.Future[Any]]:
    loop = asyncio.get_running_loop()
    return [loop.create_future() for _ in range(count)]


async def test_those_who_waited_for_one_commit_are_told_with_one_waking() -> None:
    loop: Any = Loop()
    told, futures = gate.Told(loop), waiting(16)
    for number, future in enumerate(futures):
        told.tell(future, number)
    assert len(loop.asked) == 1
    loop.turn()
    assert [future.result() for future in futures] == list(range(16))


async def test_a_result_that_comes_after_the_waking_wakes_again() -> None:
    loop: Any = Loop()
    told, (first, second) = gate.Told(loop), waiting(2)
    told.tell(first, 1)
    loop.turn()
    told.tell(second, 2)
    loop.turn()
    assert (first.result(), second.result()) == (1, 2)


async def test_who_has_gone_is_passed_over_and_the_others_are_told() -> None:
    loop: Any = Loop()
    told, (gone, left, refused) = gate.Told(loop), waiting(3)
    gone.cancel()
    told.tell(gone, 1)
    told.tell(left, 2)
    told.tell(refused, Busy())
    loop.turn()
    assert gone.cancelled()
    assert left.result() == 2
    with pytest.raises(Busy):
        refused.result()


async def test_none_is_lost_between_two_threads() -> None:
    told, futures = gate.Told(asyncio.get_running_loop()), waiting(20_000)

    def tell() -> None:
        for number, future in enumerate(futures):
            told.tell(future, number)

    thread = threading.Thread(target=tell)
    thread.start()
    assert await asyncio.gather(*futures) == list(range(20_000))
    thread.join()
