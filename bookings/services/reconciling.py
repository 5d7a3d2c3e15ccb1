"""The third side of each day's reconciliation: bookings beside what was paid for them."""

import datetime as dt
import logging
from collections.abc import Iterator

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from audit.context import Actor
from bookings.constants import BookingStatus, MoveStatus
from bookings.models import Booking, Move, Policy
from common.clock import end_of_london_day, london_day
from payments import services as payments
from payments.constants import REFUNDS_VOID, RUNS_NOT_ENDED, DisputeStatus, ExceptionKind, Purpose, RefundStatus
from payments.gateway import StripeUnavailableError
from payments.models import Charge, ReconciliationException, ReconciliationRun
from payments.rules import Finding

logger = logging.getLogger(__name__)

# For the sweep that sends the money back once the dates that were offered for it are over.
SENT_BACK_WITHIN = dt.timedelta(hours=1)
LOOK_BACK = dt.timedelta(days=31)
_HAS_PLACE = (BookingStatus.CONFIRMED, BookingStatus.COMPLETED, BookingStatus.NOT_COMPLETED)
# A cancelled booking is not here: the policy it was sold under says what is kept of its fee.
_WITHOUT_PLACE = (BookingStatus.HELD, BookingStatus.LAPSED)


def reconcile_payments(*, day: dt.date, by: Actor, now: dt.datetime) -> ReconciliationRun:
    """Compare a London day at Stripe, in the ledger and in the bookings. Calls Stripe; may be repeated.

    Raises what `payments.services.reconcile_day` raises.
    """

    def look(start: dt.datetime, end: dt.datetime) -> Iterator[Finding]:
        yield from _unpaid(start, end)
        yield from _paid_no_longer(start, end)
        # Each day goes on where the one before ended, also where the policy changed in between.
        before = day - dt.timedelta(days=1)
        yield from _unplaced(start - _settled_within(before), min(end, now) - _settled_within(day))

    return payments.reconcile_day(day=day, by=by, now=now, look_at_bookings=look)


def reconcile_due_payments(*, by: Actor, now: dt.datetime) -> list[ReconciliationRun]:
    """Compare each day to yesterday that was not compared whole, and again those with differences nobody explained.

    At most the last 31 days, the oldest first; one that fails is told to staff and keeps no other from being compared.
    Calls Stripe; may be repeated, and goes on where it was cut off. Raises StripeUnavailableError.
    """
    runs = []
    for day in days_due(now=now):
        try:
            runs.append(reconcile_payments(day=day, by=by, now=now))
        except StripeUnavailableError:
            raise
        except Exception:  # one bad day must not keep the others from being compared; staff are told by its run
            logger.exception("%s could not be compared", day)
    return runs


def days_due(*, now: dt.datetime) -> list[dt.date]:
    """The London days to be compared at `now`, the oldest first."""
    today = london_day(now)
    oldest = today - LOOK_BACK
    yesterday = today - dt.timedelta(days=1)
    runs = ReconciliationRun.objects.filter(day__gte=oldest, day__lt=today)
    ended = runs.exclude(status__in=RUNS_NOT_ENDED).values_list("day", "finished_at")
    finished = {day for day, at in ended if at is not None and at >= end_of_london_day(day)}
    begun = ReconciliationRun.objects.order_by("day").values_list("day", flat=True).first()
    first = max(oldest, begun or yesterday)
    missed = {first + dt.timedelta(days=number) for number in range((today - first).days)} - finished
    unexplained = ReconciliationException.objects.filter(
        run__in=runs, gone_at__isnull=True, resolved_at__isnull=True
    ).values_list("run__day", flat=True)
    return sorted(missed | set(unexplained))


