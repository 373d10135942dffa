"""axe-core on a page: what would keep somebody from using it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

SCRIPT = Path(__file__).resolve().parents[2] / "front/node_modules/axe-core/axe.min.js"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
NARROW = {"width": 360, "height": 740}  # the window of a small phone


@cache
def _script() -> str:
    return SCRIPT.read_text("utf-8")


def troubles(page: Page) -> list[str]:
    """Each serious or critical trouble of the page as it is now, with where it is."""
    page.evaluate(_script())
    found: Any = page.evaluate("rules => axe.run(document, rules)", RULES)
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
