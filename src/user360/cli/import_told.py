"""What is said of imports: to a script by the exit code, to a person in a few lines."""

from __future__ import annotations

from typing import Any

from user360.cli.output import Answer

FAILED, NOT_DONE = 1, 2
COUNTS = {
    "new": "new",
    "conflicting": "known",
    "skipped": "skipped",
    "empty": "empty",
    "failed": "failed",
}
MOST_SAMPLES = 3
FORMATS = {"csv": "CSV", "xlsx": "XLSX", "jsonl": "JSON lines", "parquet": "Parquet"}
SPARED = {
    "event": "they have events of their own",
    "session": "they have sessions of their own",
    "merged": "they were merged",
    "written": "something was written to them since",
}
ENDED = {
    "completed": "",
    "failed": "The import failed",
    "cancelled": "Cancelled; the rows that are in stay",
    "undone": "Undone",
    "running": "Under way",
    "queued": "Waiting for its turn",
}


def preview(found: dict[str, Any]) -> Answer:
    """What the columns of a file would become."""
    written = ", ".join(part for part in _written(found) if part)
    lines = [f"{found['file']}: {written}, about {found['estimatedRows']:,} rows"]
    for trouble in found["problems"]:
        where = "" if trouble["line"] is None else f"line {trouble['line']:,}: "
        lines.append(f"  {where}{trouble['message']}")
    rows = [
        (each["column"], _becomes(each), each["type"], "; ".join(each["samples"][:MOST_SAMPLES]))
        for each in found["columns"]
    ]
    columns = ("column", "becomes", "type", "for example")
    return Answer(found, "\n".join(lines), columns=columns, rows=rows)


def _written(found: dict[str, Any]) -> list[str]:
    dialect = found["dialect"]
    between = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
    return [
        {"csv": "CSV", "xlsx": "XLSX", "jsonl": "JSON lines", "parquet": "Parquet"}[
            found["format"]
        ],
        dialect["encoding"],
        between.get(dialect["delimiter"], dialect["delimiter"]),
        dialect["compression"],
    ]


def _becomes(column: dict[str, Any]) -> str:
    name: str | None = column["property"]
    if name is None:
        return "(left out)"
    how = {"used": " (as last time)", "near": " (near)", "new": " (new property)"}
    return name + how.get(column["how"], "")


def summary(told: dict[str, Any], *, code: bool = True) -> Answer:
    """What became of the rows of an import; with `code` the exit code says it too."""
    counts = ", ".join(f"{told[name]:,} {word}" for name, word in COUNTS.items() if told[name])
    would = " would be" if told["dryRun"] else ""
    lines = [f"{told['total']:,} rows{would}: {counts or 'nothing in them'}"]
    if ENDED[told["status"]]:
        lines.insert(0, ENDED[told["status"]] + (f": {told['reason']}" if told["reason"] else ""))
    for error in told["errors"]:
        lines.append(f"  {error['path']}: {error['message']}")
    if told["dryRun"]:
        lines += [f"  {name}: {count:,} records" for name, count in told["changes"].items()]
    if told["declared"]:
        lines.append(f"New properties: {', '.join(told['declared'])}")
    if told["tags"] and (told["new"] or told["changed"]) and not told["dryRun"]:
        lines.append(f"Tagged: {', '.join(told['tags'])}")
    if told["segmentId"] is not None:
        lines.append(f"Segment {told['segmentId']}: {told['segment']}")
    lines.append(f"Import {told['id']}")
    return Answer(told, "\n".join(lines), code=_code(told) if code else 0)


def _code(told: dict[str, Any]) -> int:
    """0 every row is in, 1 some failed, 2 it could not be done or was ended early."""
    if told["status"] != "completed":
        return NOT_DONE
    return FAILED if told["failed"] else 0


def plan(found: dict[str, Any]) -> str:
    """What undoing an import does, or did, in a few lines."""
    lines = [
        f"{found['removed']:,} new records go,"
        f" {found['restored']:,} changed ones get back what they held"
    ]
    if found["newer"]:
        lines.append(f"{found['newer']:,} values stay: something newer was written since")
    lines += [
        f"{count:,} new records stay: {SPARED[why]}" for why, count in found["spared"].items()
    ]
    if found["gone"]:
        lines.append(f"{found['gone']:,} records are gone already")
    if found["segment"]:
        lines.append(f"The segment {found['segment']} goes")
    if found["declared"]:
        lines.append(f"These properties stay declared: {', '.join(found['declared'])}")
    return "\n".join(lines)


def undone(told: dict[str, Any]) -> Answer:
    """What undoing an import did."""
    if told["status"] != "completed":
        why = told["reason"] or told["status"]
        return Answer(told, f"The import could not be undone: {why}", code=NOT_DONE)
    return Answer(told, f"Undone\n{plan(told['result'])}")
