"""`user360 user`: one customer, their events, merging and deleting."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from user360.cli import given, output, together
from user360.cli.api import Api
from user360.cli.connected import Yes, confirm, connected
from user360.cli.output import Answer
from user360.errors import Invalid

app = typer.Typer(help="Customers: their properties, events and merges.", no_args_is_help=True)

UserId = Annotated[str, typer.Argument(help="The userId.")]
Where = Annotated[
    str | None, typer.Option("--where", help="All that this condition (JSON) is true of.")
]
ById = Annotated[
    bool, typer.Option("--record", help="What is given is a record's id, such as r1042.")
]


@app.command()
@connected
def get(api: Api, user_id: UserId, record: ById = False) -> Answer:
    """Show a customer.

    Examples:

        user360 user get cdnow-00111

        user360 user get r1042 --record --json
    """
    return _shown(api.get("records" if record else "users", user_id))


@app.command("set")
@connected
def set_(
    api: Api,
    user_id: UserId,
    properties: Annotated[
        list[str], typer.Argument(help="NAME=VALUE, as many as wanted; NAME= clears.")
    ],
    record: ById = False,
) -> Answer:
    """Set properties of a customer; one that is new is created.

    The values of a list stand between semicolons.

    Examples:

        user360 user set asha@example.com city=Pune 'tags=vip;press'

        user360 user set asha@example.com dob=
    """
    types = {p["name"]: p["type"] for p in api.get("properties")["properties"]}
    body = {"properties": given.values(properties, types)}
    if record:
        return _shown(api.patch("records", user_id, body=body))
    return _shown(api.put("users", user_id, body=body))


@app.command()
@connected
def events(
    api: Api,
    user_id: UserId,
    name: Annotated[list[str] | None, typer.Option("--name", help="Only these events.")] = None,
    source: Annotated[
        list[str] | None, typer.Option("--source", help="Only through these doors: sdk, api, ...")
    ] = None,
    since: Annotated[str | None, typer.Option("--from", help="From this time on.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Before this time.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 50,
) -> Answer:
    """Show what a customer did, the newest first.

    Examples:

        user360 user events cdnow-00111 --name Purchase --from 1998-04-02
    """
    found = api.rows(
        "events",
        "users",
        user_id,
        "events",
        limit=limit,
        name=name,
        source=source,
        from_=since,
        to=until,
    )
    return output.table(
        {"events": found},
        found,
        timestamp="time",
        name="event",
        source="source",
        channel="channel",
        properties="properties",
    )


@app.command()
@connected
def delete(
    api: Api,
    user_ids: Annotated[list[str] | None, typer.Argument(help="The userIds.")] = None,
    where: Where = None,
    record: ById = False,
    yes: Yes = False,
) -> Answer:
    """Delete customers with their events, by userId or all that a condition is true of.

    Examples:

        user360 user delete asha@example.com

        user360 user delete --where '{"property": "city", "op": "is", "values": ["Pune"]}' --yes
    """
    if bool(user_ids) == (where is not None):
        raise Invalid("Give userIds, or --where")
    if where is not None:
        condition = given.json(where, "--where")
        return _deleted(together.delete(api, condition, yes))
    named = user_ids or []
    confirm(f"Delete {len(named):,} of them with all their events?", yes)
    if not record:
        return _deleted(api.post("users", "delete", body={"userIds": named}))
    for number in named:
        api.delete("records", number)
    return _deleted({"deleted": len(named), "missing": []})


@app.command()
@connected
def tag(
    api: Api,
    user_ids: Annotated[list[str] | None, typer.Argument(help="The userIds.")] = None,
    add: Annotated[list[str] | None, typer.Option("--add", help="A tag to add.")] = None,
    remove: Annotated[list[str] | None, typer.Option("--remove", help="A tag to remove.")] = None,
    where: Where = None,
    yes: Yes = False,
) -> Answer:
    """Add and remove tags of customers, by userId or of all that a condition is true of.

    Examples:

        user360 user tag asha@example.com ravi@example.com --add vip --remove prospect

        user360 user tag --where '{"property": "city", "op": "is", "values": ["Pune"]}' --add west
    """
    if bool(user_ids) == (where is not None):
        raise Invalid("Give userIds, or --where")
    tags = {"add": add or [], "remove": remove or []}
    if where is None:
        told = api.post("users", "tag", body={"userIds": user_ids, **tags})
    else:
        told = together.tag(api, given.json(where, "--where"), tags, yes)
    return _told(told, "tagged")


@app.command()
@connected
def identify(
    api: Api,
    record: Annotated[str, typer.Argument(help="The id of the record, such as r1042.")],
    user_id: UserId,
) -> Answer:
    """Give somebody unidentified a userId; where a customer has it, the record is merged into them.

    Examples:

        user360 user identify r1042 asha@example.com
    """
    told = api.post("records", record, "identify", body={"userId": user_id})
    number = told.get("mergeId")
    if number is None:
        return Answer(told, f"{record} is {told['record']['userId']}")
    return Answer(told, f"Merged {record} into {user_id}; `user360 user undo {number}` undoes it")


@app.command()
@connected
def merge(
    api: Api,
    user_id: UserId,
    other: Annotated[str, typer.Argument(help="The id of the record to take in, such as r1042.")],
) -> Answer:
    """Merge another record into a customer; what the customer has stays.

    Examples:

        user360 user merge asha@example.com r1042
    """
    merged = api.post("users", user_id, "merge", body={"with": other})
    number = merged["mergeId"]
    return Answer(merged, f"Merged {other} into {user_id}; `user360 user undo {number}` undoes it")


@app.command()
@connected
def merges(api: Api, user_id: UserId) -> Answer:
    """Show what was merged into a customer.

    Examples:

        user360 user merges asha@example.com
    """
    found = api.get("users", user_id, "merges")
    return output.table(
        found,
        found["merges"],
        id="id",
        merged="merged",
        survivor="into",
        at="at",
        source="source",
        undoneAt="undone",
    )


@app.command()
@connected
def undo(
    api: Api,
    merge: Annotated[str, typer.Argument(help="The id of the merge.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would come back.")
    ] = False,
    yes: Yes = False,
) -> Answer:
    """Undo a merge, exactly; what would happen is shown first.

    Examples:

        user360 user undo 17 --dry-run
    """
    if not dry_run and not yes:
        output.note(_undone(api.post("merges", merge, "undo", body={}, dryRun="true"), "would be"))
        confirm("Undo the merge?", yes)
    done = api.post("merges", merge, "undo", body={}, dryRun="true" if dry_run else "false")
    return Answer(done, _undone(done, "would be" if dry_run else "is"))


def _shown(user: dict[str, Any]) -> Answer:
    about = {name: value for name, value in user.items() if name not in ("properties", "tags")}
    return output.pairs(user, {**about, **user["properties"]})


def _undone(told: dict[str, Any], how: str) -> str:
    survivor, merged = told["survivor"], told["merged"]
    lines = [
        f"{merged['id']} {how} a record of its own again, with {told['events']:,} events and"
        f" {len(told['sessions']):,} sessions",
        *(f"  {name}: {output.cell(value)}" for name, value in merged["properties"].items()),
        f"{survivor['id']} ({survivor['userId']}) {how} left with",
        *(f"  {name}: {output.cell(value)}" for name, value in survivor["properties"].items()),
    ]
    return "\n".join(lines)


def _deleted(told: dict[str, Any]) -> Answer:
    return _told(told, "deleted")


def _told(told: dict[str, Any], done: str) -> Answer:
    text = f"{done.title()} {told[done]:,}"
    if told["missing"]:
        text += f"; there is no {', '.join(told['missing'])}"
    if told.get("left"):
        text += f"; {told['left']:,} were gone by then"
    return Answer(told, text)
