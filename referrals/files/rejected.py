"""Writing `rejected.csv`: the rows that somebody must mend, with what is the matter with each.

It has the file's own columns and text, and can be mended and uploaded as it is. `errors` comes first, so that a row
with too many or too few cells stays as it was.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from referrals.files.protection import protect
from referrals.rules.columns import ERRORS_COLUMN
from referrals.rules.messages import still_duplicate
from referrals.rules.problems import Problem

BYTE_ORDER_MARK = "\ufeff"


class _Line(Protocol):
    def __call__(self, row: Iterable[str], /) -> str: ...


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def rejected_csv(
    names: Sequence[str], rows: Iterable[tuple[Sequence[str], Sequence[Problem]]], *, delimiter: str = ","
) -> Iterator[bytes]:
    """Yield the file line by line, in UTF-8 with a byte-order mark, as spreadsheets like it.

    `names` are the file's column names as written, each row its cells in the file's order and its errors.
    """
    line: _Line = csv.writer(_Echo(), delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow
    yield (BYTE_ORDER_MARK + line([ERRORS_COLUMN, *names])).encode()
    for cells, problems in rows:
        # Halves of surrogate pairs came in and go out again: they are what is to be mended.
        yield line([protect(told(problems)), *map(protect, cells)]).encode("utf-8", "surrogatepass")


def told(problems: Sequence[Problem]) -> str:
    """Write a row's errors in one cell: "date_of_birth: Write a real date …"."""
    return " | ".join(f"{each.column}: {_message(each)}" if each.column else each.message for each in problems)


def _message(problem: Problem) -> str:
    return still_duplicate(problem.value) if problem.code == "duplicate_in_file" else problem.message
