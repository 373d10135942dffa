"""axe-core on a page: what would keep somebody from using it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

SCRIPT = Path(__file__).resolve().parents[2] / "front/node_modules/axe-core/axe.min.js"
FOUND = {"resultTypes": ["violations"]}  # what is well is not gathered, which takes as long again
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"], **FOUND}
COLOURS = {"runOnly": ["color-contrast"], **FOUND}
# Whether the page shows itself dark: its theme follows the system's unless somebody chose one.
DARK = """() => {
  const shown = document.documentElement.dataset.bsTheme;
  const may = [undefined, "dark", localStorage.getItem("theme")];
  return matchMedia("(prefers-color-scheme: dark)").matches && may.includes(shown);
}"""
DRAWN = "() => new Promise(requestAnimationFrame)"
NARROW = {"width": 360, "height": 740}  # the window of a small phone


@cache
def _script() -> str:
    return SCRIPT.read_text("utf-8")


def troubles(page: Page) -> list[str]:
    """Each serious or critical trouble of the page as it is now, with where it is.

    A page that is light is looked at in the dark too, where nothing but its colours is different.
    """
    page.evaluate(_script())
    found = _found(page, RULES)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(DARK)
    page.evaluate(DRAWN)
    found += _found(page, COLOURS)
    page.emulate_media(color_scheme="light")
    return found


def _found(page: Page, rules: dict[str, Any]) -> list[str]:
    found: Any = page.evaluate("rules => axe.run(document, rules)", rules)
    return [
        f"{each['id']}: {each['help']} at {node['target']}: {node['failureSummary']}"
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


def too_tall(page: Page) -> int:
    """How many pixels a page that fills the window reaches beyond it, downwards."""
    beyond: int = page.evaluate("document.documentElement.scrollHeight - window.innerHeight")
    return max(beyond, 0)


def too_wide(page: Page) -> int:
    """How many pixels a page reaches beyond the window, sideways."""
    beyond: int = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return max(beyond, 0)
