"""What is done from a card: editing, tags, merging and undoing, deleting, erasing."""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery

from user360.doors import gate
from user360.doors.api import merging as merging_api
from user360.doors.api import shapes, why
from user360.doors.api.shapes import Record
from user360.erasure import erase
from user360.errors import Conflict, Fault, Invalid, NotFound
from user360.identity import merges
from user360.ingest.call import Call, Verb
from user360.pages import card_fields, card_page, card_words, forms, render, words
from user360.pages.render import Asked
from user360.pages.route import deed, shown


async def _settled(request: Asked, call: Call) -> tuple[Record, int]:
    """Write; the record that the call ended at, and the position that shows it."""
    outcome = await gate.one(gate.platform_of(request), call)
    return shapes.record(request, outcome.record), outcome.seq


async def _after(
    request: Asked, record: Record, seq: int, tell: str, **given: Any
) -> Response[str]:
    """Every part of the card as it is now, for whatever else was written meanwhile shows too."""
    view = card_page.view_of(request)
    whole = await card_page.whole(request, record, view, seq)
    parts = {"row": None, "tagged": False} | given
    headers = render.said(tell) if tell else {}
    return render.page(request, "card/after.html", headers=headers, **whole, **parts)


@deed("/users/{record_id:str}/properties/{name:str}", may="records.write")
async def write(request: Asked, record_id: FromPath[str], name: FromPath[str]) -> Response[str]:
    """Write one property as its field says; an empty one clears it."""
    number, held = card_page.living(request, record_id)
    workspace, form = gate.actor_of(request).workspace, await forms.read(request)
    declared = workspace.catalogue.get(name)
    if declared is None:
        raise NotFound("There is no property of this name")
    given, seen = (form.get(key, "").replace("\r\n", "\n") for key in (name, "seen"))
    record, seq, tell = held, 0, ""
    if given != seen:
        value = card_fields.sent(declared, given)
        call = shapes.call(request, record=number, properties={name: value})
        record, seq = await _settled(request, call)
        tell = "Saved"
        there = card_fields.field(declared, held.properties.get(name), workspace.zone).value
        if there != seen:
            between = words.value(held.properties.get(name)) or "nothing"
            tell = f"Saved, over {between}, which somebody wrote meanwhile"
    rows = await card_page.properties(request, record)
    (row,) = [each for each in rows if each.declared.name == name]
    return await _after(request, record, seq, tell, row=row, focus=name)


@deed("/users/{record_id:str}/tags", may="records.write")
async def tags(request: Asked, record_id: FromPath[str]) -> Response[str]:
    """Add a tag, or remove one."""
    number, _ = card_page.living(request, record_id)
    form = await forms.read(request)
    add, remove = form.get("add", "").strip(), form.get("remove", "")
    if not add and not remove:
        raise Invalid.at("add", "Write the tag to add")
    call = shapes.call(
        request,
        record=number,
        add_tags=(add,) if add else (),
        remove_tags=(remove,) if remove else (),
    )
    record, seq = await _settled(request, call)
    return await _after(request, record, seq, "", tagged=True)


@deed("/users/{record_id:str}/identify", may="records.write")
async def identify(request: Asked, record_id: FromPath[str]) -> Response[str]:
    """Give somebody unidentified a userId that nobody has yet."""
    number, _ = card_page.living(request, record_id)
    user_id = (await forms.read(request)).get("userId", "").strip()
    if not user_id:
        raise Invalid.at("userId", "Write the user id")
    call = shapes.call(request, record=number, user_id=user_id, if_exists="refuse")
    try:
        record, _ = await _settled(request, call)
    except Conflict as problem:
        message = f"{problem.detail}. Where it is the same person, merge the two."
        raise Conflict(message, faults=[Fault("userId", problem.code, message)]) from problem
    return render.go(request, f"/users/{record.id}", tell=f"This is {record.user_id} now")


@shown("/users/{record_id:str}/merge", may="records.merge")
async def merging(
    request: Asked, record_id: FromPath[str], other: FromQuery[str] = ""
) -> Response[str]:
    """What a merge would do, before it is done."""
    survivor, taken = _both(request, record_id, other)
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    seen = await gate.read(
        platform,
        lambda c: merges.merging(
            c, platform.ledger.dialect, workspace, survivor, taken, platform.now()
        ),
    )
    count = await gate.ask(request, lambda w: merges.count_events(w, workspace.id, seen.records))
    mine, theirs = seen.before["properties"], seen.merged["properties"]
    differing = [
        (name, mine.get(name), theirs.get(name), value)
        for name, value in seen.after["properties"].items()
        if theirs.get(name) not in (None, mine.get(name))
    ]
    merged = shapes.record(request, taken)
    return card_page.part(
        request,
        "card/merging.html",
        shapes.record(request, survivor),
        merged=merged,
        other=card_words.name_of(merged),
        differing=differing,
        count=count,
    )


