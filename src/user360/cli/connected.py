"""What commands have in common: where they work, and in which form they answer.

A command is a function from the `Api` and its own options to an `Answer`; `connected` gives it
the options that all share, opens the place, and prints what it answers.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec

import typer

from user360.cli import api, output
from user360.cli.api import Api
from user360.cli.output import Answer
from user360.errors import Invalid

Own = ParamSpec("Own")
WHERE = "Where"
DEFAULT = "default"

Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        envvar="USER360_DATA",
        rich_help_panel=WHERE,
        help="A data directory that no server holds.",
    ),
]
Url = Annotated[
    str | None,
    typer.Option(
        "--url", envvar="USER360_URL", rich_help_panel=WHERE, help="The address of a server."
    ),
]
Key = Annotated[
    str | None,
    typer.Option("--key", envvar="USER360_KEY", rich_help_panel=WHERE, help="A key of the server."),
]
Workspace = Annotated[
    str | None,
    typer.Option(
        "--workspace",
        "-w",
        envvar="USER360_WORKSPACE",
        rich_help_panel=WHERE,
        help='The workspace in the directory, else "default"; a key has its own.',
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Directory = Annotated[
    Path,
    typer.Option("--data", envvar="USER360_DATA", help="A data directory that no server holds."),
]


def connected(command: Callable[Concatenate[Api, Own], Answer]) -> Callable[..., None]:
    """Make a command of a function that asks the API."""

    @functools.wraps(command)
    def run(
        context: typer.Context,
        data: Path | None,
        url: str | None,
        key: str | None,
        workspace: str | None,
        as_json: bool,
        **own: Any,
    ) -> None:
        with place(context, data, url, key, workspace) as reached:
            answer = command(reached, **own)  # type: ignore[call-arg] # its own options by name
            output.show(answer, as_json)
        if answer.code:
            raise typer.Exit(answer.code)

    return _with_options(run, command)


def _with_options(run: Callable[..., None], command: Callable[..., Any]) -> Callable[..., None]:
    """Let Typer see the command's own options and the shared ones behind them."""
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    kind = inspect.Parameter.KEYWORD_ONLY
    shared = [
        inspect.Parameter("context", kind, annotation=typer.Context),
        inspect.Parameter("data", kind, default=None, annotation=Data),
        inspect.Parameter("url", kind, default=None, annotation=Url),
        inspect.Parameter("key", kind, default=None, annotation=Key),
        inspect.Parameter("workspace", kind, default=None, annotation=Workspace),
        inspect.Parameter("as_json", kind, default=False, annotation=AsJson),
    ]
    parameters = [p.replace(kind=kind) for p in own] + shared
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # inspect reads it
    run.__annotations__ = {}
    return run


def place(
    context: typer.Context,
    data: Path | None,
    url: str | None,
    key: str | None,
    workspace: str | None,
) -> contextlib.AbstractContextManager[Api]:
    """Where the command works: what is said with the command counts before the environment.

    Raises `Invalid` when nothing is said, or both.
    """
    if data and url:
        said = {name for name in ("data", "url") if _said(context, name)}
        if len(said) == 2:
            raise Invalid("Give --data or --url, not both")
        data, url = (data, None) if "data" in said else (None, url)
    if url:
        if workspace and _said(context, "workspace"):
            raise Invalid("A key belongs to one workspace; --workspace is for --data")
        return api.remote(url, key)
    if data:
        return api.local(data, workspace or DEFAULT)
    raise Invalid(
        "Say where: --data DIR for a directory, or --url URL and --key KEY for a server"
        " (or USER360_DATA, USER360_URL, USER360_KEY)"
    )


def _said(context: typer.Context, option: str) -> bool:
    """Whether an option was given with the command, not by its variable."""
    source = context.get_parameter_source(option)
    return source is not None and source.name == "COMMANDLINE"


def confirm(question: str, yes: bool) -> None:
    """Go on when the person says so, or has said --yes; else end with nothing done.

    Raises `Invalid` when there is nobody to ask.
    """
    if yes:
        return
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort as abort:
        raise Invalid(
            "Nobody answers; nothing was done. Say --yes to go on without asking"
        ) from abort
    if not agreed:
        output.note("Nothing was done")
        raise typer.Exit(2)
