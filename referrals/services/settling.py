"""The half of an import that writes: a slice of referral rows against what is held, set by set, in one transaction.

Nothing is asked of the database row by row. What is held of the slice's references is locked and read in one
statement, what bars its people in another; new offers go in by COPY, changed ones by one UPDATE from a temporary
table. A reference that another batch brings in between makes COPY fail on the natural key; the slice is then rolled
back and done again, and finds it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

from django.db import connection

from audit.context import Actor, current
from common.clock import date_words, london_day
from common.copy import copy_text, copy_value
from courses.models import CourseType
from referrals import rules
from referrals.constants import BOOKABLE, ReferralStatus, RowState
from referrals.models import Batch, CourseBlock, Force, Referral
from referrals.rules.checked import ReferralValues
from referrals.services.changes import CONTENT_COLUMNS, SECRET_COLUMNS, Hashes, changed_columns, listed
from referrals.services.checking import Prepared
from referrals.services.rows import Settled, as_found

_STATE_COLUMNS = ("status", "status_at", "status_by", "batch_id", "received_at", "bookable_at")
_AUDIT_COLUMNS = (
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
_SET = ", ".join(f'"{column}" = s."{column}"' for column in (*CONTENT_COLUMNS[2:], *SECRET_COLUMNS))
_NAMED = ", ".join(f'"{column}"' for column in (*CONTENT_COLUMNS, *SECRET_COLUMNS))


@dataclass(frozen=True)
class Scheme:
    """The tables of the scheme that an import needs, read once."""

    courses: dict[str, int]
    delivered: frozenset[str]
    forces: dict[str, str]
    blocks: tuple[tuple[int, int, date, date | None], ...]

    def bars(self, course: int, done: int, on: date) -> bool:
        """Whether having done one course bars an offer of another made on a day."""
        return any(
            course == offered and done == blocker and first <= on and (last is None or on <= last)
            for offered, blocker, first, last in self.blocks
        )


def read_scheme() -> Scheme:
    """Read the scheme's tables."""
    types = list(CourseType.objects.values_list("code", "pk", "is_delivered"))
    return Scheme(
        courses={code: pk for code, pk, _ in types},
        delivered=frozenset(code for code, _, is_delivered in types if is_delivered),
        forces=dict(Force.objects.filter(is_active=True).values_list("code", "name")),
        blocks=tuple(CourseBlock.objects.values_list("course_type_id", "blocked_by_id", "valid_from", "valid_to")),
    )


def settle(rows: Sequence[Prepared], *, batch: Batch, scheme: Scheme, by: Actor, now: datetime) -> list[Settled]:
    """Settle a slice of checked rows and return what became of each, in order. Composed: the slice is its transaction.

    Locks the referrals it finds, in the order of their ids. Raises IntegrityError where somebody else brought one of
    the references in the meantime: do the whole slice again.
    """
    good = [row for row in rows if row.state == RowState.NEW]
    held = _held(batch.force_id, [row.key[1] for row in good])
    settled: dict[int, Settled] = {}
    differing = []
    for row in good:
        found = held.get(row.key[1])
        if found and found[1] == row.content:
            settled[row.number] = Settled(row, RowState.UNCHANGED)
        elif found:
            differing.append((row, found[0]))
    if differing:
        settled |= _settle_differing(differing)
    unsettled = [row for row in good if row.number not in settled or settled[row.number].state == RowState.CHANGED]
    for row, problem in bars(unsettled, scheme=scheme):
        changes = settled[row.number].changes if row.number in settled else {}
        settled[row.number] = Settled(row, RowState.QUARANTINED, (problem,), changes)
    new = [row for row in good if row.number not in settled]
    changed = [each for each in settled.values() if each.state == RowState.CHANGED]
    insert(new, batch=batch, by=by, now=now)
    update([each.row for each in changed])
    _record(new, changed, batch=batch, by=by, now=now)
    return [settled.get(row.number) or as_found(row) for row in rows]


def _held(force_code: str, references: list[str]) -> dict[str, tuple[int, bytes]]:
    """What is held of these references, locked: id, and the hash of what police sent last."""
    if not references:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT reference, id, content_hash FROM referrals_referral "
            "WHERE force_id = %s AND reference = ANY(%s::text[]) ORDER BY id FOR NO KEY UPDATE",
            [force_code, f"{{{','.join(references)}}}"],
        )
        return {reference: (pk, bytes(content)) for reference, pk, content in cursor.fetchall()}


def _settle_differing(differing: list[tuple[Prepared, int]]) -> dict[int, Settled]:
    """Tell rows that say the same in other words from changes that apply, and from those that must wait."""
    held = Referral.objects.select_related("course_type").in_bulk([pk for _, pk in differing])
    settled = {}
    for row, pk in differing:
        referral = held[pk]
        changes = changed_columns(referral, values_of(row), cast(Hashes, row.hashes))
        if not changes:
            settled[row.number] = Settled(row, RowState.UNCHANGED)
        elif referral.status in BOOKABLE:
            settled[row.number] = Settled(row, RowState.CHANGED, (), changes)
        else:
            settled[row.number] = Settled(row, RowState.QUARANTINED, (_not_open(referral, changes),), changes)
    return settled


def _not_open(referral: Referral, changes: dict[str, list[str]]) -> rules.Problem:
    status = ReferralStatus(referral.status)
    what = "something is booked" if status == ReferralStatus.BOOKED else f"the offer is “{status.label.lower()}”"
    return rules.problem(
        "reference",
        "changed_while_booked",
        f"This differs from what we hold ({listed(changes)}), and {what}. Someone must decide.",
        referral.reference,
    )


