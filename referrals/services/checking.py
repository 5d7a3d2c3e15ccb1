"""The half of an import that needs no database: rows are read, checked, and made ready for COPY.

It runs a slice ahead of the half that writes (`ahead`), so that one core checks while PostgreSQL works on another. No
more than a few slices are ever in memory, however long the file is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from common.identifiers import normalise_reference
from referrals import lookups, rules
from referrals.constants import RowState
from referrals.files import Row, Table
from referrals.rules import messages
from referrals.rules.checked import AnyChecked, AnyValues, ReferralValues
from referrals.services.changes import Hashes, content_text, hashes_of, secret_text

_CHECKS: dict[str, Callable[..., AnyChecked]] = {
    "referrals": rules.check_referral,
    "withdrawals": rules.check_withdrawal,
    "forecast": rules.check_forecast,
}


# Stands in no cell of a row that is not rejected.
_BETWEEN_CELLS = "\x1f"


class Prepared(NamedTuple):
    """A row after its checks: what its own file tells about it. The database may still change a `new` into another.

    `key` is the force the row names and what it speaks of within it; `problems` say why it is rejected or quarantined.
    `content` is empty for a rejected row; `hashes` and `line` (all that police send, for COPY) are there for a new
    referral. A row that came from another process has its cells in one text where they are good, and no values.
    """

    number: int
    state: str
    key: tuple[str, str]
    content: bytes
    cells: Sequence[str]
    problems: tuple[rules.Problem, ...] = ()
    warnings: tuple[rules.Problem, ...] = ()
    hashes: Hashes | None = None
    values: AnyValues | None = None
    line: str = ""

    def as_list(self) -> list[str]:
        """The cells as they came, in the file's order."""
        return self.cells.split(_BETWEEN_CELLS) if isinstance(self.cells, str) else list(self.cells)

    def packed(self) -> tuple[object, ...]:
        """The row as few and simple values, without what can be made again."""
        cells = self.cells if self.state == RowState.REJECTED else _BETWEEN_CELLS.join(self.cells)
        hashes = tuple(self.hashes) if self.hashes else None
        return self.number, self.state, self.key, self.content, cells, self.problems, self.warnings, hashes

    @classmethod
    def unpacked(cls, values: tuple[Any, ...]) -> "Prepared":
        """A row from what `packed` gave, without values and line."""
        number, state, key, content, cells, problems, warnings, hashes = values
        kept = Hashes(*hashes) if hashes else None
        return cls(number, state, key, content, cells, problems, warnings, kept)


def prepare(
    table: Table, *, after: int, context: rules.Context, seen: rules.SeenRows, courses: Mapping[str, int]
) -> Iterator[Prepared]:
    """Check the rows after row `after`, each against itself and against the good rows `seen` before it.

    `courses` are the keys of the course types by their codes.
    """
    check = _CHECKS[table.kind.name]
    for row in table.after(after):
        if row.problems:
            yield _rejected(row, row.problems)
            continue
        checked = check(row.values, context=context)
        if checked.values is None:
            yield _rejected(row, checked.errors)
            continue
        prepared = prepared_of(checked, number=row.number, cells=row.cells, courses=courses)
        met = seen.meet(prepared.key, prepared.content)
        if met == "first":
            yield with_line(prepared)
        elif met == "same":
            yield prepared._replace(state=RowState.UNCHANGED, problems=(), warnings=())
        else:
            column = "month" if table.kind is rules.FORECAST else "reference"
            value = checked.values.key[1]
            yield _rejected(row, (rules.problem(column, "duplicate_in_file", messages.DUPLICATE, value),))


def prepared_of(checked: AnyChecked, *, number: int, cells: Sequence[str], courses: Mapping[str, int]) -> Prepared:
    """A row without errors. The hash of its content holds everything it says, PIN and driver number too."""
    values = cast(AnyValues, checked.values)
    state = RowState.QUARANTINED if checked.quarantine else RowState.NEW
    if type(values) is ReferralValues:
        key = (values.force_code, values.reference)
        line = content_text(values, courses[values.course_code])
        content = lookups.content_hash(f"{line}\t{values.pin}\t{values.driver_number}")
    else:
        force_code, *rest = values.key
        key = (force_code, "/".join(rest))
        line = ""
        content = lookups.content_hash(repr(tuple(values)))
    return Prepared(number, state, key, content, cells, checked.quarantine, checked.warnings, None, values, line)


def with_line(row: Prepared) -> Prepared:
    """The row ready for COPY, where it is a new referral."""
    if row.state is not RowState.NEW or not row.line:
        return row
    hashes = hashes_of(cast(ReferralValues, row.values))
    return row._replace(hashes=hashes, line=f"{row.line}\t{secret_text(hashes, row.content)}")


def _rejected(row: Row, errors: tuple[rules.Problem, ...]) -> Prepared:
    """A rejected row is still found by its reference, where it has one that can be."""
    force_code, reference = (row.values[0].strip(), normalise_reference(row.values[1])) if row.values else ("", None)
    key = (force_code if len(force_code) == 2 and force_code.isalnum() else "", reference or "")
    return Prepared(row.number, RowState.REJECTED, key, b"", row.cells, errors)


def checked_on(now: datetime, *, force_code: str, forces: frozenset[str], courses: frozenset[str]) -> rules.Context:
    """The setting in which a batch's rows are checked."""
    return rules.Context(force=force_code, now=now, forces=forces, courses=courses)
