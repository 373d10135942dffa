"""What commands print: answers on standard output, everything else on standard error."""

from __future__ import annotations

import sys
from typing import Any

import msgspec

from user360.errors import Problem


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
    """What is wrong, and where: a line, and one for each offending place that says more."""
    note(f"Error: {problem.detail}")
    for fault in problem.faults:
        if fault.message != problem.detail:
            note(f"  {fault.path}: {fault.message}" if fault.path else f"  {fault.message}")
