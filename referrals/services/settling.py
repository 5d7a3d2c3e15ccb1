"""The half of an import that writes: a slice of referral rows against what is held, set by set, in one transaction.

Nothing is asked of the database row by row. What is held of the slice's references is locked and read in one
statement, what bars its people in another; new offers go in by COPY, changed ones by one UPDATE from a temporary
table. A reference that another batch brings in between makes COPY fail on the natural key; the slice is then rolled
back and done again, and finds it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, cast

from django.db import connection

from audit.context import Actor
from common.clock import date_words, london, london_day
from common.copy import copy_text
from courses.models import Place
from referrals import rules
from referrals.constants import BOOKABLE, ReferralStatus, RowState
from referrals.models import Batch, Referral
from referrals.rules.checked import ReferralValues
from referrals.services import standing
from referrals.services.ahead import Slice
from referrals.services.changes import CONTENT_COLUMNS, SECRET_COLUMNS, Hashes, changed_columns, listed
from referrals.services.checking import Prepared
from referrals.services.lines import (
    EVENT_COLUMNS,
    OFFER_COLUMNS,
    ROW_COLUMNS,
    WARNED,
    Lines,
    Settled,
    as_found,
)
from referrals.services.scheme import Scheme

# Reads the values of a row again where they were not kept.
Again = Callable[[Prepared], ReferralValues]
Held = Mapping[str, tuple[int, bytes]]
Completed = Sequence[tuple[Any, ...]]

_RESENT = (*CONTENT_COLUMNS, *SECRET_COLUMNS)
_SET = ", ".join(f'"{column}" = s."{column}"' for column in _RESENT[2:])
_NAMED = ", ".join(f'"{column}"' for column in _RESENT)


def settle(part: Slice, *, batch: Batch, scheme: Scheme, lines: Lines, again: Again) -> tuple[Mapping[str, int], int]:
    """Settle a slice of checked rows; returns how many came into which state, and the warnings. Composed.

    Locks the referrals it finds, in the order of their ids. Raises IntegrityError where somebody else brought one of
    the references in the meantime: do the whole slice again.
    """
    held = _held(batch.force_id, part.references)
    completed = _completed(part)
    if not held and not completed:
        write(part.offers, part.settled, part.events)
        return part.states, part.warnings
    settled = _settle_rows(part.rows(), held, completed, scheme=scheme, again=again)
    new = [each.row for each in settled if each.state == RowState.NEW]
    changed = [each for each in settled if each.state == RowState.CHANGED]
    update([each.row for each in changed])
    texts = lines.offers(row.line for row in new), lines.rows(settled), lines.events(new, changed)
    write(*(text.encode() for text in texts))
    return count(settled)


def write(offers: bytes, settled: bytes, events: bytes) -> None:
    """COPY what a slice brings. Composed."""
    with connection.cursor() as cursor:
        if offers:
            copy_text(cursor, "referrals_referral", OFFER_COLUMNS, offers)
        copy_text(cursor, "referrals_batchrow", ROW_COLUMNS, settled)
        if events:
            copy_text(cursor, "audit_auditevent", EVENT_COLUMNS, events)


def count(settled: Sequence[Settled]) -> tuple[Mapping[str, int], int]:
    """How many rows came into which state, and their warnings."""
    warnings = sum(len(each.row.warnings) for each in settled if each.state in WARNED)
    return Counter(each.state for each in settled), warnings


def _held(force_code: str, references: str) -> dict[str, tuple[int, bytes]]:
    """What is held of these references, locked: id, and the hash of what police sent last."""
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [references, force_code])
        return {reference: (pk, bytes(content)) for reference, pk, content in cursor.fetchall()}


def _completed(part: Slice) -> list[tuple[Any, ...]]:
    """Courses that the people of a slice completed."""
    with connection.cursor() as cursor:
        cursor.execute(_COMPLETED, [part.numbers, part.persons, part.unnumbered])
        return list(cursor.fetchall())


# The arrays stand in a SELECT because the planner would compare each of their thousand values with its statistics.
# `|| ''` takes indexes out of its choice that a young table without statistics leads it to: it would read all of a
# force, or all who completed, and compare each with a thousand values. That took as long as all the writing.
_HELD = """
    SELECT reference, id, content_hash FROM referrals_referral
     WHERE reference = ANY((SELECT %s::text[])::text[]) AND force_id || '' = %s
     ORDER BY id FOR NO KEY UPDATE"""

# By number; by name, birth and postcode where the earlier one has no number, which is seldom and a small index; and
# where the later one has none. The latest offence first, so that the date told is the one that counts.
_COMPLETED = """
    SELECT key, by_number, has_number, force_id, reference, course_type_id, offence_at FROM (
        SELECT driver_number_hash AS key, true AS by_number, true AS has_number,
               force_id, reference, course_type_id, offence_at
          FROM referrals_referral
         WHERE driver_number_hash = ANY((SELECT %s::bytea[])::bytea[])
           AND driver_number_hash <> '' AND status || '' = 'COMPLETED'
        UNION ALL
        SELECT person_hash, false, false, force_id, reference, course_type_id, offence_at
          FROM referrals_referral
         WHERE person_hash = ANY((SELECT %s::bytea[])::bytea[]) AND driver_number_hash = '' AND status = 'COMPLETED'
        UNION ALL
        SELECT person_hash, false, true, force_id, reference, course_type_id, offence_at
          FROM referrals_referral
         WHERE person_hash = ANY((SELECT %s::bytea[])::bytea[]) AND driver_number_hash <> '' AND status = 'COMPLETED'
    ) AS earlier ORDER BY offence_at DESC, reference"""


def _settle_rows(
    rows: Sequence[Prepared], held: Held, completed: Completed, *, scheme: Scheme, again: Again
) -> list[Settled]:
    """What becomes of each row, in order, where something is held of them or of their people."""
    good = [row for row in rows if row.state == RowState.NEW]
    settled: dict[int, Settled] = {}
    differing = []
    for row in good:
        found = held.get(row.key[1])
        if found and found[1] == row.content:
            settled[row.number] = Settled(row, RowState.UNCHANGED)
        elif found:
            differing.append((row, found[0]))
    if differing:
        settled |= _settle_differing(differing, scheme=scheme, again=again)
    unsettled = [
        settled[row.number].row if row.number in settled else row
        for row in good
        if row.number not in settled or settled[row.number].state == RowState.CHANGED
    ]
    for row, problem in _barred(unsettled, completed, scheme=scheme, again=again):
        changes = settled[row.number].changes if row.number in settled else {}
        settled[row.number] = Settled(row, RowState.QUARANTINED, (problem,), changes)
    return [settled.get(row.number) or as_found(row) for row in rows]


def _settle_differing(differing: list[tuple[Prepared, int]], *, scheme: Scheme, again: Again) -> dict[int, Settled]:
    """Tell rows that say the same in other words from changes that apply, and from those that must wait.

    The referrals are locked, as they are by whoever holds a place: who comes first is seen here, who comes after sees
    the change.
    """
    held = Referral.objects.select_related("course_type").in_bulk([pk for _, pk in differing])
    choosing = set(Place.objects.held_for(each.key for each in held.values()).values_list("holder", flat=True))
    said = standing.said_before(held.values())
    settled = {}
    for sent, pk in differing:
        referral = held[pk]
        row, values, undecided = standing.applied(
            sent, again(sent), held=referral, said=said[referral.key], courses=scheme.courses
        )
        changes = changed_columns(referral, values, cast(Hashes, row.hashes))
        if not changes:
            settled[row.number] = Settled(row, RowState.UNCHANGED)
        elif why := _not_open(referral, is_choosing=referral.key in choosing) or undecided:
            settled[row.number] = Settled(row, RowState.QUARANTINED, (_must_wait(referral, changes, why),), changes)
        else:
            settled[row.number] = Settled(row, RowState.CHANGED, (), changes)
    return settled


def _not_open(referral: Referral, *, is_choosing: bool) -> str:
    """Why a change must wait, in words; empty where it need not."""
    status = ReferralStatus(referral.status)
    if status == ReferralStatus.BOOKED:
        return "something is booked"
    if status not in BOOKABLE:
        return f"the offer is “{status.label.lower()}”"
    return "a place is being held" if is_choosing else ""


def _must_wait(referral: Referral, changes: dict[str, list[str]], why: str) -> rules.Problem:
    return rules.problem(
        "reference",
        "changed_while_booked",
        f"This differs from what we hold ({listed(changes)}), and {why}. Someone must decide.",
        referral.reference,
    )


def _barred(
    rows: Iterable[Prepared], completed: Completed, *, scheme: Scheme, again: Again
) -> list[tuple[Prepared, rules.Problem]]:
    """Which rows the three-year rule bars: offence date to offence date, for the same person and courses that block.

    A person is matched by driver number, or by name, date of birth and postcode where either side has no number.
    """
    if not completed:
        return []
    people: dict[bytes, list[Prepared]] = {}
    for row in rows:
        hashes = cast(Hashes, row.hashes)
        people.setdefault(hashes.person, []).append(row)
        if hashes.driver_number:
            people.setdefault(hashes.driver_number, []).append(row)
    found: dict[int, tuple[Prepared, rules.Problem]] = {}
    for key, by_number, has_number, force_code, reference, course, offence_at in completed:
        for row in people.get(bytes(key), ()):
            if not by_number and has_number and cast(Hashes, row.hashes).driver_number:
                continue  # found by a namesake without a number: two numbers tell two people apart
            if (force_code, reference) == row.key or row.number in found:
                continue
            values = again(row)
            other_on = london_day(offence_at)
            is_close = rules.is_barred(london_day(values.offence_at), other_on)
            if is_close and scheme.bars(scheme.courses[values.course_code], course, values.offer_date):
                problem = _bar(values, scheme, force_code, reference, course, other_on)
                found[row.number] = (row, problem)
    return list(found.values())


def _bar(
    values: ReferralValues, scheme: Scheme, force_code: str, reference: str, course: int, offence_on: date
) -> rules.Problem:
    # Another force's reference is not for this force to see.
    is_own = force_code == values.force_code
    whose = f"reference {reference}" if is_own else f"a referral by {scheme.forces.get(force_code)}"
    return rules.problem(
        "offence_at",
        "three_year_bar",
        f"The same person completed {scheme.code_of(course)} for an offence on {date_words(offence_on)} ({whose}). "
        f"This course is allowed for offences from {date_words(rules.allowed_from(offence_on))}. Someone must decide.",
        f"{london(values.offence_at):%Y-%m-%dT%H:%M}",
    )


def insert(row: Prepared, *, batch: Batch, by: Actor, now: datetime) -> None:
    """Bring in one new referral, as an import does. Composed. Raises IntegrityError where it is there."""
    with connection.cursor() as cursor:
        offer = Lines.of(batch, by=by, now=now).offers([row.line])
        copy_text(cursor, "referrals_referral", OFFER_COLUMNS, offer.encode())


def update(rows: Sequence[Prepared]) -> None:
    """Put what police sent now in the place of what they sent before. Composed; the referrals are locked."""
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE resent ON COMMIT DROP AS "  # noqa: S608 - fixed column names
            f"SELECT {_NAMED} FROM referrals_referral WITH NO DATA"
        )
        copy_text(cursor, "resent", _RESENT, "".join([f"{row.line}\n" for row in rows]).encode())
        cursor.execute(
            f"UPDATE referrals_referral r SET {_SET} FROM resent s "  # noqa: S608 - fixed column names
            "WHERE r.reference = s.reference AND r.force_id = s.force_id"
        )
        cursor.execute("DROP TABLE resent")
