"""`user360 member`: inviting, a new link, another role, removing."""

from __future__ import annotations

from tests.cli.conftest import Run


def test_a_member_from_invitation_to_removal(at: Run) -> None:
    invited = at("member", "invite", "asha@example.com", "Asha Rao", "--role", "admin")
    assert invited.code == 0
    assert invited.out.startswith("/join/")
    assert "shown only now" in invited.err
    listed = at("member", "list")
    assert "asha@example.com" in listed.out
    assert "Asha Rao" in listed.out
    again = at("member", "link", "Asha@example.com")
    assert again.out.startswith("/join/")
    assert again.out != invited.out
    at("member", "invite", "meera@example.com", "Meera")
    assert "Meera is agent now" in at("member", "role", "meera@example.com", "agent").out
    assert "Removed meera" in at("member", "remove", "meera@example.com", "--yes").out
    told = at("member", "list", "--json").json
    assert [m["email"] for m in told["members"]] == ["asha@example.com"]


def test_what_cannot_be_is_said(at: Run) -> None:
    at("member", "invite", "asha@example.com", "Asha Rao", "--role", "admin")
    last = at("member", "remove", "asha@example.com", "--yes")
    assert last.code == 2
    assert "needs an admin" in last.err
    nobody = at("member", "link", "nobody@example.com")
    assert (nobody.code, "no member" in nobody.err) == (2, True)
