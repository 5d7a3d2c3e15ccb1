"""What an import writes, as lines in COPY's text format: made where the rows are checked, written as they are."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from audit.context import Actor, current
from common.copy import copy_value
from referrals.cells import sealed
from referrals.constants import ReferralStatus, RowState
from referrals.models import Batch
from referrals.rules import Problem
from referrals.services.changes import CONTENT_COLUMNS, SECRET_COLUMNS, listed
from referrals.services.checking import Prepared

STATE_COLUMNS = ("status", "status_at", "status_by", "batch_id", "received_at", "bookable_at")
OFFER_COLUMNS = (*CONTENT_COLUMNS, *SECRET_COLUMNS, *STATE_COLUMNS)
ROW_COLUMNS = (
    "batch_id",
    "number",
    "state",
    "row_force_code",
    "reference",
    "content_hash",
    "cells_encrypted",
    "errors",
    "warnings",
    "changes",
    "decision",
    "decided_by",
    "decision_reason",
)
EVENT_COLUMNS = (
    "occurred_at",
    "actor",
    "on_behalf_of",
    "action",
    "subject",
    "referral_key",
    "words",
    "reason",
    "data",
)
WARNED = frozenset({RowState.NEW, RowState.CHANGED, RowState.QUARANTINED})
# By name: a member of an enumeration takes long to write.
_STATES: dict[str, str] = {state: state.value for state in RowState}
_KEPT = frozenset({RowState.REJECTED, RowState.QUARANTINED})
_NO_CHANGES: Mapping[str, list[str]] = {}


class Settled(NamedTuple):
    """A row and what became of it."""

    row: Prepared
    state: str
    problems: tuple[Problem, ...] = ()
    changes: dict[str, list[str]] = {}


def as_found(row: Prepared) -> Settled:
    """The row as its own file left it."""
    return Settled(row, row.state, row.problems)


@dataclass(frozen=True)
class Lines:
    """The lines of one batch, by what is the same in all of them."""

    batch_id: str
    file_name: str
    offers_end: str
    events_begin: str

    @classmethod
    def of(cls, batch: Batch, *, by: Actor, now: datetime) -> "Lines":
        """Those of a batch that somebody imports now."""
        state = (ReferralStatus.LIVE, now, str(by), batch.pk, batch.received_at, now)
        told = (now, str(by), current().on_behalf_of)
        return cls(
            str(batch.pk),
            copy_value(batch.file_name),
            "\t".join(map(copy_value, state)),
            "\t".join(map(copy_value, told)),
        )

    def offers(self, lines: Iterable[str]) -> str:
        """New referrals, of what police send of each."""
        end = self.offers_end
        return "".join([f"{line}\t{end}\n" for line in lines])

    def rows(self, settled: Iterable[Settled]) -> str:
        """Rows and what became of them."""
        return "".join([self._row(*each) for each in settled])

    def rows_as_found(self, rows: Iterable[Prepared]) -> str:
        """Rows as their own file left them."""
        return "".join([self._row(row, row.state, row.problems, _NO_CHANGES) for row in rows])

    def events(self, new: Iterable[Prepared], changed: Sequence[Settled] = ()) -> str:
        """An audit event for each referral that came or changed."""
        begin, words = f"{self.events_begin}\treferral.received\t\t", f"Received in {self.file_name}, row"
        data = f'{{"batch": "{self.batch_id}", "row":'
        events = [f"{begin}{row.key[0]}/{row.key[1]}\t{words} {row.number}\t\t{data} {row.number}}}\n" for row in new]
        for row, _, _, changes in changed:
            columns = ", ".join(f'"{column}"' for column in sorted(changes))
            events.append(
                f"{self.events_begin}\treferral.changed\t\t{row.key[0]}/{row.key[1]}\t"
                f"Changed by {self.file_name}, row {row.number}: {listed(changes)}\t\t"
                f'{data} {row.number}, "columns": [{columns}]}}\n'
            )
        return "".join(events)

    def _row(self, row: Prepared, state: str, problems: tuple[Problem, ...], changes: Mapping[str, list[str]]) -> str:
        cells = sealed(row.as_list()).hex() if state in _KEPT else ""
        warnings = _json(row.warnings) if state in WARNED else "[]"
        return (
            f"{self.batch_id}\t{row.number}\t{_STATES[state]}\t{row.key[0]}\t{row.key[1]}\t\\\\x{row.content.hex()}\t"
            f"\\\\x{cells}\t{_json(problems)}\t{warnings}\t{copy_value(changes) if changes else '{}'}\t\t\t\n"
        )


@lru_cache(maxsize=4096)
def _json(problems: tuple[Problem, ...]) -> str:
    return copy_value([each._asdict() for each in problems]) if problems else "[]"
