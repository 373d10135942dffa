"""The few shapes of SQL that conditions are made of.

Built lean from SQLGlot's expressions: its convenience functions parse and copy, which costs ten
times as much. Every literal and every identifier is an expression, so SQLGlot alone does the
quoting. What engines do each in their own way is a node of ours, put into words by `dialects`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from sqlglot import exp
from sqlglot.expressions import Expr

from user360.clock import to_datetime

TIMESTAMP = exp.DataType(this=exp.DataType.Type.TIMESTAMP)
DATE = exp.DataType(this=exp.DataType.Type.DATE)
TIME = exp.DataType(this=exp.DataType.Type.TIME)

# The moments a literal can hold; what lies beyond is cut to these.
_FIRST = -62_135_596_800_000_000  # 0001-01-01
_LAST = 253_402_300_799_999_999  # 9999-12-31, its last microsecond


class EngineFunction(exp.Expression, exp.Condition):
    """Something each engine does in its own way."""


class ListHas(EngineFunction):
    """Whether the list `this` holds any, or with `every` all, of the texts `expressions`."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "expressions": True, "every": False}


class LocalDay(EngineFunction):
    """The day that the UTC timestamp `this` falls on in `zone`."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "zone": True}


class MonthDay(EngineFunction):
    """Month and day of the date or timestamp `this` as one number: 229 is the 29th of February."""


class JsonPart(EngineFunction):
    """Something read from the JSON text `this`, below the object keys `expressions`."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "expressions": True}


class JsonValue(JsonPart):
    """The value as it is written in JSON. NULL when it is null or missing."""


class JsonIsText(JsonPart):
    """Whether there is a text. False or NULL otherwise."""


class JsonText(JsonPart):
    """The value as text, whatever its type. Meaningful only beside `JsonIsText`."""


class JsonNumber(JsonPart):
    """The number there, as a double. NULL when it is not a number."""


class JsonFlag(JsonPart):
    """The boolean there. NULL when it is neither true nor false."""


class JsonTexts(JsonPart):
    """The texts within the array there, as a list. NULL when there is no array, or an empty one."""


class JsonInstant(JsonPart):
    """The UTC timestamp of an ISO 8601 text with its offset. NULL when it is not one."""


class JsonWall(JsonPart):
    """The timestamp, on the clock of the wall, of an ISO 8601 text without offset, else NULL."""


class Place(EngineFunction):
    """One number that puts events in order: by the timestamp `this`, then by `seq`."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "seq": True}


class Stretch(EngineFunction):
    """Which stretch of `length` microseconds the timestamp `this` falls in, a whole number."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "length": True}


class Ago(EngineFunction):
    """The UTC timestamp so long before `this`, as `periods.last` reckons.

    `amount` (int) and `unit` (`microseconds` or one of `periods.UNITS`) are plain values; days,
    weeks and months go by the calendar of `zone`.
    """

    arg_types: ClassVar[dict[str, bool]] = {
        "this": True,
        "amount": True,
        "unit": True,
        "zone": False,
    }


