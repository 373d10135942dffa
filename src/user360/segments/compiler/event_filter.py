"""Conditions on what single events hold, for lists of events: the `where` of a condition alone."""

from __future__ import annotations

from user360.access.workspaces import Workspace
from user360.errors import Fault, InvalidCondition
from user360.segments.compiler import compile as compiler
from user360.segments.compiler import events_sql
from user360.segments.language import nodes, sql, tree
from user360.segments.language.periods import When

Tests = tuple[nodes.PathTest, ...]


def read(given: object, workspace: Workspace) -> Tests:
    """The tests that `given` (JSON) means. Raises `InvalidCondition` with paths from `where`."""
    try:
        node = tree.parse({"event": "any", "where": given}, workspace.catalogue, "")
    except InvalidCondition as problem:
        faults = [Fault(f.path.lstrip("."), f.code, f.message) for f in problem.faults]
        raise InvalidCondition(problem.detail.lstrip("."), faults=faults) from problem
    assert isinstance(node, nodes.EventTest)
    return node.where


def to_sql(tests: Tests, workspace: Workspace, now: int, dialect: str) -> str | None:
    """SQL over the columns of `events` for which all tests hold; None when there are none."""
    if not tests:
        return None
    when = When(now, workspace.zone)
    held = sql.all_of([events_sql.where(test, when) for test in tests])
    return compiler.to_sql(held, dialect)
