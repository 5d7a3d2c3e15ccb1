"""Reaching the candidate: other contact details, and a link that has changed."""

import datetime as dt

from django.db import transaction

from audit import services as audit
from audit.context import Actor
from bookings import messages
from bookings.constants import BookingStatus
from bookings.errors import BookingStateError, NoContactError
from bookings.models import Booking
from bookings.services.locking import lock_booking
from bookings.words import link_is_out
from courses.models import Session
from notifications import services as notifications


@transaction.atomic(durable=True)
def change_contact(*, booking_id: int, email: str, mobile: str, by: Actor, now: dt.datetime) -> Booking:
    """Write and ring somewhere else about a confirmed booking from now on; what waits in the outbox goes there too.

    The new address is told, and the old one that is no longer used. The same details again do nothing. Locks session,
    referral, booking. Raises NoContactError where nothing is left to reach them by, BookingStateError.
    """
    if not email and not mobile:
        raise NoContactError
    booking = lock_booking(booking_id)
    if booking.status != BookingStatus.CONFIRMED:
        raise BookingStateError
    if (booking.email, booking.mobile) == (email, mobile):
        return booking
    was_email, was_mobile = messages.addresses(booking)
    booking.email, booking.mobile, booking.details_at = email, mobile, now
    booking.save(update_fields=["email", "mobile", "details_at"])
    audit.record(
        "booking.contact_changed",
        by=by,
        now=now,
        words="The contact details of the booking were changed.",
        referral_key=booking.referral.key,
        subject=f"booking:{booking.reference}",
    )
    for was, to in ((was_email, email), (was_mobile, mobile)):
        notifications.readdress(referral_key=booking.referral.key, was=was, to=to, now=now)
    messages.contact_changed(booking, was_email=was_email, was_mobile=was_mobile, now=now)
    return booking


@transaction.atomic
def tell_new_link(*, session: Session, now: dt.datetime) -> int:
    """A session has another link: tell who is on it, where links are shown by now; else the reminder tells it.

    Composed; the session is locked. Returns how many are told.
    """
    if not link_is_out(session, now):
        return 0
    booked = Booking.objects.filter(place__session=session, status=BookingStatus.CONFIRMED)
    bookings = list(booked.select_for_update(no_key=True, of=("self",)).with_session().order_by("pk"))
    for booking in bookings:
        notifications.withdraw_kinds(referral_key=booking.referral.key, kinds=messages.WITH_LINK, now=now)
        messages.joining_link(booking, now=now)
    return len(bookings)
