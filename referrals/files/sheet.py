"""The rows of a sheet, as the text that a person sees in its cells: a stream, whatever its size."""

import datetime as dt
import re
from collections.abc import Iterator
from typing import NamedTuple

from referrals.files.limits import Limits
from referrals.files.number_formats import PLAIN, iso, moment, number_text, time_text, with_zeros
from referrals.files.refusals import FileRefusedError, damaged_workbook
from referrals.files.table import cell_too_long
from referrals.files.workbook import Workbook
from referrals.files.xml_parts import ESCAPE_LENGTH, feed, local_name, new_parser, unescape

# Of a sheet in Excel.
_LAST_ROW = 1_048_576
_NO_TEXT = frozenset({"e", "b"})
_ISO_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T([0-9]{2}:[0-9]{2})(:[0-9]{2})?(\.[0-9]+)?)?Z?")


class SheetRow(NamedTuple):
    """A row of a sheet: its number, its cells as text, and days.

    The text of a date cell is its day and time, or its day alone where only that is shown and the time is midnight.
    `days` has, by place, the day alone of each date cell that shows no more or is at midnight; `no_text` the places of
    cells with an error (#N/A) or a logical value (TRUE), which nobody has written as text.
    """

    number: int
    cells: list[str]
    days: dict[int, str]
    no_text: list[int]


def sheet_rows(workbook: Workbook, limits: Limits) -> Iterator[SheetRow]:
    """Yield the rows of the first sheet in which any cell has text.

    Raises `FileRefusedError` for text beyond the columns that are taken, for a cell that is far too long to be
    gathered, and for a damaged sheet.
    """
    rows: list[SheetRow] = []
    with workbook.sheet() as part:
        reader = _Reader(workbook, limits, rows)
        yield from feed(reader.parser, part, rows, look=reader.look)


class _Values:
    """What the cells of a workbook say, by their type and style."""

    def __init__(self, workbook: Workbook) -> None:
        self._strings = workbook.strings
        self._formats = workbook.formats
        self._is_1904 = workbook.is_1904

    def text(self, kind: str, style: str, raw: str, inline: str) -> tuple[str, str]:
        """Return a cell's text, and the day alone where it is a date that shows no more or is at midnight."""
        if kind == "s":
            return self._strings[int(raw)], ""
        if kind == "inlineStr":
            return unescape(inline), ""
        if kind == "n":
            return self._number(style, raw)
        if kind == "b":
            return ("TRUE" if raw.strip() in ("1", "true") else "FALSE"), ""
        if kind == "d":
            return _iso_date(raw)
        # "str", the text that a formula came to, and "e", an error such as #N/A: told as it stands, never as empty.
        return unescape(raw), ""

    def _number(self, style: str, raw: str) -> tuple[str, str]:
        raw = raw.strip()
        shown = self._formats[int(style)] if style and int(style) < len(self._formats) else PLAIN
        if shown.has_day:
            value = moment(raw, is_1904=self._is_1904)
            if value is not None:
                day = value.date().isoformat()
                is_midnight = value.time() == dt.time()
                text = day if is_midnight and not shown.has_time else iso(value)
                return text, day if is_midnight or not shown.has_time else ""
        elif shown.has_time:
            return time_text(raw) or number_text(raw), ""
        text = number_text(raw)
        return with_zeros(text, shown.digits) if shown.digits else text, ""


def _iso_date(raw: str) -> tuple[str, str]:
    """Return the text of a date that is written as one in the file, and its day where the time is midnight or none."""
    match = _ISO_DATE.fullmatch(raw)
    if match is None:
        return raw, ""
    day, minutes, seconds, fraction = match.groups()
    if minutes is None:
        return day, day
    is_whole = (seconds or ":00") == ":00" and not (fraction or "").strip(".0")
    text = f"{day}T{minutes}" if is_whole else raw
    return text, day if is_whole and minutes == "00:00" else ""


def _column(letters: str) -> int:
    """Return the place of a column, counted from 0. Raises `ValueError` for what are no column's letters."""
    if not (letters.isascii() and letters.isalpha() and letters.isupper() and len(letters) <= 3):
        raise ValueError("not a column")
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


