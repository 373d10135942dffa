"""How each engine says what the engines do not share: lists, JSON, local days, exact sums.

A new engine is one more printer in `_PRINTERS`; nothing else in this package knows engines.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from sqlglot import exp, generator
from sqlglot.expressions import Expr
from sqlglot.generators.duckdb import DuckDBGenerator

from user360.segments.language import sql

# DuckDB looks through a short list faster value by value than with its set functions (11 ms
# against 37 ms over a million lists).
_FEW = 8

_DAY = "[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?"
_INSTANT = f"^{_DAY}{_CLOCK}(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)$"
_WALL = f"^{_DAY}({_CLOCK})?$"

_CLOCK_UNITS = ("microseconds", "minutes", "hours")

_TEXT_TYPE = "VARCHAR"
_ODD = frozenset('*"\\')


def to_sql(expression: Expr, dialect: str = "duckdb") -> str:
    """The text of `expression` for an engine. The expression itself is left as it was.

    Raises `ValueError` for a dialect that nobody has written down.
    """
    printer = _PRINTERS.get(dialect)
    if printer is None:
        raise ValueError(f"no engine here speaks {dialect}")
    return printer(dialect=dialect).generate(expression, copy=False)


def _keys(node: sql.JsonPart) -> list[str]:
    return [key.this for key in node.expressions]


def _extract(node: sql.JsonPart, last: str = "json_extract") -> Expr:
    """The value below the keys: in one step, or in one for each key when a key is an odd one."""
    keys = _keys(node)
    if not any(_ODD & set(key) for key in keys):
        path = "$" + "".join(f'."{key}"' for key in keys)
        return sql.call(last, node.this.copy(), sql.text(path))
    value = node.this.copy()
    for key in keys[:-1]:
        value = sql.call("json_extract", value, sql.text(_one_key(key)))
    return sql.call(last, value, sql.text(_one_key(keys[-1])))


def _one_key(key: str) -> str:
    """A path to one key. A pointer reads any key as it is, but takes digits for an index."""
    if _ODD & set(key):
        return "/" + key.replace("~", "~0").replace("/", "~1")
    return f'$."{key}"'


def _raw(node: sql.JsonPart) -> Expr:
    return exp.Cast(this=_extract(node), to=exp.DataType(this=exp.DataType.Type.VARCHAR))


def _text(node: sql.JsonPart) -> Expr:
    return _extract(node, "json_extract_string")


def _is_text(node: sql.JsonPart) -> Expr:
    return exp.EQ(this=_extract(node, "json_type"), expression=sql.text(_TEXT_TYPE))


def _value(node: sql.JsonPart) -> Expr:
    return sql.call("nullif", _raw(node), sql.text("null"))


def _number(node: sql.JsonPart) -> Expr:
    # Through the raw text, where a JSON text still has its quotes and so is not a number.
    return exp.TryCast(this=_raw(node), to=exp.DataType(this=exp.DataType.Type.DOUBLE))


def _flag(node: sql.JsonPart) -> Expr:
    # A cast would take the number 1 for true.
    words = [exp.If(this=sql.text("true"), true=sql.true())]
    words.append(exp.If(this=sql.text("false"), true=sql.false()))
    return exp.Case(this=_raw(node), ifs=words)


def _texts(node: sql.JsonPart) -> Expr:
    # The length of what is not an array is 0.
    filled = exp.GT(this=_extract(node, "json_array_length"), expression=sql.number(0))
    every = sql.call("json_extract", _extract(node), sql.text("$[*]"))
    items = exp.Case(ifs=[exp.If(this=filled, true=every)])
    is_text = exp.EQ(
        this=sql.call("json_type", sql.column("item")), expression=sql.text(_TEXT_TYPE)
    )
    read = sql.call("json_extract_string", sql.column("item"), sql.text("$"))
    texts = sql.call("list_filter", items, _lambda(is_text))
    return sql.call("list_transform", texts, _lambda(read))


def _lambda(body: Expr) -> Expr:
    return exp.Lambda(this=body, expressions=[exp.Identifier(this="item", quoted=True)], colon=True)


def _moment(node: sql.JsonPart, shape: str, read: Callable[[Expr], Expr]) -> Expr:
    fits = sql.call("regexp_matches", _text(node), sql.text(shape))
    return exp.Case(ifs=[exp.If(this=sql.all_of([fits, _is_text(node)]), true=read(_text(node)))])


def _instant(node: sql.JsonPart) -> Expr:
    def read(value: Expr) -> Expr:
        zoned = exp.DataType(this=exp.DataType.Type.TIMESTAMPTZ)
        return sql.call("timezone", sql.text("UTC"), exp.TryCast(this=value, to=zoned))

    return _moment(node, _INSTANT, read)


def _wall(node: sql.JsonPart) -> Expr:
    def read(value: Expr) -> Expr:
        return exp.TryCast(this=value, to=sql.TIMESTAMP.copy())

    return _moment(node, _WALL, read)


def _list_has(node: sql.ListHas) -> Expr:
    wanted, every = node.expressions, node.args.get("every")
    if len(wanted) <= _FEW:
        each = [sql.call("list_contains", node.this.copy(), one.copy()) for one in wanted]
        return exp.Paren(this=sql.all_of(each) if every else sql.any_of(each))
    choices = exp.Array(expressions=[one.copy() for one in wanted])
    return sql.call("list_has_all" if every else "list_has_any", node.this.copy(), choices)


def _local_day(node: sql.LocalDay) -> Expr:
    return exp.Cast(this=_on_wall(node.this, node.args["zone"]), to=sql.DATE.copy())


def _month_day(node: sql.MonthDay) -> Expr:
    month, day = sql.call("month", node.this.copy()), sql.call("day", node.this.copy())
    hundreds = exp.Mul(this=month, expression=sql.number(100))
    return exp.Paren(this=exp.Add(this=hundreds, expression=day))


def _exact_sum(node: sql.ExactSum) -> Expr:
    # Compensated summing, then six decimals: 0.1 and 0.2 make 0.3 in whatever order they come.
    total = sql.call("coalesce", sql.call("fsum", node.this.copy()), sql.number(0))
    return sql.call("round", total, sql.number(6)) if node.args.get("rounded") else total


def _place(node: sql.Place) -> Expr:
    wide = exp.Cast(this=_us(node.this), to=exp.DataType(this=exp.DataType.Type.INT128))
    return exp.Add(
        this=exp.Mul(this=wide, expression=sql.number(1 << 62)), expression=node.args["seq"].copy()
    )


def _stretch(node: sql.Stretch) -> Expr:
    return exp.IntDiv(this=_us(node.this), expression=node.args["length"].copy())


def _us(value: Expr) -> Expr:
    return sql.call("epoch_us", value.copy())


def _ago(node: sql.Ago) -> Expr:
    amount, unit, zone = node.args["amount"], node.args["unit"], node.args.get("zone")
    interval = exp.Interval(this=sql.text(str(amount)), unit=exp.Var(this=unit.upper()))
    if zone is None or amount == 0 or unit in _CLOCK_UNITS or zone.this == "UTC":
        return exp.Paren(this=exp.Sub(this=node.this.copy(), expression=interval))
    wall = exp.Paren(this=exp.Sub(this=_on_wall(node.this, zone), expression=interval))
    return _from_wall(wall, zone)


def _from_wall(wall: Expr, zone: Expr) -> Expr:
    """The instant that a clock on the wall shows `wall`, as `periods` reads it.

    What the offset of the day before makes of it, but where that is wrong and the engine is right:
    so the first of two such instants, and one that is skipped by the offset from before.
    """
    read = _off_wall(wall, zone)
    day = exp.Interval(this=sql.text("1"), unit=exp.Var(this="DAY"))
    before = exp.Paren(this=exp.Sub(this=read.copy(), expression=day))
    offset = exp.Paren(this=exp.Sub(this=_on_wall(before, zone), expression=before.copy()))
    old = exp.Paren(this=exp.Sub(this=wall.copy(), expression=offset))
    wrong = exp.NEQ(this=_on_wall(old, zone), expression=wall.copy())
    right = exp.EQ(this=_on_wall(read, zone), expression=wall.copy())
    choice = exp.If(this=sql.all_of([wrong, right]), true=read.copy())
    return exp.Case(ifs=[choice], default=old.copy())


def _on_wall(value: Expr, zone: Expr) -> Expr:
    return sql.call("timezone", zone.copy(), sql.call("timezone", sql.text("UTC"), value.copy()))


def _off_wall(value: Expr, zone: Expr) -> Expr:
    return sql.call("timezone", sql.text("UTC"), sql.call("timezone", zone.copy(), value.copy()))


_DUCKDB: dict[type[Expr], Callable[..., Expr]] = {
    sql.JsonValue: _value,
    sql.JsonIsText: _is_text,
    sql.JsonText: _text,
    sql.JsonNumber: _number,
    sql.JsonFlag: _flag,
    sql.JsonTexts: _texts,
    sql.JsonInstant: _instant,
    sql.JsonWall: _wall,
    sql.ListHas: _list_has,
    sql.LocalDay: _local_day,
    sql.MonthDay: _month_day,
    sql.ExactSum: _exact_sum,
    sql.Place: _place,
    sql.Stretch: _stretch,
    sql.Ago: _ago,
}


def _in_duckdb(printer: generator.Generator, node: Expr) -> str:
    return printer.sql(_DUCKDB[type(node)](node))


class _DuckDB(DuckDBGenerator):
    TRANSFORMS: ClassVar[dict[type[Expr], Callable[..., str]]] = {
        **DuckDBGenerator.TRANSFORMS,
        **dict.fromkeys(_DUCKDB, _in_duckdb),
    }


_PRINTERS: dict[str, type[generator.Generator]] = {"duckdb": _DuckDB}
