"""The rules the whole source keeps: which way imports point, how long things get, what locks hold.

Read `LAYERS` from the top: a module may import from its own layer and from those below it.
"""

from __future__ import annotations

import ast
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "user360"

LAYERS = (
    {"__main__", "cli"},
    {"app", "demo", "demo_inbox", "listen", "serve"},
    {"doors", "pages", "channels", "flows", "inbox"}
    | {"imports", "exports", "erasure", "backup", "many"},
    {"platform", "jobs"},
    {"ingest"},
    {"activation", "segments", "events", "records", "identity", "conversations", "access"},
    {"storage", "observe"},
    {"errors", "clock", "ids", "settings", "memory", "sink", "data", "__init__"},
)
LEVEL = {name: level for level, layer in enumerate(LAYERS) for name in layer}
EDGES = {"cli", "app", "demo", "listen", "serve", "doors", "pages"}

DRIVERS = {"duckdb", "sqlite3", "psycopg", "clickhouse_connect", "chdb"}
SQL = DRIVERS | {"sqlalchemy", "sqlglot", "alembic"}

LONGEST_FILE = 400
LONGEST_FUNCTION = 60


class Import(NamedTuple):
    """One imported module and the line that imports it."""

    module: str
    line: int


def sources() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def name_of(path: Path) -> str:
    """`src/user360/records/store.py` -> `records/store.py`: how a test case is called."""
    return path.relative_to(SOURCE).as_posix()


def part_of(path: Path) -> str:
    """The part of the product that a file belongs to: `records`, `errors`, ..."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[Import]:
    """Every module a file imports, wherever in the file; `from a import b` counts as `a.b` too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield Import(module, node.lineno)
            yield from (Import(f"{module}.{alias.name}", node.lineno) for alias in node.names)


def parts_imported(path: Path) -> Iterator[tuple[str, int]]:
    """The parts of the product that a file imports, with the line."""
    for found in imports(path):
        words = found.module.split(".")
        if words[0] == "user360" and len(words) > 1 and words[1] in LEVEL:
            yield words[1], found.line


def wrong_arrows(path: Path) -> list[str]:
    """What a file imports from above its own layer."""
    part = part_of(path)
    return [
        f"line {line}: {part} imports {other}"
        for other, line in parts_imported(path)
        if LEVEL[other] < LEVEL[part]
    ]


def imported_roots(path: Path) -> set[str]:
    return {found.module.split(".")[0] for found in imports(path)}


each_source = pytest.mark.parametrize("path", sources(), ids=name_of)


def test_every_part_has_its_layer() -> None:
    parts = {part_of(path) for path in sources()}
    assert parts <= set(LEVEL), "a new part of the product needs a layer here"


@each_source
def test_imports_point_one_way(path: Path) -> None:
    assert wrong_arrows(path) == []


@each_source
def test_only_storage_talks_to_a_database(path: Path) -> None:
    if part_of(path) != "storage":
        assert imported_roots(path) & DRIVERS == set()


@each_source
def test_the_edges_hold_no_sql(path: Path) -> None:
    if part_of(path) in EDGES:
        assert imported_roots(path) & SQL == set()


def test_a_dialect_is_translated_without_looking_anything_up() -> None:
    for path in SOURCE.glob("doors/*/translate.py"):
        modules = [found.module for found in imports(path)]
        assert not [m for m in modules if m.startswith("user360.storage")], name_of(path)
        assert not [m for m in modules if m.endswith(".store")], name_of(path)


@each_source
def test_a_file_fits_in_the_head(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@each_source
def test_a_function_fits_on_the_screen(path: Path) -> None:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, functions)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= LONGEST_FUNCTION
    ]
    assert long == []


@each_source
def test_nothing_happens_on_import(path: Path) -> None:
    if path.name in ("env.py", "__main__.py"):  # these two are run, not imported
        return
    acting = (ast.For, ast.While, ast.With, ast.AsyncFor, ast.AsyncWith, ast.Await, ast.Delete)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    doing = [
        f"line {node.lineno}: {ast.unparse(node)[:60]}"
        for node in tree.body
        if isinstance(node, acting)
        or (isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant))
    ]
    assert doing == []


def test_what_is_imported_is_declared_and_the_other_way_round() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.split(r"[^\w.-]", d)[0].lower() for d in project["dependencies"]}
    roots = {root for path in sources() for root in imported_roots(path)}
    foreign = roots - set(sys.stdlib_module_names) - {"user360"}
    providers = packages_distributions()
    used = {name.lower().replace("_", "-") for root in foreign for name in providers[root]}
    assert used <= declared
    assert declared - used <= {"tzdata"}  # data for `zoneinfo`, which nobody imports


@pytest.mark.parametrize("name", ["lock.txt", "dev.txt"])
def test_a_lock_names_versions_and_hashes_and_nobody(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    blocks = re.findall(r"^([a-z0-9][^\n]*\\\n(?:    --hash[^\n]*\n)+)", text, re.MULTILINE)
    names = re.findall(r"^[a-z0-9]", text, re.MULTILINE)
    assert len(blocks) == len(names) > 20, "every package has its hashes"
    assert all(re.match(r"[a-z0-9.\-\[\]]+==[0-9]", block) for block in blocks)
    assert not re.search(r"https?:|file:|--(extra-)?index|--find-links|(?<![\w.])/\w", text)


def test_both_locks_agree_on_what_the_product_runs_on() -> None:
    def pins(name: str) -> set[str]:
        text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
        return set(re.findall(r"^[a-z0-9][^ \n]*==[^ \n]+", text, re.MULTILINE))

    assert pins("lock.txt") <= pins("dev.txt")


def test_the_locks_of_node_name_hashes_and_nobody() -> None:
    locks = [p for p in ROOT.glob("tests/**/package-lock.json") if "node_modules" not in p.parts]
    assert locks
    for lock in locks:
        packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
        for where, package in packages.items():
            assert "resolved" not in package, where
            assert where == "" or package["integrity"].startswith("sha512-"), where


def test_the_rules_would_notice(tmp_path: Path) -> None:
    """The reading of imports is itself held: every way to write one is seen."""
    file = tmp_path / "a.py"
    file.write_text(
        "import duckdb as d\nfrom user360 import ingest\nfrom user360.doors.segment import x\n"
        "def f():\n    import user360.app\n"
    )
    assert {"duckdb", "user360"} == imported_roots(file)
    assert {part for part, _ in parts_imported(file)} == {"ingest", "doors", "app"}