class _Reader:
    """Puts each finished row into `rows`. Two calls for every element of the sheet: kept short for that reason."""

    def __init__(self, workbook: Workbook, limits: Limits, rows: list[SheetRow]) -> None:
        self._text_of = _Values(workbook).text
        self._limits = limits
        self._max_columns = limits.max_columns
        self._longest = (limits.max_cell_characters + 1) * ESCAPE_LENGTH
        self._rows = rows
        self._columns: dict[str, int] = {}
        self._pieces: list[str] = []
        self._number = 0
        self._column = -1
        self._cells: list[str] = []
        self._days: dict[int, str] = {}
        self._no_text: list[int] = []
        self._kind = self._style = self._raw = self._inline = ""
        self._is_text = self._is_phonetic = False
        self._starts = {
            "row": self._start_row,
            "c": self._start_cell,
            "v": self._start_text,
            "t": self._start_text,
            "rPh": self._start_phonetic,
        }
        self._ends = {
            "row": self._end_row,
            "c": self._end_cell,
            "v": self._end_value,
            "t": self._end_inline,
            "rPh": self._end_phonetic,
        }
        self.parser = new_parser()
        self.parser.StartElementHandler = self._start_sheet
        self.parser.CharacterDataHandler = self._pieces.append

    def look(self, _: int) -> None:
        """See that what is gathered is no more than a cell may have; what stands in no cell is let go."""
        if not self._is_text:
            self._pieces.clear()
        if sum(map(len, self._pieces)) + len(self._inline) > self._longest:
            raise cell_too_long(self._number, self._limits)

    def _start_sheet(self, name: str, _: dict[str, str]) -> None:
        """The outermost element shows which prefix, if any, the names of the others have."""
        prefix = name[: -len(local_name(name))]
        starts = {prefix + name: handle for name, handle in self._starts.items()}
        ends = {prefix + name: handle for name, handle in self._ends.items()}

        def start(name: str, attributes: dict[str, str]) -> None:
            if handle := starts.get(name):
                handle(attributes)

        def end(name: str) -> None:
            if handle := ends.get(name):
                handle()

        self.parser.StartElementHandler, self.parser.EndElementHandler = start, end

    def _start_row(self, attributes: dict[str, str]) -> None:
        number = int(attributes.get("r") or self._number + 1)
        if not self._number < number <= _LAST_ROW:
            raise damaged_workbook()
        self._number, self._column, self._cells, self._days, self._no_text = number, -1, [], {}, []

    def _end_row(self) -> None:
        if self._cells:
            self._rows.append(SheetRow(self._number, self._cells, self._days, self._no_text))

    def _start_cell(self, attributes: dict[str, str]) -> None:
        reference = attributes.get("r")
        if reference is None:
            self._column += 1
        else:
            letters = reference.rstrip("0123456789")
            column = self._columns.get(letters)
            self._column = self._columns.setdefault(letters, _column(letters)) if column is None else column
        self._kind = attributes.get("t", "n")
        self._style = attributes.get("s", "")
        self._raw = self._inline = ""

    def _end_cell(self) -> None:
        if not (self._raw or self._inline):
            return
        text, day = self._text_of(self._kind, self._style, self._raw, self._inline)
        column, cells = self._column, self._cells
        if not text:
            return
        if column >= self._max_columns:
            raise _beyond_columns(self._number, self._max_columns)
        if column >= len(cells):
            cells.extend([""] * (column + 1 - len(cells)))
        cells[column] = text
        if day:
            self._days[column] = day
        elif self._kind in _NO_TEXT:
            self._no_text.append(column)

    def _start_text(self, _: dict[str, str]) -> None:
        self._pieces.clear()
        self._is_text = True

    def _end_value(self) -> None:
        self._raw = "".join(self._pieces)
        self._is_text = False

    def _end_inline(self) -> None:
        self._is_text = False
        if not self._is_phonetic:
            self._inline += "".join(self._pieces)

    def _start_phonetic(self, _: dict[str, str]) -> None:
        self._is_phonetic = True

    def _end_phonetic(self) -> None:
        self._is_phonetic = False


def _beyond_columns(row_number: int, max_columns: int) -> FileRefusedError:
    return FileRefusedError(
        "too_many_columns", f"Row {row_number} has text beyond column {max_columns}, the last one that is taken."
    )
