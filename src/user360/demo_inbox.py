"""What the demo has to answer with: a shop with the chat, a bot, an agent, and conversations.

The bot identifies customers by e-mail. As the customers of the demo are known by numbers, some of
them are given their e-mail address as a second userId: a record of that name, merged into theirs.
"""

from __future__ import annotations

from typing import Any

from user360 import clock, data
from user360.access import members
from user360.access.change import Change
from user360.access.members import Member
from user360.channels import settings
from user360.conversations import managing
from user360.conversations.deeds import Deed
from user360.conversations.talk import Said
from user360.flows import managing as flows
from user360.flows import store as flow_store
from user360.ingest.call import Call, Outcome, Session, Verb
from user360.platform import Platform
from user360.storage.ledger import Connection

AGENT = "agent@example.com"
GROUP = "Shop"
FLOW = "shop"
# Customers who can tell the bot their e-mail address, and the one whom the conversations are with.
KNOWN = range(100, 160)
WHO = 111
HOUR = 3_600 * clock.SECOND
BOT = """\
# Greets, asks who somebody is, and hands over to agents.
start: hello
nodes:
  hello:
    message: Hello! This is the shop of the demo.
    next: who
  who:
    identify:
      by: email
      ask: What is your e-mail address?
    next: greet
  greet:
    message: Good to see you, {{{user.firstName|there}}}!
    next: wish
  wish:
    prompt:
      kind: text
      ask: What can we do for you?
      variable: wish
    next: agents
  agents:
    handOver:
      group: Shop
"""


def email(customer: int) -> str:
    """The e-mail address of a customer."""
    return data.customers()[customer - 1].email


def load(platform: Platform, password: str) -> None:
    """Make all of it that is not there yet. Raises `Problem` for what cannot be done."""
    if FLOW in _flows(platform):
        return
    _name_by_email(platform)
    platform.write(lambda connection: _answer_with(connection, platform, password))
    platform.reload_members()
    _talk(platform)


def agent(platform: Platform) -> Member | None:
    """The demo's agent, None when there is none any more."""
    return next((m for m in platform.members.values() if m.email == AGENT), None)


def _flows(platform: Platform) -> set[str]:
    with platform.ledger.read() as connection:
        return {kept.name for kept in flow_store.all_flows(connection, platform.default.id)}


def _name_by_email(platform: Platform) -> None:
    at = platform.now()
    ids = [data.user_id(customer) for customer in KNOWN]
    _all(platform, [_call(platform, at, user_id=who, message_id=f"there-{who}") for who in ids])
    named = [_call(platform, at, user_id=email(c), message_id=f"named-{c}") for c in KNOWN]
    made = _all(platform, named)
    merged = [
        _call(platform, at + 1, user_id=who, verb=Verb.MERGE, other=each.record, message_id=f"m{n}")
        for n, (who, each) in enumerate(zip(ids, made, strict=True))
    ]
    _all(platform, merged)


def _answer_with(connection: Connection, platform: Platform, password: str) -> None:
    """The group, the agent, the flow, and the channel that begins with it."""
    change: Change = platform.change(connection, platform.default, "demo")
    group = managing.make_group(change, GROUP)
    number, link = members.invite(change, AGENT, "Ada Agent", "agent")
    members.join(change, link, password)
    managing.set_agent(change, number, availability="available", groups=[group])
    flows.put(change, platform.vault, FLOW, BOT)
    settings.change(change, platform.vault, "web", {"bot": f"flow:{FLOW}"})


def _talk(platform: Platform) -> None:
    """One customer on three channels: by e-mail days ago, on WhatsApp, and in the shop's chat."""
    who, now = data.user_id(WHO), platform.now()
    customer = data.customers()[WHO - 1]
    phone = (customer.phone or "").lstrip("+")
    ada = agent(platform)
    author = "" if ada is None else f"member:{ada.id}"
    mail = Session("email", "demo-ticket")
    about = {"kind": "ticket", "subject": "An invoice for my order"}
    begun = _say(platform, mail, now - 70 * HOUR, "customer", "Please send an invoice.", **about)
    _settle(platform, now - 70 * HOUR + 1, session=mail, user_id=who, message_id="demo-mail")
    _say(platform, mail, now - 60 * HOUR, "agent", "Here it is.", author=author)
    _do(platform, now - 59 * HOUR, begun, Deed(action="resolve", reason="answered"))
    chat = Session("whatsapp", phone)
    begun = _say(platform, chat, now - 20 * HOUR, "customer", "Do you have Abbey Road?")
    _settle(platform, now - 20 * HOUR + 1, session=chat, user_id=who, message_id="demo-chat")
    _say(platform, chat, now - 19 * HOUR, "agent", "On vinyl, yes.", author=author)
    _do(platform, now - 18 * HOUR, begun, Deed(action="resolve", reason="answered"))
    visit = Session("web", "demo-visit")
    begun = _say(platform, visit, now - HOUR, "customer", "Hello, where is my record?")
    _settle(platform, now - HOUR + 1, session=visit, user_id=who, message_id="demo-visit")
    _do(platform, now - HOUR + 2, begun, Deed(action="hand_over"))


def _say(
    platform: Platform, session: Session, at: int, sender: str, text: str, **more: Any
) -> int | None:
    said = Said(sender=sender, text=text, id=f"demo-{at}", **more)
    return _settle(platform, at, session=session, said=said, message_id=f"{at}").conversation


def _do(platform: Platform, at: int, conversation: int | None, deed: Deed) -> None:
    _settle(platform, at, conversation=conversation, deed=deed, message_id=f"{at}")


def _settle(platform: Platform, at: int, **given: Any) -> Outcome:
    return _all(platform, [_call(platform, at, **given)])[0]


def _call(platform: Platform, at: int, **given: Any) -> Call:
    return Call(workspace=platform.default.id, source="conversation", ref="demo", at=at, **given)


def _all(platform: Platform, calls: list[Call]) -> list[Outcome]:
    """Raises the `Problem` of the first that cannot be done."""
    outcomes = platform.settle(calls)
    for outcome in outcomes:
        if outcome.problem is not None:
            raise outcome.problem
    return outcomes
