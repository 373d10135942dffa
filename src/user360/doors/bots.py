"""Where a bot calls back that answers later: Botpress, by its Messaging API integration.

It sends no key of ours, so the address holds what only it was told: a token made of the secret of
its webhook.
"""

from __future__ import annotations

import contextlib
import hmac
from hashlib import sha256
from typing import Any

from litestar import Request, post
from litestar.params import FromPath

from user360 import ids
from user360.channels import formats
from user360.channels.formats import Answers
from user360.conversations import hooks, reading
from user360.conversations.hooks import Hook
from user360.doors import gate
from user360.doors.api import bodies
from user360.errors import Conflict, NotFound
from user360.ingest.call import Call
from user360.platform import Platform

Asked = Request[Any, Any, Any]
PREFIX = "/channels/botpress"
LARGEST = 1 << 62  # numbers beyond it are nobody's, and the ledger cannot be asked for them


def path_of(hook: Hook) -> str:
    """Where at this server what is answered to a webhook is sent."""
    return f"{PREFIX}/{hook.id}/{_token(hook)}"


def _token(hook: Hook) -> str:
    return hmac.digest(hook.sealed.key.encode(), b"answers", sha256).hex()[:32]


@post(
    PREFIX + "/{hook_id:int}/{token:str}",
    status_code=200,
    include_in_schema=False,
)
async def answered(request: Asked, hook_id: FromPath[int], token: FromPath[str]) -> dict[str, Any]:
    """One message of the bot, in the conversation that it was asked in; sent twice it is one.

    What comes after an agent took over is not said any more; nothing is said in another
    workspace's conversation, nor on a channel that the webhook is not told of.
    """
    platform = gate.platform_of(request)
    found = None
    if hook_id < LARGEST:
        found = gate.glance(platform, lambda c: hooks.anywhere(c, platform.vault, hook_id))
    if found is None or not hmac.compare_digest(_token(found[1]).encode(), token.encode()):
        raise NotFound("There is no such webhook")
    workspace, hook = found
    if not hook.active:
        raise NotFound("This webhook is switched off")
    name, answers = formats.called_back(bodies.parse(await request.body()), f"hook:{hook.id}")
    held = None
    if (number := ids.parse_conversation_id(workspace, name)) is not None:
        where = (platform.ledger.dialect, workspace, number)
        held = gate.glance(platform, lambda c: reading.one(c, *where))
    if held is None or not hook.hears(held.channel):
        raise NotFound("There is no conversation with this id")
    await _settle(platform, workspace, held.id, answers)
    return {}


async def _settle(platform: Platform, workspace: int, number: int, answers: Answers) -> None:
    calls = [
        _call(platform, workspace, number, said=said, ref=said.author) for said in answers.said
    ]
    if (deed := answers.deed) is not None:
        calls.append(_call(platform, workspace, number, deed=deed, ref=deed.by))
    for call in calls:
        with contextlib.suppress(Conflict):  # it comes too late
            await gate.one(platform, call)


def _call(platform: Platform, workspace: int, number: int, **given: Any) -> Call:
    now = platform.now()
    return Call(
        workspace=workspace,
        source="conversation",
        at=now,
        message_id=f"{now:020d}",
        conversation=number,
        **given,
    )


ROUTES = [answered]
