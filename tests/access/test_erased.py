"""Who was erased stays away, whichever way somebody tries, until that is allowed again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.stories.shop import Shop
from user360.access import erased
from user360.access.workspaces import Workspace
from user360.events import store
from user360.ingest.call import Event, Outcome, Session, Verb
from user360.platform import Platform
from user360.storage.ledger import Connection

GONE = Session("web", "s-gone")


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform.temporary() as platform:
        yield platform


@pytest.fixture
def shop(platform: Platform) -> Shop:
    """A shop where the user `gone`, with one session, was erased."""
    shop = Shop(platform)
    keep(platform, shop.workspace, "job1", ["gone"], [GONE])
    return shop


def keep(
    platform: Platform, workspace: Workspace, job: str, users: list[str], sessions: list[Session]
) -> None:
    held = workspace.erased
    digests = [held.of_user(u) for u in users]
    digests += [held.of_session((s.channel, s.id)) for s in sessions]

    def job_in_it(connection: Connection) -> None:
        erased.keep(connection, workspace.id, digests, platform.now(), job)
        held.load(connection)

    platform.write(job_in_it)


def code(outcome: Outcome) -> str:
    return outcome.problem.code if outcome.problem is not None else outcome.status


def test_nothing_is_held_against_anybody_at_first(platform: Platform) -> None:
    fresh = Shop(platform).workspace.erased
    assert not fresh
    assert not fresh.holds("gone")
    assert not fresh.among(["gone", "asha"])
    assert not fresh.holds_session(("web", "s-gone"))


def test_writing_identifying_and_telling_of_events_is_refused(shop: Shop) -> None:
    outcomes = shop.settle(
        shop.call(user_id="gone", properties={"city": "Pune"}),
        shop.call(user_id="  gone ", event=Event("Bought", {}, id="late")),
        shop.call(user_id="gone", session=Session("web", "s-new")),
        shop.call(user_id="asha", previous="gone", verb=Verb.ALIAS),
        shop.call(session=GONE, event=Event("Bought", {})),
        shop.call(user_id="asha", properties={"city": "Goa"}),
    )
    assert [code(o) for o in outcomes] == ["erased"] * 5 + ["created"]


def test_every_refusal_is_counted_without_a_word_of_whom(shop: Shop) -> None:
    shop.settle(shop.call(user_id="gone", event=Event("Bought", {}, id="late")))
    with shop.platform.ledger.read() as connection:
        found = store.rejections(connection, shop.workspace.id)
    assert [(r["code"], r["path"], r["count"]) for r in found] == [("erased", "userId", 1)]
    assert "gone" not in str(found)


def test_a_session_that_is_somebody_elses_since_is_theirs(shop: Shop) -> None:
    told = shop.call(session=GONE, event=Event("Bought", {}))
    before, identified, after = shop.settle(told, shop.call(session=GONE, user_id="asha"), told)
    assert [code(before), code(identified), code(after)] == ["erased", "created", "unchanged"]
    (again,) = shop.settle(told)
    assert code(again) == "unchanged"


def test_who_identifies_by_a_property_is_known_by_its_value(shop: Shop) -> None:
    shop.choose(identifier="email")
    keep(shop.platform, shop.workspace, "job2", ["asha@example.com"], [])
    (outcome,) = shop.settle(
        shop.call(session=Session("web", "s9"), properties={"email": "Asha@Example.com"})
    )
    assert code(outcome) == "erased"


@pytest.mark.usefixtures("shop")
def test_another_workspace_knows_nothing_of_it(platform: Platform) -> None:
    other = Shop(platform)
    (outcome,) = other.settle(other.call(user_id="gone", properties={"city": "Pune"}))
    assert code(outcome) == "created"


def test_a_restart_forgets_nobody(shop: Shop) -> None:
    anew = Workspace(shop.workspace.id, "x", shop.workspace.settings, 0)
    anew.erased.vault = shop.platform.vault
    with shop.platform.ledger.read() as connection:
        anew.load(connection)
    assert anew.erased.among(["gone", "asha"]) == {"gone"}


def test_whoever_is_allowed_again_comes_as_somebody_new(shop: Shop) -> None:
    held = shop.workspace.erased

    def allow(connection: Connection) -> list[str]:
        jobs = erased.erasures_of(
            connection, shop.platform.ledger.dialect, shop.workspace.id, [held.of_user("gone")]
        )
        assert erased.forget(connection, shop.workspace.id, jobs[0]) == 2
        held.load(connection)
        return jobs

    assert shop.platform.write(allow) == ["job1"]
    outcomes = shop.settle(
        shop.call(user_id="gone", properties={"city": "Pune"}),
        shop.call(session=GONE, event=Event("Bought", {})),
    )
    assert [code(o) for o in outcomes] == ["created", "created"]
