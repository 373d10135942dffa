"""`user360 import`: people from a file, what became of each row, taking it all back."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from user360.cli import given, import_told, output
from user360.cli.api import Api
from user360.cli.connected import Yes, confirm, connected
from user360.cli.named import Limit
from user360.cli.output import Answer
from user360.errors import Invalid

# How often a server is asked how far it is; at first more often, for most files are small.
FIRST_LOOK, LOOK = 0.05, 0.5
UNFINISHED = ("queued", "running")
REPORTS = (".csv", ".xlsx", ".json")
# Of these the beginning tells nothing: they are looked into whole.
WHOLE = (".xlsx", ".parquet", ".gz")
BEGINNING = 1 << 20

Import = Annotated[str, typer.Argument(metavar="ID", help="The id of the import.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="What to import.")]
UserId = Annotated[str | None, typer.Option("--user-id", help="The column with the userId.")]
NoUserId = Annotated[
    bool, typer.Option("--no-user-id", help="No column holds it: every row is a new record.")
]
Mapping = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="COLUMN=PROPERTY", help="Only these columns are imported."),
]
OnConflict = Annotated[
    str, typer.Option("--on-conflict", help="A known userId: update, replace or skip.")
]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="Put on every row.")]
DefaultTag = Annotated[bool, typer.Option(help="Put the day and time of the import on the rows.")]
MergeTags = Annotated[bool, typer.Option("--merge-tags", help="Keep the tags that records have.")]
Segment = Annotated[
    str | None, typer.Option("--segment", help="Keep the records as a list of this name.")
]
CreateProperties = Annotated[
    bool, typer.Option(help="Make properties of columns that nobody declared.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")
]
Preview = Annotated[
    bool, typer.Option("--preview", help="Show what the columns would become, and stop.")
]
Report = Annotated[
    Path | None,
    typer.Option("--report", help="Write what failed to this file: .csv, .xlsx or .json."),
]


class FileFirst(TyperGroup):
    """Takes what is none of its commands as the file of `import file`."""

    otherwise = "file"

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """What was typed, with the command that is meant put before it."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [self.otherwise, *args]
        return super().parse_args(ctx, args)


@connected
def file(
    api: Api,
    name: File,
    user_id: UserId = None,
    no_user_id: NoUserId = False,
    mapping: Mapping = None,
    on_conflict: OnConflict = "update",
    tag: Tags = None,
    default_tag: DefaultTag = True,
    merge_tags: MergeTags = False,
    segment: Segment = None,
    create_properties: CreateProperties = False,
    dry_run: DryRun = False,
    report: Report = None,
    preview: Preview = False,
    yes: Yes = False,
) -> Answer:
    """Import the people of a file: CSV (also .gz), XLSX, JSON lines or Parquet.

    `user360 import people.csv` is short for `user360 import file people.csv`. Without --map each
    column goes where it went last, or to the property of its name; --preview shows where. On a
    terminal that is shown and asked about first, unless --yes is said.

    Exit codes: 0 every row is in, 1 some rows failed, 2 it could not be done or was cancelled.

    Examples:

        user360 import file people.csv --preview

        user360 import people.csv --user-id Mail --map Mail=email --map "Phone No.=phone"

        user360 import people.xlsx --dry-run --report failed.csv
    """
    _refuse_report(report)
    if preview:
        return import_told.preview(_looked_into(api, name))
    options: dict[str, Any] = {
        "onConflict": on_conflict,
        "createProperties": create_properties,
        "mergeTags": merge_tags,
        "tags": tag or [],
        "defaultTag": default_tag,
        "dryRun": dry_run,
    }
    if user_id is not None or no_user_id:
        options["userId"] = None if no_user_id else user_id
    if mapping is not None:
        options["mapping"] = given.assignments(mapping)
    if segment is not None:
        options["segment"] = segment
    _ask_first(api, name, options, yes)
    begun = _sent(api, name, options)
    return _ended(api, _followed(api, begun["id"]), report)


def _sent(api: Api, name: Path, options: dict[str, Any]) -> dict[str, Any]:
    from user360.cli import progress

    with progress.bar("Sending") as reached:
        begun: dict[str, Any] = api.send_file(name, "imports", reached=reached, options=options)
    return begun


def _refuse_report(report: Path | None) -> None:
    if report is not None and report.suffix.lower() not in REPORTS:
        raise Invalid(f"{report} must end in one of {', '.join(REPORTS)}")


def _ask_first(api: Api, name: Path, options: dict[str, Any], yes: bool) -> None:
    """Show a person what the columns would become, and go on when they say so."""
    if yes or options["dryRun"] or "mapping" in options or not _somebody_is_there():
        return
    output.show(import_told.preview(_looked_into(api, name)), as_json=False)
    confirm(f"Import {name.name} so?", yes)


def _somebody_is_there() -> bool:
    return sys.stdin.isatty()


def _looked_into(api: Api, name: Path) -> dict[str, Any]:
    """What is in a file: of one of lines its beginning is sent, and the rows are reckoned up."""
    whole = name.suffix.lower() in WHOLE
    found = api.send_file(name, "imports", "preview", most=None if whole else BEGINNING)
    size = name.stat().st_size
    rows = round(found["estimatedRows"] * size / max(found["size"], 1))
    return {**found, "size": size, "estimatedRows": rows}


