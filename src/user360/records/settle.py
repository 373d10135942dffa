"""What is true of a person: settling many writes, of any order, into one value a property.

Every record keeps its own cells. A merge adds an edge from survivor to merged record and changes
no cell; the survivor's settled value is derived from the tree, so that undoing a merge is
forgetting its edge (specification: records, "Merging").

- Of two writes to one cell the one with the later (event time, message id) wins, whichever came
  first.
- A tag added or removed by itself is a write to that tag alone, and a list of tags one to every
  tag. So two who add different tags never lose one, and undoing a merge takes back just its tags.
- A write that replaces the record clears whatever is dated before it, come when it may.
- A write dated after a merge, to the survivor or through a session of the merged record, stands
  alone: it was made knowing the merged whole.
- Of what is dated before: the survivor's single values stay and the merged record fills what is
  missing; lists are united, the survivor's order first; auto-captured country and timezone are
  taken both, or neither when the survivor had either by then. Since a cell holds only the latest
  write, a value that was cleared again before the merge counts there once it was written anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

Value = str | int | float | bool | list[str]
PAIR = ("country", "timezone")
PAIR_SET = frozenset(PAIR)
TAGS = "tags"
# Cells beside those of the properties; no property has such a name.
TAG = "tags/"  # "tags/vip": one tag that was added or removed by itself
FIRST = "/first"  # "country/first": when one of the pair first had a value, if that was covered
FIRSTS = tuple(name + FIRST for name in PAIR)
COVER = "*"  # the latest write that replaced the whole record


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
    """A merge seen from its survivor.

    Edges are ordered by the time of the merge, then by the merged record's number: never by which
    merge was carried out first, so that two at once come to the same in either order.
    """

    at: int
    child: int
    merge: int


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

    @property
    def place(self) -> tuple[object, ...]:
        """Under which names it is found: what seldom changes, unlike its cells."""
        return self.user_id, self.merged_into, self.merge_id, self.merged_at


Cells = Mapping[str, Cell]
Settled = dict[str, Cell | None]
Forest = Mapping[int, Own]
decode_cells = msgspec.json.Decoder(dict[str, Cell]).decode
encode_cells = msgspec.json.Encoder().encode


def wins(new: Cell, old: Cell | None) -> bool:
    """Whether `new` replaces `old`: later event time, then message id, then value and source."""
    if old is None:
        return True
    if (new.at, new.by) != (old.at, old.by):
        return (new.at, new.by) > (old.at, old.by)
    return encode_cells((new.value, new.source)) > encode_cells((old.value, old.source))


def settled(forest: Forest, number: int, names: Iterable[str]) -> Settled:
    """The cells that hold for these properties of the record and all merged into it."""
    own = forest[number]
    if not own.edges:
        return {name: held(own.cells, name) for name in names}
    tree = members(forest, number)
    asked = dict.fromkeys(names)
    keys = {name for name in asked if name != TAGS}
    tags = list(dict.fromkeys(t for n in tree for t in _named(forest[n].cells)))
    if TAGS in asked:
        keys.update(TAG + tag for tag in tags)
    if not PAIR_SET.isdisjoint(keys):
        keys.update(PAIR, FIRSTS)
    done: dict[int, Settled] = {}
    for n in reversed(tree):  # those merged before those they were merged into
        done[n] = _node(forest[n], done, keys)
    found = done[number]
    if TAGS in asked:
        found[TAGS] = _listed(tags, found)
    return {name: found[name] for name in asked}


def names(forest: Forest, number: int) -> list[str]:
    """Every property that the record or one merged into it has a cell for, in a stable order."""
    keys = (key for n in members(forest, number) for key in forest[n].cells if key != COVER)
    return list(dict.fromkeys(_property(key) for key in keys))


def view(forest: Forest, number: int) -> dict[str, Cell]:
    """All settled cells of a living record that hold a value."""
    own = forest[number]
    if not own.edges and COVER not in own.cells and not any("/" in key for key in own.cells):
        return {name: cell for name, cell in own.cells.items() if cell.value is not None}
    cells = settled(forest, number, names(forest, number))
    return {name: cell for name, cell in cells.items() if cell and cell.value is not None}


def held(cells: Cells, name: str) -> Cell | None:
    """What one record's own writes to a property, or to a single tag, come to."""
    if "/" in name:
        return _tag(cells, name) if name.startswith(TAG) else _first(cells, name)
    if name == TAGS and any(key.startswith(TAG) for key in cells):
        tags = list(dict.fromkeys(_named(cells)))
        return _listed(tags, {TAG + tag: _tag(cells, TAG + tag) for tag in tags})
    return _whole(cells, name)


