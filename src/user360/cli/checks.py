"""`user360 doctor` and `user360 rebuild`: is all well in a directory, and making its copy anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from user360.cli import api as places
from user360.cli import output
from user360.cli.connected import AsJson, Directory
from user360.cli.output import Answer

if TYPE_CHECKING:
    from user360.ingest.doctor import Report


def doctor(data: Directory, as_json: AsJson = False) -> None:
    """Compare the warehouse and the files of conversations with the ledger, and check it.

    No server may hold the directory.

    The exit code is 0 when all is well and 1 when something differs.

    Examples:

        user360 doctor --data data
    """
    from user360.cli import progress
    from user360.ingest.doctor import examine

    with places.existing(data) as platform, progress.bar("Comparing") as reached:
        report = examine(platform, reached)
    if as_json:
        output.json({"healthy": report.healthy, **_plain(report)})
    else:
        _tell(report, str(data))
    if not report.healthy:
        raise typer.Exit(1)


def _plain(report: Report) -> dict[str, object]:
    import msgspec

    plain: dict[str, object] = msgspec.to_builtins(report)
    return plain


def _tell(report: Report, data: str) -> None:
    from user360.ingest.doctor import FILES

    looked = f"{report.records:,} records and {report.events:,} events compared"
    if report.healthy:
        output.line(f"All is well: {looked} at position {report.position:,}")
        return
    found = [
        {
            "workspace": f.workspace,
            "what": f"{f.part} {f.what}",
            "count": f.count,
            "examples": list(f.examples[:5]),
        }
        for f in report.findings
    ]
    columns = {"workspace": "workspace", "what": "what", "count": "how many", "examples": "such as"}
    output.show(output.table(found, found, **columns), as_json=False)
    if all(f.part == FILES for f in report.findings):
        output.note(f"{looked}. A file that is missing or cut comes back from a backup alone")
    else:
        output.note(f"{looked}. `user360 rebuild --data {data}` makes the warehouse anew")


def rebuild(data: Directory, as_json: AsJson = False) -> None:
    """Make the warehouse anew from the ledger. No server may hold the directory.

    Examples:

        user360 rebuild --data data
    """
    from user360.cli import progress

    with places.existing(data, start=False) as platform:
        last = platform.committer.position.last
        with progress.bar("Rebuilding") as reached:
            platform.projector.rebuild(lambda share: reached(share * last, last))
        position = platform.projector.position
    answer = Answer({"position": position}, f"Rebuilt: all {position:,} entries of the log")
    output.show(answer, as_json)
