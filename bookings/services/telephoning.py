"""Booking by telephone: staff give the answers, the candidate gets a link to pay by; no card is ever told to us."""

import datetime as dt
from collections.abc import Iterable

from django.db import transaction

from audit import services as audit
from audit.context import Actor, because
from bookings import messages, rules
from bookings.errors import NoContactError, NoEmailError
from bookings.models import Booking, PayLink
from bookings.services.holding import give_consents, give_details, running
from bookings.services.paying import check_ready
from common.clock import moment_words
from courses import services as courses
from notifications import selectors as notifications

BY_TELEPHONE = "By telephone"


def take_by_telephone(
    *, booking_id: int, email: str, mobile: str, text_ids: Iterable[int], by: Actor, now: dt.datetime
) -> PayLink:
    """Record what the candidate said on the telephone about a held place, and send them the link to pay by.

    `text_ids` are the consents that were read out and agreed to. Three durable steps; repeated, each does what is
    left of it. Raises NoContactError (of which NoEmailError is one), HoldEndedError, ConsentNeededError, and what
    `send_pay_link` raises.
    """
    _check_reach(email, mobile)
    key = Booking.objects.select_related("referral").get(pk=booking_id).referral.key
    with because(BY_TELEPHONE, on_behalf_of=key):
        give_details(booking_id=booking_id, email=email, mobile=mobile, by=by, now=now)
        give_consents(booking_id=booking_id, text_ids=text_ids, by=by, now=now)
        return send_pay_link(booking_id=booking_id, by=by, now=now)


@transaction.atomic(durable=True)
def send_pay_link(*, booking_id: int, by: Actor, now: dt.datetime) -> PayLink:
    """Send the link to pay by, and hold the place for as long as the policy says from the first time it is sent.

    Sent again, it goes to the present address and is good for no longer. Locks session, referral, booking. Raises
    HoldEndedError, IncompleteError, NoContactError, SessionNotOpenError, OfferEndedError, BookByPassedError.
    """
    booking = running(booking_id, now=now)
    check_ready(booking, now=now)
    _check_reach(*messages.addresses(booking))
    link = PayLink.objects.select_for_update().filter(booking=booking).first()
    if link is None:
        until = rules.pay_link_until(
            now=now,
            hours=booking.policy.pay_link_hours,
            starts_at=booking.place.session.starts_at,
            closes_minutes=booking.policy.closes_minutes,
        )
        place = courses.keep_place(place_id=booking.place_id, until=until, by=by, now=now)
        booking.place.held_until = place.held_until
        link = PayLink(booking=booking, expires_at=until, times_sent=0)
    link.sent_at, link.sent_by, link.times_sent = now, str(by), link.times_sent + 1
    link.save()
    messages.pay_link(booking, number=link.times_sent, until=link.expires_at, now=now)
    with because(BY_TELEPHONE, on_behalf_of=booking.referral.key):
        audit.record(
            "pay_link.sent",
            by=by,
            now=now,
            words=f"A link to pay by was sent; the place is held until {moment_words(link.expires_at)}.",
            referral_key=booking.referral.key,
            subject=f"booking:{booking.reference}",
            reason=BY_TELEPHONE,
        )
    return link


def _check_reach(email: str, mobile: str) -> None:
    """Refuse what the link would not reach: nobody is told that it is on its way while nothing is sent."""
    if not email and not mobile:
        raise NoContactError
    if not notifications.can_reach(email=email, mobile=mobile):
        raise NoEmailError
