"""What an inbox page is about: which list, which conversation, who may see it, how it reads."""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
from markupsafe import Markup, escape

from user360 import clock, ids
from user360.access.workspaces import Workspace
from user360.channels.email import recipients
from user360.conversations import counting, reading, scope, talk
from user360.conversations.desk import AVAILABILITIES
from user360.conversations.scope import Scope
from user360.conversations.talk import Conversation, Message
from user360.doors import gate
from user360.doors.api.shapes import Record
from user360.errors import NotFound
from user360.identity import people
from user360.pages import card_words, forms
from user360.pages.render import Asked
from user360.platform import Platform
from user360.records import settle, shape
from user360.storage.ledger import Connection, Dialect

LISTS = {
    "mine": "Mine",
    "queued": "Queued",
    "open": "Open",
    "active": "All active",
    "tickets": "Tickets",
    "bot": "With the bot",
    "resolved": "Resolved",
    "missed": "Missed",
}
STATES = {
    talk.BOT: "With the bot",
    talk.QUEUED: "In the queue",
    talk.OPEN: "Open",
    talk.ASSIGNED: "Assigned",
    talk.RESOLVED: "Resolved",
    talk.MISSED: "Missed",
    talk.PENDING: "Pending",
    talk.ON_HOLD: "On hold",
    talk.SOLVED: "Solved",
    talk.CLOSED: "Closed",
}
CHANNELS = {"web": "Web", "whatsapp": "WhatsApp", "email": "E-mail", "api": "API"}
AVAILABILITY = dict(zip(AVAILABILITIES, ("Available", "Busy", "Away"), strict=True))
REASONS = {
    "waitedTooLong": "nobody had time",
    "queueFull": "the queue was full",
    "idle": "nothing more was said",
}
LINK = re.compile(r"https?://[^\s<>\"'\u201c\u201d]+")


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What the address says: the list, and what is left of it. `where` is a condition as JSON."""

    list: str = ""
    q: str = ""
    channel: str = ""
    group: str = ""
    tag: str = ""
    segment: int | None = None
    where: str = ""

    @property
    def filtered(self) -> bool:
        """Whether some of the list are left out."""
        return bool(self.q or self.channel or self.group or self.tag or self.whose)

    @property
    def whose(self) -> bool:
        """Whether it is asked whose conversations they are."""
        return self.segment is not None or bool(self.where)

    def query(self, **changed: Any) -> str:
        """The query of an address that asks for this, with something else in places."""
        given = msgspec.structs.asdict(msgspec.structs.replace(self, **changed))
        return urlencode({name: value for name, value in given.items() if value})

    def at(self, place: str = "", **changed: Any) -> str:
        """The address of the inbox, or of a conversation in it, with something changed."""
        query, path = self.query(**changed), f"/inbox/{place}" if place else "/inbox"
        return f"{path}?{query}" if query else path


def read(given: Mapping[str, str], otherwise: str) -> View:
    """The view that an address asks for; what makes no sense is passed over."""
    return View(
        list=given["list"] if given.get("list") in LISTS else otherwise,
        q=given.get("q", "").strip()[:1_000],
        channel=given.get("channel", "").strip()[:255],
        group=given["group"] if forms.number(given.get("group", "")) is not None else "",
        tag=given.get("tag", "").strip()[:100],
        segment=forms.number(given.get("segment", "")),
        where=given.get("where", "").strip(),
    )


def view_of(request: Asked) -> View:
    """The view of a page's address."""
    actor = gate.actor_of(request)
    first = "mine" if actor.role in (scope.AGENT, scope.SUPERVISOR) else "active"
    return read(request.query_params, first)


def me(request: Asked) -> int:
    """The member who looks on."""
    actor = gate.actor_of(request)
    assert actor.sign_in is not None
    return actor.sign_in.member


def scope_of(actor: gate.Actor) -> Scope | None:
    """What somebody who signed in may see; None for everything."""
    member = None if actor.sign_in is None else actor.sign_in.member
    return scope.of(actor.role, member, actor.workspace.desk)


def sees(actor: gate.Actor, conversation: Conversation) -> bool:
    """Whether somebody who signed in may see a conversation."""
    seen = scope_of(actor)
    return seen is None or seen.sees(conversation)


def conversation(request: Asked, public: str) -> Conversation:
    """The conversation of an address. Raises `NotFound` for one that is not to be seen too."""
    platform, actor = gate.platform_of(request), gate.actor_of(request)
    number = ids.parse_conversation_id(actor.workspace.id, public)
    found = None
    if number is not None:
        where = (platform.ledger.dialect, actor.workspace.id, number)
        found = gate.glance(platform, lambda c: reading.one(c, *where))
    if found is None or not sees(actor, found):
        raise NotFound("There is no such conversation, or it is not yours to see")
    return found


