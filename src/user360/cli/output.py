"""What commands print: answers on standard output, everything else on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from user360.errors import Problem

if TYPE_CHECKING:
    from rich.console import Console

WIDE = 10_000  # nothing is cut off in what another program reads


class Answer(msgspec.Struct, frozen=True):
    """What a command answers: `data` for programs; for people lines of text, a table, or both.

    A row of the table holds a cell for each of `columns`. `code` is the exit code.
    """

    data: Any
    text: str = ""
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()
    code: int = 0


def table(data: Any, items: Iterable[Mapping[str, Any]], **columns: str) -> Answer:
    """An answer as a table: one row an item, a column for each name in it and its heading."""
    rows = [[item.get(name) for name in columns] for item in items]
    return Answer(data, columns=list(columns.values()), rows=rows)


def pairs(data: Any, items: Mapping[str, Any]) -> Answer:
    """An answer as a list of names and their values."""
    return Answer(data, columns=("", ""), rows=list(items.items()))


def show(answer: Answer, as_json: bool) -> None:
    """Print an answer."""
    if as_json:
        json(answer.data)
        return
    if answer.text or not answer.columns:
        line(answer.text)
    if answer.columns:
        _table(answer)


def line(text: str) -> None:
    """One line of an answer."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def json(data: Any) -> None:
    """An answer for programs: JSON on standard output."""
    line(msgspec.json.format(msgspec.json.encode(data), indent=2).decode())


def json_line(data: Any) -> None:
    """The same on a single line, for a program that reads on while this one runs."""
    line(msgspec.json.encode(data).decode())


def note(text: str) -> None:
    """A line for people that is no part of the answer."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def problem(problem: Problem) -> None:
    """What is wrong, and where: a line for the first offending place, and one for each other."""
    rest = list(problem.faults)
    headline = problem.detail
    if rest and rest[0].message == headline:
        first = rest.pop(0)
        headline = headline if first.path in headline else f"{first.path}: {headline}"
    note(f"Error: {headline}")
    for fault in rest:
        note(f"  {fault.path}: {fault.message}" if fault.path else f"  {fault.message}")


def cell(value: Any) -> str:
    """A value as it stands in a table; what would move the cursor is shown, not obeyed."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = "; ".join(value)
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _table(answer: Answer) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_header=any(answer.columns), pad_edge=False)
    for i, heading in enumerate(answer.columns):
        values = [row[i] for row in answer.rows]
        numbers = any(values) and all(_number(v) for v in values if v is not None)
        table.add_column(heading, justify="right" if numbers else "left", overflow="fold")
    for row in answer.rows:
        table.add_row(*(Text(cell(value)) for value in row))
    console().print(table)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def console(stderr: bool = False) -> Console:
    """The terminal; for a file or a pipe without colours, and as wide as needed."""
    from rich.console import Console

    found = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not found.is_terminal:
        found = Console(stderr=stderr, width=WIDE, no_color=True, highlight=False, markup=False)
    return found
