"""Conversations from the command line."""

from __future__ import annotations

from tests.cli.conftest import Run


def hello(at: Run, session: str = "api/a", *more: str) -> str:
    """Somebody says hello; the conversation."""
    said = at("conversation", "say", session, "Hello, my kettle is late", *more, "--json")
    conversation: str = said.json["conversationId"]
    return conversation


def test_a_conversation_is_found_read_answered_and_resolved(at: Run) -> None:
    assert hello(at, "api/a", "--user", "asha") == "c1"
    hello(at, "email/b")
    found = at("conversation", "list", "--user", "asha", "--search", "kettle", "--json").json
    assert [each["id"] for each in found["conversations"]] == ["c1"]
    assert "Said as" in at("conversation", "reply", "c1", "It is on its way").out
    assert "Noted as" in at("conversation", "reply", "c1", "Angry", "--note").out
    shown = at("conversation", "show", "c1").out
    assert shown.startswith("c1 chat open on api with asha")
    assert "customer: Hello, my kettle is late" in shown
    assert "note: Angry" in shown
    resolved = at("conversation", "resolve", "c1", "--reason", "answered", "--tag", "late")
    assert resolved.out == "c1 is resolved\n"
    listed = at("conversation", "list", "--state", "resolved").out
    assert "c1" in listed
    assert "c2" not in listed


def test_a_message_sent_twice_is_said_once(at: Run) -> None:
    for _ in range(2):
        hello(at, "api/a", "--id", "m-1")
    assert len(at("conversation", "show", "c1", "--json").json["messages"]) == 1


def test_a_conversation_is_given_to_a_member(at: Run) -> None:
    number = hello(at)
    at("member", "invite", "dev@example.com", "Dev", "--role", "agent")
    told = at("conversation", "assign", number, "--to", "dev@example.com", "--json")
    assert told.code == 0, told.err
    member = told.json["assignee"]
    assert (
        f"member {member} has it" in at("conversation", "assign", number, "--to", str(member)).out
    )
    said = at("conversation", "reply", number, "Hi", "--agent", "dev@example.com", "--json").json
    assert said["message"]["author"] == f"member:{member}"


def test_what_cannot_be_done_is_said(at: Run) -> None:
    assert "no conversation" in at("conversation", "show", "c9").err
    assert "CHANNEL/ID" in at("conversation", "say", "api", "Hello").err
    number = hello(at)
    at("conversation", "resolve", number)
    again = at("conversation", "resolve", number)
    assert again.code != 0
    assert "ended" in again.err
    assert "member" in at("conversation", "assign", hello(at), "--to", "x@example.com").err
