"""Members: people who sign in to the pages, each with a role in one or more workspaces."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

import msgspec
from email_validator import EmailNotValidError, validate_email

from user360.access import passwords, roles, workspaces
from user360.access.change import Change
from user360.access.keys import fingerprint
from user360.conversations import desks
from user360.errors import Conflict, Fault, Forbidden, Invalid, NotFound
from user360.storage.ledger import Connection, text

INVITED = 7 * 86_400_000_000  # how long a link is good, in microseconds
LONGEST_NAME = 200


class Member(msgspec.Struct, frozen=True):
    """Somebody who signs in: `roles` by the number of the workspace."""

    id: int
    email: str
    name: str
    password: str | None
    created_at: int
    invited_until: int | None
    roles: Mapping[int, str]

    @property
    def ref(self) -> str:
        """How provenance and audit name them."""
        return f"member:{self.id}"


def all_members(connection: Connection) -> dict[int, Member]:
    """Every member of every workspace, by number."""
    held: dict[int, dict[int, str]] = {}
    for member, workspace, role in connection.execute(
        text("SELECT member_id, workspace_id, role FROM member_roles")
    ):
        held.setdefault(member, {})[workspace] = role
    rows = connection.execute(
        text("SELECT id, email, name, password, created_at, invite_until FROM members ORDER BY id")
    )
    return {
        number: Member(number, address, name, password, created, until, held.get(number, {}))
        for number, address, name, password, created, until in rows
    }


def email(given: str) -> str:
    """An e-mail address as it is kept. Raises `Invalid` at `email`."""
    try:
        found = validate_email(given.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise Invalid.at("email", f"This is no e-mail address: {error}") from error
    return found.normalized.lower()


def first(change: Change, given_email: str, name: str, password: str) -> int:
    """Make the first member of all, an admin; their number.

    Raises `Forbidden` when there is one already, `Invalid` naming every bad field.
    """
    if change.connection.execute(text("SELECT count(*) FROM members")).scalar_one():
        raise Forbidden("There is a first member already; ask them for an invitation")
    address, called = _checked(given_email, name, password)
    number = _insert(change, address, called, passwords.hashed(password))
    _give(change, number, "admin")
    change.audit("member.first", f"member:{number}")
    _seat(change)
    return number


def invite(change: Change, given_email: str, name: str, role: str) -> tuple[int, str]:
    """Make somebody a member of the workspace: their number, and a link's secret.

    The secret is empty when they are in another workspace already: they sign in as they do there.
    Raises `Invalid`, and `Conflict` when they are a member of this workspace.
    """
    address, called = _checked(given_email, name, None)
    _check_role(role)
    row = change.connection.execute(
        text("SELECT id, password FROM members WHERE email = :email"), {"email": address}
    ).one_or_none()
    number = _insert(change, address, called, None) if row is None else int(row[0])
    if _role(change, number) is not None:
        raise Conflict.at("email", "They are a member of this workspace already")
    _give(change, number, role)
    change.audit("member.invite", f"member:{number}", role=role)
    can = row is not None and (row[1] or change.workspace.name != workspaces.DEFAULT)
    secret = "" if can else link(change, number)
    _seat(change)
    return number, secret


def link(change: Change, number: int) -> str:
    """A new secret by which a member of the workspace chooses a password; older ones end.

    Whoever has it signs in to all workspaces of that member. For somebody who is in others too it
    is therefore made in the default workspace alone, which is that of who runs the server; else it
    raises `Forbidden`.
    """
    _require(change, number)
    if change.workspace.name != workspaces.DEFAULT and _elsewhere(change, number):
        raise Forbidden("They are in other workspaces too; ask an admin of the default workspace")
    secret = secrets.token_urlsafe(24)
    change.connection.execute(
        text("UPDATE members SET invite_hash = :hash, invite_until = :until WHERE id = :id"),
        {"hash": fingerprint(secret), "until": change.now + INVITED, "id": number},
    )
    change.audit("member.link", f"member:{number}")
    return secret


def by_link(connection: Connection, secret: str, now: int) -> int | None:
    """Whose link this is, while it is good."""
    found = connection.execute(
        text("SELECT id FROM members WHERE invite_hash = :hash AND invite_until > :now"),
        {"hash": fingerprint(secret), "now": now},
    ).scalar_one_or_none()
    return None if found is None else int(found)


def join(change: Change, secret: str, password: str) -> int:
    """Choose a password by a link, which is used up; ends all sessions. The member's number.

    Raises `NotFound` for a link that is not good, `Invalid` for the password.
    """
    number = by_link(change.connection, secret, change.now)
    if number is None:
        raise NotFound("This link was used or is too old; ask for another one")
    set_password(change, number, password)
    return number


def set_password(change: Change, number: int, password: str) -> None:
    """Give a member another password; links and all sessions of theirs end."""
    row = change.connection.execute(
        text("SELECT email, name FROM members WHERE id = :id"), {"id": number}
    ).one()
    passwords.check(password, *row)
    change.connection.execute(
        text(
            "UPDATE members SET password = :password, invite_hash = NULL, invite_until = NULL"
            " WHERE id = :id"
        ),
        {"password": passwords.hashed(password), "id": number},
    )
    end_all(change.connection, number)
    change.audit("member.password", f"member:{number}")


def rename(change: Change, number: int, name: str) -> None:
    """Call a member otherwise, in all workspaces. Raises `Invalid` at `name`."""
    called = _named(name)
    change.connection.execute(
        text("UPDATE members SET name = :name WHERE id = :id"), {"name": called, "id": number}
    )
    change.audit("member.name", f"member:{number}")


def set_role(change: Change, number: int, role: str) -> None:
    """Raises `Conflict` when nobody would be left who may manage the workspace."""
    _check_role(role)
    before = _require(change, number)
    _keep_an_admin(change, number, before, role)
    _give(change, number, role)
    change.audit("member.role", f"member:{number}", role=role)
    _seat(change)


def remove(change: Change, number: int) -> None:
    """Take a member out of the workspace; one who is in no other is forgotten.

    Raises `NotFound`, and `Conflict` for the last admin.
    """
    _keep_an_admin(change, number, _require(change, number), "")
    given = {"id": number, "workspace": change.workspace.id}
    for table in ("member_roles", "sign_ins", "preferences"):
        change.connection.execute(
            text(f"DELETE FROM {table} WHERE member_id = :id AND workspace_id = :workspace"), given
        )
    left = text("SELECT count(*) FROM member_roles WHERE member_id = :id")
    if not change.connection.execute(left, given).scalar_one():
        end_all(change.connection, number)
        change.connection.execute(text("DELETE FROM members WHERE id = :id"), given)
    change.audit("member.remove", f"member:{number}")
    _seat(change)


def end_all(connection: Connection, number: int) -> None:
    """End every session of a member."""
    connection.execute(text("DELETE FROM sign_ins WHERE member_id = :id"), {"id": number})


def _named(given: str) -> str:
    """A name as it is kept. Raises `Invalid` at `name`."""
    called = given.strip()
    if not 1 <= len(called) <= LONGEST_NAME:
        raise Invalid.at("name", f"A name has 1 to {LONGEST_NAME} characters")
    return called


def _checked(given_email: str, name: str, password: str | None) -> tuple[str, str]:
    """An address and a name as they are kept. Raises `Invalid` naming every bad field."""
    faults: list[Fault] = []
    address, called = "", name.strip()
    try:
        address = email(given_email)
    except Invalid as problem:
        faults += problem.faults
    try:
        called = _named(name)
    except Invalid as problem:
        faults += problem.faults
    if password is not None:
        try:
            passwords.check(password, address, called)
        except Invalid as problem:
            faults += problem.faults
    if faults:
        raise Invalid(faults[0].message, faults=faults)
    return address, called


def _check_role(role: str) -> None:
    if role not in roles.OF_PEOPLE:
        raise Invalid.at("role", f"A role is one of {', '.join(roles.OF_PEOPLE)}")


def _insert(change: Change, address: str, name: str, password: str | None) -> int:
    return int(
        change.connection.execute(
            text(
                "INSERT INTO members (email, name, password, created_at)"
                " VALUES (:email, :name, :password, :now) RETURNING id"
            ),
            {"email": address, "name": name, "password": password, "now": change.now},
        ).scalar_one()
    )


def _give(change: Change, number: int, role: str) -> None:
    change.connection.execute(
        text(
            "INSERT INTO member_roles (member_id, workspace_id, role, since)"
            " VALUES (:id, :workspace, :role, :now)"
            " ON CONFLICT (member_id, workspace_id) DO UPDATE SET role = excluded.role"
        ),
        {"id": number, "workspace": change.workspace.id, "role": role, "now": change.now},
    )


def _seat(change: Change) -> None:
    """Take in who may answer, last of all: that is a matter of roles."""
    change.workspace.desk = desks.load(change.connection, change.workspace.id)


def _role(change: Change, number: int) -> str | None:
    found: str | None = change.connection.execute(
        text("SELECT role FROM member_roles WHERE member_id = :id AND workspace_id = :workspace"),
        {"id": number, "workspace": change.workspace.id},
    ).scalar_one_or_none()
    return found


def _elsewhere(change: Change, number: int) -> bool:
    query = text(
        "SELECT count(*) FROM member_roles WHERE member_id = :id AND workspace_id <> :workspace"
    )
    given = {"id": number, "workspace": change.workspace.id}
    return bool(change.connection.execute(query, given).scalar_one())


def _require(change: Change, number: int) -> str:
    role = _role(change, number)
    if role is None:
        raise NotFound("There is no such member of this workspace")
    return role


def _keep_an_admin(change: Change, number: int, before: str, after: str) -> None:
    if before != "admin" or after == "admin":
        return
    others = change.connection.execute(
        text(
            "SELECT count(*) FROM member_roles WHERE workspace_id = :workspace"
            " AND role = 'admin' AND member_id <> :id"
        ),
        {"workspace": change.workspace.id, "id": number},
    ).scalar_one()
    if not others:
        raise Conflict.at("role", "The workspace needs an admin; make somebody else one first")