def _whole(cells: Cells, name: str) -> Cell | None:
    cell, cover = cells.get(name), cells.get(COVER)
    if cover is not None and (cell is None or (cover.at, cover.by) > (cell.at, cell.by)):
        return cover
    return cell


def _tag(cells: Cells, key: str) -> Cell | None:
    """Whether the record has one tag: `value` True or None."""
    mark, whole = cells.get(key), _whole(cells, TAGS)
    if mark is not None and (whole is None or (mark.at, mark.by) >= (whole.at, whole.by)):
        return msgspec.structs.replace(mark, value=mark.value[0] or None)
    if whole is None:
        return None
    has = key.removeprefix(TAG) in (whole.value or ())
    return msgspec.structs.replace(whole, value=has or None)


def _first(cells: Cells, key: str) -> Cell | None:
    """A cell dated as the earliest value the record was given for one of the pair."""
    given = (cells.get(key), cells.get(_property(key)))
    return min((c for c in given if c and c.value is not None), key=_at, default=None)


def _at(cell: Cell) -> int:
    return cell.at


def _named(cells: Cells) -> list[str]:
    """The tags a record was ever given, in its order: the list's, then by when first added."""
    whole = cells.get(TAGS)
    marks = [(cell.value[1:], key) for key, cell in cells.items() if key.startswith(TAG)]
    added = [key.removeprefix(TAG) for first, key in sorted(marks) if first]
    return [*((whole and whole.value) or ()), *added]


def _listed(tags: Sequence[str], found: Mapping[str, Cell | None]) -> Cell | None:
    """The list of tags whose own cells say yes, dated as the latest of all."""
    cells = [cell for tag in tags if (cell := found[TAG + tag]) is not None]
    if not cells:
        return None
    has = [tag for tag in tags if value_of(found[TAG + tag])]
    newest = max(cells, key=lambda cell: (cell.at, cell.by))
    merge = max((cell.merge or 0 for cell in cells if cell.value), default=0)
    return msgspec.structs.replace(newest, value=has or None, merge=merge or None)


def _node(own: Own, done: Mapping[int, Settled], keys: Iterable[str]) -> Settled:
    """Settle one record of a tree; `done` holds what those merged into it came to."""
    if not own.edges:
        return {name: held(own.cells, name) for name in keys}
    found: Settled = {}
    for name in keys:
        views = [(edge, done[edge.child][name]) for edge in own.edges]
        found[name] = base = _base(held(own.cells, name), views)
        if name not in PAIR_SET and name not in FIRSTS:
            for edge, cell in views:
                if _counts(cell, edge, base):
                    found[name] = _joined(found[name], cell, edge)
    if found.keys() >= PAIR_SET:
        _pair(own, done, found)
    return found


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


def _pair(own: Own, done: Mapping[int, Settled], found: Settled) -> None:
    """Country and timezone together: what was auto-captured is taken both or not at all."""
    bases = {name: found[name] for name in PAIR}
    for key in FIRSTS:
        found[key] = held(own.cells, key)
    for edge in own.edges:
        child = done[edge.child]
        has_either = any(_had(found, bases[name], name, edge) for name in PAIR)
        for name in PAIR:
            cell = child[name]
            if cell is None or not _counts(cell, edge, bases[name]):
                continue
            if not (cell.source == "auto" and has_either):
                found[name] = _joined(found[name], cell, edge)
        for key in FIRSTS:
            found[key] = _sooner(found[key], child[key], edge)


