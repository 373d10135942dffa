"""Members: the first one, invitations, roles, and the admin who cannot go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from user360.access import members, passwords, signing
from user360.access.change import Change
from user360.access.members import Member
from user360.errors import Conflict, Forbidden, Invalid, NotFound
from user360.platform import Platform

GOOD = "correct horse battery"


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform.temporary() as platform:
        yield platform


@pytest.fixture
def change(platform: Platform) -> Iterator[Change]:
    """A change of the default workspace that is taken back."""
    with platform.ledger.write() as connection:
        yield platform.change(connection, platform.default, "key:1")
        connection.rollback()


def held(change: Change) -> dict[str, Member]:
    return {m.email: m for m in members.all_members(change.connection).values()}


def test_the_first_member_is_an_admin_and_there_is_one_first_only(change: Change) -> None:
    number = members.first(change, " Asha@Example.com ", "Asha", GOOD)
    asha = held(change)["asha@example.com"]
    assert (asha.id, asha.name, dict(asha.roles)) == (number, "Asha", {1: "admin"})
    assert passwords.fits(asha.password, GOOD)
    assert not passwords.fits(asha.password, GOOD + " ")
    with pytest.raises(Forbidden, match="invitation"):
        members.first(change, "eve@example.com", "Eve", GOOD)


def test_every_bad_field_is_named(change: Change) -> None:
    with pytest.raises(Invalid) as refused:
        members.first(change, "asha@", " ", "short")
    assert sorted(f.path for f in refused.value.faults) == ["email", "name", "password"]
    for easy in ("aaaaaaaaaaaa", "asha@example.com"):
        with pytest.raises(Invalid, match="guessed"):
            members.first(change, "asha@example.com", "Asha", easy)


def test_who_is_invited_chooses_a_password_by_a_link_that_is_good_once(change: Change) -> None:
    members.first(change, "asha@example.com", "Asha", GOOD)
    number, secret = members.invite(change, "ravi@example.com", "Ravi", "agent")
    kept = str(change.connection.execute(sa.text("SELECT * FROM members")).all())
    assert secret not in kept
    assert not passwords.fits(held(change)["ravi@example.com"].password, "")
    assert members.by_link(change.connection, secret, change.now) == number
    assert members.by_link(change.connection, secret, change.now + members.INVITED) is None
    assert members.join(change, secret, GOOD + "!") == number
    assert passwords.fits(held(change)["ravi@example.com"].password, GOOD + "!")
    with pytest.raises(NotFound, match="used or is too old"):
        members.join(change, secret, GOOD)


def test_another_link_ends_the_one_before_and_a_new_password_ends_sessions(change: Change) -> None:
    members.first(change, "asha@example.com", "Asha", GOOD)
    number, first = members.invite(change, "ravi@example.com", "Ravi", "agent")
    second = members.link(change, number)
    assert members.by_link(change.connection, first, change.now) is None
    members.join(change, second, GOOD)
    signing.begin(change.connection, number, 1, "Firefox", change.now)
    assert len(signing.all_sign_ins(change.connection, change.now)) == 1
    members.set_password(change, number, GOOD + " staple")
    assert signing.all_sign_ins(change.connection, change.now) == {}


def test_a_member_of_another_workspace_needs_no_link(change: Change) -> None:
    members.first(change, "asha@example.com", "Asha", GOOD)
    with pytest.raises(Conflict, match="already"):
        members.invite(change, "ASHA@example.com", "Asha", "reader")
    other = Change(
        change.connection,
        change.dialect,
        type(change.workspace)(7, "other", change.workspace.settings, 0),
        now=change.now,
        actor="key:9",
        take=change.take,
    )
    ravi, link = members.invite(change, "ravi@example.com", "Ravi", "reader")
    members.join(change, link, GOOD)
    assert members.invite(other, "ravi@example.com", "Ravi", "admin") == (ravi, "")
    assert dict(held(change)["ravi@example.com"].roles) == {1: "reader", 7: "admin"}
    members.remove(change, ravi)
    assert dict(held(change)["ravi@example.com"].roles) == {7: "admin"}


def test_the_last_admin_stays_one(change: Change) -> None:
    asha = members.first(change, "asha@example.com", "Asha", GOOD)
    ravi, _ = members.invite(change, "ravi@example.com", "Ravi", "reader")
    with pytest.raises(Conflict, match="needs an admin"):
        members.set_role(change, asha, "editor")
    with pytest.raises(Conflict, match="needs an admin"):
        members.remove(change, asha)
    members.set_role(change, ravi, "admin")
    members.remove(change, asha)
    assert "asha@example.com" not in held(change), "who is in no workspace is forgotten"
    with pytest.raises(NotFound):
        members.remove(change, asha)
    with pytest.raises(Invalid, match="A role is one of"):
        members.set_role(change, ravi, "ingest")


def test_the_audit_names_members_by_number_only(change: Change) -> None:
    members.first(change, "asha@example.com", "Asha Rao", GOOD)
    members.invite(change, "ravi@example.com", "Ravi", "reader")
    text = str(change.connection.execute(sa.text("SELECT * FROM audit")).all())
    assert "member.invite" in text
    assert "asha" not in text.lower()
    assert "ravi" not in text.lower()


def test_who_may_answer_changes_in_their_workspace_alone(platform: Platform) -> None:
    other = platform.add_workspace("other")
    before = other.desk

    def within(job: Callable[[Change], Any]) -> Any:
        return platform.write(lambda c: job(platform.change(c, platform.default, "key:1")))

    within(lambda c: members.first(c, "asha@example.com", "Asha", GOOD))
    ravi, _ = within(lambda c: members.invite(c, "ravi@example.com", "Ravi", "agent"))
    assert ravi in platform.default.desk.agents
    within(lambda c: members.set_role(c, ravi, "reader"))
    assert ravi not in platform.default.desk.agents
    within(lambda c: members.set_role(c, ravi, "supervisor"))
    within(lambda c: members.remove(c, ravi))
    assert ravi not in platform.default.desk.agents
    platform.reload_members()
    assert other.desk is before
