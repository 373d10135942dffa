"""`user360 segment`: who is in a list, and who entered and left a segment when."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from user360.cli import given, output
from user360.cli.api import Api
from user360.cli.connected import connected
from user360.cli.named import Limit, Name, Since, Until, number
from user360.cli.output import Answer
from user360.errors import Invalid

AT_ONCE = 100_000  # lines in one call
Users = Annotated[list[str] | None, typer.Argument(help="userIds.")]
File = Annotated[
    str | None,
    typer.Option("--file", help="CSV with a column userId, or a userId a line; - is stdin."),
]


@connected
def add(api: Api, name: Name, users: Users = None, file: File = None) -> Answer:
    """Add users to a list; unknown ones are named, the others are in.

    Examples:

        user360 segment add "Pilot" asha@example.com ravi@example.com

        user360 segment add "Pilot" --file pilot.csv
    """
    return _changed(api, number(api, name), users, file, "add")


@connected
def remove(api: Api, name: Name, users: Users = None, file: File = None) -> Answer:
    """Take users out of a list.

    Examples:

        user360 segment remove "Pilot" ravi@example.com
    """
    return _changed(api, number(api, name), users, file, "remove")


def _changed(api: Api, segment: str, users: list[str] | None, file: str | None, how: str) -> Answer:
    if bool(users) == (file is not None):
        raise Invalid("Give userIds, or --file")
    if file is not None:
        return uploaded(api, segment, file, how)
    told = api.post("segments", segment, "users", body={how: users})
    unknown = [each["userId"] for each in told[how] if each["outcome"] == "unknown"]
    done = {"add": "added", "remove": "removed"}[how]
    lines = [f"{told[done]:,} {done}, {told['count']:,} members"]
    lines += [f"  unknown: {user_id}" for user_id in unknown]
    return Answer(told, "\n".join(lines))


def uploaded(api: Api, segment: str, file: str, how: str) -> Answer:
    """Send a file, in parts where it is long; what became of all its lines."""
    told: dict[str, Any] = {}
    for part, before in _parts(given.content(file)):
        found = api.upload(
            part, "segments", segment, "users", "file", remove="true" if how == "remove" else None
        )
        found["unknown"] = [{**u, "line": u["line"] + before} for u in found["unknown"]]
        for key, value in found.items():
            told[key] = value if key == "count" or key not in told else told[key] + value
    return Answer(told, "\n".join(_summary(told)))


def _parts(text: str) -> list[tuple[str, int]]:
    """The text in parts that each begin with its first line, and the lines before each."""
    lines = text.splitlines(keepends=True)
    if len(lines) <= AT_ONCE or '"' in text:  # a quoted cell may hold ends of lines
        return [(text, 0)]
    header = lines[0]
    headed = "userid" in header.lower()
    rest = lines[1:] if headed else lines
    return [
        ((header if headed else "") + "".join(rest[start : start + AT_ONCE]), start)
        for start in range(0, len(rest), AT_ONCE)
    ]


def _summary(told: dict[str, Any]) -> list[str]:
    names = ("added", "already", "removed", "absent")
    done = [f"{told[name]:,} {name}" for name in names if told[name]]
    done += [f"{told['unknownLines']:,} unknown"] if told["unknownLines"] else []
    first = f"{told['lines']:,} lines: {', '.join(done) or 'nothing in them'}"
    unknown = [f"  line {each['line']:,}: nobody is {each['userId']}" for each in told["unknown"]]
    return [f"{first}; {told['count']:,} members", *unknown]


@connected
def changes(
    api: Api, name: Name, since: Since = None, until: Until = None, limit: Limit = 50
) -> Answer:
    """Show who entered and left a segment, the newest first, and what brought it about.

    Examples:

        user360 segment changes "Loyal in India" --from 2026-11-01
    """
    path = ("segments", number(api, name), "changes")
    found = api.rows("changes", *path, limit=limit, from_=since, to=until)
    columns = {"at": "time", "change": "change", "userId": "userId", "recordId": "record"}
    return output.table({"changes": found}, found, **columns, cause="cause")


@connected
def sizes(
    api: Api,
    name: Name,
    by: Annotated[str, typer.Option("--by", help="hour, day or week.")] = "day",
    since: Since = None,
    until: Until = None,
) -> Answer:
    """Show how large a segment was, hour by hour, day by day or week by week.

    Examples:

        user360 segment sizes "Loyal in India" --by week
    """
    path = ("segments", number(api, name), "sizes")
    found = api.get(*path, by=by, from_=since, to=until)
    return output.table(found, found["sizes"], at="since", size="members")


@connected
def history(
    api: Api, user: Annotated[str, typer.Argument(metavar="USER", help="The userId.")]
) -> Answer:
    """Show when a user was in which segments, the newest stay first.

    Examples:

        user360 segment history asha@example.com
    """
    found = api.get("users", user, "segments", "history")
    return output.table(found, found["stays"], name="segment", since="from", until="to")


COMMANDS = (add, remove, changes, sizes, history)
