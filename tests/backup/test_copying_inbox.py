"""How a workspace answers its customers, in another one: all of it but people and secrets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.stories.shop import Shop
from user360.access.change import Change
from user360.backup import copying
from user360.channels import settings as channels
from user360.channels import store as channel_store
from user360.conversations import canned, managing
from user360.errors import Conflict
from user360.flows import store as flows
from user360.platform import Platform

FLOW = "start: hello\nnodes:\n  hello: {message: Hello, then: over}\n  over: {end: true}\n"


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform.temporary() as platform:
        yield platform


def changing(shop: Shop, job: Any) -> Any:
    platform = shop.platform
    return platform.write(lambda c: job(platform.change(c, shop.workspace, "key:1")))


@pytest.fixture
def source(platform: Platform) -> Shop:
    shop = Shop(platform)

    def make(change: Change) -> None:
        managing.set_inbox(change, {"queueLimit": 7, "sticky": True})
        managing.make_group(change, "Refunds")
        canned.make(change, "hello", "Hello {{{user.firstName|there}}}!")
        kept = flows.Kept("greet", FLOW, change.now, change.actor, "sealed")
        flows.save(change.connection, shop.workspace.id, kept)
        address = f"help{shop.workspace.id}@example.com"  # of one workspace alone
        mail = {"address": address, "smtp": {"password": "hidden-word"}}
        channels.change(change, platform.vault, "email", mail)
        channels.change(change, platform.vault, "web", {"bot": "flow:greet"})

    changing(shop, make)
    return shop


def test_all_of_it_is_there_but_no_secret(source: Shop, platform: Platform) -> None:
    target = Shop(platform)
    told = changing(target, lambda change: copying.copy(change, source.workspace))
    assert (told.inbox, told.groups) == (["queueLimit", "sticky"], ["Refunds"])
    assert (told.canned_answers, told.flows) == (["hello"], ["greet"])
    assert set(told.channels) == {"email", "web"}
    desk = target.workspace.desk
    assert desk.settings == source.workspace.desk.settings
    assert desk.bot_of("web") == "flow:greet"
    assert not desk.channels["email"].active  # until it is given a password here
    assert desk.channels["email"].settings == source.workspace.desk.channels["email"].settings
    with platform.ledger.read() as connection:
        kept = flows.one(connection, target.workspace.id, "greet")
        assert kept is not None
        assert (kept.text, kept.secrets) == (FLOW, "")
        assert channel_store.kept(connection, target.workspace.id, "email").secrets == ""
    again = changing(target, lambda change: copying.copy(change, source.workspace))
    assert (again.groups, again.canned_answers, again.flows, again.channels) == ([], [], [], [])


def test_what_is_said_otherwise_there_is_named_and_nothing_is_copied(
    source: Shop, platform: Platform
) -> None:
    target = Shop(platform)
    changing(target, lambda change: canned.make(change, "Hello", "Good day"))
    with pytest.raises(Conflict) as refused:
        changing(target, lambda change: copying.copy(change, source.workspace))
    assert [fault.path for fault in refused.value.faults] == ["cannedAnswers.hello"]
    assert target.workspace.desk.groups == {}
    assert target.workspace.desk.settings.queue_limit == 0
