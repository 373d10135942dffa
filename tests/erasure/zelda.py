"""Zelda, who asks to be forgotten, and Omar, who stays: what they live through before."""

from __future__ import annotations

from typing import Any

from tests.stories.shop import Shop
from user360 import ids
from user360.conversations.talk import Said
from user360.erasure import erase
from user360.ingest.call import Event
from user360.jobs.job import Job

# Whoever is called so is erased; whoever is called otherwise stays.
HERS = ("zelda-7", "zelda@zeldamail.org", "+919812345670", "zs-phone-1", "zs-web-2", "Zeldaville")
THEIRS = ("omar-1", "omar@example.com", "os-web-1", "Omartown")


def live(shop: Shop, user: str, words: str) -> None:
    """Somebody comes by phone, then on the web, signs up, buys a lot, is merged."""
    who = words.lower()
    sessions = (f"{who[0]}s-phone-1", f"{who[0]}s-web-2" if who[0] == "z" else "os-web-1")
    shop.capture(f"web:{sessions[0]}", city=f"{words}ville")
    shop.identify(f"web:{sessions[0]}", user, firstName=words)
    shop.capture(f"web:{sessions[1]}", nick=f"{words}-nick")
    shop.send(session=f"web:{sessions[1]}", event=Event("Looked", {"at": f"{words}-page"}))
    shop.identify(f"web:{sessions[1]}", user, city=f"{words}town")
    shop.send(user_id=user, properties={}, add_tags=(f"{words}-tag",))
    many = [
        shop.call(user_id=user if n % 3 else f"other-{n}", event=Event("Bought", bought(words, n)))
        for n in range(100)
    ]
    shop.settle(*many)
    shop.send(user_id=user, event=Event("Bought", {"what": f"{words}-last"}, id=f"{who}-e1"))
    talk(shop, f"web:{sessions[1]}", words)


def talk(shop: Shop, session: str, words: str) -> None:
    """They say who they are, and are answered by name."""
    asked = Said(
        sender="customer",
        text=f"I am {words} of {words}ville",
        id=f"{words}-said",
        subject=f"{words} asks",
    )
    said = shop.send(session=session, said=asked)
    answer = Said(sender="agent", text=f"Hello {words}!", author="key:1")
    shop.send(conversation=said.conversation, said=answer)


def bought(words: str, n: int) -> dict[str, Any]:
    return {"what": f"{words}-thing-{n}" if n % 3 else "soap", "price": n}


def zelda_and_omar(shop: Shop) -> None:
    live(shop, "zelda-7", "Zelda")
    live(shop, "omar-1", "Omar")
    shop.write("zelda-7", email="zelda@zeldamail.org", phone="+919812345670")
    shop.write("omar-1", email="omar@example.com")


def number(shop: Shop, user: str) -> int:
    person = shop.person(user)
    assert person is not None
    found = ids.parse_record_id(shop.workspace.id, person["id"])
    assert found is not None
    return found


def erased(shop: Shop, user: str) -> dict[str, Any]:
    """Erase somebody and wait until nothing is left to do."""
    told, _ = erase.ask(shop.platform, shop.workspace, number(shop, user), "key:1")
    shop.platform.jobs.wait(told["id"], 60)
    return erase.find(shop.platform, shop.workspace, told["id"])


def finished(shop: Shop, job: str, params: dict[str, Any]) -> Job:
    return Job(
        id=job,
        workspace=shop.workspace.id,
        kind="import",
        actor="key:1",
        created_at=shop.platform.now(),
        status="completed",
        params=params,
    )
