"""The customer beside a conversation, what they did lately, and that it is somebody else."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from user360 import ids
from user360.conversations.talk import Conversation
from user360.doors import gate
from user360.doors.api import merging as merging_api
from user360.doors.api import shapes
from user360.doors.api.shapes import Record
from user360.errors import Conflict
from user360.events import timeline
from user360.flows import claims
from user360.identity import merges
from user360.identity import store as identity_store
from user360.ingest.call import Session, Verb
from user360.pages import card_page, card_timeline, card_words, inbox_of, inbox_view, render
from user360.pages.card_page import View
from user360.pages.render import Asked
from user360.pages.route import deed, shown
from user360.storage.ledger import Connection

LATELY = 3  # events beside a conversation
BY_HAND = "by hand"  # the reason of a merge that somebody made


async def given(request: Asked, held: Conversation) -> dict[str, Any] | None:
    """What stands beside a conversation of its customer; None for one who was deleted."""
    record = record_of(request, held)
    if record is None:
        return None
    workspace, number = gate.actor_of(request).workspace, card_page.number_of(request, record.id)
    wanted = timeline.Wanted(record=number)
    page = await gate.ask(
        request,
        lambda w: timeline.timeline(w, workspace.id, wanted, limit=LATELY, cursor=None),
    )
    lately = [(each["timestamp"], card_timeline.says(each)) for each in page.events]
    return {
        **card_page.known(request, record),
        "segments": await card_page.segments(request, number),
        "lately": lately,
        "claim": claims.of(gate.platform_of(request), held.id),
        "others": await _count_others(request, held, number),
    }


def record_of(request: Asked, held: Conversation) -> Record | None:
    """The customer of a conversation; None when they were deleted."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    where = (platform.ledger.dialect, workspace, [held.record])
    return gate.glance(platform, lambda c: inbox_view.living(c, *where)).get(held.record)


async def _count_others(request: Asked, held: Conversation, number: int) -> int:
    found = await inbox_of.conversations(request, number)
    return sum(1 for each in found if each.held.id != held.id)


@shown("/inbox/{public:str}/person", may="inbox.read")
async def beside(request: Asked, public: FromPath[str]) -> Response[str]:
    """The customer as they are known now."""
    held = inbox_view.conversation(request, public)
    told = await given(request, held)
    return render.page(request, "inbox/person.html", held=held, public=public, person=told)


@shown("/inbox/{public:str}/activity", may="inbox.read")
async def activity(request: Asked, public: FromPath[str]) -> Response[str]:
    """What the customer did lately: everything, or what was said in the inbox alone."""
    held = inbox_view.conversation(request, public)
    record = living(request, held)
    lens = parse_qs(request.url.query).get("lens", ["everything"])[-1]
    more: dict[str, Any] = {}
    if lens == "inbox":
        more = {
            "rows": await inbox_of.conversations(request, card_page.number_of(request, record.id))
        }
    else:
        more = await card_page.events(request, record, View())
    return card_page.part(
        request, "inbox/activity.html", record, held=held, public=public, lens=lens, **more
    )


def living(request: Asked, held: Conversation) -> Record:
    """The customer of a conversation. Raises `Conflict` when they were deleted."""
    record = record_of(request, held)
    if record is None:
        raise Conflict("This person was deleted")
    return record


class Parting:
    """Why a session is somebody's, and how that is taken back."""

    def __init__(self, merge: str, by_hand: bool) -> None:
        self.merge = merge
        self.by_hand = by_hand


async def _joined(request: Asked, held: Conversation, record: Record) -> Parting:
    """The merge by which the session's record became part of somebody; an empty one for none.

    Raises `Conflict` where nobody is identified, or the session is not theirs any more.
    """
    if record.user_id is None:
        raise Conflict("Nobody is identified in this conversation")
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    dialect = platform.ledger.dialect

    def ask(connection: Connection) -> tuple[int | None, list[dict[str, Any]]]:
        where = (connection, workspace.id, held.channel, held.session)
        leaf = identity_store.of_session(*where)
        return leaf, merges.of_person(connection, dialect, held.record)

    leaf, found = await gate.read(platform, ask)
    if leaf is None:
        raise Conflict("This session is nobody's any more")
    there = shapes.record(request, leaf)
    if there.id != record.id:
        raise Conflict(f"This session is {card_words.name_of(there)}'s by now")
    public = ids.public_record_id(leaf)
    for each in reversed(found):
        if each["merged"] == public and each["undoneAt"] is None:
            return Parting(each["id"], each["reason"] == BY_HAND)
    return Parting("", by_hand=False)


@shown("/inbox/{public:str}/parting", may="inbox.write")
async def parting(request: Asked, public: FromPath[str]) -> Response[str]:
    """What it would do to say that this is not the same person."""
    held = inbox_view.conversation(request, public)
    record = living(request, held)
    how = await _joined(request, held, record)
    _refuse_by_hand(request, how)
    seen, loses = None, []
    if how.merge:
        seen, _ = await merging_api.undo_merge(request, how.merge, dry_run=True)
        survivor = seen.survivor.properties
        loses = [
            (name, value, survivor.get(name))
            for name, value in record.properties.items()
            if value != survivor.get(name)
        ]
    return card_page.part(
        request, "inbox/parting.html", record, held=held, public=public, seen=seen, loses=loses
    )


def _refuse_by_hand(request: Asked, how: Parting) -> None:
    """A merge that somebody made by hand is undone by those who may make one."""
    if how.by_hand:
        gate.permit(gate.actor_of(request), "records.merge")


@deed("/inbox/{public:str}/parting", may="inbox.write")
async def part(request: Asked, public: FromPath[str]) -> Response[str]:
    """It is not the same person: undo what joined them, or begin a record of their own."""
    held = inbox_view.conversation(request, public)
    how = await _joined(request, held, living(request, held))
    _refuse_by_hand(request, how)
    if how.merge:
        await merging_api.undo_merge(request, how.merge, dry_run=False)
    else:
        call = shapes.call(
            request,
            verb=Verb.PART,
            source="conversation",
            session=Session(held.channel, held.session),
            conversation=held.id,
        )
        await gate.one(gate.platform_of(request), call)
    view = inbox_view.read(request.query_params, "")
    return render.go(request, view.at(public), tell="They are two people again")


ROUTES: list[HTTPRouteHandler] = [beside, activity, parting, part]
