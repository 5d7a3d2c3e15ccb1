"""What every reader hands out: rows with their numbers, in the file's order and in ours."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from referrals.files.header import Cells, Header
from referrals.files.limits import Limits
from referrals.files.protection import unprotect
from referrals.files.refusals import FileRefusedError
from referrals.rules.columns import FileKind
from referrals.rules.problems import Problem


class Row(NamedTuple):
    """A row of the file.


    `number` is as a spreadsheet shows it, the header being row 1. `cells` are as they came, in the file's order, our
    own `errors` column left out; `values` the same in canonical order, "" where the file has no such column.
    `problems` are what is wrong whatever the text says; a row that is broken has no values with them. `told` is what
    our `errors` column still says of the row.
    """

    number: int
    cells: Cells
    values: Cells
    problems: tuple[Problem, ...]
    told: str = ""


# Number, cells, what is wrong with a row that has no cells to speak of, and what is with single cells of another.
Record = tuple[int, list[str], Problem | None, tuple[Problem, ...]]


class Table(ABC):
    """A file that has been looked through and found readable: iterating over it refuses nothing any more.


    `rows` is how many there are, `names` the columns as written, `description` says in what form the file is. It can
    be iterated over again and from any row, one iteration at a time, for as long as its stream is open.
    """

    rows: int
    description: str

    def __init__(self, kind: FileKind, limits: Limits) -> None:
        self.kind = kind
        self.limits = limits
        self.header: Header

    @property
    def names(self) -> tuple[str, ...]:
        """The file's column names as written, without our own `errors`."""
        return self.header.names

    def __iter__(self) -> Iterator[Row]:
        return self.after(1)

    def after(self, number: int) -> Iterator[Row]:
        """Yield the rows that come after row `number`, blank ones left out."""
        header = self.header
        named = len(header.names)
        width, blanks, errors_at, in_order = header.width, header.blanks, header.errors_at, header.in_order
        for row_number, cells, problem, problems in self.records():
            if row_number <= number:
                continue
            if problem is not None:
                yield Row(row_number, cells, (), (problem,))
                continue
            mended = cells if len(cells) == width else without_blanks(cells, width, blanks)
            told = ""
            if errors_at is not None:
                told = mended[errors_at] if errors_at < len(mended) else ""
                mended = [unprotect(cell) for n, cell in enumerate(mended) if n != errors_at]
            if len(mended) == named:
                yield Row(row_number, mended, in_order(mended), problems, told)
            else:
                yield Row(row_number, mended, (), (wrong_length(len(mended), named),))

    @abstractmethod
    def records(self) -> Iterator[Record]:
        """Yield the rows, blank ones left out."""


def without_blanks(cells: list[str], width: int, blanks: int) -> list[str]:
    """Leave out the empty cells that follow a row as many as follow the header: columns without a name or content."""
    if width < len(cells) <= width + blanks and not any(cells[width:]):
        return cells[:width]
    return cells


def wrong_length(cells: int, columns: int) -> Problem:
    """Make the error for a row that has too few or too many cells."""
    if cells < columns:
        message = f"The row has {cells} cells, the first row has {columns}. Add the missing ones, empty if need be."
        return Problem("", "row_too_short", message, "")
    message = f"The row has {cells} cells, the first row has {columns}. Put text with separators in quotation marks."
    return Problem("", "row_too_long", message, "")


def check_rows(rows: int, limits: Limits) -> None:
    """Refuse a file with no rows at all, or more than are taken."""
    if rows == 0:
        raise FileRefusedError("no_rows", "The file has column names but no rows.")
    if rows > limits.max_rows:
        raise too_many_rows(limits)


def too_many_rows(limits: Limits) -> FileRefusedError:
    """Make the refusal of a file with too many rows."""
    return FileRefusedError("too_many_rows", f"The file has more than {limits.max_rows:,} rows. Send it in parts.")


def cell_too_long(number: int, limits: Limits) -> FileRefusedError:
    """Make the refusal of a file with a cell that is beyond measure."""
    return FileRefusedError(
        "cell_too_long",
        f"Row {number} has a cell of more than {limits.max_cell_characters:,} characters. Is a quotation mark open?",
    )


def longest(cells: Sequence[str]) -> int:
    """Return the length of the longest cell."""
    return max(map(len, cells), default=0)
