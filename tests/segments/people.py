"""People with awkward values around awkward moments."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from tests.segments.world import Happening, Person, World
from user360.records.properties import Catalogue, Property, Type

STATIC = 7  # the one static segment there is

CATALOGUE = Catalogue(
    [
        Property(101, "points", Type.NUMBER),
        Property(102, "plan", Type.STRING),
        Property(103, "lastVisit", Type.DATETIME),
        Property(104, "wakesAt", Type.TIME),
        Property(105, "site", Type.URL),
    ]
)
TYPES = {p.name: p.type.value for p in CATALOGUE} | dict.fromkeys(
    ("createdAt", "updatedAt"), "datetime"
)
ASKED = {
    "string": ["plan", "country"],
    "number": ["points"],
    "datetime": ["lastVisit", "createdAt", "updatedAt"],
    "date": ["dob"],
    "time": ["wakesAt"],
    "url": ["site"],
    "boolean": ["emailOptin"],
    "list": ["tags"],
    "email": ["email"],
    "phone": ["phone"],
}

TEXTS = [
    "a_b", "aXb", "100%", "%", "_", "É", "é", "ÉCOLE", "İstanbul", "istanbul", "ISTANBUL",
    "O'Brien", 'say "hi"', "back\\slash", "\\", "\\%", "5", "05", "5.0", "true", "null", "NULL",
    "ß", "SS", "ΣΑΣ", "σας", "σασ", "日本", "🤦🏼‍♂️", "in", "IN", "In", "a b", "'; --", "$1", "?",
    "[x]", "{x}",
]  # fmt: skip
NUMBERS = [0, -1, 5, 5.5, 12.5, 0.1, 0.3, -0.25, 999_999_999_999_999, 1e300, -1e-300]
TIMES = ["00:00:00", "00:00:01", "09:30:00", "12:00:00", "23:59:59"]
SITES = ["http://a.example/x", "https://a.example/X", "https://a.example/x?q=%27"]
EMAILS = ["ann@example.com", "bob@mail.example.com", "o'brien@example.org"]
PHONES = ["+919876543210", "+14155552671", "+4930123456"]
EVENTS = ["Purchase", "purchase", "O'Brien's", "Sign Up"]
ODD_KEYS = ['say "hi"', "*", "back\\slash", "it's", "0", "$", "a~/b", "[0]", "é"]
JUNK_MOMENTS = ["today", "2026-13-01", "20260101", "2026-01-01 (BC)", "2026-02-30T10:00:00Z", "", 5]

# Beside the plain ones: the hours where clocks change, leap days, the ends of months and years.
WORLDS = [
    (zone, datetime.fromisoformat(now))
    for zone, now in [
        ("UTC", "2026-11-22T05:40:00Z"),
        ("Europe/Berlin", "2026-03-29T00:59:59.999999Z"),
        ("Europe/Berlin", "2026-03-29T01:00:00Z"),
        ("Europe/Berlin", "2026-03-30T12:30:00Z"),
        ("Europe/Berlin", "2026-10-25T00:30:00Z"),
        ("Europe/Berlin", "2026-10-25T01:30:00.000001Z"),
        ("America/New_York", "2026-03-08T07:15:00Z"),
        ("America/New_York", "2026-11-01T06:15:00Z"),
        ("America/New_York", "2027-01-01T04:59:59.999Z"),
        ("Asia/Kolkata", "2028-02-28T18:30:00Z"),
        ("Asia/Kolkata", "2027-02-28T10:00:00Z"),
        ("Asia/Kolkata", "2028-02-29T10:00:00Z"),
        ("America/Sao_Paulo", "2018-11-04T12:00:00Z"),
        ("America/Sao_Paulo", "2018-02-18T02:30:00Z"),
        ("America/Havana", "2026-11-01T05:30:00Z"),
        ("Australia/Lord_Howe", "2026-04-04T15:15:00Z"),
        ("Pacific/Kiritimati", "2026-05-31T10:00:00Z"),
        ("UTC", "2026-03-31T00:00:00Z"),
    ]
]


def world(zone: str, now: datetime) -> World:
    """The world of the reference, with the properties there are."""
    return World(now, ZoneInfo(zone), TYPES)


@cache
def moments(world: World) -> list[datetime]:
    """The instants at which answers change: now, days, hours, months from it, and their sides."""
    here = world.now.astimezone(world.zone)
    midnights = [
        datetime.combine(here.date() + timedelta(days=n), time(), world.zone)
        for n in (-31, -30, -7, -2, -1, 0, 1, 2, 7, 8)
    ]
    same_time = [
        (here.replace(tzinfo=None, fold=0) + timedelta(days=n)).replace(tzinfo=world.zone)
        for n in (-31, -30, -28, -7, -2, -1, 1, 2, 7, 30)
    ]
    shifted = [
        world.now + timedelta(hours=n, minutes=m)
        for n in (-48, -24, -2, -1, 0, 1, 2, 24)
        for m in (-30, -1, 0, 1)
    ]
    exact = [each.astimezone(UTC) for each in (*midnights, *same_time, *shifted)]
    tick = timedelta(microseconds=1)
    return [side for each in exact for side in (each - tick, each, each + tick)]


@cache
def days(world: World) -> list[str]:
    """Days around today, birthdays, leap days, and the first and last there are."""
    today = world.now.astimezone(world.zone).date()
    near = [today + timedelta(days=n) for n in (-31, -30, -28, -7, -2, -1, 0, 1, 2, 7, 30, 31)]
    born = [date(1990 + n % 3, day.month, min(day.day, 28)) for n, day in enumerate(near)]
    fixed = ["2000-02-29", "1999-02-28", "1996-03-01", "1970-12-31", "0001-01-01", "9999-12-31"]
    return [each.isoformat() for each in (*near, *born)] + fixed


def stored(moment: datetime) -> str:
    """A moment as a property keeps it: UTC, milliseconds."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@cache
