"""What stands against a row that is sent again: days it leaves empty, and what police have decided in between.

A file says what police's system held, and most rows that differ mend some other column. So a day that a row leaves
empty stays as it is held. A day or a course that came from `extend` or `decide_course` stands where the row says what
the file before said, for nobody changed it there; where the row says something else that would take the decision
back, a person decides. What police decided, and what the file before said, is told by the record: the decision's
event has both, and it stands for as long as its value is the one that is held.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

from audit.models import AuditEvent
from common.clock import london_day
from referrals import rules
from referrals.models import Referral
from referrals.rules.checked import ReferralValues
from referrals.services.changes import SECRET_COLUMNS, content_text, listed
from referrals.services.checking import Prepared

_COURSE = "course_code"
# What each decision has in its event: [before, after] of a column.
_DECISIONS = {
    "referral.extended": {"complete_by": "complete_by", "book_by": "book_by"},
    "referral.course_decided": {"course": _COURSE},
}

# What the file before said of a column that police have decided since.
SaidBefore = Mapping[str, str]


class Applied(NamedTuple):
    """A row as it applies to what is held, and why a person must decide on it, in words; empty where nobody must."""

    row: Prepared
    values: ReferralValues
    why: str


def said_before(referrals: Iterable[Referral]) -> dict[str, SaidBefore]:
    """By referral key, what the file before said of each column that police's decision holds now.

    The referrals have their course types loaded.
    """
    held = {
        referral.key: {
            "complete_by": referral.complete_by.isoformat(),
            "book_by": referral.book_by.isoformat(),
            _COURSE: referral.course_type.code,
        }
        for referral in referrals
    }
    decisions = AuditEvent.objects.filter(referral_key__in=list(held), action__in=_DECISIONS).exclude(referral_key="")
    said: dict[str, dict[str, str]] = {key: {} for key in held}
    # Back from the last decision: one after another they lead to what the file said before the first.
    for key, action, data in decisions.order_by("-id").values_list("referral_key", "action", "data"):
        for name, column in _DECISIONS[action].items():
            before, after = data.get(name) or ("", "")
            if before == after:
                continue
            if after == held[key][column]:
                said[key][column] = held[key][column] = before
            else:
                held[key][column] = ""  # a file has changed it since: what was decided earlier stands no more
    return dict(said)


def applied(
    row: Prepared, values: ReferralValues, *, held: Referral, said: SaidBefore, courses: Mapping[str, int]
) -> Applied:
    """The row with what stands put in the place of what it says; `courses` are the keys of courses by their codes."""
    filled_in = {each.column for each in row.warnings if each.code == f"{each.column}_filled_in"}
    stands: dict[str, date | str] = {"complete_by": held.complete_by, "book_by": held.book_by}
    stands[_COURSE] = held.course_type.code
    kept: list[str] = []
    against: list[str] = []
    unfit: list[str] = []
    for column, ours in stands.items():
        sent = getattr(values, column)
        if sent == ours:
            continue
        if column in filled_in or str(sent) == said.get(column):
            (kept if _fits(column, ours, values) else unfit).append(column)
        elif column in said and (column == _COURSE or sent < ours):
            against.append(column)
    why = ""
    if against:
        why = f"police have decided the {listed(against)} otherwise since the file before"
    elif unfit:
        why = f"the {listed(unfit)} that we hold does not fit its other days"
    if not kept:
        return Applied(row, values, why)
    values = values._replace(
        complete_by=held.complete_by if "complete_by" in kept else values.complete_by,
        book_by=held.book_by if "book_by" in kept else values.book_by,
        course_code=held.course_type.code if _COURSE in kept else values.course_code,
    )
    secrets = row.line.rsplit("\t", len(SECRET_COLUMNS))[1:]
    line = "\t".join([content_text(values, courses[values.course_code]), *secrets])
    warnings = tuple(each for each in row.warnings if each.column not in kept or each.column not in filled_in)
    return Applied(row._replace(line=line, values=values, warnings=warnings), values, why)


def _fits(column: str, ours: date | str, values: ReferralValues) -> bool:
    """Whether what is held can stand beside the other days of the row."""
    if isinstance(ours, str):
        return True
    latest = rules.time_limit(london_day(values.offence_at))
    return values.offer_date <= ours and (column == "book_by" or ours <= latest)
