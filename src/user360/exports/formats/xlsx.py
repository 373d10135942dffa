"""XLSX: the engine writes the rows as the format wants them, here they are put into their archive.

Nothing is kept but what was not sent yet, so a file of any size can be streamed. Rows beyond what a
sheet can hold go on on the next one, under the same header.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa

from user360.exports import cells
from user360.exports.columns import Column, Kind
from user360.exports.formats.lines import Lines, joined
from user360.sink import Sink

ROWS = 1_048_575  # of a sheet, below its header
COLUMNS = 16_384
LONGEST = 32_767  # characters of a cell
LEVEL = 1  # of compression: a third larger than the usual one, in a third of the time

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def rows(columns: Sequence[Column]) -> Lines:
    """The XML of each row."""
    return Lines([cells.xml(column) for column in columns], "<row>", "", "</row>")


def encode(columns: Sequence[Column], batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    """The file, as its rows come."""
    sink = Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as book:
        sheets = 0
        for sheet in _sheets(batches):
            sheets += 1
            with book.open(
                _file(f"xl/worksheets/sheet{sheets}.xml"), "w", force_zip64=True
            ) as file:
                file.write(f'{_XML}<worksheet xmlns="{_SHEET}"><sheetData>'.encode())
                file.write(_header(columns).encode())
                for batch in sheet:
                    file.write(joined(batch.column(0)))
                    yield sink.taken()
                file.write(b"</sheetData></worksheet>")
        for name, text in _around(sheets):
            book.writestr(_file(name), text, compresslevel=LEVEL)
    yield sink.taken()


def _sheets(batches: Iterable[pa.RecordBatch]) -> Iterator[Iterator[pa.RecordBatch]]:
    """The rows of each sheet; one without any when there are none."""
    source = (batch for batch in batches if batch.num_rows)
    left: list[pa.RecordBatch] = []

    def sheet() -> Iterator[pa.RecordBatch]:
        room = ROWS
        while room and (batch := left.pop() if left else next(source, None)):
            yield batch.slice(0, room)
            if batch.num_rows > room:
                left.append(batch.slice(room))
            room -= min(room, batch.num_rows)
        if not left and (batch := next(source, None)):
            left.append(batch)

    yield sheet()
    while left:
        yield sheet()


def _header(columns: Sequence[Column]) -> str:
    cell = '<c t="inlineStr"><is><t>{}</t></is></c>'
    return f"<row>{''.join(cell.format(column.name) for column in columns)}</row>"


def _around(sheets: int) -> Iterator[tuple[str, str]]:
    """The small files that say what the others are."""
    numbers = range(1, sheets + 1)
    kinds = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_KIND}.worksheet+xml"/>'
        for n in numbers
    )
    yield (
        "[Content_Types].xml",
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/><Override'
        f' PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>{kinds}</Types>',
    )
    yield "_rels/.rels", _relations([("officeDocument", "xl/workbook.xml")])
    named = "".join(f'<sheet name="{n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    yield (
        "xl/workbook.xml",
        f'{_XML}<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}"><sheets>{named}</sheets></workbook>',
    )
    yield (
        "xl/_rels/workbook.xml.rels",
        _relations([("worksheet", f"worksheets/sheet{n}.xml") for n in numbers]),
    )


def _relations(targets: Iterable[tuple[str, str]]) -> str:
    each = "".join(
        f'<Relationship Id="rId{i}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for i, (kind, target) in enumerate(targets, 1)
    )
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{each}</Relationships>'


def _file(name: str) -> zipfile.ZipInfo:
    """A file of the archive; always of the same time, so that the same rows are the same bytes."""
    found = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    found.compress_type = zipfile.ZIP_DEFLATED
    found.external_attr = 0o600 << 16
    return found


def long_columns(columns: Sequence[Column]) -> list[Column]:
    """The columns whose cells may be longer than a sheet takes."""
    return [c for c in columns if c.loose or c.kind in (Kind.LIST, Kind.JSON)]
