"""What an answer says of messages that could not be kept: where, in the words of the sender."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from user360.doors.segment import messages, traits
from user360.doors.segment.messages import Message
from user360.errors import Fault, Problem
from user360.events.store import Rejection
from user360.ingest.call import Call, Outcome

MOST = 1_000
_PATHS = {"session.id": "anonymousId", "session.channel": "context.channel"}


def faults_of(message: Message, call: Call, outcome: Outcome) -> list[Fault]:
    """What is wrong with a message, by what became of one of its calls; nothing if it was kept."""
    if outcome.status == "dropped" and call.event is not None:
        told = f"The event definition {call.event.name} is not active; the event was dropped"
        return [Fault(call.path, "inactive", told)]
    if outcome.problem is None:
        return []
    sent = _Sent(message, call.properties_path)
    return [
        Fault(_under(call.path, sent.path(_inside(call.path, f.path))), f.code, f.message)
        for f in _places(outcome.problem, call.path)
    ]


def problem_of(message: Message, call: Call, outcome: Outcome) -> Problem | None:
    """The same as one problem, for a message that was sent alone; a dropped event is none."""
    if outcome.problem is None:
        return None
    faults = faults_of(message, call, outcome)
    return type(outcome.problem)(outcome.problem.detail, faults=faults)


def refusal(problem: Problem, path: str) -> list[Fault]:
    """What is wrong with a message that no call could be made of, found at `path`."""
    return list(_places(problem.under(path), path))


def listed(faults: list[Fault]) -> list[Fault]:
    """Faults in the order of their messages; of very many the first, and how many more there are.

    All of them are counted in the event hub.
    """
    ordered = sorted(faults, key=place_of)
    if len(ordered) <= MOST:
        return ordered
    more = f"{len(ordered) - MOST} more errors are not listed; the event hub has counted them"
    return [*ordered[:MOST], Fault("batch", "more", more)]


def place_of(fault: Fault) -> int:
    """Where in its batch the message of a fault stands; -1 for what is not about one message."""
    parts = fault.path.split(".", 2)
    return int(parts[1]) if parts[0] == "batch" and len(parts) > 1 else -1


def rejections(faults: Iterable[Fault], name: str) -> Counter[Rejection]:
    """How the event hub counts what never became a call; it counts the rest by itself."""
    return Counter(
        Rejection(
            "sdk",
            name[:200],
            fault.code,
            ".".join(part for part in fault.path.split(".") if not part.isdigit())[:200],
            fault.message,
        )
        for fault in faults
    )


def name_of(message: Message | None) -> str:
    """What a refused message is counted under: its event's name, or else its type."""
    if isinstance(message, messages.Track) and message.event.strip():
        return message.event.strip()
    kinds = (name for name, kind in messages.KINDS.items() if isinstance(message, kind))
    return next(kinds, "unreadable")


class _Sent:
    """A message, asked where in it stands what is called otherwise in a call it became."""

    def __init__(self, message: Message, properties_path: str) -> None:
        self.message = message
        self.start = f"{properties_path}."
        self._traits: dict[str, str] | None = None

    def path(self, inner: str) -> str:
        """The place in the message as it was sent."""
        if inner == "name" and isinstance(self.message, messages.Track):
            return "event"
        if inner == "properties" and isinstance(self.message, messages.Group):
            return "traits"
        if inner.startswith(self.start) and self.start != "group.":
            return self._trait(inner.removeprefix(self.start))
        return _PATHS.get(inner, inner.removeprefix("group."))

    def _trait(self, name: str) -> str:
        if self._traits is None:
            own = self.message.traits if isinstance(self.message, messages.Identify) else None
            inside = self.message.context.traits if self.message.context is not None else None
            self._traits = {
                property: f"{start}.{path}"
                for start, given in (("context.traits", inside), ("traits", own))
                for property, path in traits.origins(given or {}).items()
            }
        return self._traits.get(name, f"{self.start}{name}")


def _places(problem: Problem, path: str) -> Iterable[Fault]:
    return problem.faults or (Fault(path, problem.code, problem.detail),)


def _inside(prefix: str, path: str) -> str:
    return path.removeprefix(prefix).removeprefix(".") if prefix else path


def _under(prefix: str, path: str) -> str:
    return f"{prefix}.{path}" if prefix and path else prefix or path
