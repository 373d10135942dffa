"""The commands of `user360 user` that answer a person's request: archive, erase, allow; and what
removes the last traces.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from user360.cli.api import Api
from user360.cli.connected import Yes, confirm, connected
from user360.cli.output import Answer
from user360.cli.user import ById, UserId
from user360.cli.user import app as app
from user360.errors import Conflict


@app.command()
@connected
def archive(
    api: Api,
    user_id: UserId,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to, a ZIP file.")],
    record: ById = False,
) -> Answer:
    """Write everything held about a customer into one file, as JSON and CSV.

    Examples:

        user360 user archive asha@example.com asha.zip
    """
    if file.exists():
        raise Conflict(f"{file} is there already; give another name")
    api.download(file, "records" if record else "users", user_id, "archive")
    return Answer({"file": str(file)}, f"Everything about {user_id} is in {file}")


@app.command()
@connected
def erase(api: Api, user_id: UserId, record: ById = False, yes: Yes = False) -> Answer:
    """Erase a customer for good, and keep them away; the receipt says what went from where.

    Examples:

        user360 user erase asha@example.com --yes
    """
    confirm(f"Erase {user_id} for good? Nothing brings back what is erased", yes)
    told = api.post("records" if record else "users", user_id, "erase", body={})
    return _receipt(told)


@app.command()
@connected
def receipt(
    api: Api, erasure: Annotated[str, typer.Argument(help="The id of the erasure.")]
) -> Answer:
    """Show the receipt of an erasure, as far as it is done by now.

    Examples:

        user360 user receipt 9f2c4e6a8b0d1c3e5f7a9b0c2d4e6f80
    """
    return _receipt(api.get("erasures", erasure))


@app.command()
@connected
def allow(api: Api, user_id: UserId) -> Answer:
    """Let an erased customer come again, as somebody new.

    Examples:

        user360 user allow asha@example.com
    """
    api.delete("erased", user_id)
    return Answer({"userId": user_id}, f"{user_id} may come again")


@app.command()
@connected
def purge(api: Api) -> Answer:
    """Remove what erasures and deletions left in large files; writers wait meanwhile.

    Examples:

        user360 user purge
    """
    job = api.post("erasures", "compact", body={})
    return Answer(job, f"Job {job['id']} writes the files anew")


def _receipt(told: dict[str, Any]) -> Answer:
    removed = ", ".join(f"{count:,} {where}" for where, count in told["removed"].items() if count)
    lines = [f"Erased {', '.join(told['records'])}: {removed}"]
    if told["purged"]:
        lines.append("No file holds a trace of them")
    else:
        lines.append(f"Files still hold traces; `user360 user receipt {told['id']}` tells when not")
    if told["backups"]:
        lines.append(f"Not reached: backups of {', '.join(told['backups'])}")
    return Answer(told, "\n".join(lines))
