"""Places offered of our own accord: to who waits, and to who paid too late."""

import datetime as dt

from bookings.constants import UNSETTLED_LATE, WaitingCause
from bookings.models import LatePayment, PlaceOffer, WaitingEntry
from common.clock import london_day
from common.prepared import Prepared
from courses.models import CourseVersion, Venue
from referrals.models import Referral


def late_payment(referral_id: int) -> LatePayment | None:
    """The last payment of a referral that came after its place had gone, whatever became of it."""
    payments = LatePayment.objects.filter(booking__referral=referral_id).select_related("charge")
    return payments.order_by("-pk").first()


def has_unsettled_payment(referral_id: int) -> bool:
    """Whether a payment waits for its candidate to choose another date."""
    return LatePayment.objects.filter(booking__referral=referral_id, status__in=UNSETTLED_LATE).exists()


def late_dates(payment: LatePayment, *, now: dt.datetime) -> list[PlaceOffer]:
    """The dates still held for a late payment, the next first, with their sessions."""
    offers = PlaceOffer.objects.open().with_session().filter(payment=payment, place__held_until__gt=now)
    return list(offers.order_by("place__session__starts_at", "pk"))


def offer_to(referral_id: int, key: str) -> PlaceOffer | None:
    """The offer with this key as a page sent it, if it is this referral's."""
    if not key.isdecimal() or len(key) > 18:
        return None
    return PlaceOffer.objects.filter(referral=referral_id, pk=int(key)).first()


def waiting_entry(referral_id: int) -> WaitingEntry | None:
    """Where a referral is on the waiting list, if it is."""
    return WaitingEntry.objects.waiting().filter(referral=referral_id).first()


def waited_too_long(referral: Referral, *, now: dt.datetime) -> bool:
    """Whether a referral with nothing booked waits no longer, or not for long, because book by has passed."""
    if london_day(now) <= referral.book_by:
        return False
    last = WaitingEntry.objects.filter(referral=referral).order_by("-pk").first()
    return last is not None and last.ended_cause in ("", WaitingCause.EXPIRED)


def waiting_offer(referral_id: int, *, now: dt.datetime) -> PlaceOffer | None:
    """The place that came free and is held for who waits, with its session."""
    # Few have one, so the look is a narrow one.
    pk = _WAITING_OFFER.first(referral_id=referral_id, now=now)
    return PlaceOffer.objects.with_session().filter(pk=pk).first() if pk else None


_WAITING_OFFER = Prepared(
    lambda blank: (
        PlaceOffer.objects.open()
        .filter(entry__isnull=False, place__held_until__gt=blank("now"), referral_id=blank("referral_id"))
        .values_list("pk", flat=True)[:1]
    )
)


def ways_of(course_type_id: int) -> list[str]:
    """The modes in which a course is given to come."""
    return list(
        CourseVersion.objects.filter(course_type=course_type_id, valid_to=None)
        .order_by("mode")
        .values_list("mode", flat=True)
        .distinct()
    )


def venues() -> list[Venue]:
    """The venues that are in use, by town."""
    return list(Venue.objects.filter(is_active=True))
