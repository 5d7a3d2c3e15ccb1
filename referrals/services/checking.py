"""The half of an import that needs no database: rows are read, checked, and made ready for COPY.

It runs in a thread of its own, a slice ahead of the half that writes, so that one core checks while PostgreSQL works
on another. No more than a few slices are ever in memory, however long the file is.
"""

import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, cast

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


class Prepared(NamedTuple):
    """A row after its checks: what its own file tells about it. The database may still change a `new` into another.

    `key` is the force the row names and what it speaks of within it; `problems` say why it is rejected or quarantined.
    `content` is empty for a rejected row; `hashes` and `line` (all that police send, for COPY) are there for a new
    referral.
    """

    number: int
    state: str
    key: tuple[str, str]
    content: bytes
    cells: Sequence[str]
    problems: tuple[rules.Problem, ...] = ()
    warnings: tuple[rules.Problem, ...] = ()
    values: AnyValues | None = None
    hashes: Hashes | None = None
    line: str = ""


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
    return Prepared(number, state, key, content, cells, checked.quarantine, checked.warnings, values, None, line)


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


class Ahead:
    """Slices made in a thread, one ahead of who takes them: `with Ahead(...) as slices: for part in slices`."""

    def __init__(self, rows: Iterator[Prepared], *, size: int) -> None:
        self._rows = rows
        self._size = size
        self._made: queue.Queue[list[Prepared] | BaseException | None] = queue.Queue(maxsize=1)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checking", daemon=True)

    def __enter__(self) -> Iterator[list[Prepared]]:
        """Begin."""
        self._thread.start()
        return self._slices()

    def __exit__(self, *_: object) -> None:
        """End the thread, at its next slice where it is not done."""
        self._stopped.set()
        while self._thread.is_alive():
            try:
                self._made.get(timeout=0.05)
            except queue.Empty:
                continue
        self._thread.join()

    def _slices(self) -> Iterator[list[Prepared]]:
        while (part := self._made.get()) is not None:
            if isinstance(part, BaseException):
                raise part
            yield part

    def _run(self) -> None:
        try:
            part: list[Prepared] = []
            for row in self._rows:
                part.append(row)
                if len(part) >= self._size:
                    self._made.put(part)
                    part = []
                    if self._stopped.is_set():
                        return
            if part:
                self._made.put(part)
            self._made.put(None)
        except BaseException as error:  # noqa: BLE001 - raised again where the slices are taken
            self._made.put(error)


def checked_on(now: datetime, *, force_code: str, forces: frozenset[str], courses: frozenset[str]) -> rules.Context:
    """The setting in which a batch's rows are checked."""
    return rules.Context(force=force_code, now=now, forces=forces, courses=courses)
