"""Values of one column as an Arrow array, and the distinct ones among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from user360.exports.harmless import MARK, restored

# The forms a column can have, in the order of the children of a union.
FORMS: tuple[tuple[str, pa.DataType], ...] = (
    ("text", pa.string()),
    ("whole", pa.int64()),
    ("number", pa.float64()),
    ("truth", pa.bool_()),
    ("list", pa.list_(pa.string())),
    ("nested", pa.list_(pa.list_(pa.string()))),
)
TEXT, WHOLE, NUMBER, TRUTH, LIST, NESTED = range(len(FORMS))
_SIMPLE: dict[type, int] = {str: TEXT, bool: TRUTH, float: NUMBER}
_INT64 = 2**63


def texts(values: Sequence[str | None]) -> pa.Array:
    """Cells of a file that spreadsheets write or read, as strings; formulas get back their form."""
    column = pa.array(values, pa.string())
    marked = pc.starts_with(column, pattern=MARK)
    if not pc.any(marked).as_py():
        return column
    return pa.array([v and restored(v) for v in values], pa.string())


def typed(values: Sequence[object]) -> pa.Array:
    """JSON values as a column of their type, or as a union where they are of several."""
    forms = [_form(value) for value in values]
    found = {form for form in forms if form is not None}
    if len(found) > 1:
        return _union(values, forms)
    form = found.pop() if found else TEXT
    return _of_form(values, form)


def distinct(column: pa.Array) -> tuple[list[object], pa.Array]:
    """The different values of a column, and for each row which one it is (int32, null for none).

    The values are texts, ints, floats, bools and lists, as `values.parse` takes them.
    """
    if not pa.types.is_nested(column.type):
        encoded = column.dictionary_encode()
        return encoded.dictionary.to_pylist(), encoded.indices
    values: list[object] = []
    seen: dict[bytes, int] = {}
    places: list[int | None] = []
    for value in column.to_pylist():
        places.append(None if value is None else _place(value, seen, values))
    return values, pa.array(places, pa.int32())


def nested(value: object) -> list[list[str]]:
    """Something that no property keeps, in a form that every type refuses."""
    return [[msgspec.json.encode(value).decode()]]


def _place(value: object, seen: dict[bytes, int], values: list[object]) -> int:
    key = msgspec.json.encode(value)
    place = seen.setdefault(key, len(values))
    if place == len(values):
        values.append(value)
    return place


def _form(value: object) -> int | None:
    if value is None:
        return None
    simple = _SIMPLE.get(type(value))
    if simple is not None:
        return simple
    if isinstance(value, int):
        return WHOLE if -_INT64 <= value < _INT64 else NUMBER
    if isinstance(value, list) and all(type(item) is str for item in value):
        return LIST
    return NESTED


def _of_form(values: Sequence[object], form: int) -> pa.Array:
    converted: dict[int, Callable[[object], object]] = {NUMBER: _float, NESTED: nested}
    convert = converted.get(form)
    if convert is not None:
        values = [None if value is None else convert(value) for value in values]
    return pa.array(values, FORMS[form][1])


def _float(value: object) -> float:
    return float(value)  # type: ignore[arg-type]  # a form says that it is a number


def _union(values: Sequence[object], forms: Sequence[int | None]) -> pa.Array:
    children: list[list[object]] = [[] for _ in FORMS]
    offsets = []
    for value, form in zip(values, forms, strict=True):
        child = children[form or TEXT]
        offsets.append(len(child))
        child.append(value)
    return pa.UnionArray.from_dense(
        pa.array([form or TEXT for form in forms], pa.int8()),
        pa.array(offsets, pa.int32()),
        [_of_form(child, form) for form, child in enumerate(children)],
        [name for name, _ in FORMS],
    )
