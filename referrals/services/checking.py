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
from referrals.rules.checked import AnyChecked, AnyValues, Checked, ReferralValues
from referrals.rules.plain import Days
from referrals.services.changes import (
    Hashes,
    Secrets,
    content_text,
    hashes_in,
    identity_of,
    plain_text,
    secrets_of_all,
)
from referrals.services.scheme import Scheme

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
    `content` is empty for a rejected row. `line` is all that police send, for COPY, and `identity` what its hashes are
    made of; `with_line` puts these in its place. `values` are those of a row that was checked in full, in the process
    that did it. A row that came from another process has its cells in one text where they are good.
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
    identity: lookups.Identity | None = None
    driver_number: str = ""

    def as_list(self) -> list[str]:
        """The cells as they came, in the file's order."""
        return self.cells.split(_BETWEEN_CELLS) if isinstance(self.cells, str) else list(self.cells)

    def packed(self) -> tuple[Any, ...]:
        """The row as few and simple values, without what can be made again: of a new one its line tells the rest."""
        if self.state == RowState.NEW:
            return self.number, self.warnings, _BETWEEN_CELLS.join(self.cells)
        cells = self.cells if self.state == RowState.REJECTED else _BETWEEN_CELLS.join(self.cells)
        return self.number, self.warnings, cells, str(self.state), self.key, self.content, self.problems

    @classmethod
    def unpacked(cls, values: tuple[Any, ...]) -> "Prepared":
        """A row from what `packed` gave; a new one still needs `with_line`."""
        number, warnings, cells, *told = values
        state, key, content, problems = told or (RowState.NEW, ("", ""), b"", ())
        return cls(number, state, key, content, cells, problems, warnings)

    def with_line(self, line: str) -> "Prepared":
        """The row of a new referral with all that its line for COPY tells."""
        force_code, reference, _ = line.split("\t", 2)
        hashes, content = hashes_in(line)
        return self._replace(key=(force_code, reference), content=content, hashes=hashes, line=line)


def prepare(
    table: Table, *, after: int, context: rules.Context, seen: rules.SeenRows, courses: Mapping[str, int]
) -> Iterator[Prepared]:
    """Check the rows after row `after`, each against itself and against the good rows `seen` before it.

    `courses` are the keys of the course types by their codes.
    """
    check = _CHECKS[table.kind.name]
    plain = rules.PlainReferrals(context) if table.kind is rules.REFERRALS else None
    content_of = lookups.content_hasher()
    for row in table.after(after):
        if row.problems:
            others = check(row.values, context=context).errors if row.values else ()
            yield _rejected(row, _together(row.problems, others, table))
            continue
        if plain and (days := plain.days_of(row.values)):
            prepared = _plain(row, days, courses, content_of)
        else:
            checked = check(row.values, context=context)
            if checked.values is None:
                yield _rejected(row, checked.errors)
                continue
            if plain:
                plain.learn(row.values, cast(Checked[ReferralValues], checked))
            prepared = prepared_of(checked, number=row.number, cells=row.cells, courses=courses)
        if row.told and messages.still_duplicate(_named(table, prepared)) in row.told:
            # Its twin was taken when it was sent first. Sent back as it is, it must not undo that unasked.
            yield _duplicate(row, table, prepared)
            continue
        met = seen.meet(prepared.key, prepared.content)
        if met == "first":
            yield prepared
        elif met == "same":
            yield prepared._replace(state=RowState.UNCHANGED, problems=(), warnings=())
        else:
            yield _duplicate(row, table, prepared)


