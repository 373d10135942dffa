"""Tells bots by webhook what customers say, signed, and takes what they answer at once."""

from __future__ import annotations

import hmac
import threading
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec

from user360 import ids
from user360.channels import calling, formats
from user360.channels.bringing import Delivery, Permanent, Temporary
from user360.channels.formats import Answers, Heard
from user360.clock import SECOND
from user360.conversations import hooks
from user360.conversations.deeds import Deed
from user360.conversations.hooks import Hook
from user360.conversations.talk import Conversation, Message, Said
from user360.errors import Conflict, NotFound, Problem
from user360.identity import people
from user360.ingest.call import Call
from user360.platform import Platform

if TYPE_CHECKING:
    import httpx

WHO = "The webhook"
SIGNATURE, TIMESTAMP = "X-User360-Signature-256", "X-User360-Timestamp"
LONGEST_ANSWER = 1_048_576
# What passes by itself: too early, too slow, too many.
PASSING = (408, 425, 429)


class WebhookSender:
    """Posts to the webhooks of each workspace; a `Sender` of the ways `webhook:<number>`."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._client: httpx.Client | None = None
        self._lock = threading.Lock()

    def send(self, delivery: Delivery, message: Message, conversation: Conversation) -> str:
        """Tell one webhook of one message; see `Sender`."""
        platform = self._platform
        workspace = platform.workspaces[delivery.workspace]
        number = int(delivery.way.partition(":")[2])
        with platform.ledger.read() as connection:
            hook = hooks.one(connection, platform.vault, workspace.id, number)
            where = (connection, platform.ledger.dialect, workspace)
            record = people.one(*where, conversation.record)
        if hook is None or not hook.active or not hook.hears(conversation.channel):
            return ""
        if not formats.wanted(hook.format, conversation, workspace.desk):
            return ""
        heard = Heard(workspace.name, message, conversation, record)
        given = self._post(hook, heard)
        self._take(delivery, _answers(hook, given, message.id), f"hook:{number}")
        return ""

    def close(self) -> None:
        """Let go of the connections; see `Holding`."""
        with self._lock:
            if self._client is not None:
                self._client.close()

    def _post(self, hook: Hook, heard: Heard) -> Any:
        """Post what was heard; what was answered, None for nothing."""
        url = formats.address(hook.format, hook.url, heard)
        body = msgspec.json.encode(formats.body(hook.format, hook.url, heard))
        headers = self._headers(hook, heard.message.id, body)
        with self._lock:
            self._client = self._client or calling.client(self._platform)
        with (
            calling.told(WHO),
            self._client.stream("POST", url, content=body, headers=headers) as response,
        ):
            _refuse(response)
            answer = calling.whole(response, LONGEST_ANSWER)
        if answer is None:
            raise Permanent("The webhook answered more than 1 MB")
        return _json(hook, answer)

    def _headers(self, hook: Hook, message: int, body: bytes) -> dict[str, str]:
        at = str(self._platform.clock.now() // SECOND)
        found = {
            "Content-Type": "application/json",
            "User-Agent": "User360",
            # The same message, should it come again.
            "Idempotency-Key": f"{ids.public_message_id(message)}-{hook.id}",
            TIMESTAMP: at,
            SIGNATURE: signature(hook.sealed.key, at, body),
        }
        if hook.sealed.authorization:
            found["Authorization"] = hook.sealed.authorization
        return found

    def _take(self, delivery: Delivery, answers: Answers, ref: str) -> None:
        """Say in the conversation what the bot answered, and hand over if it said so."""
        done: list[Said | Deed] = [*answers.said, *([answers.deed] if answers.deed else [])]
        calls = [self._call(delivery, ref, each) for each in done]
        for outcome in self._platform.settle(calls) if calls else ():
            # A bot that thinks long may come too late: to an agent, to an end, to nobody.
            if outcome.problem is not None and not isinstance(outcome.problem, Conflict | NotFound):
                raise Permanent(f"The bot's answer could not be taken: {outcome.problem.detail}")

    def _call(self, delivery: Delivery, ref: str, done: Said | Deed) -> Call:
        now = self._platform.now()
        said, deed = (done, None) if isinstance(done, Said) else (None, done)
        return Call(
            workspace=delivery.workspace,
            source="conversation",
            ref=ref,
            at=now,
            message_id=str(now),
            conversation=delivery.conversation,
            said=said,
            deed=deed,
        )


def signature(key: str, at: str, body: bytes) -> str:
    """How a webhook knows that it is us, and when: over the seconds, a dot, and the body."""
    return "sha256=" + hmac.digest(key.encode(), at.encode() + b"." + body, sha256).hex()


def _refuse(response: httpx.Response) -> None:
    """Raises what an answer means that is not a good one."""
    status = response.status_code
    if 200 <= status < 300:
        return
    reason = f"The webhook answered with status {status}"
    if status in PASSING or status >= 500:
        raise Temporary(reason, calling.wanted_wait(response))
    if 300 <= status < 400:
        raise Permanent(f"{reason}; redirects are not followed")
    raise Permanent(reason)


def _json(hook: Hook, answer: bytes) -> Any:
    # Whoever only listens may answer `ok`, or whatever it likes.
    listens = hook.format == formats.USER360
    if not answer.strip():
        return None
    try:
        given = msgspec.json.decode(answer)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        if listens:
            return None
        raise Permanent("The webhook answered what is not JSON") from error
    return None if listens and not isinstance(given, dict) else given


def _answers(hook: Hook, given: Any, message: int) -> Answers:
    try:
        return formats.answers(hook.format, given, message, f"hook:{hook.id}")
    except Problem as problem:
        raise Permanent(f"The webhook's answer cannot be read: {problem.detail}") from problem