def bars(rows: Iterable[Prepared], *, scheme: Scheme) -> list[tuple[Prepared, rules.Problem]]:
    """Which rows the three-year rule bars: offence date to offence date, for the same person and courses that block.

    A person is matched by driver number, or by name, date of birth and postcode where either side has no number.
    """
    people: dict[bytes, list[Prepared]] = {}
    numbers, persons = [], []
    for row in rows:
        hashes = cast(Hashes, row.hashes)
        persons.append(hashes.person)
        people.setdefault(hashes.person, []).append(row)
        if hashes.driver_number:
            numbers.append(hashes.driver_number)
            people.setdefault(hashes.driver_number, []).append(row)
    if not people:
        return []
    found: dict[int, tuple[Prepared, rules.Problem]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_COMPLETED, [_array(numbers), _array(persons)])
        earlier_ones = cursor.fetchall()
    for key, by_number, has_number, force_code, reference, course, offence_at in earlier_ones:
        for row in people[bytes(key)]:
            values = values_of(row)
            if not by_number and has_number and values.driver_number:
                continue  # two numbers tell two people apart, whatever their names
            if (force_code, reference) == row.key:
                continue
            offence_on, other_on = london_day(values.offence_at), london_day(offence_at)
            course_id = scheme.courses[values.course_code]
            if scheme.bars(course_id, course, values.offer_date) and rules.is_barred(offence_on, other_on):
                problem = _barred(row, scheme, force_code, reference, course, other_on)
                found.setdefault(row.number, (row, problem))
    return list(found.values())


def _array(hashes: Sequence[bytes]) -> str:
    """Hashes as one literal: a thousand parameters take longer to read than to look up."""
    return "{" + ",".join([f'"\\\\x{each.hex()}"' for each in hashes]) + "}"


# The latest offence first, so that the date told is the one that counts.
_COMPLETED = """
    SELECT key, by_number, has_number, force_id, reference, course_type_id, offence_at FROM (
        SELECT driver_number_hash AS key, true AS by_number, true AS has_number,
               force_id, reference, course_type_id, offence_at
          FROM referrals_referral
         WHERE driver_number_hash = ANY(%s::bytea[]) AND driver_number_hash <> '' AND status = 'COMPLETED'
        UNION ALL
        SELECT person_hash, false, driver_number_hash <> '', force_id, reference, course_type_id, offence_at
          FROM referrals_referral
         WHERE person_hash = ANY(%s::bytea[]) AND status = 'COMPLETED'
    ) AS earlier ORDER BY offence_at DESC, reference"""


def _barred(
    row: Prepared, scheme: Scheme, force_code: str, reference: str, course: int, offence_on: date
) -> rules.Problem:
    code = next(code for code, pk in scheme.courses.items() if pk == course)
    # Another force's reference is not for this force to see.
    whose = f"reference {reference}" if force_code == row.key[0] else f"a referral by {scheme.forces.get(force_code)}"
    return rules.problem(
        "offence_at",
        "three_year_bar",
        f"The same person completed {code} for an offence on {date_words(offence_on)} ({whose}). This course is "
        f"allowed for offences from {date_words(rules.allowed_from(offence_on))}. Someone must decide.",
        values_of(row).offence_at.isoformat(),
    )


def values_of(row: Prepared) -> ReferralValues:
    """The clean values of a referrals row that is not rejected."""
    return cast(ReferralValues, row.values)


def insert(rows: Sequence[Prepared], *, batch: Batch, by: Actor, now: datetime) -> None:
    """COPY new referrals; history follows by its triggers. Composed."""
    if not rows:
        return
    state = "\t".join(map(copy_value, (ReferralStatus.LIVE, now, str(by), batch.pk, batch.received_at, now)))
    with connection.cursor() as cursor:
        columns = (*CONTENT_COLUMNS, *SECRET_COLUMNS, *_STATE_COLUMNS)
        copy_text(cursor, "referrals_referral", columns, "".join([f"{row.line}\t{state}\n" for row in rows]))


def update(rows: Sequence[Prepared]) -> None:
    """Put what police sent now in the place of what they sent before. Composed; the referrals are locked."""
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE resent ON COMMIT DROP AS "  # noqa: S608 - fixed column names
            f"SELECT {_NAMED} FROM referrals_referral WITH NO DATA"
        )
        columns = (*CONTENT_COLUMNS, *SECRET_COLUMNS)
        copy_text(cursor, "resent", columns, "".join([f"{row.line}\n" for row in rows]))
        cursor.execute(
            f"UPDATE referrals_referral r SET {_SET} FROM resent s "  # noqa: S608 - fixed column names
            "WHERE r.reference = s.reference AND r.force_id = s.force_id"
        )
        cursor.execute("DROP TABLE resent")


def _record(new: Sequence[Prepared], changed: Sequence[Settled], *, batch: Batch, by: Actor, now: datetime) -> None:
    """One audit event for each referral that came or changed, in one COPY."""
    if not new and not changed:
        return
    began = "\t".join(map(copy_value, (now, str(by), current().on_behalf_of)))
    name = copy_value(batch.file_name)

    def event(row: Prepared, action: str, words: str, more: str = "") -> str:
        data = f'{{"batch": "{batch.pk}", "row": {row.number}{more}}}'
        return f"{began}\t{action}\t\t{row.key[0]}/{row.key[1]}\t{words}\t\t{data}\n"

    events = [event(row, "referral.received", f"Received in {name}, row {row.number}") for row in new]
    for each in changed:
        words = f"Changed by {name}, row {each.row.number}: {listed(each.changes)}"
        columns = ", ".join(f'"{column}"' for column in sorted(each.changes))
        events.append(event(each.row, "referral.changed", words, f', "columns": [{columns}]'))
    with connection.cursor() as cursor:
        copy_text(cursor, "audit_auditevent", _AUDIT_COLUMNS, "".join(events))
