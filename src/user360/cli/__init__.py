"""The command line: one module a noun."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from user360 import __version__
from user360.cli import (
    backup,
    bench,
    checks,
    conversation,
    demo,
    erase,
    event,
    export,
    flow,
    import_,
    key,
    member,
    output,
    property,
    schedule,
    segment,
    server,
    workspace,
)
from user360.errors import Problem

PROGRAM = "user360"


class Commands(TyperGroup):
    """All commands; a `Problem` in any of them ends with its words and exit code 2."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Problem as problem:
            output.problem(problem)
        raise typer.Exit(2)


def commands() -> typer.Typer:
    """The whole command line."""
    app = typer.Typer(
        name=PROGRAM,
        cls=Commands,
        callback=_begin,
        no_args_is_help=True,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.command()(server.serve)
    app.command()(demo.demo)
    app.add_typer(segment.group(), name="segment")
    app.add_typer(import_.group(), name="import")
    app.command()(export.export)
    app.add_typer(erase.app, name="user")
    app.add_typer(conversation.group(), name="conversation")
    for noun in (schedule, property, event, flow, key, member, workspace):
        app.add_typer(noun.app, name=noun.__name__.rpartition(".")[2])
    app.command()(checks.doctor)
    app.command()(checks.rebuild)
    app.command()(backup.backup)
    app.command()(backup.restore)
    app.command(context_settings=bench.PASSED_ON)(bench.bench)
    return app


def main() -> None:
    """The entry point of the program."""
    code: Any = 0
    try:
        commands()(prog_name=PROGRAM)
    except SystemExit as end:
        code = end.code
    # Said anew, without what was under way: an exception that lives until the interpreter ends
    # keeps all it passed, and DuckDB complains of connections that are never let go.
    sys.exit(code)


def _version(wanted: bool) -> None:
    if wanted:
        output.line(f"{PROGRAM} {__version__}")
        raise typer.Exit


def _begin(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """One true record of each customer, and segments that are right within a second.

    Exit codes: 0 done, 1 a problem was found (doctor) or some rows failed (import), 2 it could not
    be done.
    """
