"""What a form of a page sends."""

from __future__ import annotations

from user360.pages.render import Asked

LONGEST_NUMBER = 18  # digits


async def read(request: Asked) -> dict[str, str]:
    """The fields of a form by name, as text; a box that is not ticked is not among them."""
    form = await request.form()
    return {name: given for name, given in form.items() if isinstance(given, str)}


def number(given: str) -> int | None:
    """A whole number of a form or an address, as the ledger can hold it; None when it is none."""
    return int(given) if given.isdecimal() and len(given) <= LONGEST_NUMBER else None
