"""What the documentation says is held to what is there: links, files, targets, generated pages."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from user360 import cli

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
each_page = pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix()
)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose_of(page: Path) -> str:
    """A page without its code blocks."""
    return FENCE.sub("", text_of(page))


def blocks(page: Path, *languages: str) -> Iterator[str]:
    """The code blocks of a page in one of these languages."""
    for found in FENCE.finditer(text_of(page)):
        if found[2] in languages:
            yield found[3]


def links(page: Path) -> Iterator[str]:
    """The targets of a page's links, without those to other sites."""
    for target in re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", prose_of(page)):
        if not re.match(r"[a-z]+:", target):
            yield target


def anchors(page: Path) -> set[str]:
    """The names that the headings of a page can be linked by."""
    headings = re.findall(r"^#+ +(.+)$", prose_of(page), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


def linked(page: Path, target: str) -> Path:
    """The file that a link of a page leads to."""
    path = target.partition("#")[0]
    return (page.parent / path).resolve() if path else page


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in links(page):
        file = linked(page, target)
        assert file.exists(), target
        anchor = target.partition("#")[2]
        assert not anchor or anchor in anchors(file), target


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        waiting += [linked(page, target) for target in links(page)]
    assert set(PAGES) <= reached


@each_page
def test_every_file_that_is_named_exists(page: Path) -> None:
    if page.parent.name == "decisions":  # a decision may speak of what was or will be
        return
    named = re.findall(r"`((?:src|tests|tools|docs|bench|requirements)/[\w./-]+)`", text_of(page))
    inside = re.findall(r"`([a-z]+/[\w/]+\.py)`", text_of(page))
    missing = [name for name in named if not (ROOT / name).exists()]
    missing += [
        name
        for name in inside
        if not (ROOT / name).exists() and not (ROOT / "src/user360" / name).exists()
    ]
    assert missing == []


@each_page
def test_every_make_target_exists(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    commands = "\n".join([*blocks(page, "console"), *re.findall(r"`([^`\n]+)`", prose_of(page))])
    assert set(re.findall(r"^make ([a-z]+)", commands, re.MULTILINE)) <= targets


@each_page
def test_every_command_exists(page: Path) -> None:
    group: Any = typer.main.get_command(cli.commands())
    code = "\n".join([*blocks(page, "console"), *re.findall(r"`([^`\n]+)`", prose_of(page))])
    for words in re.findall(r"^user360 ((?:[a-z]+ ?)+)", code, re.MULTILINE):
        command = group
        for word in words.split():
            if not hasattr(command, "commands"):
                break
            if hasattr(command, "otherwise") and word not in command.commands:
                break  # such as the file of `user360 import FILE`
            assert word in command.commands, f"user360 {words}"
            command = command.commands[word]


def test_every_make_target_says_what_it_does() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony
    for target in phony[1].split():
        assert re.search(rf"^{target}:.*  ## \w+", makefile, re.MULTILINE), target


@each_page
def test_python_in_the_docs_is_python(page: Path) -> None:
    for code in blocks(page, "python"):
        ast.parse(code)


def test_the_generated_pages_say_what_the_code_says() -> None:
    result = subprocess.run(
        [sys.executable, "tools/docs.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, f"{result.stdout}{result.stderr}\nrun: make docs"


def test_the_changelog_begins_with_what_is_not_released() -> None:
    headings = re.findall(r"^## (.+)$", text_of(ROOT / "CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == "Unreleased"
