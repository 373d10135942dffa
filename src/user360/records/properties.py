"""What a workspace knows how to keep of a person: the declarations of its properties."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping

import msgspec


class Type(enum.StrEnum):
    """The types a property can have (specification: records, "Properties")."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"
    LIST = "list"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"


class Property(msgspec.Struct, frozen=True):
    """One declared property. `id` names its warehouse column (`p17`) for as long as it lives.

    `retyped` says that values may be held that were written under another type.
    """

    id: int
    name: str
    type: Type
    description: str = ""
    searchable: bool = True
    required: bool = False
    system: bool = False
    retyped: bool = False

    @property
    def column(self) -> str:
        """The column of the warehouse that holds it; `userId` is a column of its own."""
        return "user_id" if self.name == "userId" and self.system else f"p{self.id}"


SYSTEM: tuple[Property, ...] = tuple(
    Property(i, name, Type(kind), system=True)
    for i, (name, kind) in enumerate(
        [
            ("userId", "string"),
            ("firstName", "string"),
            ("lastName", "string"),
            ("gender", "string"),
            ("country", "string"),
            ("city", "string"),
            ("language", "string"),
            ("timezone", "string"),
            ("email", "email"),
            ("phone", "phone"),
            ("lastChannel", "string"),
            ("dob", "date"),
            ("emailOptin", "boolean"),
            ("smsOptin", "boolean"),
            ("whatsAppOptin", "boolean"),
            ("tags", "list"),
        ],
        start=1,
    )
)
FIRST_CUSTOM_ID = 101
READ_ONLY = ("id", "createdAt", "updatedAt", "profileComplete")


class Catalogue:
    """All declared properties of one workspace at one version; never changed, only replaced.

    Names are looked up as written; `near` finds one that differs only by case.
    """

    def __init__(self, custom: Iterable[Property] = (), version: int = 0) -> None:
        self.version = version
        self.by_name: dict[str, Property] = {p.name: p for p in (*SYSTEM, *custom)}
        self.custom = [p for p in self.by_name.values() if not p.system]
        self._folded = {name.lower(): p for name, p in self.by_name.items()}
        self._columns = {p.column: p.type.value for p in self}

    def get(self, name: str) -> Property | None:
        return self.by_name.get(name)

    def near(self, name: str) -> Property | None:
        return self._folded.get(name.lower())

    def __iter__(self) -> Iterator[Property]:
        return iter(self.by_name.values())

    def __len__(self) -> int:
        return len(self.by_name)

    def columns(self) -> Mapping[str, str]:
        """The warehouse's columns: name -> type."""
        return self._columns