def _had(found: Settled, base: Cell | None, name: str, edge: Edge) -> bool:
    """Whether the survivor had a value when this merge was made, though it may be covered since."""
    if base is None or base.at <= edge.at:
        return value_of(found[name]) is not None
    first = found[name + FIRST]
    return first is not None and first.at <= edge.at


def _sooner(first: Cell | None, other: Cell | None, edge: Edge) -> Cell | None:
    """The earlier of the two; what the other had reached the survivor at the merge or later."""
    if other is None:
        return first
    reached = msgspec.structs.replace(other, at=max(other.at, edge.at))
    return reached if first is None else min(first, reached, key=_at)


def tag(cell: Cell, added: bool, position: int = 0) -> Cell:
    """The cell of one tag, added or removed by a call; `position` is its place among those added.

    Beside whether the tag is there it keeps when it was first added, which gives it its place in
    the list: adding a tag again moves nothing.
    """
    value = [True, cell.at, cell.by, position] if added else [False]
    return msgspec.structs.replace(cell, value=value)


def _later(key: str, new: Cell, old: Cell | None) -> Cell:
    """Of two cells of one key the one that holds; of a tag also when it was first added."""
    winner = old if old is not None and not wins(new, old) else new
    if old is not None and key.startswith(TAG):
        firsts = [cell.value[1:] for cell in (new, old) if cell.value[1:]]
        if firsts:
            winner = msgspec.structs.replace(winner, value=[winner.value[0], *min(firsts)])
    return winner


def write(forest: Forest, leaf: int, root: int, cells: Cells) -> dict[str, tuple[Any, Any]]:
    """Apply writes to record `leaf`; returns what changed in `root`: name -> (old, new) value."""
    touched = _touched(forest, root, cells)
    before = settled(forest, root, touched)
    own = forest[leaf].cells
    for key, cell in cells.items():
        old = own.get(key)
        own[key] = _later(key, cell, old)
        if key in PAIR_SET and old is not None:
            _keep_first(own, key, cell, old)
    return _changes(touched, before, settled(forest, root, touched))


def _keep_first(own: dict[str, Cell], name: str, new: Cell, old: Cell) -> None:
    """Of two writes to one of the pair, keep when it first had a value, if that was covered."""
    given = [c for c in (own.get(name + FIRST), new, old) if c and c.value is not None]
    first = min(given, key=_at, default=None)
    if first is not None and (own[name].value is None or first.at < own[name].at):
        own[name + FIRST] = msgspec.structs.replace(first, value=True, by="")


def _touched(forest: Forest, root: int, cells: Cells) -> dict[str, None]:
    """The properties whose settled values these cells can change."""
    keys = [*names(forest, root), *cells] if COVER in cells else list(cells)
    touched = dict.fromkeys(_property(key) for key in keys if key != COVER)
    if not PAIR_SET.isdisjoint(touched):
        touched.update(dict.fromkeys(PAIR))
    return touched


def _property(key: str) -> str:
    return key.partition("/")[0]


def difference(before: Cells, after: Cells) -> dict[str, tuple[Any, Any]]:
    """What differs between two views of one record: name -> (old, new) value."""
    return _changes(dict.fromkeys([*before, *after]), before, after)


def _changes(
    names: Iterable[str], before: Mapping[str, Cell | None], after: Mapping[str, Cell | None]
) -> dict[str, tuple[Any, Any]]:
    pairs = {n: (value_of(before.get(n)), value_of(after.get(n))) for n in names}
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
    """The record and everything merged below it, each before what was merged into it."""
    found: list[int] = []
    waiting = [number]
    while waiting:
        found.append(waiting.pop())
        waiting.extend(edge.child for edge in reversed(forest[found[-1]].edges))
    return found


def value_of(cell: Cell | None) -> Any:
    """The value of a cell; None where there is no cell, as where it was cleared."""
    return None if cell is None else cell.value
