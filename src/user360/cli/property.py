"""`user360 property`: what is known of customers, declared."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from user360.cli import output
from user360.cli.api import Api
from user360.cli.connected import Yes, confirm, connected
from user360.cli.output import Answer
from user360.errors import Invalid

app = typer.Typer(help="What is known of customers, declared.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The property's name.")]
Force = Annotated[
    bool, typer.Option("--force", help="Do it even though segments ask about the property.")
]
TYPES = "string, number, boolean, date, datetime, time, list, email, phone or url"


@app.command("list")
@connected
def list_(
    api: Api,
    deleted: Annotated[
        bool, typer.Option("--deleted", help="Those that were deleted and can be restored.")
    ] = False,
) -> Answer:
    """List the properties, the system's first.

    Examples:

        user360 property list --json
    """
    found = api.get("properties", deleted="true" if deleted else None)
    return output.table(
        found,
        found["properties"],
        name="name",
        type="type",
        system="system",
        searchable="searchable",
        required="required",
        description="description",
    )


@app.command()
@connected
def add(
    api: Api,
    name: Annotated[
        str, typer.Argument(help="A letter, then letters, digits and _; at most 64 characters.")
    ],
    kind: Annotated[str, typer.Argument(metavar="TYPE", help=f"One of {TYPES}.")],
    description: Annotated[str, typer.Option("--description", help="What it says.")] = "",
    searchable: Annotated[
        bool, typer.Option("--searchable/--not-searchable", help="Offer it when searching.")
    ] = True,
    required: Annotated[
        bool, typer.Option("--required", help="Every new record must have it.")
    ] = False,
) -> Answer:
    """Declare a property.

    Examples:

        user360 property add loyaltyPoints number --description "Points by now"
    """
    body = {
        "name": name,
        "type": kind,
        "description": description,
        "searchable": searchable,
        "required": required,
    }
    made = api.post("properties", body=body)
    return Answer(made, f"Declared {made['name']}, a {made['type']}")


@app.command()
@connected
def change(
    api: Api,
    name: Name,
    kind: Annotated[str | None, typer.Option("--type", help=f"One of {TYPES}.")] = None,
    description: Annotated[str | None, typer.Option("--description", help="What it says.")] = None,
    searchable: Annotated[
        bool | None, typer.Option("--searchable/--not-searchable", help="Offer it when searching.")
    ] = None,
    required: Annotated[
        bool | None, typer.Option("--required/--optional", help="Every new record must have it.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say which values would not convert.")
    ] = False,
    force: Force = False,
    yes: Yes = False,
) -> Answer:
    """Change a property. With another type, what would not convert is shown first.

    Values that do not convert are kept and come back with the old type.

    Examples:

        user360 property change loyaltyPoints --type string --dry-run
    """
    given = {
        "type": kind,
        "description": description,
        "searchable": searchable,
        "required": required,
    }
    body = {key: value for key, value in given.items() if value is not None}
    if not body:
        raise Invalid("Say what to change: --type, --description, --searchable or --required")
    query = {"force": "true"} if force else {}
    if kind is not None and not dry_run and not yes:
        told = api.patch("properties", name, body=body, dryRun="true", **query)
        if told["notConverted"]:
            confirm(f"{_converting(told)} Change {name} all the same?", yes)
    done = api.patch("properties", name, body=body, dryRun="true" if dry_run else None, **query)
    return Answer(done, _converting(done) if dry_run else _changed(done))


@app.command()
@connected
def delete(api: Api, name: Name, force: Force = False, yes: Yes = False) -> Answer:
    """Delete a property; its values are kept until it is restored.

    Examples:

        user360 property delete loyaltyPoints
    """
    confirm(f"Delete {name}?", yes)
    api.delete("properties", name, force="true" if force else None)
    text = f"Deleted {name}; `user360 property restore {name}` brings it back with its values"
    return Answer({"deleted": name}, text)


@app.command()
@connected
def restore(api: Api, name: Name) -> Answer:
    """Bring a deleted property back, with the values it had.

    Examples:

        user360 property restore loyaltyPoints
    """
    made = api.post("properties", name, "restore", body={})
    return Answer(made, f"Restored {made['name']}, a {made['type']}")


def _converting(told: dict[str, Any]) -> str:
    text = f"{told['converted']:,} values convert, {told['notConverted']:,} do not"
    if told["records"]:
        text += f" (records {', '.join(told['records'])})"
    return text + "."


def _changed(done: dict[str, Any]) -> str:
    held = done["property"]
    text = f"Changed {held['name']}, a {held['type']}"
    return f"{text}: {_converting(done)}" if done["converted"] or done["notConverted"] else text
