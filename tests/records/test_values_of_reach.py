from __future__ import annotations

import re

import email_validator
import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.records.reading import parse, refusal
from user360.records.properties import Type
from user360.records.values import BadValue

# E-mail addresses


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (" Ana.Lima@Example.COM ", "ana.lima@example.com"),
        ("x@shop.test", "x@shop.test"),
        ("o'neil+news@mail.example.org", "o'neil+news@mail.example.org"),
        ("JOSÉ@exämple.com", "josé@exämple.com"),
        ("jose\u0301@example.com", "jos\u00e9@example.com"),
        ("a@xn--exmple-cua.com", "a@exämple.com"),
        ("a@" + "b" * 63 + ".com", "a@" + "b" * 63 + ".com"),
    ],
)
def test_an_address_is_kept_in_lower_case(given: str, kept: str) -> None:
    assert parse(Type.EMAIL, given) == kept


@pytest.mark.parametrize(
    "given",
    [
        "ana",
        "ana@",
        "@x.com",
        "a@b",
        "a@test",
        "a@b..com",
        "a..b@x.com",
        ".a@x.com",
        "a@-b.com",
        7,
        "a b@x.com",
        "Ana <a@x.com>",
        "a@[127.0.0.1]",
        "a@1.2.3.4",
        "a@x.com.",
        "a@b.local",
        "a@host.invalid",
        "a,b@x.com",
        "a@x.com;b@x.com",
        "a\ud800@x.com",
        "a@" + "b" * 64 + ".com",
        "a@" + "b." * 130 + "com",
    ],
)
def test_what_is_no_address_is_refused(given: object) -> None:
    assert "e-mail" in refusal(Type.EMAIL, given)


def test_endless_texts_are_refused_at_once() -> None:
    refusal(Type.EMAIL, "x" * 5_000_000)
    refusal(Type.EMAIL, "a@" + "b-" * 2_000_000)
    refusal(Type.PHONE, "9" * 5_000_000)
    refusal(Type.PHONE, 10**5000)
    refusal(Type.URL, "http://" + "a" * 5_000_000)


LABEL = st.from_regex(r"[a-z0-9-]{1,12}", fullmatch=True)
LOCAL = st.from_regex(r"[a-z0-9_+.-]{1,12}", fullmatch=True)
ENDING = st.sampled_from(["com", "test", "local", "invalid", "onion", "c", "x1", "1", "museum"])


@settings(max_examples=300)
@given(LOCAL, st.lists(LABEL, min_size=1, max_size=3), ENDING)
@example("a", ["xn--exmple-cua"], "com")
@example("a", ["ab--cd"], "com")
@example("a", ["local"], "com")
def test_the_usual_address_is_judged_as_the_library_judges_it(
    local: str, labels: list[str], ending: str
) -> None:
    text = f"{local}@{'.'.join(labels)}.{ending}"
    try:
        judged: str | None = email_validator.validate_email(
            text, check_deliverability=False, test_environment=True
        ).normalized.lower()
    except email_validator.EmailNotValidError:
        judged = None
    if judged is None:
        refusal(Type.EMAIL, text)
    else:
        assert parse(Type.EMAIL, text) == judged


@settings(max_examples=300)
@given(st.emails() | st.text(max_size=20).map(lambda local: f"{local}@exämple.com"))
def test_a_kept_address_is_its_own_form(address: str) -> None:
    try:
        kept = parse(Type.EMAIL, address)
    except BadValue:
        return
    assert isinstance(kept, str)
    assert kept == kept.lower()
    assert len(kept) <= 254
    assert parse(Type.EMAIL, kept) == kept


# Phone numbers


