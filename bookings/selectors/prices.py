"""What was made and sold under which rules and fees."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Q

from bookings import rules
from bookings.constants import BookingStatus
from bookings.models import Booking, Policy
from common.clock import london_day
from payments import selectors as fees
from payments.models import FeeSchedule
from referrals.constants import BOOKABLE, ReferralStatus
from referrals.models import Referral


@dataclass(frozen=True, slots=True)
class Sold:
    """How many bookings of a status were sold at a fee."""

    status: str
    fee_pence: int
    bookings: int


@dataclass(frozen=True, slots=True)
class MadeUnder:
    """How many holds and bookings keep a policy."""

    valid_from: dt.date
    held: int
    confirmed: int


def made_under() -> list[MadeUnder]:
    """Every policy with what is open under it, the newest first, in one query."""
    counted = Policy.objects.annotate(
        held=Count("booking", filter=Q(booking__status=BookingStatus.HELD)),
        confirmed=Count("booking", filter=Q(booking__status=BookingStatus.CONFIRMED)),
    ).order_by("-valid_from")
    return [MadeUnder(**row) for row in counted.values("valid_from", "held", "confirmed")]


def fee_parts(fee: FeeSchedule, *, percent: int) -> dict[str, int]:
    """The parts in pence of what is asked for a booking: so much of the fee (`fee_percent`)."""
    parts = {
        "police": fee.police_pence,
        "levy": fee.levy_pence,
        "vat": fee.vat_pence,
        "provider": fee.provider_pence,
    }
    return parts if percent == 100 else rules.fee_again(parts, percent=percent)


def fee_percent(referral: Referral, *, on: dt.date, policy: Policy | None = None) -> int:
    """How much of the fee is asked on a London day: all of it, or what the policy says after a missed course.

    Who has read the policy of that day already gives it.
    """
    if referral.status != ReferralStatus.NOT_COMPLETED:
        return 100
    return (policy or Policy.objects.on(on)).missed_fee_percent


def fees_asked(referral: Referral, *, now: dt.datetime) -> list[int]:
    """What a booking with an offer costs today in each way its course is given, in pence, the least first."""
    today = london_day(now)
    percent = fee_percent(referral, on=today)
    found = fees.fees_on(course_type_id=referral.course_type_id, force_code=referral.force_id, on=today)
    return sorted(sum(fee_parts(fee, percent=percent).values()) for fee in found)


@dataclass(frozen=True, slots=True)
class FeeChange:
    """What is open of a course, mode and force where its fee changes: sold already, and offers still to be booked."""

    sold: list[Sold]
    offers: int


def fee_change(*, course_type_id: int, mode: str, force_code: str, on: dt.date) -> FeeChange:
    """Holds and bookings that keep the fee they were sold at, and offers that can be booked on or after a day.

    Without a force: those of all forces that have no fee of their own on that day. Three queries.
    """
    ours = Q(referral__force=force_code)
    theirs = Q(force=force_code)
    if not force_code:
        own = [fee.force_id for fee in fees.forces_with_own_fee(course_type_id=course_type_id, mode=mode, on=on)]
        ours, theirs = ~Q(referral__force__in=own), ~Q(force__in=own)
    live = Booking.objects.live().filter(ours, place__session__course_type=course_type_id, place__session__mode=mode)
    counted = live.values("status", "fee_pence").annotate(bookings=Count("pk")).order_by("-status", "fee_pence")
    offers = Referral.objects.filter(theirs, course_type=course_type_id, status__in=BOOKABLE, book_by__gte=on)
    return FeeChange(sold=[Sold(**row) for row in counted], offers=offers.count())
