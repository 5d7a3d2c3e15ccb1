"""Reading the first sheet of an Excel workbook, row by row.

The library at hand for workbooks tells neither an error (#N/A) from an empty cell nor 000123 from 123, and holds the
whole sheet, empty cells too: see docs/adr/0011.
"""

import json
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from referrals.files.archive import check_workbook
from referrals.files.header import Header
from referrals.files.limits import Limits
from referrals.files.refusals import FileRefusedError, damaged_workbook
from referrals.files.sheet import SheetRow, sheet_rows
from referrals.files.table import Record, Table, cell_too_long, check_rows, longest, too_many_rows
from referrals.files.workbook import Workbook
from referrals.rules import messages
from referrals.rules.columns import FileKind
from referrals.rules.problems import Problem

_ROWS_A_PACK = 1_000

_Packed = tuple[int, list[str], list[int]]


class XlsxTable(Table):
    """The first sheet of a workbook, parsed once and kept packed: a twentieth of what its rows would take."""

    description = "Excel workbook"

    def __init__(self, stream: BinaryIO, kind: FileKind, limits: Limits) -> None:
        """Go through the whole workbook. Raises `FileRefusedError` where it cannot be read."""
        super().__init__(kind, limits)
        check_workbook(stream, limits)
        self._packs: list[bytes] = []
        try:
            self.rows = self._go_through(sheet_rows(Workbook(stream, limits), limits))
        except (ValueError, LookupError, OverflowError) as error:
            # A number that is none, a string that is not there: only ever in a file that no program wrote.
            raise damaged_workbook() from error

    def records(self) -> Iterator[Record]:
        """Yield the rows of the sheet. It is a rectangle: cells missing at a row's end are empty ones."""
        width = self.header.width
        for pack in self._packs:
            for number, cells, no_text in json.loads(zlib.decompress(pack)):
                if len(cells) < width:
                    cells.extend([""] * (width - len(cells)))
                yield number, cells, None, self._no_text(cells, no_text) if no_text else ()

    def _no_text(self, cells: list[str], places: list[int]) -> tuple[Problem, ...]:
        """What is wrong with cells that show something which nobody wrote there."""
        kind = self.kind
        named = [(self.header.found[place], cells[place]) for place in places if place < self.header.width]
        return tuple(
            messages.no_text(column, text, is_needed=column in kind.needed)
            for column, text in named
            if column in kind.index
        )

    def _go_through(self, sheet: Iterator[SheetRow]) -> int:
        first = next(sheet, None)
        if first is None:
            raise FileRefusedError("empty", "The first sheet of the workbook is empty.")
        self.header = Header(first.cells if first.number == 1 else [], self.kind, self.limits)
        rows = 0
        records: list[_Packed] = []
        for number, cells, no_text in self._read(sheet):
            rows += 1
            if rows > self.limits.max_rows:
                raise too_many_rows(self.limits)
            if longest(cells) > self.limits.max_cell_characters:
                raise cell_too_long(number, self.limits)
            records.append((number, cells, no_text))
            if len(records) == _ROWS_A_PACK:
                self._keep(records)
        self._keep(records)
        check_rows(rows, self.limits)
        return rows

    def _read(self, sheet: Iterator[SheetRow]) -> Iterator[_Packed]:
        """Yield the rows with dates as their columns have them: day and time for instants, days for all others."""
        instants = {n for n, name in enumerate(self.header.found) if name in self.kind.instants}
        for number, cells, days, no_text in sheet:
            for place, day in days.items():
                if place not in instants:
                    cells[place] = day
            yield number, cells, no_text

    def _keep(self, records: list[_Packed]) -> None:
        self._packs.append(zlib.compress(json.dumps(records).encode(), 1))
        records.clear()