def _unpaid(start: dt.datetime, end: dt.datetime) -> Iterator[Finding]:
    """Bookings confirmed on the day for which nobody ever paid."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT b.reference, b.fee_pence FROM bookings_booking b
            WHERE b.confirmed_at >= %(start)s AND b.confirmed_at < %(end)s AND b.status = ANY(%(statuses)s)
                AND NOT EXISTS (
                    SELECT 1 FROM payments_charge c
                    WHERE c.booking_reference = b.reference AND c.purpose = %(purpose)s AND c.status = 'PAID')
            ORDER BY b.id
            """,
            {"start": start, "end": end, "statuses": list(_HAS_PLACE), "purpose": Purpose.COURSE_FEE},
        )
        for reference, pence in cursor.fetchall():
            note = "the place is theirs, and nothing was paid for it"
            yield Finding(ExceptionKind.BOOKING_UNPAID, f"booking:{reference}", 0, pence, 0, note, reference)


def _paid_no_longer(start: dt.datetime, end: dt.datetime) -> Iterator[Finding]:
    """Bookings to come whose whole fee went back, or was lost to the payer's bank: the last of it on the day.

    What is given back once the course is over has its reason; a refund that waits or failed has not gone.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH gone AS (
                SELECT c.booking_reference AS reference, sum(g.pence) AS pence, max(g.at) AS at
                FROM (
                    SELECT attempt_id, amount_pence AS pence, coalesce(decided_at, requested_at) AS at
                    FROM payments_refund WHERE status <> ALL(%(not_gone)s)
                    UNION ALL
                    SELECT attempt_id, amount_pence, status_at FROM payments_dispute WHERE status = %(lost)s
                ) g
                JOIN payments_attempt a ON a.id = g.attempt_id JOIN payments_charge c ON c.id = a.charge_id
                WHERE c.purpose = %(purpose)s AND NOT a.is_extra
                GROUP BY c.booking_reference
            )
            SELECT b.reference, b.fee_pence
            FROM gone JOIN bookings_booking b USING (reference)
            JOIN courses_place p ON p.id = b.place_id JOIN courses_session s ON s.id = p.session_id
            WHERE b.status = %(confirmed)s AND gone.at >= %(start)s AND gone.at < least(%(end)s, s.ends_at)
                AND gone.pence >= (
                    SELECT sum(a.paid_pence) FROM payments_charge c JOIN payments_attempt a ON a.charge_id = c.id
                    WHERE c.booking_reference = b.reference AND c.purpose = %(purpose)s AND NOT a.is_extra)
            ORDER BY b.id
            """,
            {
                "start": start,
                "end": end,
                "purpose": Purpose.COURSE_FEE,
                "not_gone": [*REFUNDS_VOID, RefundStatus.WAITING],
                "lost": DisputeStatus.LOST,
                "confirmed": BookingStatus.CONFIRMED,
            },
        )
        for reference, pence in cursor.fetchall():
            note = "the place is theirs, and what was paid for it has gone back or was lost"
            yield Finding(ExceptionKind.BOOKING_UNPAID, f"booking:{reference}", 0, pence, 0, note, reference)


def _settled_within(day: dt.date) -> dt.timedelta:
    """How long a fee paid with no place may have neither a place nor a refund: other dates are offered meanwhile."""
    return dt.timedelta(hours=Policy.objects.on(day).late_offer_hours) + SENT_BACK_WITHIN


def _unplaced(start: dt.datetime, end: dt.datetime) -> Iterator[Finding]:
    """Fees, of courses and of moves, paid from `start` to `end` with neither a place nor a refund by now."""
    without_place = Booking.objects.filter(status__in=_WITHOUT_PLACE)
    is_booked = Q(purpose=Purpose.COURSE_FEE) & ~Q(booking_reference__in=without_place.values("reference"))
    is_moved = ~Q(purpose=Purpose.COURSE_FEE) & Exists(
        Move.objects.filter(charge=OuterRef("pk"), status=MoveStatus.DONE)
    )
    paid = Charge.objects.filter(
        ~(is_booked | is_moved),
        attempts__is_extra=False,
        attempts__paid_at__gte=start,
        attempts__paid_at__lt=end,
        refunded_pence=0,
    ).order_by("pk")
    for reference, pence in paid.values_list("booking_reference", "paid_pence"):
        note = "paid, and after the time for choosing another date neither a place nor a refund"
        yield Finding(ExceptionKind.PAID_UNPLACED, f"booking:{reference}", pence, None, 0, note, reference)
