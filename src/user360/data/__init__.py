"""The demo's data: the real purchases of CDNOW's customers, and made-up people to go with them.

The purchases are every one that the 23,570 people who first bought from the CD shop CDNOW in the
first quarter of 1997 made until June 1998, a data set that Peter Fader and Bruce Hardie published
for research. It names nobody: **names, e-mail addresses, telephone numbers, countries and all else
about a customer are generated here from the customer's number**, the same on every machine.
"""

from __future__ import annotations

import datetime
import gzip
import io
import struct
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from importlib import resources
from typing import TypeVar

import msgspec

from user360.data.names import COUNTRIES, Country

CUSTOMERS = 23_570
PURCHASES = 69_659
FIRST_DAY = datetime.date(1997, 1, 1)
LAST_DAY = datetime.date(1998, 6, 30)

T = TypeVar("T")


class Purchase(msgspec.Struct, frozen=True):
    """One purchase: the `number`-th of all, by customer 1 to 23,570, for `amount` dollars."""

    number: int
    customer: int
    date: datetime.date
    quantity: int
    amount: float

    @property
    def user_id(self) -> str:
        """The userId of the customer who bought."""
        return user_id(self.customer)


class Customer(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One made-up person; as JSON its fields are the system properties that they fill.

    `email` is at example.com, `phone` in E.164; `phone` and `dob` are unknown for some, as they
    are in life.
    """

    user_id: str
    first_name: str
    last_name: str
    gender: str
    country: str
    city: str
    language: str
    timezone: str
    email: str
    email_optin: bool
    sms_optin: bool
    whats_app_optin: bool
    phone: str | None = None
    dob: str | None = None


def user_id(customer: int) -> str:
    """`cdnow-00042`, the userId of customer 42."""
    return f"cdnow-{customer:05}"


def purchases() -> Iterator[Purchase]:
    """All 69,659 purchases, by customer and date; the same customer may buy twice in a day."""
    packed = resources.files(__name__).joinpath("cdnow.txt.gz").read_bytes()
    with gzip.open(io.BytesIO(packed), "rt", encoding="ascii") as lines:
        next(lines)  # the names of the columns
        for number, line in enumerate(lines, start=1):
            customer, date, quantity, amount = line.split()
            day = datetime.date(int(date[:4]), int(date[4:6]), int(date[6:]))
            yield Purchase(number, int(customer), day, int(quantity), float(amount))


def customers() -> list[Customer]:
    """The 23,570 customers in the order of their numbers; telephone numbers are all different."""
    seen: Counter[str] = Counter()
    people = []
    for number in range(1, CUSTOMERS + 1):
        draws = _draws(number)
        country = _country(draws[0])
        people.append(_customer(number, country, seen[country.code], draws))
        seen[country.code] += 1
    return people


def _draws(number: int) -> tuple[int, ...]:
    """Sixteen evenly spread numbers below 2**32 that depend on the customer's number alone."""
    return struct.unpack("<16I", blake2b(f"cdnow:{number}".encode()).digest())


def _country(draw: int) -> Country:
    percent = draw % 100
    for country in COUNTRIES:
        percent -= country.share
        if percent < 0:
            return country
    raise AssertionError("the shares of the countries add up to 100")


def _customer(number: int, country: Country, nth: int, draws: Sequence[int]) -> Customer:
    """The person behind a number, who is the `nth` of the country."""
    female = draws[1] % 2 == 0
    first = _one(country.women if female else country.men, draws[2])
    last = _one(country.surnames, draws[3])
    city, zone = _one(country.cities, draws[4])
    chats = country.code in ("IN", "BR")  # where most of the business is done on WhatsApp
    return Customer(
        user_id=user_id(number),
        first_name=first,
        last_name=last,
        gender="female" if female else "male",
        country=country.code,
        city=city,
        language=_one(country.languages, draws[5]),
        timezone=zone,
        email=f"{_plain(first)}.{_plain(last)}.{number}@example.com",
        email_optin=draws[6] % 100 < 70,
        sms_optin=draws[7] % 100 < 35,
        whats_app_optin=draws[8] % 100 < (65 if chats else 20),
        phone=_phone(country, nth) if draws[9] % 8 else None,
        dob=_birthday(draws[10]) if draws[11] % 3 else None,
    )


def _one(choices: Sequence[T], draw: int) -> T:
    return choices[draw % len(choices)]


def _phone(country: Country, nth: int) -> str:
    """A number of its own for the n-th person: round the prefixes, scattered within each."""
    round_, which = divmod(nth, len(country.prefixes))
    size = 10**country.digits
    tail = (round_ * 7919 + 613) % size  # 7919 is prime to 10, so no tail comes twice in a prefix
    return f"{country.prefixes[which]}{tail:0{country.digits}}"


def _birthday(draw: int) -> str:
    """A date between 1930 and 1979: everybody was of age in 1997."""
    start = datetime.date(1930, 1, 1)
    days = (datetime.date(1980, 1, 1) - start).days
    return (start + datetime.timedelta(days=draw % days)).isoformat()


def _plain(name: str) -> str:
    """A name as it stands in an e-mail address: `Jörg` -> `jorg`, `O'Brien` -> `obrien`."""
    letters = unicodedata.normalize("NFKD", name.replace("ß", "ss").replace("ı", "i"))
    return "".join(c for c in letters.lower() if c.isascii() and c.isalnum())
