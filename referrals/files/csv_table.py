"""Reading CSV as a stream: memory does not grow with the file.

The file is gone through twice: once to see that all of it can be read, so that nothing is taken from a file that must
be refused, and once for its rows.
"""

import csv
import io
from collections.abc import Iterator
from typing import BinaryIO

from referrals.files.encoding import encoding_of
from referrals.files.header import Header, column_name
from referrals.files.limits import Limits
from referrals.files.refusals import SEND_A_TABLE, FileRefusedError
from referrals.files.table import Record, Table, cell_too_long, check_rows, longest, too_many_rows
from referrals.rules.columns import ERRORS_COLUMN, FileKind
from referrals.rules.problems import BAD_CHARACTER, Problem, problem

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}

_MEND_QUOTE = "Close it, or double it where it belongs to the text."


class CsvTable(Table):
    """A CSV file."""

    def __init__(self, stream: BinaryIO, kind: FileKind, limits: Limits) -> None:
        """Go through the whole file. Raises `FileRefusedError` where it cannot be read."""
        super().__init__(kind, limits)
        self._stream = stream
        self.encoding = encoding_of(stream)
        self.delimiter, first_row = self._first_row()
        self.header = Header(first_row, kind, limits)
        self.description = f"CSV, {self.encoding.name}, {DELIMITERS[self.delimiter]}"
        self.rows = self._go_through()

    def records(self) -> Iterator[Record]:
        """Yield the records of the file; a record with quoted line breaks is one row, as in a spreadsheet."""
        text = self._text()
        try:
            # Strictly: else a stray quotation mark would quietly join cells, or rows, that are not one.
            reader = csv.reader(self._lines(text), delimiter=self.delimiter, strict=True)
            number = 0
            while True:
                line_before = reader.line_num
                try:
                    for cells in reader:
                        number += 1
                        line_before = reader.line_num
                        if number > 1 and any(cells) and (len(cells) > 1 or cells[0].strip()):
                            yield number, cells, None, ()
                    break
                except csv.Error as error:
                    number += 1
                    self._refuse_if_lost(number, reader.line_num - line_before, error)
                    cells = self._last_line.rstrip("\r\n").split(self.delimiter)
                    yield number, cells, _stray_quote(self._last_line), ()
        finally:
            text.detach()

    def _text(self) -> io.TextIOWrapper:
        self._stream.seek(self.encoding.starts_at)
        # newline="" keeps every kind of line end as it is, also within quotation marks.
        return io.TextIOWrapper(self._stream, encoding=self.encoding.codec, errors=self.encoding.errors, newline="")

    def _lines(self, text: io.TextIOWrapper) -> Iterator[str]:
        """Yield lines, none of them longer than a row can be, and remember the last."""
        longest_line = self.limits.max_columns * (self.limits.max_cell_characters + 3)
        readline = text.readline
        while line := readline(longest_line):
            self._last_line = line
            yield line

    def _first_row(self) -> tuple[str, list[str]]:
        """Return the delimiter with which most column names are recognised, and the names."""
        known = {*self.kind.columns, ERRORS_COLUMN}
        best: tuple[int, str, list[str]] = (-1, ",", [])
        for delimiter in DELIMITERS:
            text = self._text()
            try:
                names = next(csv.reader(self._lines(text), delimiter=delimiter), [])
            except csv.Error:
                names = []
            finally:
                text.detach()
            recognised = sum(column_name(name) in known for name in names)
            if recognised > best[0]:
                best = (recognised, delimiter, names)
        _, delimiter, names = best
        if any(BAD_CHARACTER.search(name.strip()) for name in names):
            raise FileRefusedError("not_a_table", f"The file is not a table. {SEND_A_TABLE}")
        return delimiter, names

    def _go_through(self) -> int:
        """Count the rows, and refuse the file where one of them is beyond measure or has swallowed others."""
        rows, number, limits = 0, 1, self.limits
        plain = self._count_plain()
        if plain is not None:
            check_rows(plain, limits)
            return plain
        for number, cells, _, _ in self.records():
            rows += 1
            if rows > limits.max_rows:
                raise too_many_rows(limits)
            joined = "".join(cells)
            if len(joined) > limits.max_cell_characters and longest(cells) > limits.max_cell_characters:
                raise cell_too_long(number, limits)
            if "\n" in joined or "\r" in joined:
                self._refuse_swallowed_rows(number, cells)
        check_rows(rows, limits)
        return rows

    def _count_plain(self) -> int | None:
        """Count the rows of a file without quotation marks, at a tenth of the time: its rows are its lines.

        Nothing where a line has one, or is so long that a cell of it may be too long.
        """
        text, most, blank = self._text(), self.limits.max_cell_characters, f"{self.delimiter}\r\n"
        rows = 0
        try:
            for number, line in enumerate(self._lines(text)):
                if '"' in line or len(line) > most:
                    return None
                # As `records` has it: a row of nothing but separators is blank, and so is white space without any.
                if number and line.strip(blank) and (self.delimiter in line or line.strip()):
                    rows += 1
        finally:
            text.detach()
        return rows

    def _refuse_swallowed_rows(self, number: int, cells: list[str]) -> None:
        """A cell with line breaks and as many separators as half a row is other rows, in an open quotation mark."""
        many = max(3, self.header.width // 2)
        for cell in cells:
            if cell.count(self.delimiter) >= many and ("\n" in cell or "\r" in cell):
                raise _open_quote(number)

    def _refuse_if_lost(self, number: int, lines: int, error: csv.Error) -> None:
        """Refuse the file for what the parser stumbled over, unless that is within one line: then one row is bad."""
        if "field limit" in str(error) and lines <= 1:
            raise cell_too_long(number, self.limits) from error
        if lines > 1:
            raise _open_quote(number) from error


def _open_quote(number: int) -> FileRefusedError:
    return FileRefusedError(
        "broken_quotes",
        f"Row {number} has a quotation mark that is not closed at the end of its cell, so the rows after it cannot be "
        f"told apart. {_MEND_QUOTE}",
    )


def _stray_quote(line: str) -> Problem:
    return problem(
        "",
        "invalid_character",
        f"A quotation mark in this row is not closed at the end of its cell. {_MEND_QUOTE}",
        line.rstrip("\r\n"),
    )
