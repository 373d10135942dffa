"""What can be wrong with a request, in one family.

The class carries the status and the code, the docstring is the sentence a person reads, and the
instance carries the datum. Every door turns a `Problem` into its own shape; nothing else is ever
answered with an error status.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import msgspec


class Fault(msgspec.Struct, frozen=True):
    """One offending place in a request.

    `path` is dotted from the body (`users.17.properties.dob`), `code` is a stable word for
    programs, `message` says what would be right.
    """

    path: str
    code: str
    message: str


class Problem(Exception):
    """The request cannot be carried out."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "badRequest"

    def __init__(self, detail: str = "", *, faults: Iterable[Fault] = ()) -> None:
        self.detail = detail or self.title
        self.faults = tuple(faults)
        super().__init__(self.detail)

    @property
    def title(self) -> str:
        """The sentence of the class: the first line of its docstring."""
        return (type(self).__doc__ or "").strip().splitlines()[0]

    @classmethod
    def at(cls, path: str, message: str, code: str | None = None) -> Problem:
        """A problem with exactly one offending place."""
        return cls(message, faults=[Fault(path, code or cls.code, message)])

    def under(self, prefix: str) -> Problem:
        """The same problem with every path moved below `prefix` (`users.17`)."""
        if not prefix:
            return self
        moved = [
            Fault(f"{prefix}.{f.path}" if f.path else prefix, f.code, f.message)
            for f in self.faults
        ]
        return type(self)(self.detail, faults=moved)


class Invalid(Problem):
    """The request holds values that cannot be accepted."""

    code = "invalid"


class InvalidDataType(Invalid):
    """A value does not fit the type of its property."""

    code = "invalidDataType"


class InvalidProperty(Invalid):
    """A property is not declared in this workspace."""

    code = "invalidProperty"


class PropertiesRequired(Invalid):
    """A required property is missing."""

    code = "propertiesRequired"


class InvalidUserId(Invalid):
    """The userId cannot name one person."""

    code = "invalidUserId"


class InvalidCondition(Invalid):
    """The condition cannot be understood."""

    code = "invalidCondition"


class Malformed(Problem):
    """The body is not what this call reads."""

    code = "malformed"


class Unauthenticated(Problem):
    """A valid API key is needed."""

    status = 401
    code = "unauthenticated"


class Forbidden(Problem):
    """The role of this key does not allow the call."""

    status = 403
    code = "forbidden"


class NotFound(Problem):
    """There is nothing under this name."""

    status = 404
    code = "notFound"


class Conflict(Problem):
    """The call contradicts what is already there."""

    status = 409
    code = "conflict"


class PersonErased(Problem):
    """This person was erased and may not come back until that is allowed again."""

    status = 409
    code = "erased"


class Gone(Problem):
    """There was something under this name, and it is no more."""

    status = 410
    code = "gone"


class TooLarge(Problem):
    """The body is larger than this call accepts."""

    status = 413
    code = "tooLarge"


class Unsatisfiable(Problem):
    """The file has no such bytes."""

    status = 416
    code = "rangeNotSatisfiable"


class Busy(Problem):
    """More is coming in than can be written; try again shortly."""

    status = 429
    code = "busy"


class Unavailable(Problem):
    """This part is not ready; try again shortly."""

    status = 503
    code = "unavailable"


class StorageFailed(Problem):
    """The data directory cannot be written; nothing of this call was kept."""

    status = 503
    code = "storageFailed"


class DirectoryInUse(Problem):
    """Another process holds this data directory."""

    status = 409
    code = "directoryInUse"