def _followed(api: Api, job: str) -> dict[str, Any]:
    """An import once it has ended; Ctrl-C cancels it."""
    try:
        return _ended_by_itself(api, job)
    except KeyboardInterrupt:
        output.note("Cancelling; the rows that are in stay")
        if api.get("imports", job)["status"] in UNFINISHED:
            api.post("imports", job, "cancel", body=None)
        return _ended_by_itself(api, job)


def _ended_by_itself(api: Api, job: str) -> dict[str, Any]:
    return watched("Importing", lambda: api.get("imports", job), lambda told: told["expected"])


def watched(
    what: str, ask: Callable[[], dict[str, Any]], total: Callable[[dict[str, Any]], int | None]
) -> dict[str, Any]:
    """What `ask` answers once that is no longer unfinished; a bar shows how far it is."""
    from user360.cli import progress

    pause = FIRST_LOOK
    with progress.bar(what) as reached:
        while (told := ask())["status"] in UNFINISHED:
            done = told["done"] if "done" in told else _touched(told["progress"])
            if done:
                reached(done, max(done, total(told) or 0))
            time.sleep(pause)
            pause = min(2 * pause, LOOK)
    return told


def _ended(api: Api, told: dict[str, Any], report: Path | None) -> Answer:
    """What a script and a person are told of an import that has ended."""
    if report is not None and told["status"] != "failed":
        _written(api, told["id"], report)
    return import_told.summary(told)


def _written(api: Api, job: str, target: Path) -> None:
    kind = target.suffix.lower().removeprefix(".")
    api.download(target, "imports", job, "report", format=kind)
    output.note(f"Written: {target}")


@connected
def list_(api: Api, limit: Limit = 50) -> Answer:
    """List the imports, the newest first.

    Examples:

        user360 import list --data data
    """
    found = api.rows("imports", "imports", limit=limit)
    columns = {"id": "id", "createdAt": "begun", "file": "file", "status": "status"}
    counted = {"total": "rows", "new": "new", "conflicting": "known", "failed": "failed"}
    return output.table({"imports": found}, found, **columns, **counted)


@connected
def show(api: Api, job: Import) -> Answer:
    """Show how far an import is, or what became of it.

    Examples:

        user360 import show 9f2c4e6a8b0d1c3e5f7a9b0c2d4e6f80
    """
    return import_told.summary(api.get("imports", job), code=False)


@connected
def cancel(api: Api, job: Import) -> Answer:
    """End an import where it is. The rows that are in stay, and can be taken back.

    Examples:

        user360 import cancel 9f2c4e6a8b0d1c3e5f7a9b0c2d4e6f80
    """
    told = api.post("imports", job, "cancel", body=None)
    ending = "The import ends" if told["status"] in UNFINISHED else "The import is cancelled"
    return Answer(told, f"{ending}; the rows that are in stay")


@connected
def report(
    api: Api,
    job: Import,
    target: Annotated[Path, typer.Option("--to", help="The file to write: .csv, .xlsx or .json.")],
    rows: Annotated[
        bool, typer.Option("--rows", help="The failed rows as they were given, to mend: .csv.")
    ] = False,
) -> Answer:
    """Write down what became of an import, with each row that failed and why.

    Examples:

        user360 import report 9f2c4e6a8b0d1c3e5f7a9b0c2d4e6f80 --to report.xlsx

        user360 import report 9f2c4e6a8b0d1c3e5f7a9b0c2d4e6f80 --rows --to mend.csv
    """
    _refuse_report(target)
    if rows:
        api.download(target, "imports", job, "failed")
    else:
        kind = target.suffix.lower().removeprefix(".")
        api.download(target, "imports", job, "report", format=kind)
    return Answer({"file": str(target)}, f"Written: {target}")


@connected
def undo(api: Api, job: Import, yes: Yes = False) -> Answer:
    """Take an import back whole: shown first, then done.

    New records go; changed ones get their values back, except where something newer was written.

    Examples:

        user360 import undo 9f2c4e6a8b0d1c3e5f7a9b0c2d4e6f80
    """
    plan = api.get("imports", job, "undo")
    output.note(import_told.plan(plan))
    confirm("Undo the import?", yes)
    undoing = api.post("imports", job, "undo", body=None)["undo"]
    told = watched("Undoing", lambda: api.get("jobs", undoing), lambda _: _touched(plan))
    return import_told.undone(told)


def _touched(plan: dict[str, Any]) -> int:
    """How many records are taken back."""
    return int(plan.get("removed", 0)) + int(plan.get("restored", 0))


def group() -> typer.Typer:
    """All commands about imports."""
    app = typer.Typer(
        cls=FileFirst,
        help="People from files: CSV, XLSX, JSON lines, Parquet.",
        no_args_is_help=True,
    )
    app.command("list")(list_)
    for command in (file, show, cancel, report, undo):
        app.command()(command)
    return app
