"""What is true of a person: settling many writes, of any order, into one value a property.

Every record keeps its own cells. A merge adds an edge from survivor to merged record and changes
no cell; the survivor's settled value is derived from the tree, so that undoing a merge is
forgetting its edge (specification: records, "Merging").

- Of two writes to one cell the one with the later (event time, message id) wins, whichever came
  first.
- A write dated after a merge, to the survivor or through a session of the merged record, stands
  alone: it was made knowing the merged whole.
- Of what is dated before: the survivor's single values stay and the merged record fills what is
  missing; lists are united, the survivor's order first; auto-captured country and timezone are
  taken both or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

Value = str | int | float | bool | list[str]
PAIR = ("country", "timezone")


class Cell(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One settled value with its provenance; `value` None is an explicit clearing.

    `at` is the event time, `by` the message id, `written` the time of writing (microseconds);
    `ref` is the session, import or key behind `source`; `merge` is set on a derived cell only,
    to the merge that brought it.
    """

    value: Any
    at: int
    by: str
    written: int
    source: str
    ref: str
    merge: int | None = None


class Edge(msgspec.Struct, frozen=True, order=True):
    """A merge seen from its survivor; edges are ordered by the time and number of the merge."""

    at: int
    merge: int
    child: int


class Own(msgspec.Struct):
    """What one record holds itself, where it was merged into, and what was merged into it."""

    id: int
    user_id: str | None
    cells: dict[str, Cell]
    created_at: int
    updated_at: int
    merged_into: int | None = None
    merge_id: int | None = None
    merged_at: int | None = None
    edges: list[Edge] = msgspec.field(default_factory=list)


Forest = Mapping[int, Own]
decode_cells = msgspec.json.Decoder(dict[str, Cell]).decode
encode_cells = msgspec.json.Encoder().encode


def wins(new: Cell, old: Cell | None) -> bool:
    """Whether `new` replaces `old`: later event time, then message id, then value."""
    if old is None:
        return True
    if (new.at, new.by) != (old.at, old.by):
        return (new.at, new.by) > (old.at, old.by)
    return encode_cells(new.value) > encode_cells(old.value)


def settled(forest: Forest, number: int, name: str) -> Cell | None:
    """The cell that holds for property `name` of the record and all merged into it."""
    own = forest[number]
    if not own.edges:
        return own.cells.get(name)
    if name in PAIR:
        return _pair(forest, own)[PAIR.index(name)]
    views = [(edge, settled(forest, edge.child, name)) for edge in own.edges]
    base = _base(own.cells.get(name), views)
    result = base
    for edge, cell in views:
        if _counts(cell, edge, base):
            result = _joined(result, cell, edge)
    return result


def names(forest: Forest, number: int) -> list[str]:
    """Every property that the record or one merged into it has a cell for, in a stable order."""
    own = forest[number]
    found = dict.fromkeys(own.cells)
    for edge in own.edges:
        found.update(dict.fromkeys(names(forest, edge.child)))
    return list(found)


def view(forest: Forest, number: int) -> dict[str, Cell]:
    """All settled cells of a living record that hold a value."""
    own = forest[number]
    if not own.edges:
        return {name: cell for name, cell in own.cells.items() if cell.value is not None}
    cells = {name: settled(forest, number, name) for name in names(forest, number)}
    return {name: cell for name, cell in cells.items() if cell and cell.value is not None}


def _base(own: Cell | None, views: Iterable[tuple[Edge, Cell | None]]) -> Cell | None:
    """The survivor's own cell, or a later one written through a merged record since its merge."""
    base = own
    for edge, cell in views:
        if cell is not None and cell.at > edge.at and wins(cell, base):
            base = cell
    return base


def _counts(cell: Cell | None, edge: Edge, base: Cell | None) -> bool:
    """Whether a merged record's cell takes part in the merge over this edge."""
    if cell is None or cell.value is None or cell.at > edge.at:
        return False
    return base is None or base.at <= edge.at


def _joined(result: Cell | None, cell: Cell | None, edge: Edge) -> Cell | None:
    assert cell is not None
    if result is None or result.value is None:
        return msgspec.structs.replace(cell, merge=edge.merge)
    if isinstance(result.value, list) and isinstance(cell.value, list):
        united = list(dict.fromkeys([*result.value, *cell.value]))
        if united != result.value:
            return msgspec.structs.replace(result, value=united, merge=edge.merge)
    return result


def _pair(forest: Forest, own: Own) -> list[Cell | None]:
    """Country and timezone together: what was auto-captured is taken both or not at all."""
    views = [[(edge, settled(forest, edge.child, name)) for edge in own.edges] for name in PAIR]
    bases = [_base(own.cells.get(name), of_name) for name, of_name in zip(PAIR, views, strict=True)]
    results = list(bases)
    for i, edge in enumerate(own.edges):
        has_either = any(cell is not None and cell.value is not None for cell in results)
        for k in range(2):
            cell = views[k][i][1]
            if cell is None or not _counts(cell, edge, bases[k]):
                continue
            if not (cell.source == "auto" and has_either):
                results[k] = _joined(results[k], cell, edge)
    return results


def write(
    forest: Forest, leaf: int, root: int, cells: Mapping[str, Cell]
) -> dict[str, tuple[Any, Any]]:
    """Apply writes to record `leaf`; returns what changed in `root`: name -> (old, new) value."""
    touched = list(cells)
    if not PAIR_SET.isdisjoint(cells):
        touched = [*dict.fromkeys([*cells, *PAIR])]
    before = {name: value_of(settled(forest, root, name)) for name in touched}
    own = forest[leaf].cells
    for name, cell in cells.items():
        if wins(cell, own.get(name)):
            own[name] = cell
    after = {name: value_of(settled(forest, root, name)) for name in touched}
    return {n: (before[n], after[n]) for n in touched if before[n] != after[n]}


def difference(before: Mapping[str, Cell], after: Mapping[str, Cell]) -> dict[str, tuple[Any, Any]]:
    """What differs between two views of one record: name -> (old, new) value."""
    found = dict.fromkeys([*before, *after])
    pairs = {n: (value_of(before.get(n)), value_of(after.get(n))) for n in found}
    return {n: pair for n, pair in pairs.items() if pair[0] != pair[1]}


def attach(forest: Forest, survivor: int, edge: Edge) -> None:
    """Merge: from now on `edge.child` shows in `survivor`."""
    child = forest[edge.child]
    child.merged_into, child.merge_id, child.merged_at = survivor, edge.merge, edge.at
    forest[survivor].edges.append(edge)
    forest[survivor].edges.sort()


def detach(forest: Forest, survivor: int, child: int) -> None:
    """Undo a merge: forget its edge."""
    forest[survivor].edges = [e for e in forest[survivor].edges if e.child != child]
    own = forest[child]
    own.merged_into = own.merge_id = own.merged_at = None


def members(forest: Forest, number: int) -> list[int]:
    """The record and everything merged below it."""
    below = [n for edge in forest[number].edges for n in members(forest, edge.child)]
    return [number, *below]


def value_of(cell: Cell | None) -> Any:
    return None if cell is None else cell.value


PAIR_SET = frozenset(PAIR)