def _plain(row: Row, days: Days, courses: Mapping[str, int], content_of: Callable[[str], bytes]) -> Prepared:
    """A plain row of a referral: what `prepared_of` would make of it, from its cells."""
    cells = row.values
    force_code, reference, pin, driver_number = cells[0], cells[1], cells[2], cells[15]
    line = plain_text(cells, days, courses[cells[3]])
    return Prepared(
        row.number,
        RowState.NEW,
        (force_code, reference),
        content_of(f"{line}\t{pin}\t{driver_number}"),
        row.cells,
        (),
        days.warnings if cells[23] or cells[24] else days.warnings_without_contact,
        None,
        None,
        line,
        lookups.Identity(force_code, reference, pin, driver_number, cells[12], cells[13], cells[21]),
        driver_number,
    )


def prepared_of(checked: AnyChecked, *, number: int, cells: Sequence[str], courses: Mapping[str, int]) -> Prepared:
    """A row without errors. The hash of its content holds everything it says, PIN and driver number too."""
    values = cast(AnyValues, checked.values)
    state = RowState.QUARANTINED if checked.quarantine else RowState.NEW
    content_of = lookups.content_hasher()
    if type(values) is not ReferralValues:
        force_code, *rest = values.key
        key = (force_code, "/".join(rest))
        content = content_of(repr(tuple(values)))
        return Prepared(number, state, key, content, cells, checked.quarantine, checked.warnings, None, values)
    line = content_text(values, courses[values.course_code])
    return Prepared(
        number,
        state,
        (values.force_code, values.reference),
        content_of(f"{line}\t{values.pin}\t{values.driver_number}"),
        cells,
        checked.quarantine,
        checked.warnings,
        None,
        values,
        line,
        identity_of(values),
        values.driver_number,
    )


def secrets_of(rows: Sequence[Prepared]) -> list[Secrets]:
    """The secrets of new referrals, ready for COPY: of many at a time, for it is quicker."""
    people = (cast(lookups.Identity, row.identity) for row in rows)
    return secrets_of_all(people, [row.driver_number for row in rows], [row.content for row in rows])


def with_secrets(row: Prepared) -> Prepared:
    """The row ready for COPY, where it is a new referral."""
    if row.state is not RowState.NEW or not row.line:
        return row
    (secrets,) = secrets_of([row])
    return row.with_line(f"{row.line}\t{secrets.text}")


def _named(table: Table, prepared: Prepared) -> str:
    """The cell by which an earlier row of the same key is known to whoever sent the file."""
    return prepared.key[1].split("/")[0] if table.kind is rules.FORECAST else prepared.key[1]


def _duplicate(row: Row, table: Table, prepared: Prepared) -> Prepared:
    column = "month" if table.kind is rules.FORECAST else "reference"
    problem = rules.problem(column, "duplicate_in_file", messages.DUPLICATE, _named(table, prepared))
    return _rejected(row, (problem,))


def _together(
    problems: tuple[rules.Problem, ...], others: tuple[rules.Problem, ...], table: Table
) -> tuple[rules.Problem, ...]:
    """A reader's errors with those of the checks, in the order of columns; of one cell only what the checks say."""
    told = {each.column for each in others}
    errors = (*others, *(each for each in problems if each.column not in told))
    return tuple(sorted(errors, key=lambda error: table.kind.index.get(error.column, -1)))


def _rejected(row: Row, errors: tuple[rules.Problem, ...]) -> Prepared:
    """A rejected row is still found by its reference, where it has one that can be."""
    force_code, reference = (row.values[0].strip(), normalise_reference(row.values[1])) if row.values else ("", None)
    key = (force_code if len(force_code) == 2 and force_code.isalnum() else "", reference or "")
    return Prepared(row.number, RowState.REJECTED, key, b"", row.cells, errors)


def checked_on(now: datetime, *, force_code: str, scheme: Scheme) -> rules.Context:
    """The setting in which a batch's rows are checked."""
    return rules.Context(
        force=force_code,
        now=now,
        forces=frozenset(scheme.forces),
        courses=scheme.delivered,
        speed_bands=scheme.speed_bands,
        book_by_days=scheme.terms.book_by_days,
        complete_by_months=scheme.terms.complete_by_months,
    )
