"""Who is who: pure decisions over what is known, one call after another.

`Known` is the state that was loaded for a batch; `decide` applies the table of the specification
(records, "Identity: what a userId does") to one call, updates `Known` so that the next call of
the batch sees it, and returns what has to be written. Nothing here touches storage.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from user360 import ids
from user360.errors import Conflict, Fault, Invalid, NotFound

Session = tuple[str, str]


class Person(msgspec.Struct, gc=False):
    """A record as identity sees it. `merged_into` is its survivor while a merge holds.

    `merges` records were merged right into it; `below` is all that hang on it, however deep,
    counted for those at the top of a tree.
    """

    id: int
    user_id: str | None
    merged_into: int | None = None
    merges: int = 0
    below: int = 0


class Merge(msgspec.Struct, frozen=True):
    """A merge that was made earlier and may be undone."""

    id: int
    survivor: int
    merged: int
    undone: bool


class Wanted(NamedTuple):
    """What one call says about who it is about."""

    user_id: str | None
    session: Session | None
    record: int | None
    if_missing: str
    if_exists: str


class Decision(msgspec.Struct, gc=False):
    """What becomes of one call: `leaf` is the record written to, `root` the living one it shows in.

    `created` and `merged` are record numbers, `mapped` says that the session now points to `leaf`,
    `assigned` is the userId that `root` has just got.
    """

    status: str
    leaf: int
    root: int
    created: bool = False
    assigned: str | None = None
    mapped: bool = False
    merged: int | None = None
    unmerged: Merge | None = None


class Known:
    """The people, sessions and userIds that the calls of one batch name."""

    def __init__(self, new_number: Callable[[], int], merge_limit: int = 1_000) -> None:
        self.people: dict[int, Person] = {}
        self.by_user: dict[str, int] = {}
        self.by_session: dict[Session, int] = {}
        self.merges: dict[int, Merge] = {}
        self.gone: set[int] = set()
        self.new_number = new_number
        self.merge_limit = merge_limit

    def root(self, number: int) -> int:
        """The living record behind `number`: itself, or where its merges led."""
        person = self.people[number]
        while person.merged_into is not None:
            person = self.people[person.merged_into]
        return person.id

    def alive(self, number: int | None) -> int | None:
        """`number` unless there is no such record or its person was deleted."""
        if number is None or number not in self.people or self.root(number) in self.gone:
            return None
        return number

    def of_user(self, user_id: str) -> int | None:
        return self.alive(self.by_user.get(user_id))

    def of_session(self, session: Session) -> int | None:
        return self.alive(self.by_session.get(session))

    def create(self, user_id: str | None) -> int:
        number = self.new_number()
        self.people[number] = Person(number, user_id)
        if user_id is not None:
            self.by_user[user_id] = number
        return number


def decide(wanted: Wanted, known: Known) -> Decision:
    """Who a writing call is about. Raises `NotFound`, `Conflict`; then nothing has changed."""
    if wanted.record is not None:
        return _by_record(wanted.record, wanted, known)
    if wanted.user_id is None and wanted.session is None:
        created = known.create(None)
        return Decision("created", created, created, created=True)
    if wanted.user_id is None:
        assert wanted.session is not None
        return _by_session(wanted.session, wanted, known)
    if wanted.session is None:
        return _by_user(wanted.user_id, wanted, known)
    return _identify(wanted.session, wanted.user_id, wanted.if_exists, known)


def _by_record(number: int, wanted: Wanted, known: Known) -> Decision:
    """A record that is named; with a userId it is given that one, as a session's record would be.

    Raises `Conflict` when it has another one: that is never changed.
    """
    if known.alive(number) is None:
        raise NotFound(f"There is no record {ids.public_record_id(number)}")
    root = known.root(number)
    person, user_id = known.people[root], wanted.user_id
    if user_id is None or person.user_id == user_id:
        return Decision("unchanged", number, root)
    if person.user_id is not None:
        fault = Fault("userId", "conflict", "This record has a userId, which is never changed")
        raise Conflict(fault.message, faults=[fault])
    existing = known.of_user(user_id)
    if existing is None:
        return _assign(root, user_id, known)
    if wanted.if_exists == "refuse":
        raise _exists()
    return join(root, existing, known)


def _by_user(user_id: str, wanted: Wanted, known: Known) -> Decision:
    found = known.of_user(user_id)
    if found is None:
        if wanted.if_missing == "refuse":
            raise NotFound("There is no user with this userId")
        created = known.create(user_id)
        return Decision("created", created, created, created=True)
    if wanted.if_exists == "refuse":
        raise _exists()
    status = "skipped" if wanted.if_exists == "skip" else "unchanged"
    return Decision(status, found, known.root(found))


def _exists() -> Conflict:
    fault = Fault("userId", "conflict", "A user with this userId exists already")
    return Conflict(fault.message, faults=[fault])


def _by_session(session: Session, wanted: Wanted, known: Known) -> Decision:
    found = known.of_session(session)
    if found is not None:
        return Decision("unchanged", found, known.root(found))
    if wanted.if_missing == "refuse":
        raise NotFound("There is no such session")
    created = known.create(None)
    known.by_session[session] = created
    return Decision("created", created, created, created=True, mapped=True)


def _identify(session: Session, user_id: str, if_exists: str, known: Known) -> Decision:
    """The identity table: the session's record against the userId given.

    Raises `Conflict` where somebody who is known must not be joined and it would be somebody else.
    """
    holder = known.of_session(session)
    current = None if holder is None else known.root(holder)
    existing = known.of_user(user_id)
    if current is not None and existing is not None and known.root(existing) == current:
        return Decision("unchanged", existing, current)
    if existing is not None and if_exists == "refuse":
        raise _exists()
    if current is not None and known.people[current].user_id is None:
        if existing is None:
            return _assign(current, user_id, known)
        return join(current, existing, known)
    if existing is None:
        existing = known.create(user_id)
        known.by_session[session] = existing
        return Decision("created", existing, existing, created=True, mapped=True)
    known.by_session[session] = existing
    return Decision("switched", existing, known.root(existing), mapped=True)


def _assign(number: int, user_id: str, known: Known) -> Decision:
    known.people[number].user_id = user_id
    known.by_user[user_id] = number
    return Decision("assigned", number, number, assigned=user_id)


def join(merged: int, into: int, known: Known) -> Decision:
    """Merge the living record `merged` into the person of `into`.

    Raises `Conflict` when they are one person already, or when the survivor has taken in so many
    that something other than a person is being named (pitfalls: placeholder ids).
    """
    survivor = known.root(into)
    if merged == survivor:
        raise Conflict("The two are one record already")
    person, taken = known.people[survivor], 1 + known.people[merged].below
    if person.below + taken > known.merge_limit:
        raise Conflict(
            f"{person.below} records were merged into this user already; the workspace setting"
            f" mergeLimit allows no more than {known.merge_limit}"
        )
    person.merges += 1
    person.below += taken
    known.people[merged].merged_into = survivor
    return Decision("merged", into, survivor, merged=merged)


def delete(wanted: Wanted, known: Known) -> Decision:
    """Delete the whole person, with all that was ever merged into it."""
    number = known.of_user(wanted.user_id) if wanted.user_id is not None else wanted.record
    if number is None or known.alive(number) is None:
        raise NotFound("There is no such record")
    root = known.root(number)
    known.gone.add(root)
    return Decision("deleted", root, root)


def merge_by_hand(wanted: Wanted, other: int, known: Known) -> Decision:
    """Merge the person of record `other`, identified or not, into the user `wanted` names."""
    into = known.of_user(wanted.user_id) if wanted.user_id is not None else None
    if into is None:
        raise NotFound("There is no user with this userId")
    if known.alive(other) is None:
        fault = Fault("with", "notFound", f"There is no record {ids.public_record_id(other)}")
        raise NotFound(fault.message, faults=[fault])
    return join(known.root(other), into, known)


def alias(wanted: Wanted, previous: int | None, known: Known) -> Decision:
    """Segment's `alias`: whoever went by the previous id is the user from now on."""
    assert wanted.user_id is not None
    existing = known.of_user(wanted.user_id)
    current = None if known.alive(previous) is None or previous is None else known.root(previous)
    if existing is None and current is not None and known.people[current].user_id is None:
        return _assign(current, wanted.user_id, known)
    created = existing is None
    target = known.create(wanted.user_id) if existing is None else existing
    if current is None or known.root(target) == current:
        status = "created" if created else "unchanged"
        return Decision(status, target, known.root(target), created=created)
    decision = join(current, target, known)
    decision.created = created
    return decision


