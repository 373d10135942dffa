"""YAML read safely: plain values, and the line of each by its path.

Nothing is constructed from tags, aliases are refused (a few lines of them can mean gigabytes), and
texts stay texts: `no`, `10:30` and `2026-01-31` are what they look like. Keys are always texts.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
import yaml

LONGEST = 256 * 1024  # characters of a file
DEEPEST = 40
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,14})\Z")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,14})\.[0-9]{1,15}\Z")
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
# Those that YAML itself gives to what is written without one.
_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("map", "seq", "str", "int", "float", "bool", "null", "timestamp", "value", "merge")
)
_UNFIT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class Trouble(msgspec.Struct, frozen=True):
    """One thing that is wrong: at which line (from 1), at which path, and what would be right."""

    line: int
    path: str
    message: str


class Troubled(Exception):
    """A file that cannot be read at all."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.message)
        self.trouble = trouble


class Loaded(msgspec.Struct, frozen=True):
    """What a file holds, and at which line each part of it begins, by its dotted path."""

    value: Any
    lines: dict[str, int]

    def line(self, path: str) -> int:
        """The line of a path, or of the nearest part around it."""
        while path and path not in self.lines:
            path = path.rpartition(".")[0]
        return self.lines.get(path, 1)


def load(text: str) -> Loaded:
    """The plain value of a YAML document. Raises `Troubled`."""
    if len(text) > LONGEST:
        raise Troubled(Trouble(1, "", f"a flow has at most {LONGEST:,} characters"))
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = 1 if mark is None else mark.line + 1
        said = error.problem or error.context or "this cannot be read"
        raise Troubled(Trouble(line, "", f"this is not YAML: {said}")) from error
    except yaml.YAMLError as error:
        raise Troubled(Trouble(1, "", "this holds characters that YAML does not allow")) from error
    lines: dict[str, int] = {}
    return Loaded(None if root is None else _value(root, "", lines), lines)


class _Loader(yaml.SafeLoader):
    """Composes without aliases, and not too deep."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise _refused(f"*{event.anchor} repeats another place; write it out", event)
        if self.depth >= DEEPEST:
            raise _refused(f"this is nested more than {DEEPEST} deep", event)
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


def _refused(said: str, event: Any) -> yaml.composer.ComposerError:
    return yaml.composer.ComposerError(None, None, said, event.start_mark)


def _value(node: Any, path: str, lines: dict[str, int]) -> Any:
    """What a node means; `lines` is told where it and all within it begin."""
    lines.setdefault(path, node.start_mark.line + 1)
    if node.tag not in _TAGS:
        raise Troubled(Trouble(node.start_mark.line + 1, path, "tags (!...) are not read here"))
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, lines)
    if isinstance(node, yaml.SequenceNode):
        return [_value(each, _below(path, i), lines) for i, each in enumerate(node.value)]
    if _UNFIT.search(node.value):
        said = "this holds control characters, which no message can carry"
        raise Troubled(Trouble(node.start_mark.line + 1, path, said))
    return node.value if node.style else _plain(node.value)


def _mapping(node: yaml.MappingNode, path: str, lines: dict[str, int]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or _UNFIT.search(key.value):
            raise Troubled(Trouble(line, path, "a name is one line of text"))
        if key.value in found:
            raise Troubled(Trouble(line, path, f"{key.value[:60]} stands here twice"))
        below = _below(path, key.value)
        lines[below] = line
        found[key.value] = _value(value, below, lines)
    return found


def _plain(text: str) -> Any:
    """An unquoted scalar: a number, true, false or nothing where it can be nothing else."""
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.match(text):
        return int(text)
    return float(text) if _DECIMAL.match(text) else text


def _below(path: str, step: object) -> str:
    return f"{path}.{step}" if path else str(step)