def pools(world: World) -> dict[str, list[Any]]:
    """The values that a property of each type may have."""
    return {
        "string": TEXTS,
        "number": NUMBERS,
        "datetime": sorted({stored(each) for each in moments(world)}),
        "date": days(world),
        "time": TIMES,
        "url": SITES,
        "boolean": [True, False],
        "list": [["vip"], ["VIP", "new"], ["a_b", "vip"], ["'", '"'], ["5"]],
        "email": EMAILS,
        "phone": PHONES,
    }


@cache
def written(world: World) -> list[Any]:
    """Moments as events write them: with an offset, by the wall's clock, as a day, or not."""
    found: list[Any] = [*JUNK_MOMENTS, *days(world)[:12]]
    for moment in moments(world)[::2]:
        here = moment.astimezone(world.zone)
        found.append(moment.isoformat().replace("+00:00", "Z"))
        found.append(here.isoformat())
        found.append(here.replace(tzinfo=None).isoformat(" "))
    return found


def population(world: World, seed: int, size: int = 60) -> list[Person]:
    """People with values and events drawn from the pools."""
    random = Random(seed)
    choices, texts = pools(world), written(world)
    at, people = moments(world), []
    for number in range(1, size + 1):
        properties = {
            name: random.choice(choices[kind])
            for kind, names in ASKED.items()
            for name in names
            if random.random() < 0.8 or name in ("createdAt", "updatedAt")
        }
        events = happenings(random, at, texts)
        segments = frozenset([STATIC] if random.random() < 0.5 else [])
        people.append(Person(number, properties, events, segments))
    return people


def happenings(random: Random, at: list[datetime], texts: list[Any]) -> list[Happening]:
    """Events as they arrive: late ones, and some at the very time of the one before."""
    events: list[Happening] = []
    for _ in range(random.choice([0, 0, 1, 2, 3, 6, 12])):
        together = bool(events) and random.random() < 0.3
        moment = events[-1].at if together else random.choice(at)
        name = random.choice(EVENTS[:2] * 3 + EVENTS)
        events.append(Happening(name, moment, held(random, texts)))
    return events


def held(random: Random, texts: list[Any]) -> dict[str, Any]:
    """The properties of an event: every JSON type in every place."""
    anything = [
        5,
        "5",
        5.0,
        0,
        -1,
        2.5,
        0.1,
        0.2,
        None,
        True,
        False,
        "",
        [],
        [5],
        {"sku": "5"},
        1e15,
    ]
    given = {
        "amount": random.choice(anything),
        "flag": random.choice([True, False, None, "true", 1, 0]),
        "at": random.choice(texts),
        "item": {"sku": random.choice([*TEXTS, *anything]), "tags": random.choice(
            [["vip"], ["5", 5, None], [], [["vip"]], "vip", None, ["é", "a_b", "'", '"', "\\"], [1]]
        )},
    }  # fmt: skip
    for key in random.sample(ODD_KEYS, 3):
        given[key] = random.choice(["hit", {"sku": "hit"}, 5, ["hit"]])
    return {key: value for key, value in given.items() if random.random() < 0.85}