@pytest.mark.parametrize(
    "given",
    [
        "+919876543210",
        "919876543210",
        "+91 98765 43210",
        "91-98765-43210",
        "+91 (98765) 43210",
        "00919876543210",
        "\u202a+91\u00a098765\u00a043210\u202c",
        "٩١٩٨٧٦٥٤٣٢١٠",
        919876543210,
        "+91.98765.43210",
        "+91 98765‑43210",
        "  919876543210\n",
        "＋919876543210",
    ],
)
def test_one_number_has_one_form_however_it_is_written(given: object) -> None:
    assert parse(Type.PHONE, given) == "+919876543210"


def test_the_trunk_zero_people_write_in_parentheses_is_dropped() -> None:
    assert parse(Type.PHONE, "+44 (0)20 7946 0958") == "+442079460958"


def test_a_mexican_mobile_number_is_the_same_with_and_without_its_former_1() -> None:
    assert parse(Type.PHONE, "5215512345678") == parse(Type.PHONE, "+52 55 1234 5678")


@pytest.mark.parametrize(
    "given",
    [
        "9876543210",
        "09876543210",
        "12345",
        "+",
        "---",
        "++919876543210",
        "+0919876543210",
        "+999123",
        "+1 415 555 2671 ext 5",
        "1-800-FLOWERS",
        "tel:+919876543210",
        "+91 98765 4321",
        "+919876543210, +919876543211",
        -919876543210,
        0,
        ["+919876543210"],
    ],
)
def test_what_is_no_number_with_its_country_code_is_refused(given: object) -> None:
    assert "country code" in refusal(Type.PHONE, given)


@pytest.mark.parametrize(
    "given", ["9.19E+11", "9,19e+11", "9E11", "919876543210.0", 919876543210.0, 9.19e11]
)
def test_what_a_spreadsheet_did_to_a_number_is_named(given: object) -> None:
    assert "spreadsheets" in refusal(Type.PHONE, given)


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_numbers_of_every_region_keep_their_form(region: str) -> None:
    for kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE):
        number = phonenumbers.example_number_for_type(region, kind)
        if number is None:
            continue
        written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        assert parse(Type.PHONE, written) == written
        assert parse(Type.PHONE, written[1:]) == written
        shown = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
        assert parse(Type.PHONE, shown) == written


@settings(max_examples=300)
@given(st.integers(10**6, 10**15 - 1))
def test_a_kept_number_is_its_own_form(number: int) -> None:
    try:
        kept = parse(Type.PHONE, number)
    except BadValue:
        return
    assert isinstance(kept, str)
    assert re.fullmatch(r"\+[1-9][0-9]{5,14}", kept)
    assert parse(Type.PHONE, kept) == kept


# Web addresses


@pytest.mark.parametrize(
    "given",
    [
        "http://x.org",
        "HTTPS://Shop.Example/Path?a=B#C",
        "http://localhost:8080/",
        "https://é.com/ü",
        "http://[::1]:80/",
        "http://ana:pw@x.org/",
        "http://127.0.0.1",
        "https://x.org?q={a|b}",
        "http://a_b.x.org.",
        "https://x.org/" + "a" * 2034,
    ],
)
def test_a_web_address_is_kept_as_given(given: str) -> None:
    assert parse(Type.URL, f" {given} ") == given


@pytest.mark.parametrize(
    "given",
    [
        "x.org",
        "//x.org",
        "ftp://x.org",
        "javascript:alert(1)",
        "http:x",
        "http://",
        "http:///p",
        7,
        "http://x y.org",
        "http://x.org/a b",
        "http://x.org/\nb",
        "http://x.org/\u00a0b",
        "http://-",
        "http://..",
        "http://[::1",
        "http://[zz]/",
        "http://[::1]x/",
        "http://a\\b",
        "http://x:0/",
        "http://x:99999/",
        "http://x:y/",
        "http://@/",
        "http://\ud800.org",
        "https://x.org/" + "a" * 2035,
        "http://℀.org",
    ],
)
def test_what_is_no_web_address_is_refused(given: object) -> None:
    assert "http" in refusal(Type.URL, given)
