"""The columns of a file as a form: what each becomes, shown and read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from user360.errors import Fault, Invalid, Problem
from user360.imports.options import Options
from user360.imports.preview import Preview
from user360.imports.suggest import Suggestion
from user360.records.properties import READ_ONLY, Catalogue, Property, Type

USER_ID = "userId"
NEW = "+"  # no property is called so
LEFT = ""
TYPES = tuple(kind.value for kind in Type)
# How a suggestion was found, in words.
HOW = {
    "used": "as the last time",
    "exact": "by its name",
    "near": "its name comes near",
    "new": "new here",
    "left": "nothing to import",
}


class Row(msgspec.Struct, frozen=True):
    """One column: what it becomes (`to`: a property, `NEW`, or `LEFT`), and why.

    `name` and `type` are those of a new property.
    """

    column: str
    samples: tuple[str, ...]
    to: str
    name: str
    type: str
    why: str


def rows(found: Preview, options: Options, catalogue: Catalogue) -> list[Row]:
    """A row for each column of a file, as the options have it."""
    return [_row(each, options, catalogue) for each in found.suggestions]


def _row(suggested: Suggestion, options: Options, catalogue: Catalogue) -> Row:
    column = suggested.column
    name = (options.mapping or {}).get(column)
    if name is None:
        to = LEFT
    else:
        to = name if name == USER_ID or catalogue.get(name) is not None else NEW
    chosen = options.types.get(column, suggested.type)
    return Row(
        column=column,
        samples=suggested.samples,
        to=to,
        name=name if to == NEW and name else suggested.property or "",
        type=chosen.value,
        why=HOW[suggested.how] if name == suggested.property else "as you chose",
    )


def offered(catalogue: Catalogue) -> list[Property]:
    """The properties that a column can become."""
    return [each for each in catalogue if each.name not in (*READ_ONLY, USER_ID)]


def read(form: Mapping[str, str], found: Preview, before: Options) -> Options:
    """The options with what a form says of the columns. Raises `Invalid` by field."""
    mapping: dict[str, str] = {}
    types: dict[str, Type] = {}
    faults: list[Fault] = []
    for place, suggested in enumerate(found.suggestions):
        column, to = suggested.column, form.get(f"to.{place}", LEFT)
        if to == NEW:
            mapping[column] = form.get(f"name.{place}", "").strip()
            kind = form.get(f"type.{place}", "")
            if kind in TYPES:
                types[column] = Type(kind)
            if not mapping[column]:
                faults.append(Fault(f"name.{place}", "invalid", "Write a name for it"))
        elif to != LEFT:
            mapping[column] = to
    named = [column for column, name in mapping.items() if name == USER_ID]
    if len(named) > 1:
        place = found.headers.index(named[1])
        message = f"Only one column can be the user id; {named[0]} is it already"
        faults.append(Fault(f"to.{place}", "invalid", message))
    if faults:
        raise Invalid(faults[0].message, faults=faults)
    return msgspec.structs.replace(
        before,
        mapping=mapping,
        types=types,
        user_id=named[0] if named else None,
        create_properties=bool(types),
    )


def placed(problem: Problem, form: Mapping[str, str], headers: Sequence[str]) -> Problem:
    """A problem with the options, told beside the fields of the form."""
    return Invalid(problem.detail, faults=[_placed(f, form, headers) for f in problem.faults])


def _placed(fault: Fault, form: Mapping[str, str], headers: Sequence[str]) -> Fault:
    column = fault.path.removeprefix("options.mapping.")
    if column not in headers:
        return msgspec.structs.replace(fault, path="")
    place = headers.index(column)
    field = "name" if form.get(f"to.{place}") == NEW else "to"
    return msgspec.structs.replace(fault, path=f"{field}.{place}")
