"""Reading the first sheet of an Excel workbook."""

import datetime as dt
from collections.abc import Iterator
from typing import BinaryIO

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum

from referrals.files.archive import check_workbook
from referrals.files.header import Header
from referrals.files.limits import Limits
from referrals.files.refusals import damaged_workbook
from referrals.files.table import Table, cell_too_long, check_rows, longest, too_many_rows
from referrals.rules.columns import FileKind
from referrals.rules.problems import Problem

Value = int | float | str | bool | dt.time | dt.date | dt.datetime | dt.timedelta

_EXACT = 10**15


class XlsxTable(Table):
    """The first sheet of a workbook."""

    description = "Excel workbook"

    def __init__(self, stream: BinaryIO, kind: FileKind, limits: Limits) -> None:
        super().__init__(kind, limits)
        check_workbook(stream, limits)
        self._stream = stream
        first_row = next(self._rows(), [])
        self.header = Header(first_row, kind, limits)
        self.rows = self._go_through()

    def records(self) -> Iterator[tuple[int, list[str], Problem | None]]:
        """Yield the rows of the sheet. It is a rectangle: empty cells beyond the header's are none."""
        width = self.header.width
        for number, cells in enumerate(self._rows(), 1):
            if number > 1 and any(cells):
                while len(cells) > width and not cells[-1]:
                    cells.pop()
                if len(cells) < width:
                    cells.extend([""] * (width - len(cells)))
                yield number, cells, None

    def _rows(self) -> Iterator[list[str]]:
        self._stream.seek(0)
        try:
            workbook = CalamineWorkbook.from_filelike(self._stream)
            first = next(n for n, sheet in enumerate(workbook.sheets_metadata) if sheet.typ is SheetTypeEnum.WorkSheet)
            for row in workbook.get_sheet_by_index(first).iter_rows():
                yield [text_of(value) for value in row]
        except (CalamineError, StopIteration) as error:
            raise damaged_workbook() from error

    def _go_through(self) -> int:
        rows = 0
        for number, cells, _ in self.records():
            rows += 1
            if rows > self.limits.max_rows:
                raise too_many_rows(self.limits)
            if longest(cells) > self.limits.max_cell_characters:
                raise cell_too_long(number, self.limits)
        check_rows(rows, self.limits)
        return rows


def text_of(value: Value) -> str:
    """Write a cell's value as the text that would stand in a CSV file."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _EXACT else repr(value)
    if isinstance(value, dt.datetime):
        return value.isoformat(timespec="auto" if value.second or value.microsecond else "minutes")
    if isinstance(value, dt.time):
        return value.isoformat(timespec="auto" if value.second or value.microsecond else "minutes")
    return value.isoformat() if isinstance(value, dt.date) else str(value)
