"""What somebody on the waiting list is told: a place is held for them, is so no longer, or they wait no longer."""

import datetime as dt

from django.conf import settings

from bookings import leave_links
from bookings.messages import addresses
from bookings.models import Booking, PlaceOffer
from bookings.words import offer_words, session_words
from common.clock import end_of_london_day, moment_words
from courses.models import Session
from notifications import services as notifications
from notifications.services import Draft
from referrals.models import Referral

WAITING_PATH = "/waiting/"


def offered(offer: PlaceOffer, *, session: Session, booking: Booking | None = None, now: dt.datetime) -> None:
    """A freed place is held for somebody on the waiting list, until the end of `offer`.

    Who has a `booking` (it comes with its session) would be moved to it.
    """
    _tell(
        offer,
        session,
        "waiting_offer",
        now=now,
        useless_at=offer.until,
        extra={
            "offer_until": moment_words(offer.until),
            "offer_url": f"{settings.SITE_URL}{WAITING_PATH}offer/",
            "booked_on": moment_words(booking.place.session.starts_at) if booking else "",
        },
    )


def passed(offer: PlaceOffer, *, now: dt.datetime) -> None:
    """A freed place is held for them no longer; they wait on. `offer` comes with its session."""
    useless_at = now + dt.timedelta(days=2)
    _tell(offer, offer.place.session, "waiting_passed", now=now, useless_at=useless_at, extra={})


def ended(referral: Referral, *, entry_id: int, now: dt.datetime) -> None:
    """The last day to book has passed with nothing booked: they wait no longer."""
    email, mobile = addresses_of(referral)
    notifications.tell(
        Draft(
            kind="waiting_ended",
            dedupe_key=f"waiting_ended:{entry_id}",
            email=email,
            mobile=mobile,
            referral_key=referral.key,
            context=offer_words(referral),
            useless_at=end_of_london_day(referral.complete_by),
        ),
        now=now,
    )


def _tell(
    offer: PlaceOffer,
    session: Session,
    kind: str,
    *,
    now: dt.datetime,
    useless_at: dt.datetime,
    extra: dict[str, object],
) -> None:
    """Tell somebody who waits, at `addresses_of` theirs."""
    referral = offer.referral
    email, mobile = addresses_of(referral)
    notifications.tell(
        Draft(
            kind=kind,
            dedupe_key=f"{kind}:{offer.pk}",
            email=email,
            mobile=mobile,
            referral_key=referral.key,
            context={
                **session_words(session),
                "name": f"{referral.forenames} {referral.surname}".strip(),
                "waiting_url": f"{settings.SITE_URL}{WAITING_PATH}",
                "leave_url": leave_links.url_of(offer.entry_id or 0, last_day=referral.complete_by),
                **extra,
            },
            useless_at=useless_at,
        ),
        now=now,
    )


def addresses_of(referral: Referral) -> tuple[str, str]:
    """Where somebody who waits is told: as for their last booking, else what came with the offer; may be empty."""
    last = Booking.objects.filter(referral=referral).select_related("referral").order_by("-pk").first()
    return addresses(last) if last else (referral.email, referral.mobile)
