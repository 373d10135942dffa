"""`user360 schedule`: imports that come by themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from user360.cli import given, output
from user360.cli.api import Api
from user360.cli.connected import Yes, confirm, connected
from user360.cli.named import Limit
from user360.cli.output import Answer
from user360.errors import Invalid

app = typer.Typer(
    help="Imports that come by themselves: from a folder, a bucket or an SFTP server.",
    no_args_is_help=True,
)

WHERE, HOW = "Where the files are", "How they are imported"
Name = Annotated[str, typer.Argument(help="The schedule's name.")]


def _place(option: str, text: str, **more: Any) -> Any:
    return typer.Option(option, help=text, rich_help_panel=WHERE, **more)


def _how(option: str, text: str, **more: Any) -> Any:
    return typer.Option(option, help=text, rich_help_panel=HOW, **more)


@app.command("list")
@connected
def list_(api: Api) -> Answer:
    """List the schedules.

    Examples:

        user360 schedule list --data data
    """
    found = api.get("imports", "schedules")
    told = [{**s, "kind": s["place"]["kind"]} for s in found["schedules"]]
    columns = {"name": "name", "kind": "from", "active": "active", "nextAt": "next"}
    return output.table(found, told, **columns)


@app.command()
@connected
def show(api: Api, name: Name) -> Answer:
    """Show a schedule: where it looks, when, how it imports. Secrets are never shown.

    Examples:

        user360 schedule show nightly
    """
    found = _named(api, name)
    lines = [f"{found['name']}: {'active' if found['active'] else 'paused'}"]
    lines += [f"next: {found['nextAt'] or 'never'}"]
    for part in ("place", "calendar", "options"):
        said = ", ".join(f"{key} {value}" for key, value in found[part].items() if value != "")
        lines.append(f"{part}: {said or 'the usual'}")
    if found["secrets"]:
        lines.append(f"secrets: {', '.join(found['secrets'])}")
    return Answer(found, "\n".join(lines))


@app.command()
@connected
def add(
    api: Api,
    name: Name,
    source: Annotated[
        str,
        typer.Option("--from", help="folder:PATH, s3://BUCKET/PREFIX or sftp://USER@HOST/PATH."),
    ],
    when: Annotated[
        str,
        typer.Option("--when", help="daily 09:30, weekly monday 09:30, monthly 1 09:30, once ..."),
    ],
    pattern: Annotated[str, _place("--pattern", "The files that are meant.")] = "userdata_*.csv",
    endpoint: Annotated[str, _place("--endpoint", "The address of an S3 that is not AWS.")] = "",
    region: Annotated[str, _place("--region", "The bucket's region.")] = "us-east-1",
    access_key: Annotated[str, _place("--access-key", "The name of the bucket's key.")] = "",
    host_key: Annotated[str, _place("--host-key", "The public key of the SFTP server.")] = "",
    private_key: Annotated[
        Path | None, _place("--private-key", "A file with the key to log in with.")
    ] = None,
    secret: Annotated[str, _place("--secret", "A password.", envvar="USER360_SECRET")] = "",
    user_id: Annotated[str | None, _how("--user-id", "The column with the userId.")] = None,
    mapping: Annotated[
        list[str] | None, _how("--map", "Only these columns.", metavar="COLUMN=PROPERTY")
    ] = None,
    on_conflict: Annotated[
        str, _how("--on-conflict", "A known userId: update, replace or skip.")
    ] = "update",
    options: Annotated[str, _how("--options", "Others of an import's options, as JSON.")] = "{}",
) -> Answer:
    """Have files imported as they come, each once. Times are by the clocks of the workspace.

    Besides the times of --when there is `cron */15 8-18 * * MON-FRI`, and `once 2026-11-22 09:30`.

    Examples:

        user360 schedule add nightly --from folder:crm --when "daily 02:30" --user-id Mail

        user360 schedule add shop --from s3://exports/in --access-key AK --when "cron 0 * * * *"

        user360 schedule add bank --from sftp://u360@files.example.com/out --when "monthly 1 06:00"
    """
    place = _place_of(source)
    kind = place["kind"]
    if kind == "s3":
        place |= {"endpoint": endpoint, "region": region, "accessKey": access_key}
        place |= {"secretKey": secret}
    if kind == "sftp":
        place |= {"hostKey": host_key, **_way_in(private_key, secret)}
    body = {
        "name": name,
        "place": {**place, "pattern": pattern},
        "calendar": _calendar(when),
        "options": {"onConflict": on_conflict, **_options(user_id, mapping, options)},
    }
    made = api.post("imports", "schedules", body=body)
    return Answer(made, f"{made['name']} looks for {pattern} next at {made['nextAt']}")


@app.command()
@connected
def pause(api: Api, name: Name) -> Answer:
    """Let a schedule wait until it is resumed; `run` works all the same.

    Examples:

        user360 schedule pause nightly
    """
    _set_active(api, name, False)
    return Answer({"name": name, "active": False}, f"{name} is paused")


@app.command()
@connected
def resume(api: Api, name: Name) -> Answer:
    """Have a schedule go on.

    Examples:

        user360 schedule resume nightly
    """
    changed = _set_active(api, name, True)
    return Answer(changed, f"{name} looks for files next at {changed['nextAt'] or 'no time'}")


@app.command()
@connected
def remove(api: Api, name: Name, yes: Yes = False) -> Answer:
    """End a schedule. What it imported stays.

    Examples:

        user360 schedule remove nightly --yes
    """
    found = _named(api, name)
    confirm(f"End the schedule {name}, and forget which files it imported?", yes)
    api.delete("imports", "schedules", str(found["id"]))
    return Answer({"name": name, "removed": True}, f"{name} is ended; what it imported stays")


@app.command()
@connected
def run(api: Api, name: Name) -> Answer:
    """Look for files now, whatever the calendar says, and import the new ones.

    Examples:

        user360 schedule run nightly
    """
    from user360.cli.import_ import watched

    number = str(_named(api, name)["id"])
    look = api.post("imports", "schedules", number, "run", body=None)["id"]
    result = watched("Looking", lambda: api.get("jobs", look), _unknown)["result"] or {}
    imports = [_imported(api, job) for job in result.get("imports", [])]
    entries = api.get("imports", "schedules", number, "entries", limit=20)["entries"]
    failed = [e for e in entries[:1] if e["status"] == "failed" and not imports]
    bad = any(told["status"] != "completed" or told["failed"] for told in imports)
    columns = {"file": "file", "status": "status", "reason": "reason"}
    shown = output.table({"imports": imports, "entries": entries}, entries[:10], **columns)
    code = 2 if failed else 1 if bad else 0
    return Answer(shown.data, "", shown.columns, shown.rows, code)


@app.command()
@connected
def entries(api: Api, name: Name, limit: Limit = 50) -> Answer:
    """What a schedule brought, the newest first: files, and looks that brought none.

    Examples:

        user360 schedule entries nightly
    """
    number = str(_named(api, name)["id"])
    found = api.rows("entries", "imports", "schedules", number, "entries", limit=limit)
    columns = {"at": "at", "file": "file", "status": "status", "importId": "import"}
    return output.table({"entries": found}, found, **columns, reason="reason")


def _imported(api: Api, job: str) -> dict[str, Any]:
    from user360.cli.import_ import watched

    return watched("Importing", lambda: api.get("imports", job), lambda told: told["expected"])


def _unknown(_: dict[str, Any]) -> None:
    """Nobody knows how many files there are."""


def _named(api: Api, name: str) -> dict[str, Any]:
    """A schedule by its name. Raises `Invalid`."""
    found = api.get("imports", "schedules")["schedules"]
    for each in found:
        if each["name"] == name:
            held: dict[str, Any] = each
            return held
    names = ", ".join(each["name"] for each in found) or "none"
    raise Invalid(f"There is no schedule {name}; there are: {names}")


def _set_active(api: Api, name: str, active: bool) -> dict[str, Any]:
    found = _named(api, name)
    kept = {key: found[key] for key in ("name", "place", "calendar", "options")}
    body = {**kept, "active": active}
    changed: dict[str, Any] = api.put("imports", "schedules", str(found["id"]), body=body)
    return changed


def _place_of(source: str) -> dict[str, Any]:
    """`folder:crm`, `s3://bucket/in` or `sftp://user@host:22/out` as a place."""
    from urllib.parse import unquote, urlsplit

    if source.startswith("folder:"):
        return {"kind": "folder", "path": source.removeprefix("folder:")}
    try:
        address = urlsplit(source)
        port = address.port
    except ValueError:
        raise Invalid(f"{source} is no address") from None
    if address.scheme == "s3" and address.hostname:
        return {"kind": "s3", "bucket": address.netloc, "prefix": address.path.strip("/")}
    if address.scheme == "sftp" and address.hostname and address.username:
        if address.password:
            raise Invalid("Give the password as --secret or USER360_SECRET")
        user = unquote(address.username)
        place = {"kind": "sftp", "host": address.hostname, "user": user}
        return {**place, "port": port or 22, "path": address.path or "."}
    raise Invalid("--from must be folder:PATH, s3://BUCKET/PREFIX or sftp://USER@HOST:PORT/PATH")


def _way_in(private_key: Path | None, secret: str) -> dict[str, str]:
    if private_key is None:
        return {"password": secret}
    try:
        return {"privateKey": private_key.read_text(encoding="utf-8"), "passphrase": secret}
    except (OSError, UnicodeError) as error:
        raise Invalid(f"{private_key} cannot be read") from error


def _calendar(when: str) -> dict[str, Any]:
    """`weekly monday 09:30` as a calendar."""
    repeat, _, rest = when.strip().partition(" ")
    rest = rest.strip()
    first, _, time = rest.partition(" ")
    if repeat == "once":
        return {"repeat": repeat, "at": rest}
    if repeat == "daily":
        return {"repeat": repeat, "time": rest}
    if repeat == "weekly":
        return {"repeat": repeat, "weekday": first.lower(), "time": time.strip()}
    if repeat == "monthly" and first.isdigit():
        return {"repeat": repeat, "day": int(first), "time": time.strip()}
    if repeat == "cron":
        return {"repeat": repeat, "cron": rest}
    raise Invalid("--when must begin with once, daily, weekly, monthly and a day, or cron")


def _options(user_id: str | None, mapping: list[str] | None, others: str) -> dict[str, Any]:
    try:
        options = msgspec.json.decode(others, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeError):
        raise Invalid("--options must be a JSON object") from None
    if user_id is not None:
        options["userId"] = user_id
    if mapping is not None:
        options["mapping"] = given.assignments(mapping)
    return options
