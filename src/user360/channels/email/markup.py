"""HTML of mails: what of it may be shown, and how it reads as text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html.parser import HTMLParser

import nh3

# Words, lists, tables, links. Nothing that is fetched, acts, or reaches beyond its place.
_BLOCKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "center", "dd", "div", "dl", "dt"),
        *("figcaption", "figure", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "li"),
        *("main", "ol", "p", "pre", "section", "table", "tbody", "tfoot", "thead", "tr", "ul"),
    )
)
_SPACED = frozenset(("blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "ul"))
_WITHIN = frozenset(
    (
        *("a", "abbr", "b", "br", "caption", "cite", "code", "del", "em", "hr", "i", "ins", "kbd"),
        *("mark", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "td", "th"),
        *("tt", "u", "var", "wbr"),
    )
)
_ATTRIBUTES = {"a": {"href", "title"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}
_UNREAD = {"script", "style", "title", "head", "template", "noscript", "svg", "math", "textarea"}
_SPACES = re.compile(r"[ \t\r\n\f]+")
_MANY_LINES = re.compile(r"\n{3,}")


def safe(html: str) -> str:
    """HTML without scripts, styles, forms and anything that would be fetched."""
    return nh3.clean(
        html,
        tags=set(_BLOCKS | _WITHIN),
        clean_content_tags=set(_UNREAD),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        set_tag_attribute_values={"a": {"target": "_blank"}},
        url_schemes={"http", "https", "mailto", "tel"},
        url_relative="deny",
        link_rel="noopener noreferrer nofollow",
    )


def text(clean: str) -> str:
    """How safe HTML reads: a line for each block, a dash for each item, `>` before quotes."""
    reader = _Reader()
    reader.feed(clean)
    reader.close()
    return reader.read()


class _Reader(HTMLParser):
    """Gathers the text of well-formed HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = []
        self._line = ""
        self._quoted = 0
        self._preformatted = 0
        self._link = ("", 0)  # where a link leads, and how far the line was before it

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        if tag == "br":
            self._end(always=True)
        elif tag == "hr":
            self._end()
            self._lines.append("-" * 3)
        elif tag in ("td", "th") and self._line.strip():
            self._line += " | "
        elif tag == "a":
            self._link = (dict(attrs).get("href") or "", len(self._line))
        if tag in _BLOCKS:
            self._begin(tag)

    def _begin(self, tag: str) -> None:
        self._end()
        if tag in _SPACED:
            self._lines.append(self._mark())
        self._quoted += tag == "blockquote"
        self._preformatted += tag == "pre"
        if tag == "li":
            self._line = "- "

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._name_link()
        if tag in _BLOCKS:
            self._end()
            self._quoted -= tag == "blockquote"
            self._preformatted -= tag == "pre"
            if tag in _SPACED:
                self._lines.append(self._mark())

    def _name_link(self) -> None:
        """Say where a link leads, where its words do not."""
        href, before = self._link
        shown = self._line[before:].strip()
        if href.startswith(("http://", "https://")) and href.rstrip("/") != shown.rstrip("/"):
            self._line += f" <{href}>" if shown else href
        self._link = ("", 0)

    def handle_data(self, data: str) -> None:
        if self._preformatted:
            *whole, last = data.split("\n")
            for line in whole:
                self._line += line
                self._end(always=True)
            self._line += last
            return
        spaced = _SPACES.sub(" ", data)
        self._line += spaced.lstrip() if not self._line or self._line.endswith(" ") else spaced

    def _mark(self) -> str:
        return ">" * self._quoted

    def _end(self, *, always: bool = False) -> None:
        line, self._line = self._line.rstrip(), ""
        if line.strip() or always:
            mark = self._mark()
            self._lines.append(f"{mark} {line}" if mark else line)

    def read(self) -> str:
        self._end()
        lines = [line.replace("\xa0", " ").rstrip() for line in self._lines]
        return _MANY_LINES.sub("\n\n", "\n".join(lines)).strip()
