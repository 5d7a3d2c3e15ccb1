"""The first row: which column of the file is which of ours."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from operator import itemgetter

from referrals.files.limits import Limits
from referrals.files.refusals import FileRefusedError
from referrals.rules.columns import ERRORS_COLUMN, KINDS, FileKind

Cells = Sequence[str]


def column_name(text: str) -> str:
    """Return a column's name as it is compared: case and surrounding spaces do not count."""
    return text.strip().lower()


class Header:
    """The columns of a file, in its own order.


    `names` are as written, without our own `errors` column; `found` all of them as compared. `width` is how many cells
    a row has, and `blanks` how many empty ones may follow. `errors_at` is where our column stands: where there is one,
    the file is one that we sent back, and its cells are protected against being taken for formulas.
    """

    def __init__(self, first_row: Cells, kind: FileKind, limits: Limits) -> None:
        """Understand the first row. Raises `FileRefusedError` where it is not one of this kind of file."""
        written = list(first_row)
        while written and not written[-1].strip():
            written.pop()
        self.found = tuple(column_name(name) for name in written)
        found = list(self.found)
        self.blanks = len(first_row) - len(written)
        self.width = len(written)
        _check_names(found, kind, limits)
        self.errors_at = found.index(ERRORS_COLUMN) if ERRORS_COLUMN in found else None
        if self.errors_at is not None:
            del written[self.errors_at], found[self.errors_at]
        self.names = tuple(written)
        self.in_order = _picker(found, kind)


def _picker(found: list[str], kind: FileKind) -> Callable[[Cells], Cells]:
    """Return the fastest function that puts a row's cells in canonical order, "" where the file has no such column."""
    if tuple(found) == kind.columns:
        return tuple
    places = [found.index(name) if name in found else len(found) for name in kind.columns]
    pick = itemgetter(*places)
    if len(found) in places:
        return lambda cells: pick((*cells, ""))
    return pick


def _check_names(found: list[str], kind: FileKind, limits: Limits) -> None:
    if not found:
        raise FileRefusedError("missing_columns", "The first row is empty. It must hold the names of the columns.")
    if len(found) > limits.max_columns:
        raise FileRefusedError(
            "too_many_columns", f"The file has {len(found)} columns; at most {limits.max_columns} are taken."
        )
    known = {*kind.columns, ERRORS_COLUMN}
    unknown = [name for name in found if name and name not in known]
    if not known.intersection(found):
        raise FileRefusedError("missing_columns", _not_a_header(kind))
    if unknown:
        raise FileRefusedError("unknown_columns", _unknown(unknown, found, kind))
    if "" in found:
        raise FileRefusedError("unnamed_column", f"Column {found.index('') + 1} has no name in the first row.")
    twice = sorted({name for name in found if found.count(name) > 1})
    if twice:
        raise FileRefusedError("duplicate_columns", f"These columns are there more than once: {', '.join(twice)}.")
    missing = [name for name in kind.columns if name in kind.needed and name not in found]
    if missing:
        raise FileRefusedError("missing_columns", f"These columns are missing: {', '.join(missing)}.")


def _not_a_header(kind: FileKind) -> str:
    return (
        f"The first row must hold the column names of a {kind.name} file ({', '.join(kind.columns[:3])} and so on), "
        "separated by commas, semicolons or tabs. None was found."
    )


def _unknown(unknown: list[str], found: list[str], kind: FileKind) -> str:
    for other in KINDS.values():
        if other is not kind and other.needed.issubset(found) and set(found) <= {*other.columns, ERRORS_COLUMN}:
            return f"This is a {other.name} file, but it was sent as {kind.name}."
    told = []
    free = [name for name in kind.columns if name not in found]
    for name in unknown:
        close = get_close_matches(name, free, n=1, cutoff=0.6)
        told.append(f"“{name[:60]}” (did you mean {close[0]}?)" if close else f"“{name[:60]}”")
    return f"These columns are not known: {', '.join(told)}."
