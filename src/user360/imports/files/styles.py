"""What a cell of a workbook says: numbers, days and times in the way they are stored there."""

from __future__ import annotations

import datetime
import re
from typing import Any
from zipfile import ZipFile

from user360.errors import Invalid
from user360.imports.files.cells import TOO_LONG
from user360.records.values import text_of

_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
BROKEN = "The file is no XLSX workbook that can be read: its parts do not fit together ({})"
_PLAIN = re.compile(r"-?[1-9][0-9]{0,14}|0")


class Styles:
    """The styles of a workbook by their number, as far as they tell times from numbers."""

    def __init__(self, times: dict[str, str], spans: set[str], epoch: datetime.datetime) -> None:
        self._times = times
        self._spans = spans
        self._epoch = epoch

    def text(self, kind: str, style: str, value: str) -> str:
        """A cell's text by its type (`n`, `b`, `e`, `d`, `str`, `inlineStr`) and style."""
        if kind == "n":
            return self._number(style, value)
        if kind == "b":
            return "true" if value == "1" else "false"
        if kind in ("str", "inlineStr"):
            return unescaped(value)
        return value

    def _number(self, style: str, value: str) -> str:
        if value == TOO_LONG:
            return value
        if style in self._times:
            return self._time(style, float(value))
        if _PLAIN.fullmatch(value):
            return value
        return text_of(float(f"{float(value):.15g}"))

    def _time(self, style: str, value: float) -> str:
        from openpyxl.utils.datetime import from_excel

        try:
            found = from_excel(value, self._epoch, timedelta=style in self._spans)
        except (OverflowError, ValueError):
            return text_of(value)
        if isinstance(found, datetime.timedelta):
            return _span(found)
        if isinstance(found, datetime.time):
            return found.isoformat(timespec="seconds")
        return _moment(found, self._times[style])


def _moment(found: datetime.datetime, kind: str) -> str:
    """A day where nothing but a day is shown and meant."""
    if kind == "date" and found.time() == datetime.time():
        return found.date().isoformat()
    return found.isoformat(" ", "milliseconds" if found.microsecond else "seconds")


def unescaped(text: str) -> str:
    """Characters that XML cannot hold, which a workbook writes as `_x000D_`."""
    if "_x" not in text:
        return text
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def workbook(archive: ZipFile) -> tuple[Styles, dict[str, str], str]:
    """Styles, the part of each visible sheet by its name, and the part of the shared texts.

    Raises `Invalid` when the workbook cannot be understood.
    """
    from openpyxl.reader.excel import ExcelReader
    from openpyxl.styles.stylesheet import apply_stylesheet
    from openpyxl.xml.constants import SHARED_STRINGS

    reader: Any = ExcelReader.__new__(ExcelReader)
    reader.archive, reader.valid_files = archive, archive.namelist()
    reader.read_only = reader.data_only = True
    reader.keep_vba = reader.keep_links = reader.rich_text = False
    try:
        reader.read_manifest()
        reader.read_workbook()
        apply_stylesheet(archive, reader.wb)
        shared = reader.package.find(SHARED_STRINGS)
        return _styles(reader.wb), _sheets(reader), shared.PartName[1:] if shared else ""
    except Invalid:
        raise
    except Exception as error:  # whatever a strange part of a workbook leads the library to
        raise Invalid(BROKEN.format(type(error).__name__)) from error


def _sheets(reader: Any) -> dict[str, str]:
    return {
        sheet.name: rel.target
        for sheet, rel in reader.parser.find_sheets()
        if rel.target in reader.valid_files
        and "chartsheet" not in rel.Type
        and sheet.state == "visible"
    }


def _styles(book: Any) -> Styles:
    from openpyxl.styles.numbers import BUILTIN_FORMATS, is_datetime

    times: dict[str, str] = {}
    for number, style in enumerate(book._cell_styles):
        known = BUILTIN_FORMATS.get(style.numFmtId)
        place = style.numFmtId - 164
        custom = book._number_formats[place] if 0 <= place < len(book._number_formats) else ""
        if number in book._date_formats:
            times[str(number)] = is_datetime(known or custom) or "datetime"
    return Styles(times, {str(n) for n in book._timedelta_formats}, book.epoch)


def _span(span: datetime.timedelta) -> str:
    minutes, seconds = divmod(round(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}"