def _both(request: Asked, record_id: str, other: str) -> tuple[int, int]:
    """Who stays and who is taken in: whoever has a userId stays. Raises `Invalid`, `NotFound`."""
    here, record = card_page.living(request, record_id)
    if not other.strip():
        raise Invalid.at("other", "Write the userId or the record id of the other")
    try:
        there = why.person(request, other.strip())
        second = shapes.record(request, there)
    except NotFound as problem:
        raise Invalid.at("other", "Nobody has this userId or record id") from problem
    there = card_page.number_of(request, second.id)
    if record.user_id is not None:
        return here, there
    if second.user_id is None:
        raise Invalid.at("other", "Neither has a user id: give one of the two its user id first")
    return there, here


@deed("/users/{record_id:str}/merge", may="records.merge")
async def merge(request: Asked, record_id: FromPath[str]) -> Response[str]:
    """Merge the other into this one, and show whoever stays."""
    survivor, taken = _both(request, record_id, (await forms.read(request)).get("other", ""))
    user_id = shapes.record(request, survivor).user_id
    assert user_id is not None
    await merging_api.merge_by_hand(request, user_id, taken)
    stays = shapes.record(request, survivor).id
    return render.go(request, f"/users/{stays}?tab=identity", tell="Merged")


@shown("/users/{record_id:str}/merges/{merge_id:str}/undo", may="records.merge")
async def undoing(
    request: Asked, record_id: FromPath[str], merge_id: FromPath[str]
) -> Response[str]:
    """What undoing a merge would do, before it is done."""
    _, record = card_page.living(request, record_id)
    seen, _ = await merging_api.undo_merge(request, merge_id, dry_run=True)
    survivor = seen.survivor.properties
    loses = [
        (name, value, survivor.get(name))
        for name, value in record.properties.items()
        if value != survivor.get(name)
    ]
    return card_page.part(request, "card/undoing.html", record, seen=seen, loses=loses)


@deed("/users/{record_id:str}/merges/{merge_id:str}/undo", may="records.merge")
async def undo(request: Asked, record_id: FromPath[str], merge_id: FromPath[str]) -> Response[str]:
    """Undo a merge; both live again."""
    seen, _ = await merging_api.undo_merge(request, merge_id, dry_run=False)
    tell = f"The merge is undone; {seen.merged.id} is a record of its own again"
    return render.go(request, f"/users/{record_id}?tab=identity", tell=tell)


@deed("/users/{record_id:str}/delete", may="records.delete")
async def delete(request: Asked, record_id: FromPath[str]) -> Response[str]:
    """The person is gone, with all that was merged into it."""
    number, _ = card_page.living(request, record_id)
    await gate.one(gate.platform_of(request), shapes.call(request, verb=Verb.DELETE, record=number))
    return render.go(request, "/users", tell="Deleted")


@deed("/users/{record_id:str}/erase", may="records.delete")
async def erase_for_good(request: Asked, record_id: FromPath[str]) -> Response[str]:
    """Erase somebody who was named once more, and show the receipt."""
    number, record = card_page.living(request, record_id)
    named = (await forms.read(request)).get("confirm", "").strip()
    if named != record.id:
        raise Invalid.at("confirm", f"Write {record.id} to erase this person")
    platform, actor = gate.platform_of(request), gate.actor_of(request)
    told, _ = await asyncio.to_thread(erase.ask, platform, actor.workspace, number, actor.ref)
    return render.go(request, f"/erasures/{told['id']}", tell="Erased")


@shown("/erasures/{erasure_id:str}", may="records.delete")
async def receipt(request: Asked, erasure_id: FromPath[str]) -> Response[str]:
    """What an erasure removed from where, as far as it is done by now."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    told = await asyncio.to_thread(erase.find, platform, workspace, erasure_id)
    template = "card/removed.html" if render.from_htmx(request) else "card/receipt.html"
    return render.page(request, template, receipt=told)


@deed("/erasures/{erasure_id:str}/allow", may="records.delete")
async def allow(request: Asked, erasure_id: FromPath[str]) -> Response[str]:
    """Whoever was erased may come again, as somebody new."""
    platform, actor = gate.platform_of(request), gate.actor_of(request)
    await asyncio.to_thread(erase.allow_erasure, platform, actor.workspace, erasure_id, actor.ref)
    return render.go(request, f"/erasures/{erasure_id}", tell="They may come again")


ROUTES: list[HTTPRouteHandler] = [
    write,
    tags,
    identify,
    merging,
    merge,
    undoing,
    undo,
    delete,
    erase_for_good,
    receipt,
    allow,
]
