"""Who somebody says they are: the table of identity in a conversation, believed or proven."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.flows.counter import Counter
from user360.clock import StillClock
from user360.conversations.deeds import Deed
from user360.flows import claims
from user360.flows import store as flow_store
from user360.platform import Platform
from user360.records.properties import Property, Type
from user360.settings import Settings

BY_EMAIL = """
    start: who
    nodes:
      who:
        identify:
          by: email
          ask: What is your e-mail address?
        next: hello
      hello:
        message: Hello {{{user.firstName|there}}}!
        next: more
      more:
        prompt: {kind: text, ask: What can we do?, variable: wish}
        next: again
      again:
        identify:
          by: email
          ask: And who are you now?
          always: true
        next: done
      done:
        message: You are {{{user.userId|nobody}}}.
        next: agents
      agents:
        handOver: {}
""".replace("What can we do?", "'What can we do?'")

ASHA = "asha@example.com"


@pytest.fixture
def counter(platform: Platform) -> Counter:
    return Counter(platform, BY_EMAIL)


def test_who_is_new_is_assigned(counter: Counter) -> None:
    with counter.attended():
        assert counter.hears("Hi") == ["What is your e-mail address?"]
        visitor = counter.record()["id"]
        assert counter.hears(f" {ASHA.upper()} ") == ["Hello there!", "What can we do?"]
    found = counter.record()
    assert (found["id"], found["userId"]) == (visitor, ASHA)
    assert found["properties"]["email"] == ASHA


def test_who_is_known_is_merged_and_greeted_by_name(counter: Counter) -> None:
    counter.shop.write(ASHA, firstName="Asha")
    counter.shop.capture("s", city="Pune")
    with counter.attended():
        counter.hears("Hi")
        assert counter.hears(ASHA)[0] == "Hello Asha!"
    assert counter.knows()["city"] == "Pune"
    assert counter.record()["userId"] == ASHA


def test_who_is_identified_already_is_not_asked(counter: Counter) -> None:
    counter.shop.identify("s", ASHA, firstName="Asha")
    with counter.attended():
        assert counter.hears("Hi") == ["Hello Asha!", "What can we do?"]


def test_mid_conversation_it_may_be_somebody_else(counter: Counter) -> None:
    counter.shop.identify("s", ASHA, firstName="Asha", city="Pune")
    counter.shop.write("ravi@example.com", firstName="Ravi")
    with counter.attended():
        counter.hears("Hi")
        counter.hears("Help")
        assert counter.hears("ravi@example.com") == ["You are ravi@example.com."]
    assert counter.knows().get("city") is None
    assert counter.shop.known(ASHA)["city"] == "Pune"
    assert counter.held().state == "open"


def test_mid_conversation_somebody_new_begins_empty(counter: Counter) -> None:
    counter.shop.identify("s", ASHA, firstName="Asha")
    with counter.attended():
        counter.hears("Hi")
        counter.hears("Help")
        assert counter.hears("new@example.com") == ["You are new@example.com."]
    assert "firstName" not in counter.knows()
    assert counter.shop.person(ASHA) is not None


@pytest.mark.parametrize("typed", ["no idea", "asha@", "guest"])
def test_what_names_nobody_is_asked_again_and_then_left(counter: Counter, typed: str) -> None:
    with counter.attended():
        counter.hears("Hi")
        assert "Please try again" in counter.hears(typed)[0]
        counter.hears(typed)
        assert counter.hears(typed) == ["Hello there!", "What can we do?"]
    assert counter.record()["userId"] is None


def test_a_custom_property_identifies(platform: Platform) -> None:
    counter = Counter(platform, "start: a\nnodes: {a: {end: }}")
    counter.shop.declare(Property(101, "loanNumber", Type.STRING))
    counter.shop.choose(identifier="loanNumber")
    counter.put(BY_EMAIL.replace("by: email", "by: loanNumber"))
    counter.shop.send(user_id="L-77", properties={"firstName": "Asha"})
    with counter.attended():
        counter.hears("Hi")
        assert counter.hears("L-77")[0] == "Hello Asha!"
        assert counter.record()["properties"]["loanNumber"] == "L-77"


def test_an_answer_used_as_user_id_identifies(platform: Platform) -> None:
    flow = """
        start: ask
        nodes:
          ask:
            prompt: {kind: phone, ask: Your number, useAsUserId: true}
            next: done
          done:
            message: You are {{{user.userId}}}.
            next: ask
    """
    counter = Counter(platform, flow)
    with counter.attended():
        counter.hears("Hi")
        assert counter.hears("+91 98111 12222")[0] == "You are +919811112222."
        assert "country code" in counter.hears("12")[0]


def test_whatsapp_vouches_for_the_number_itself(platform: Platform) -> None:
    flow = BY_EMAIL.replace("by: email", "by: phone")
    counter = Counter(platform, flow, channel="whatsapp")
    counter.inbox(proof="proof")
    counter.shop.write("+919811112222", firstName="Asha")
    with counter.attended():
        assert counter.hears("Hi", "919811112222")[0] == "Hello Asha!"


# With proof: nobody joins an existing record on their word alone.


@pytest.fixture
def careful(counter: Counter) -> Counter:
    counter.inbox(proof="proof")
    counter.shop.write(ASHA, firstName="Asha", city="Pune")
    return counter


def test_the_right_code_joins(careful: Counter) -> None:
    with careful.attended():
        careful.hears("Hi")
        assert careful.hears(ASHA) == ["We have sent a code to a***@e***.com. Please type it here."]
        assert careful.record()["userId"] is None
        standing = claims.of(careful.platform, careful.held().id)
        assert standing is not None
        assert (standing.claim.user_id, standing.waits) == (ASHA, True)
        way, address, code = careful.letters.sent[0]
        assert (way, address) == ("email", ASHA)
        assert careful.hears(f" {code[:3]} {code[3:]} ")[0] == "Hello Asha!"
    assert careful.record()["userId"] == ASHA
    assert claims.of(careful.platform, careful.held().id) is None


def test_who_is_new_needs_no_code(careful: Counter) -> None:
    with careful.attended():
        careful.hears("Hi")
        assert careful.hears("new@example.com")[0] == "Hello there!"
    assert careful.letters.sent == []


def test_who_came_by_another_door_meanwhile_is_proven_first(
    careful: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = claims.is_somebody_else

    def late(*where: Any) -> int | None:
        found = looked(*where)
        monkeypatch.setattr(claims, "is_somebody_else", looked)
        careful.shop.write("new@example.com", email="new@example.com", city="Oslo")
        return found

    with careful.attended():
        careful.hears("Hi")
        monkeypatch.setattr(claims, "is_somebody_else", late)
        assert "We have sent a code" in careful.hears("new@example.com")[0]
    assert careful.record()["userId"] is None
    assert careful.letters.sent[0][1] == "new@example.com"


def test_whoever_names_too_many_is_told_and_not_left_waiting(counter: Counter) -> None:
    counter.shop.choose(merge_limit=1)
    counter.shop.write(ASHA, city="Pune")
    with counter.attended():
        for session in ("one", "two"):
            counter.hears("Hi", session)
            told = counter.hears(ASHA, session)
        assert "cannot be taken in" in told[0]


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def test_wrong_codes_are_borne_five_times(careful: Counter) -> None:
    with careful.attended():
        careful.hears("Hi")
        careful.hears(ASHA)
        for _ in range(4):
            assert "not the code" in careful.hears(wrong(careful.letters.code))[0]
        assert careful.hears(wrong(careful.letters.code))[0] == "Hello there!"
        careful.hears(careful.letters.code)
    assert careful.record()["userId"] is None
    standing = claims.of(careful.platform, careful.held().id)
    assert standing is not None
    assert not standing.waits


def test_an_old_code_is_followed_by_a_fresh_one(
    careful: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "LASTS", -1)
    with careful.attended():
        careful.hears("Hi")
        careful.hears(ASHA)
        old = careful.letters.code
        monkeypatch.undo()
        assert "sent a code" in careful.hears(old)[0]
        assert len(careful.letters.sent) == 2
        assert careful.hears(careful.letters.code)[0] == "Hello Asha!"


def test_nobody_gets_codes_without_end(careful: Counter) -> None:
    with careful.attended():
        for n in range(7):
            careful.hears("Hi", f"s{n}")
            careful.hears(ASHA, f"s{n}")
        assert len(careful.letters.sent) == 5
        assert careful.said("s6")[-2:] == ["Hello there!", "What can we do?"]


def test_a_session_gets_no_codes_without_end_either(careful: Counter) -> None:
    people = [f"p{n}@example.com" for n in range(7)]
    for person in people:
        careful.shop.write(person, city="Pune")
    with careful.attended():
        for person in people:
            careful.hears("Hi")
            careful.hears(person)
            careful.shop.send(
                conversation=careful.held().id, deed=Deed(action="resolve", by="key:1")
            )
    assert [address for _, address, _ in careful.letters.sent] == people[:5]


def asks(counter: Counter, platform: Platform, *sessions: str) -> int:
    """Somebody asks for codes in these sessions; how many were sent by now."""
    counter.platform = counter.shop.platform = platform
    counter.shop.workspace = platform.workspaces[counter.shop.workspace.id]
    with counter.attended():
        for session in sessions:
            counter.hears("Hi", session)
            counter.hears(ASHA, session)
    return len(counter.letters.sent)


def test_a_restart_forgets_no_code_that_was_sent(tmp_path: Path) -> None:
    clock = StillClock(1_790_000_000_000_000)
    with Platform.open(tmp_path / "data", Settings(), clock) as platform:
        counter = Counter(platform, BY_EMAIL)
        counter.inbox(proof="proof")
        counter.shop.write(ASHA, firstName="Asha")
        assert asks(counter, platform, "a", "b", "c") == 3
    with Platform.open(tmp_path / "data", Settings(), clock) as platform:
        assert asks(counter, platform, "d", "e", "f") == 5
    clock.at += claims.WHILE
    with Platform.open(tmp_path / "data", Settings(), clock) as platform:
        assert asks(counter, platform, "g") == 6


def test_what_is_counted_is_a_hash_and_goes_when_it_counts_no_more(careful: Counter) -> None:
    with careful.attended():
        careful.hears("Hi")
        careful.hears(ASHA)
    wanted = "SELECT of FROM codes_sent"
    with careful.platform.ledger.read() as connection:
        held = connection.exec_driver_sql(wanted).scalars().all()
    assert len(held) >= 2
    assert not [each for each in held if "asha" in each or not each]
    later = careful.platform.clock.now() + claims.WHILE
    careful.platform.write(lambda c: flow_store.forget_codes(c, later))
    with careful.platform.ledger.read() as connection:
        assert connection.exec_driver_sql(wanted).scalars().all() == []


@pytest.mark.parametrize("ways", [(), ("email", "whatsapp")])
def test_without_a_way_to_send_it_stays_a_claim(careful: Counter, ways: tuple[str, ...]) -> None:
    careful.letters.ways, careful.letters.broken = ways, True
    with careful.attended():
        careful.hears("Hi")
        assert careful.hears(ASHA)[0] == "Hello there!"
    assert careful.record()["userId"] is None
    standing = claims.of(careful.platform, careful.held().id)
    assert standing is not None
    assert (standing.claim.value, standing.waits) == (ASHA, False)


def test_a_code_goes_to_the_records_own_address(platform: Platform) -> None:
    counter = Counter(platform, "start: a\nnodes: {a: {end: }}")
    counter.shop.declare(Property(101, "loanNumber", Type.STRING))
    counter.inbox(proof="proof")
    counter.put(BY_EMAIL.replace("by: email", "by: loanNumber"))
    counter.shop.write("L-77", phone="+919811112222")
    with counter.attended():
        counter.hears("Hi")
        assert "+91***22" in counter.hears("L-77")[0]
    assert counter.letters.sent[0][:2] == ("whatsapp", "+919811112222")


def test_the_code_is_kept_as_a_hash_alone(careful: Counter) -> None:
    with careful.attended():
        careful.hears("Hi")
        careful.hears(ASHA)
    with careful.platform.ledger.read() as connection:
        rows = connection.exec_driver_sql("SELECT hash, claim FROM proofs").all()
        said = connection.exec_driver_sql("SELECT text FROM messages").scalars().all()
    code = careful.letters.code
    assert not [row for row in rows if code in row[0] or code in row[1]]
    assert not [text for text in said if code in text]


def test_the_identifier_is_a_claim_however_it_is_written(platform: Platform) -> None:
    flow = """
        start: ask
        nodes:
          ask:
            prompt: {kind: email, ask: Your mail}
            next: set
          set:
            set: {email: asha@example.com, city: Goa}
            next: agents
          agents:
            handOver: {}
    """
    counter = Counter(platform, flow)
    counter.shop.choose(identifier="email")
    counter.inbox(proof="proof")
    counter.shop.write(ASHA, city="Pune", email=ASHA)
    with counter.attended():
        counter.hears("Hi")
        counter.hears("other@example.com")
    assert counter.record()["userId"] == "other@example.com"
    assert counter.shop.known(ASHA)["city"] == "Pune"
