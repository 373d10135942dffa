"""Whether a channel may send: trouble with its own access is noted with it, and cleared by itself.

It is noted when the other side refuses our access, for no message goes that way then. It is over
once one went, or when the access was set anew; what waits is tried at once then.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from user360 import clock
from user360.channels import deliveries, store
from user360.channels.bringing import Delivery
from user360.storage.ledger import Connection

SENDING = "sending"
# The ways that use a channel's access, by the channel.
WAYS: Mapping[str, tuple[str, ...]] = {"whatsapp": ("whatsapp", "media"), "email": ("email",)}
CHANNELS = {way: channel for channel, ways in WAYS.items() for way in ways}


class Trouble(msgspec.Struct, frozen=True):
    """What goes wrong, in words, and since when (microseconds; None where nobody knows)."""

    error: str
    since: int | None = None


def of(state: Mapping[str, Any]) -> Trouble | None:
    """The trouble in a channel's state: with sending, else with fetching."""
    if SENDING in state:
        return msgspec.convert(state[SENDING], Trouble)
    fetching = state.get("imap", {})
    if not fetching.get("error"):
        return None
    failed = fetching.get("failed_at")
    return Trouble(
        fetching["error"], clock.to_us(datetime.fromisoformat(failed)) if failed else None
    )


def sending(connection: Connection, workspace: int, channel: str) -> Trouble | None:
    """Why nothing can be sent by a channel just now; None when all is well."""
    held = store.kept(connection, workspace, channel).state.get(SENDING)
    return None if held is None else msgspec.convert(held, Trouble)


def note(connection: Connection, delivery: Delivery, error: str, now: int) -> bool:
    """Note that the access for a delivery is refused; whether that is news."""
    channel = CHANNELS.get(delivery.kind)
    if channel is None:
        return False
    state = store.kept(connection, delivery.workspace, channel).state
    held = of({SENDING: state[SENDING]}) if SENDING in state else None
    if held is not None and held.error == error:
        return False
    since = now if held is None else held.since
    told = msgspec.to_builtins(Trouble(error, since))
    store.save_state(connection, delivery.workspace, channel, {**state, SENDING: told})
    return True


def well(connection: Connection, delivery: Delivery, now: int) -> None:
    """Something went: whatever was wrong is over."""
    channel = CHANNELS.get(delivery.kind)
    if channel is not None:
        _clear(connection, delivery.workspace, channel, now)


def mended(connection: Connection, workspace: int, channel: str, now: int, *, access: bool) -> None:
    """A channel was set anew: with another access its trouble is over; what waits is tried."""
    if channel not in WAYS:
        return
    if not access or not _clear(connection, workspace, channel, now):
        deliveries.hurry(connection, workspace, WAYS[channel], now)


def _clear(connection: Connection, workspace: int, channel: str, now: int) -> bool:
    state = store.kept(connection, workspace, channel).state
    if state.pop(SENDING, None) is None:
        return False
    store.save_state(connection, workspace, channel, state)
    deliveries.hurry(connection, workspace, WAYS[channel], now)
    return True
