"""What the tests of the chat do as its customer, and what they look up behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

from tests.browser.site import Site
from user360.conversations import kept, store
from user360.conversations.deeds import Deed
from user360.conversations.talk import Conversation, Message, Said
from user360.identity import people
from user360.ids import record_number
from user360.ingest.call import Call
from user360.storage.ledger import Connection, text

Come = Callable[..., Page]


def answers(site: Site, text: str, sender: str = "agent", **known: Any) -> None:
    """Somebody answers in the first conversation there is."""
    settled(site, 1, said=Said(sender=sender, text=text, **known))


def does(site: Site, conversation: int, action: str, **known: Any) -> None:
    """Something is done to a conversation."""
    settled(site, conversation, deed=Deed(action=action, **known))


def settled(site: Site, conversation: int, **what: Any) -> None:
    platform = site.platform
    at, workspace = platform.now(), platform.default.id
    call = Call(
        workspace=workspace,
        source="conversation",
        ref="key:1",
        at=at,
        message_id=str(at),
        conversation=record_number(workspace, conversation),
        **what,
    )
    assert platform.settle([call])[0].problem is None


def open_chat(page: Page) -> None:
    page.get_by_role("button", name="Open the chat").click()


def say(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Your message").fill(text)
    page.get_by_role("button", name="Send").click()


def conversation_of(site: Site) -> Conversation:
    """The first conversation there is."""
    platform = site.platform
    number = record_number(platform.default.id, 1)
    with platform.ledger.read() as connection:
        return store.load(connection, platform.ledger.dialect, platform.default.id, [number])[
            number
        ]


def said(site: Site) -> list[Message]:
    """What was said in the first conversation, as the ledger has it."""
    platform = site.platform
    number = record_number(platform.default.id, 1)
    with platform.ledger.read() as connection:
        return list(kept.messages_of(connection, platform.ledger.dialect, [number]))


def messages(site: Site) -> list[str]:
    return [message.text for message in said(site)]


def deliveries(site: Site) -> list[str]:
    return [message.delivery for message in said(site) if message.sender != "customer"]


def person(site: Site) -> dict[str, Any]:
    """Whose the first conversation is."""
    platform = site.platform
    with platform.ledger.read() as connection:
        found = people.one(
            connection, platform.ledger.dialect, platform.default, conversation_of(site).record
        )
    assert found is not None
    return found


def rename(site: Site, member: int, name: str) -> None:
    def change(connection: Connection) -> None:
        query = text("UPDATE members SET name = :name WHERE id = :id")
        connection.execute(query, {"name": name, "id": member})

    site.platform.write(change)
    site.platform.reload_members()
