"""Writes the generated pages of the reference anew; a test holds the committed ones to them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import cast

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"

# page: the module and the function that returns its text. A list in the code (operators,
# settings, steps) writes its own page, so that the page cannot say anything else.
PAGES = {
    "conditions.md": ("user360.segments.operators", "reference_page"),
}


def page(name: str) -> str:
    """The text that one page of the reference should have, in Markdown."""
    module, function = PAGES[name]
    write = cast(Callable[[], str], getattr(importlib.import_module(module), function))
    return write()


def main() -> None:
    """Write every page, saying which ones changed."""
    for name in PAGES:
        target = REFERENCE / name
        text = page(name)
        changed = not target.exists() or target.read_text(encoding="utf-8") != text
        if changed:
            target.write_text(text, encoding="utf-8")
        print(f"{'written  ' if changed else 'unchanged'} {name}")


if __name__ == "__main__":
    main()
