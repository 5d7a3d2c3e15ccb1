"""Reading what police send, and writing what goes back to be mended. Nothing here needs Django."""

from typing import BinaryIO

from referrals.files.blank import blank_workbook
from referrals.files.content import content_of
from referrals.files.csv_table import CsvTable
from referrals.files.limits import Limits
from referrals.files.protection import protect, unprotect
from referrals.files.refusals import REFUSAL_CODES, FileRefusedError
from referrals.files.rejected import rejected_csv
from referrals.files.table import Row, Table
from referrals.files.xlsx_table import XlsxTable
from referrals.rules.columns import FileKind

__all__ = [
    "REFUSAL_CODES",
    "FileRefusedError",
    "Limits",
    "Row",
    "Table",
    "blank_workbook",
    "open_table",
    "protect",
    "rejected_csv",
    "unprotect",
]


def open_table(stream: BinaryIO, *, kind: FileKind, limits: Limits) -> Table:
    """Look a file through and return its rows, ready to be read; what it is, its content says and not its name.

    `stream` is binary and seekable, and stays open for as long as the table is used. Raises `FileRefusedError`, and
    only here: a table that has been opened can be read to its end.
    """
    if content_of(stream, limits) == "zip":
        return XlsxTable(stream, kind, limits)
    return CsvTable(stream, kind, limits)