class ExactSum(EngineFunction):
    """The sum of the doubles `this` over a group, 0 for none; `rounded` frees it of dust."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "rounded": False}


def name(text: str) -> Expr:
    """An identifier, quoted."""
    return exp.Identifier(this=text, quoted=True)


def column(text: str, table: str | None = None) -> Expr:
    """A column, of `table` or of whatever is in reach."""
    return exp.Column(this=name(text), table=name(table) if table else None)


def relation(schema: str, table: str) -> Expr:
    """A table or view."""
    return exp.Table(this=name(table), db=name(schema))


def named(relation: str) -> Expr:
    """A relation that the statement itself names."""
    return exp.Table(this=name(relation))


def alias(value: Expr, text: str) -> Expr:
    """A value under a name."""
    return exp.Alias(this=value.copy(), alias=name(text))


def subquery(query: Expr, alias: str) -> Expr:
    """A query to select from."""
    return exp.Subquery(this=query, alias=exp.TableAlias(this=name(alias)))


def union_all(queries: Sequence[Expr]) -> Expr:
    """The rows of all the queries, of which there is at least one."""
    united, *rest = queries
    for query in rest:
        united = exp.Union(this=united, expression=query, distinct=False)
    return united


def with_(queries: Iterable[tuple[str, Expr]]) -> Expr:
    """Queries by name, each made once, in the order in which they build on one another."""
    return exp.With(
        expressions=[
            exp.CTE(this=query, alias=exp.TableAlias(this=name(text)), materialized=True)
            for text, query in queries
        ]
    )


def last_before(value: Expr, part: Expr, order: Iterable[Expr]) -> Expr:
    """The last known `value` among the rows before this one, of the same `part`, in an order."""
    rows = exp.WindowSpec(
        kind="ROWS",
        start="UNBOUNDED",
        start_side="PRECEDING",
        end=number(1),
        end_side="PRECEDING",
    )
    return exp.Window(
        this=exp.IgnoreNulls(this=exp.LastValue(this=value.copy())),
        partition_by=[part.copy()],
        order=exp.Order(expressions=[each.copy() for each in order]),
        spec=rows,
        over="OVER",
    )


def text(value: str) -> Expr:
    """The literal of a text."""
    return exp.Literal(this=value, is_string=True)


def number(value: int | float) -> Expr:
    """The literal of a number."""
    if value < 0:
        return exp.Neg(this=number(-value))
    return exp.Literal(this=repr(value), is_string=False)


def timestamp(us: int) -> Expr:
    """The literal of a moment in microseconds since 1970."""
    return exp.Cast(this=text(written(us)), to=TIMESTAMP.copy())


def written(us: int) -> str:
    """How a moment is written in a literal; what lies beyond what it can hold is cut to that."""
    return to_datetime(min(max(us, _FIRST), _LAST)).replace(tzinfo=None).isoformat(" ")


def date(iso: str) -> Expr:
    """The literal of a day `YYYY-MM-DD`."""
    return exp.Cast(this=text(iso), to=DATE.copy())


def time(iso: str) -> Expr:
    """The literal of a time of day `hh:mm:ss`."""
    return exp.Cast(this=text(iso), to=TIME.copy())


def true() -> Expr:
    """What always holds."""
    return exp.Boolean(this=True)


def false() -> Expr:
    """What never holds."""
    return exp.Boolean(this=False)


def one_of(value: Expr, choices: Sequence[Expr]) -> Expr:
    """`value = a`, or `value IN (a, b)`."""
    if len(choices) == 1:
        return exp.EQ(this=value, expression=choices[0])
    return exp.In(this=value, expressions=list(choices))


def within(value: Expr, query: Expr) -> Expr:
    """`value IN (query)`."""
    return exp.In(this=value, query=exp.Subquery(this=query))


def all_of(tests: Iterable[Expr]) -> Expr:
    """The tests, of which there is at least one, joined by AND."""
    return _chain(exp.And, list(tests))


def any_of(tests: Iterable[Expr]) -> Expr:
    """The tests, of which there is at least one, joined by OR."""
    return _chain(exp.Or, list(tests))


def _chain(connector: type[exp.Connector], tests: list[Expr]) -> Expr:
    wrapped = [_wrap(test) if len(tests) > 1 else test for test in tests]
    chained: Expr = wrapped[0]
    for test in wrapped[1:]:
        chained = connector(this=chained, expression=test)
    return chained


def _wrap(test: Expr) -> Expr:
    return exp.Paren(this=test) if isinstance(test, exp.Connector) else test


def is_not_true(test: Expr) -> Expr:
    """The complement of `test` in a logic of two values: an unknown is not true."""
    if isinstance(test, exp.Boolean):
        return exp.Boolean(this=not test.this)
    held = exp.Is(this=exp.Paren(this=test), expression=true())
    return exp.Not(this=exp.Paren(this=held))


def is_null(value: Expr) -> Expr:
    """Whether there is no value."""
    return exp.Is(this=value, expression=exp.Null())


def is_not_null(value: Expr) -> Expr:
    """Whether there is a value."""
    return exp.Not(this=is_null(value))


def between(value: Expr, low: Expr, high: Expr) -> Expr:
    """Both included."""
    return exp.Between(this=value, low=low, high=high)


def call(function: str, *arguments: Expr) -> Expr:
    """A function that every engine, or the one being printed for, knows by this name."""
    return exp.Anonymous(this=function, expressions=list(arguments))
