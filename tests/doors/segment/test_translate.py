"""Messages as calls: each kind, its ids, its times, and what is refused by name."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from user360 import clock
from user360.doors.segment import messages, report
from user360.doors.segment.translate import Origin, skew_of, translate
from user360.errors import Invalid, Malformed, Problem
from user360.ingest.call import Call, Outcome, Session, Verb

NOW = clock.to_us(datetime(2026, 11, 22, 5, 40, tzinfo=UTC))
ORIGIN = Origin(workspace=1, ref="key:1", received=NOW, zone=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)

FIELDS = (
    "userId", "anonymousId", "previousId", "groupId", "messageId", "timestamp",
    "originalTimestamp", "sentAt", "event", "name", "category",
)  # fmt: skip


def read(sent: dict[str, Any]) -> messages.Message:
    return messages.read_message(json.dumps(sent).encode())


def calls_of(origin: Origin = ORIGIN, **sent: Any) -> list[Call]:
    return translate(read(sent), origin)


def call_of(origin: Origin = ORIGIN, **sent: Any) -> Call:
    (call,) = calls_of(origin, **sent)
    return call


def paths_refused(**sent: Any) -> list[str]:
    with pytest.raises(Problem) as refused:
        calls_of(**sent)
    return [fault.path for fault in refused.value.faults]


def test_identify_writes_its_traits_and_identifies_the_session() -> None:
    call = call_of(
        type="identify",
        userId="ana",
        anonymousId="b-7",
        messageId="m1",
        traits={"name": "Ana Lima"},
    )
    assert (call.user_id, call.session, call.message_id) == ("ana", Session("web", "b-7"), "m1")
    assert call.properties == {"firstName": "Ana", "lastName": "Lima"}
    assert (call.source, call.undeclared, call.event) == ("sdk", "create", None)


def test_identify_takes_the_traits_of_its_context_and_its_own_go_before() -> None:
    context = {"traits": {"city": "Goa", "plan": "pro"}}
    call = call_of(type="identify", userId="ana", context=context, traits={"city": "Pune"})
    assert call.properties == {"city": "Pune", "plan": "pro"}


def test_track_is_an_event_under_its_message_id() -> None:
    call = call_of(
        type="track", userId="ana", event="Purchase", properties={"amount": 5}, messageId="m1"
    )
    assert call.event is not None
    assert (call.event.name, call.event.properties, call.event.id) == (
        "Purchase", {"amount": 5}, "m1",
    )  # fmt: skip
    assert call.properties == {}


def test_an_event_without_a_message_id_is_given_a_fresh_one_each_time() -> None:
    first, second = (
        translate(read({"type": "track", "userId": "ana", "event": "Purchase"}), ORIGIN, "", place)
        for place in (0, 1)
    )
    assert first[0].event is not None
    assert first[0].event.id is None
    assert first[0].message_id < second[0].message_id


def test_traits_beside_an_event_are_a_call_of_their_own() -> None:
    event, traits = calls_of(
        type="track", userId="ana", event="Purchase", context={"traits": {"plan": "pro"}}
    )
    assert event.event is not None
    assert event.properties == {}
    assert (traits.event, traits.properties) == (None, {"plan": "pro"})
    assert (traits.user_id, traits.at) == (event.user_id, event.at)


@pytest.mark.parametrize(("kind", "name"), [("page", "Page Viewed"), ("screen", "Screen Viewed")])
def test_pages_and_screens_are_events_that_keep_their_name(kind: str, name: str) -> None:
    sent = {"name": "Prices", "category": "Shop", "properties": {"path": "/prices"}}
    event = call_of(type=kind, anonymousId="b-7", **sent).event
    assert event is not None
    assert event.name == name
    assert event.properties == {"path": "/prices", "name": "Prices", "category": "Shop"}


def test_a_page_without_a_name_keeps_the_properties_it_has() -> None:
    event = call_of(type="page", anonymousId="b-7", properties={"name": "Home"}).event
    assert event is not None
    assert event.properties == {"name": "Home"}


def test_group_is_an_event_and_a_property_whatever_the_setting_for_traits() -> None:
    strict = Origin(workspace=1, ref="key:1", received=NOW, zone=UTC, undeclared="reject")
    call = call_of(strict, type="group", userId="ana", groupId=12, traits={"name": "Acme"})
    assert call.event is not None
    assert call.event.name == "Group"
    assert call.event.properties == {"name": "Acme", "groupId": "12"}
    assert (call.properties, call.undeclared) == ({"groupId": "12"}, "create")


def test_alias_says_who_went_by_another_id() -> None:
    call = call_of(type="alias", userId="ana", previousId="b-7")
    assert (call.verb, call.user_id, call.previous) == (Verb.ALIAS, "ana", "b-7")
    assert call.session is None


def test_alias_of_a_browser_means_the_visitor_it_was() -> None:
    assert call_of(type="alias", userId="ana", anonymousId="b-7").previous == "b-7"


def test_the_channel_is_that_of_the_context() -> None:
    call = call_of(type="track", anonymousId="d-1", event="x", context={"channel": "mobile"})
    assert call.session == Session("mobile", "d-1")
    assert call.channel == "mobile"


def test_the_context_of_a_batch_is_that_of_messages_without_one() -> None:
    context = messages.Context(channel="mobile")
    shared = Origin(workspace=1, ref="key:1", received=NOW, zone=UTC, context=context)
    assert call_of(shared, type="track", userId="ana", event="x").channel == "mobile"
    own = call_of(shared, type="track", userId="ana", event="x", context={"channel": "tv"})
    assert own.channel == "tv"


def test_ids_may_be_numbers_and_blank_ones_are_none() -> None:
    call = call_of(type="track", userId=42, anonymousId="", event="x", messageId=7)
    assert (call.user_id, call.session, call.message_id) == ("42", None, "7")


@pytest.mark.parametrize(
    ("sent", "at"),
    [
        ({}, "2026-11-22T05:40:00"),
        ({"timestamp": "2026-11-20T10:00:00Z"}, "2026-11-20T10:00:00"),
        ({"timestamp": "2026-11-20T10:00:00+05:30"}, "2026-11-20T04:30:00"),
        ({"timestamp": "2026-11-20T10:00:00.123456789Z"}, "2026-11-20T10:00:00.123456"),
        ({"originalTimestamp": "2026-11-20T10:00:00Z"}, "2026-11-20T10:00:00"),
        # A clock nine minutes behind is taken at its word, one of an hour is corrected.
        ({"timestamp": "2026-11-22T05:30:00Z", "sentAt": "2026-11-22T05:31:00Z"},
         "2026-11-22T05:30:00"),
        ({"timestamp": "2026-11-22T04:30:00Z", "sentAt": "2026-11-22T04:40:00Z"},
         "2026-11-22T05:30:00"),
        ({"originalTimestamp": "2027-11-22T04:30:00Z", "sentAt": "2027-11-22T04:40:00Z"},
         "2026-11-22T05:30:00"),
    ],
    ids=str,
)  # fmt: skip
def test_the_time_of_a_message(sent: dict[str, Any], at: str) -> None:
    call = call_of(type="track", userId="ana", event="x", **sent)
    assert clock.to_datetime(call.at) == datetime.fromisoformat(at).replace(tzinfo=UTC)


def test_a_time_without_offset_is_the_workspaces() -> None:
    here = Origin(workspace=1, ref="key:1", received=NOW, zone=ZoneInfo("Asia/Kolkata"))
    call = call_of(here, type="track", userId="ana", event="x", timestamp="2026-11-20T10:00:00")
    assert clock.to_datetime(call.at) == datetime(2026, 11, 20, 4, 30, tzinfo=UTC)


def test_a_batch_corrects_all_its_messages_by_one_clock() -> None:
    skew = skew_of("2026-11-22T04:40:00Z", NOW, UTC)
    origin = Origin(workspace=1, ref="key:1", received=NOW, zone=UTC, skew=skew)
    call = call_of(origin, type="track", userId="a", event="x", timestamp="2026-11-22T04:30:00Z")
    assert clock.to_datetime(call.at) == datetime(2026, 11, 22, 5, 30, tzinfo=UTC)
    assert skew_of("2026-11-22T05:39:00Z", NOW, UTC) == 0


@pytest.mark.parametrize(
    ("sent", "paths"),
    [
        ({"type": "track", "event": "x"}, ["userId"]),
        ({"type": "track", "event": "x", "userId": " "}, ["userId"]),
        ({"type": "track", "event": "x", "userId": "a", "timestamp": "soon"}, ["timestamp"]),
        ({"type": "track", "event": "x", "userId": "a", "messageId": "m" * 256}, ["messageId"]),
        ({"type": "track", "event": "x", "userId": "a", "messageId": "m\n"}, []),
        ({"type": "track", "event": "x", "userId": "a", "messageId": "m\nn"}, ["messageId"]),
        ({"type": "group", "userId": "a"}, ["groupId"]),
        ({"type": "alias", "userId": "a"}, ["previousId"]),
        ({"type": "alias", "anonymousId": "b"}, ["userId"]),
        ({"type": "alias", "previousId": "b"}, ["userId"]),
        ({"type": "track", "event": "x", "timestamp": "x", "messageId": "m" * 256},
         ["userId", "messageId", "timestamp"]),
    ],
    ids=str,
)  # fmt: skip
def test_every_field_no_call_can_be_made_of_is_named(
    sent: dict[str, Any], paths: list[str]
) -> None:
    assert (paths_refused(**sent) if paths else []) == paths
    if not paths:
        assert calls_of(**sent)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"", ""),
        (b"[]", ""),
        (b'{"type": "purchase"}', "type"),
        (b"{}", "type"),
        (b'{"type": 5}', "type"),
        (b'{"type": "track", "userId": true}', "userId"),
        (b'{"type": "track", "userId": 1.5}', "userId"),
        (b'{"type": "track", "properties": []}', "properties"),
        (b'{"type": "track", "context": {"traits": 5}}', "context.traits"),
        (b'{"type": "track", "properties": {"a": 1e400}}', "properties"),
        (b'{"type": "track", "event": "\xff"}', ""),
        (b'{"type": "track", "event": "\\ud800"}', ""),
        (b'{"type": "track", "properties": ' + b'{"a":' * 3_000 + b"1" + b"}" * 3_001, ""),
        (b'{"type": "track", "event": "' + b"x" * 33_000 + b'"}', ""),
    ],
    ids=lambda part: str(part)[:40],
)
def test_what_is_no_message_is_refused_with_its_place(body: bytes, path: str) -> None:
    with pytest.raises(Problem) as refused:
        messages.read_message(body)
    (fault,) = refused.value.faults
    assert fault.path == path


def test_a_refusal_never_repeats_a_value_that_was_sent() -> None:
    with pytest.raises(Problem) as refused:
        messages.read_message(b'{"type": "ana@example.com"}')
    assert "ana@example.com" not in str(refused.value.faults)


@given(
    st.fixed_dictionaries(
        {"type": st.sampled_from(list(messages.KINDS))},
        optional=dict.fromkeys(FIELDS, JSON)
        | {
            "traits": st.dictionaries(st.text(), JSON, max_size=3),
            "properties": st.dictionaries(st.text(), JSON, max_size=3),
            "context": st.fixed_dictionaries(
                {}, optional={"channel": JSON, "traits": st.dictionaries(st.text(), JSON)}
            ),
        },
    )
)  # fmt: skip
def test_any_json_is_translated_or_refused(sent: dict[str, Any]) -> None:
    with contextlib.suppress(Invalid, Malformed):
        message = read(sent)
        check_paths(message, translate(message, ORIGIN, "batch.3"))


def check_paths(message: messages.Message, calls: list[Call]) -> None:
    for call in calls:
        failed = Outcome(status="failed", problem=Problem.at("batch.3.session.id", "no"))
        (fault,) = report.faults_of(message, call, failed)
        assert fault.path == "batch.3.anonymousId"


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for read_it in (messages.read_message, messages.read_batch):
        with contextlib.suppress(Malformed):
            read_it(body)
    assert messages.write_key(body) is None or isinstance(messages.write_key(body), str)


@pytest.mark.parametrize("digits", [30, 4_300, 5_000])
def test_a_number_of_any_length_is_an_id_or_refused(digits: int) -> None:
    body = b'{"type": "track", "event": "x", "userId": ' + b"9" * digits + b"}"
    with contextlib.suppress(Invalid, Malformed):
        (call,) = translate(messages.read_message(body), ORIGIN)
        assert call.user_id == "9" * digits