def part(session: Session | None, known: Known) -> Decision:
    """Whoever speaks in this session is not the user it is mapped to, but somebody unknown.

    The user keeps all that was written; the session is a new unidentified record's from now on.
    Raises `NotFound`, and `Conflict` where nobody is identified.
    """
    holder = None if session is None else known.of_session(session)
    if session is None or holder is None:
        raise NotFound("There is no such session")
    if known.people[known.root(holder)].user_id is None:
        raise Conflict("Nobody is identified in this session")
    created = known.by_session[session] = known.create(None)
    return Decision("created", created, created, created=True, mapped=True)


def unmerge(number: int, known: Known) -> Decision:
    """Undo a merge: the merged record lives again. Raises `NotFound`, `Conflict`, `Invalid`."""
    merge = known.merges.get(number)
    if merge is None or known.alive(merge.merged) is None:
        raise NotFound("There is no such merge")
    if merge.undone:
        raise Conflict("This merge has been undone already")
    if known.people[merge.merged].merged_into != merge.survivor:
        raise Invalid("The merged record has been merged elsewhere since; undo that first")
    known.people[merge.merged].merged_into = None
    known.people[merge.survivor].merges -= 1
    root = known.root(merge.survivor)
    known.people[root].below -= 1 + known.people[merge.merged].below
    known.merges[number] = msgspec.structs.replace(merge, undone=True)
    return Decision("unmerged", merge.survivor, root, unmerged=merge)
