"""Which users a page shows: what its address says, and asking for them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec

from user360.doors import gate
from user360.doors.api import conditions, members, shapes
from user360.doors.api.shapes import Record
from user360.errors import Conflict, InvalidCondition
from user360.pages import forms
from user360.pages.render import Asked
from user360.segments import conditions as meaning
from user360.segments.compiler import questions
from user360.segments.language import nodes
from user360.segments.language.nodes import Node
from user360.segments.store import Segment

AT_ONCE = 50
PATH = "/users"
FIRST = {"cursor": "", "page": 1, "trail": ""}
LONGEST_TRAIL = 2_000


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What the address says. `where` is JSON, `sort` as in `lastName,-createdAt`.

    `page` counts from 1 and only tells people where they are: `cursor` says where a page begins,
    `trail` where those from the second on up to it did, as far as an address can hold that.
    """

    segment: int | None = None
    where: str = ""
    text: str = ""
    sort: str = ""
    archived: str = ""
    cursor: str = ""
    page: int = 1
    trail: str = ""

    @property
    def filtered(self) -> bool:
        """Whether some are left out by more than a segment."""
        return bool(self.where or self.text)

    @property
    def wanted(self) -> dict[str, str]:
        """Whom it is about, as the fields of a form."""
        given = {"segment": self.segment or "", "where": self.where, "text": self.text}
        return {name: str(value) for name, value in given.items() if value}

    def at(self, **changed: Any) -> str:
        """The address with something changed, from its first page unless `cursor` says more."""
        other = msgspec.structs.replace(self, **{**FIRST, **changed})
        given = msgspec.structs.asdict(other)
        if other.page == 1:
            del given["page"]
        query = urlencode({name: value for name, value in given.items() if value})
        return f"{PATH}?{query}" if query else PATH

    def following(self, cursor: str) -> str:
        """The address of the next page, which begins at a cursor."""
        trail = f"{self.trail}.{self.cursor}".strip(".")
        if len(trail) > LONGEST_TRAIL:
            trail = trail[-LONGEST_TRAIL:].partition(".")[2]
        return self.at(cursor=cursor, page=self.page + 1, trail=trail)

    @property
    def previous(self) -> str:
        """The address of the page before; empty when there is none, or nobody knows it any more."""
        trail, _, cursor = self.trail.rpartition(".")
        if self.page == 2:
            return self.at()
        return self.at(cursor=cursor, page=self.page - 1, trail=trail) if cursor else ""


def read(given: Mapping[str, str]) -> View:
    """The view that an address, or a form, asks for; numbers that are none are left out."""
    return View(
        segment=forms.number(given.get("segment", "")),
        where=given.get("where", "").strip(),
        text=given.get("text", "").strip()[:1_000],
        sort=given.get("sort", ""),
        archived="yes" if given.get("archived") else "",
        cursor=given.get("cursor", ""),
        trail=given.get("trail", ""),
        page=forms.number(given.get("page", "")) or 1,
    )


class Whom(NamedTuple):
    """Whom a view is about, understood; `given` is the condition as JSON."""

    segment: Segment | None
    given: dict[str, Any] | None
    node: Node | None

    @property
    def whole(self) -> Node | None:
        """One condition for all of it; None is everybody."""
        inside = None if self.segment is None else nodes.Membership(self.segment.id, True)
        return members.both(inside, self.node)

    @property
    def condition(self) -> dict[str, Any] | None:
        """The same as JSON, to be kept."""
        if self.segment is None:
            return self.given
        inside: dict[str, Any] = {"segment": self.segment.id, "in": True}
        return inside if self.given is None else {"all": [inside, self.given]}


async def whom(request: Asked, view: View) -> Whom:
    """Whom a view is about. Raises `NotFound` for its segment, `InvalidCondition`."""
    segment = None if view.segment is None else await members.one(request, view.segment)
    given = condition(view.where)
    return Whom(segment, given, await conditions.read(request, given))


def condition(text: str) -> dict[str, Any] | None:
    """A condition as an address holds it. Raises `InvalidCondition`."""
    if not text:
        return None
    with contextlib.suppress(msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        found = msgspec.json.decode(text)
        if isinstance(found, dict):
            return found
    raise InvalidCondition.at("where", "The filter in this address is cut off or damaged")


def says(request: Asked, node: Node | None) -> str:
    """A condition in English."""
    return meaning.says(node, gate.actor_of(request).workspace)


class Found(NamedTuple):
    """One page of users, how many there are in all, and where the next page begins."""

    total: int
    users: list[Record]
    cursor: str | None


async def found(request: Asked, view: View, those: Whom) -> Found:
    """One page. Raises `Problem` for an order or a cursor that cannot be used."""
    cursor = view.cursor or None
    if those.segment is not None:
        given = (those.segment, view.sort, view.text, AT_ONCE, cursor, those.node)
        page = await members.page(request, *given)
        return Found(page.total, list[Record](page.users), page.cursor)
    actor, now = gate.actor_of(request), gate.platform_of(request).now()
    one = await gate.ask(
        request,
        lambda warehouse: questions.search(
            warehouse,
            actor.workspace,
            those.node,
            text=view.text,
            sort=members.order(view.sort),
            limit=AT_ONCE,
            cursor=cursor,
            now=now,
        ),
    )
    return Found(one.total, await shapes.records(request, one.numbers), one.cursor)


async def everybody(request: Asked, view: View, expect: int) -> list[int]:
    """The records of all that a view is about, not of one page.

    Raises `Conflict` when they are not as many as somebody saw when they chose them.
    """
    those = await whom(request, view)
    numbers = await members.numbers(request, those.whole, view.text or None)
    if len(numbers) != expect:
        message = f"{len(numbers):,} users match by now, you saw {expect:,}. Nothing was done"
        raise Conflict(f"{message}; load the page again to see who they are.")
    return numbers


def segments_shown(request: Asked, view: View) -> list[Segment]:
    """The segments of the tab that is open, by name."""
    held = gate.actor_of(request).workspace.segments.values()
    return [s for s in held if (s.archived_at is not None) == bool(view.archived)]
