"""Where a flow stands in a conversation, as it is kept with it."""

from __future__ import annotations

from typing import Any

import msgspec

LONGEST_VARIABLES = 64 * 1024  # bytes of all that a flow keeps in one conversation


class State(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """Where a flow stands.

    `at` is the node to do next, or the one that `waits` for an answer. `turn` is the number of the
    customer's message that is being answered, `handled` that of the last one taken in, `said` how
    many messages were said in this turn. `attempts` counts answers that did not fit, `steps` all
    nodes gone through; `code` tells that a code is waited for.
    """

    flow: str
    at: str
    turn: int = 0
    handled: int = 0
    said: int = 0
    waits: bool = False
    code: bool = False
    attempts: int = 0
    steps: int = 0
    variables: dict[str, Any] = msgspec.field(default_factory=dict)


def encode(state: State) -> str:
    """The JSON of a state."""
    return msgspec.json.encode(state).decode()


def decode(kept: str) -> State | None:
    """The state that is kept; None where a flow has not begun, or nothing readable is there."""
    if not kept:
        return None
    try:
        return msgspec.json.decode(kept, type=State)
    except msgspec.MsgspecError:
        return None


def too_large(state: State) -> bool:
    """Whether the variables are more than is kept."""
    return len(msgspec.json.encode(state.variables)) > LONGEST_VARIABLES
