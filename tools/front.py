"""Copy what the pages load from npm's folder into the package: pinned, whole, not committed."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FROM = ROOT / "front" / "node_modules"
TO = ROOT / "src" / "user360" / "pages" / "static" / "vendor"
FILES = {
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "tabler.css": "@tabler/core/dist/css/tabler.min.css",
}
ICONS = "@tabler/icons/icons/outline"
# `icon("users")` in a template, or the third word of an entry of the menu.
NAMED = re.compile(r"""icon\(["']([a-z0-9-]+)["']\)|Entry\("[^"]*", "[^"]*", "([a-z0-9-]+)\"""")
SOURCES = ("templates/**/*.html", "**/*.py")
COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)
MAP = re.compile(r"/[/*]# sourceMappingURL=\S+( \*/)?\s*$")


def icons() -> set[str]:
    """The icons that templates and the menu name."""
    pages = TO.parent.parent
    texts = (path.read_text("utf-8") for glob in SOURCES for path in pages.glob(glob))
    return {first or second for text in texts for first, second in NAMED.findall(text)}


def main() -> None:
    """Bring the folder up to date; what is no longer named goes."""
    kept = set()
    for name, source in FILES.items():
        kept.add(_write(name, MAP.sub("", (FROM / source).read_text("utf-8"))))
    for name in sorted(icons()):
        text = COMMENT.sub("", (FROM / ICONS / f"{name}.svg").read_text("utf-8"))
        drawn = text.replace("<svg", '<svg aria-hidden="true"', 1)
        kept.add(_write(f"icons/{name}.svg", drawn.strip()))
    for path in TO.rglob("*"):
        if path.is_file() and path not in kept:
            path.unlink()


def _write(name: str, text: str) -> Path:
    path = TO / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


if __name__ == "__main__":
    main()
