"""Paying for a booking: the hold is stretched over the payment page, then Stripe is asked, outside any transaction."""

import datetime as dt

from django.db import transaction

from audit.context import Actor
from bookings import rules, selectors
from bookings.errors import IncompleteError, NoMoreTimeError, StartsTooSoonError
from bookings.models import Booking, PayLink, PlaceOffer
from bookings.services.holding import check_offer, running, texts_needed
from bookings.services.lapsing import payment_open_until
from common.clock import date_words, london_day
from courses import services as courses
from courses.constants import SessionStatus
from courses.errors import SessionNotOpenError
from courses.models import Session
from payments import services as payments
from payments.constants import Purpose
from payments.models import Attempt
from payments.rules import is_checkout_useful


def start_payment(*, booking_id: int, success_url: str, cancel_url: str, by: Actor, now: dt.datetime) -> Attempt:
    """Open the payment page for a booking whose every answer is given; `url` of what is returned leads there.

    Commits the stretched hold and the charge before Stripe is asked, so that the place outlasts the payment page
    whatever happens in between. Repeated, it returns the page that is open already: one charge, one page.

    A place chosen by book by may be paid for after it. Raises HoldEndedError, IncompleteError, NoMoreTimeError,
    StartsTooSoonError, SessionNotOpenError, OfferEndedError, BookByPassedError, AfterCompleteByError, and what
    payments raises when Stripe cannot be reached.
    """
    expires_at = now + rules.CHECKOUT_LASTS
    with transaction.atomic(durable=True):
        booking = running(booking_id, now=now)
        check_ready(booking, now=now)
        # As long as a pay link runs, the payment page may be opened again.
        has_link = PayLink.objects.filter(booking=booking, expires_at__gt=now).exists()
        began_at = now if has_link else booking.created_at
        starts_at = booking.place.session.starts_at
        until = pay_until(booking, began_at=began_at, expires_at=expires_at, starts_at=starts_at, now=now)
        courses.keep_place(place_id=booking.place_id, until=until, by=by, now=now)
        charge = payments.open_charge(
            booking_reference=booking.reference,
            referral_key=booking.referral.key,
            force_code=booking.referral.force_id,
            purpose=Purpose.COURSE_FEE,
            amount_pence=booking.fee_pence,
            parts=booking.fee_parts,
            description=course_words(booking.place.session)[:120],
            email=booking.email,
            by=by,
            now=now,
        )
    attempt = payments.start_checkout(
        charge_id=charge.pk,
        success_url=success_url,
        cancel_url=cancel_url,
        expires_at=expires_at,
        by=by,
        now=now,
    )
    closes_at = min(attempt.expires_at + rules.CHECKOUT_MARGIN, starts_at)
    if closes_at > until:  # the page that was open has just closed: this is a new one
        with transaction.atomic(durable=True):
            booking = running(booking_id, now=now)
            courses.keep_place(place_id=booking.place_id, until=closes_at, by=by, now=now)
    return attempt


def pay_until(
    booking: Booking, *, began_at: dt.datetime, expires_at: dt.datetime, starts_at: dt.datetime, now: dt.datetime
) -> dt.datetime:
    """Until when a place is held while it is paid for: over the page that is open, or over one that `expires_at`.

    Never past the start of its course. Raises StartsTooSoonError where a new page would outlast that, NoMoreTimeError
    where it would hold the place for longer than the policy allows from `began_at`.
    """
    open_until = payment_open_until(booking.reference)
    if open_until is not None and open_until > now:
        is_useful = is_checkout_useful(expires_at=open_until - rules.CHECKOUT_MARGIN, now=now)
        if is_useful or expires_at <= starts_at:
            return min(open_until, starts_at)
    if expires_at > starts_at:
        raise StartsTooSoonError
    until = expires_at + rules.CHECKOUT_MARGIN
    longest = began_at + dt.timedelta(minutes=booking.policy.hold_longest_minutes)
    if until > longest and until > _promised(booking):
        raise NoMoreTimeError
    return min(until, starts_at)


def _promised(booking: Booking) -> dt.datetime:
    """Until when a payment may end of who was offered a place and told that they can take it until then."""
    until = PlaceOffer.objects.filter(place=booking.place_id).values_list("until", flat=True).first()
    return (until or booking.created_at) + rules.CHECKOUT_LASTS + rules.CHECKOUT_MARGIN


def course_words(session: Session) -> str:
    """The course and its day, as the payment page says it."""
    return f"{session.course_type.name}, {date_words(london_day(session.starts_at))}"


def check_ready(booking: Booking, *, now: dt.datetime) -> None:
    """Refuse payment where the offer does not allow it any more, or an answer is missing. The booking is locked."""
    session = booking.place.session
    check_offer(booking.referral, session, now=booking.created_at)
    if session.status != SessionStatus.OPEN or session.starts_at <= now:
        raise SessionNotOpenError
    given = selectors.consents_given(booking)
    if booking.details_at is None or not {text.pk for text in texts_needed(booking, now=now)} <= given:
        raise IncompleteError
