"""Reading files of people, whatever they are written in, a batch of rows at a time.

`open_file` finds out what a file is; `Opened.batches` reads it in bounded memory. A row that cannot
be read is told with its line and its reason, and never stops the others.
"""

from __future__ import annotations

from user360.imports.files.columns import distinct
from user360.imports.files.opened import BadRow, Batch, Dialect, Note, Opened
from user360.imports.files.recognise import open_file

__all__ = ["BadRow", "Batch", "Dialect", "Note", "Opened", "distinct", "open_file"]
