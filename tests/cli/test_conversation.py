"""Conversations from the command line."""

from __future__ import annotations

from pathlib import Path

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


def test_an_answer_by_mail_goes_to_others_who_are_named(at: Run) -> None:
    hello(at, "email/t")
    given = ("conversation", "reply", "c1", "To both", "--cc", "ravi@example.org", "--json")
    assert at(*given).json["message"]["detail"] == {"cc": ["ravi@example.org"]}
    hello(at, "api/a")
    refused = at("conversation", "reply", "c2", "To both", "--cc", "ravi@example.org")
    assert refused.code != 0
    assert "Copies go with e-mails alone" in refused.err


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


def test_lists_are_of_whom_a_condition_holds_for_of_a_segment_and_of_a_group(at: Run) -> None:
    for number, (name, city) in enumerate([("asha", "Pune"), ("dev", "Delhi"), ("meera", "Pune")]):
        at("user", "set", name, f"city={city}")
        assert hello(at, f"api/{name}", "--user", name) == f"c{number + 1}"
    where = '{"property": "city", "op": "is", "values": ["Pune"]}'
    at("segment", "create", "From Pune", "--where", where)

    def listed(*asked: str) -> list[str]:
        found = at("conversation", "list", *asked, "--json")
        assert found.code == 0, found.err
        return [each["id"] for each in found.json["conversations"]]

    assert listed("--where", where) == ["c3", "c1"]
    assert listed("--segment", "from pune") == ["c3", "c1"]
    assert listed("--where", where, "--limit", "1") == ["c3"]
    assert listed("--where", where, "--user", "asha", "--search", "kettle") == ["c1"]
    assert listed("--record", at("user", "get", "dev", "--json").json["id"]) == ["c2"]
    assert listed("--group", "none", "--limit", "1000") == ["c3", "c2", "c1"]
    at("conversation", "edit", "c2", "--tag", "late")
    assert listed("--tag", "late") == ["c2"]
    assert "no segment" in at("conversation", "list", "--segment", "nobody").err
    assert "not JSON" in at("conversation", "list", "--where", "{").err
    assert (
        "where.property" in at("conversation", "list", "--where", where.replace("city", "town")).err
    )


def test_deeds_follow_a_conversation_to_its_end(at: Run) -> None:
    number = hello(at)
    bot = at("conversation", "bot", number)
    assert bot.out == f"{number} is with the bot\n", bot.err
    handed = at("conversation", "handover", number, "--ticket", "--subject", "A late kettle")
    assert handed.out == f"{number} is open\n", handed.err
    edited = at("conversation", "edit", number, "--priority", "high", "--tag", "late").out
    assert edited == f"{number} has the priority high, tagged late\n"
    assert at("conversation", "move", number, "onHold").out == f"{number} is onHold\n"
    at("conversation", "resolve", number)
    assert at("conversation", "reopen", number).out == f"{number} is open\n"
    shown = at("conversation", "show", number, "--json").json["conversation"]
    assert (shown["subject"], shown["tags"]) == ("A late kettle", ["late"])
    assert "--subject" in at("conversation", "edit", number).err
    assert "state" in at("conversation", "move", number, "lost").err


def test_a_report_counts_what_began(at: Run, tmp_path: Path) -> None:
    hello(at, "api/a")
    hello(at, "email/b")
    at("conversation", "resolve", "c1")
    told = at("conversation", "report", "--by", "channel")
    assert told.code == 0, told.err
    lines = [line.split()[:5] for line in told.out.splitlines() if line.strip()]
    assert ["api", "1", "0", "1", "0"] in lines
    assert ["email", "1", "1", "0", "0"] in lines
    assert lines[-1] == ["total", "2", "1", "1", "0"]
    file = tmp_path / "days.csv"
    assert at("conversation", "report", "--by", "day", "--csv", str(file)).code == 0
    assert file.read_text().splitlines()[-1].startswith(",total,2,")
    assert "topic" in at("conversation", "report", "--by", "moon").err


def test_what_cannot_be_done_is_said(at: Run) -> None:
    assert "no conversation" in at("conversation", "show", "c9").err
    assert "CHANNEL/ID" in at("conversation", "say", "api", "Hello").err
    number = hello(at)
    at("conversation", "resolve", number)
    again = at("conversation", "resolve", number)
    assert again.code != 0
    assert "ended" in again.err
    assert "member" in at("conversation", "assign", hello(at), "--to", "x@example.com").err