def lists_of(held: Conversation) -> tuple[str, ...]:
    """The lists a conversation stands in; `mine` depends on who asks."""
    return counting.lists_of(held.kind, held.state, held.assignee is None)


def living(
    connection: Connection, dialect: Dialect, workspace: Workspace, numbers: Collection[int]
) -> dict[int, Record]:
    """The living record behind each of these that is somebody's still."""
    forest = people.grove(connection, dialect, list(numbers))
    found = {}
    for number in numbers:
        root = people.root_of(forest, number)
        if root is not None:
            cells = settle.view(forest, root)
            shown = shape.record(forest[root], cells, workspace.catalogue)
            found[number] = msgspec.convert(shown, Record)
    return found


class Row(NamedTuple):
    """A conversation in a list."""

    id: str
    held: Conversation
    name: str
    state: str
    last: str
    assignee: str
    initials: str
    waits: bool
    when: str
    channel: str


def row(platform: Platform, workspace: Workspace, held: Conversation, person: Record | None) -> Row:
    """A conversation as a line of a list."""
    assignee = member_name(platform, held.assignee)
    said = held.last_text or ("…" if held.messages else "")
    speaks = {talk.AGENT: "Agent: ", talk.BOT_SAYS: "Bot: "}.get(held.last_from, "")
    return Row(
        id=ids.public_conversation_id(held.id),
        held=held,
        name=card_words.name_of(person) if person else "Somebody who was deleted",
        state=STATES[held.state],
        last=speaks + said,
        assignee=assignee,
        initials=initials(assignee),
        waits=held.waiting_since is not None and held.active,
        when=short(held.updated_at, platform.clock.now(), workspace.zone),
        channel=CHANNELS.get(held.channel, held.channel),
    )


def member_name(platform: Platform, number: int | None) -> str:
    """What a member is called; empty for nobody."""
    if number is None:
        return ""
    member = platform.members.get(number)
    return member.name if member else "a former member"


def initials(name: str) -> str:
    """`Asha Rao` -> `AR`."""
    return "".join(part[0] for part in name.split()[:2]).upper()


def short(at: int, now: int, zone: datetime.tzinfo) -> str:
    """`10:42` of today, else the day: `21 Nov`, with the year when that is another."""
    then, today = (clock.to_datetime(t).astimezone(zone) for t in (at, now))
    if then.date() == today.date():
        return f"{then:%H:%M}"
    day = f"{then.day} {then:%b}"
    return day if then.year == today.year else f"{day} {then.year}"


class Line(NamedTuple):
    """A message as it is shown."""

    id: str
    held: Message
    who: str
    side: str
    said: str
    text: Markup
    day: str
    clock: str
    choices: list[str]
    copies: list[str]


def line(platform: Platform, workspace: Workspace, held: Message) -> Line:
    """A message as a line of a conversation; `said` is the id that the page gave it."""
    local = clock.to_datetime(held.at).astimezone(workspace.zone)
    choices = held.detail.get("choices", ())
    return Line(
        id=ids.public_message_id(held.id),
        held=held,
        who=who(platform, held),
        side=held.sender,
        said=str(held.detail.get("said", "")),
        text=linked(held.text),
        day=f"{local:%A}, {local.day} {local:%B %Y}",
        clock=f"{local:%H:%M}",
        choices=[str(each) for each in choices] if isinstance(choices, list) else [],
        copies=recipients.others(workspace, held),
    )


def who(platform: Platform, held: Message) -> str:
    """Who said it; the customer is named by the page."""
    kind, _, rest = held.author.partition(":")
    if kind == "member" and rest.isdigit():
        return member_name(platform, int(rest))
    if held.sender == talk.CUSTOMER:
        return ""
    if held.sender == talk.BOT_SAYS:
        return f"Bot ({rest})" if kind == "flow" and rest else "Bot"
    return "Agent" if held.sender == talk.AGENT else "Note"


def linked(text: str) -> Markup:
    """A text whose addresses of the web are links; all else in it is text."""
    parts, begin = [], 0
    for found in LINK.finditer(text):
        address = found[0].rstrip(".,;:!?)]}")
        parts.append(escape(text[begin : found.start()]))
        parts.append(
            Markup(
                '<a href="{0}" target="_blank" rel="noopener noreferrer nofollow">{0}</a>'
            ).format(address)
        )
        begin = found.start() + len(address)
    return Markup("").join([*parts, escape(text[begin:])])


def stamp(held: Conversation) -> str:
    """Changes whenever something of a conversation does that its head shows."""
    told = (
        held.record,
        held.kind,
        held.state,
        held.subject,
        held.priority,
        held.group,
        held.assignee,
        held.tags,
        held.reason,
    )
    return hashlib.blake2b(repr(told).encode(), digest_size=8).hexdigest()
