"""The ends of holds: whoever's time is over loses the place, unless they are paying for it at this moment."""

import datetime as dt
import logging

from django.db import transaction
from django.db.models import QuerySet

from audit.context import Actor
from bookings import messages, rules
from bookings.constants import BookingStatus, MoveStatus
from bookings.errors import BookingStateError
from bookings.models import Booking
from bookings.services import offers, turns
from bookings.services.locking import change_move, lock_booking, lock_move, move
from common.prepared import Prepared
from courses import services as courses
from courses.constants import PlaceState
from courses.models import Place
from payments import services as payments
from payments.constants import PENDING_ATTEMPTS
from payments.models import Attempt

logger = logging.getLogger(__name__)


def lapse(*, booking_id: int, by: Actor, now: dt.datetime) -> bool:
    """Let a hold go whose time is over; returns whether it went. Durable.

    A hold whose payment page is still open is stretched instead: a place is never taken from under a payment. The
    charge is given up with it, so that what is paid all the same comes back by itself.
    """
    with transaction.atomic(durable=True):
        booking = lock_booking(booking_id)
        if booking.status != BookingStatus.HELD or runs(booking.place, now):
            return False
        if _is_paying(booking, booking.place, by=by, now=now):
            return False
        payments.give_up_charge(booking_reference=booking.reference, by=by, now=now)
        turns.give_back(place_id=booking.place_id, reason="lapsed", by=by, now=now)
        move(booking, BookingStatus.LAPSED, by=by, now=now, words="The hold ran out before payment.")
        messages.hold_lapsed(booking, now=now)
    return True


def lapse_move(*, move_id: int, by: Actor, now: dt.datetime) -> bool:
    """Let the new place of a move go whose time is over; returns whether it went. The old place stays theirs. Durable.

    As with `lapse`, never from under an open payment page. A place that a move left behind when its booking ended is
    given back too.
    """
    with transaction.atomic(durable=True):
        held = lock_move(move_id)
        if runs(held.place, now):
            return False
        if held.status == MoveStatus.HELD:
            if _is_paying(held.booking, held.place, by=by, now=now):
                return False
            payments.give_up_charge(booking_reference=held.booking.reference, by=by, now=now)
            words = "The hold of the new date ran out. Their present date stays."
            change_move(held, MoveStatus.LAPSED, by=by, now=now, words=words)
            messages.move_lapsed(held, now=now)
        elif held.status == MoveStatus.DONE or held.place.state != PlaceState.HELD:
            return False
        turns.give_back(place_id=held.place_id, reason="lapsed", by=by, now=now)
    return True


def lapse_expired(*, session_id: int, by: Actor, now: dt.datetime) -> int:
    """Let go every hold on a session whose time is over; returns how many went. Each in its own transaction."""
    return _lapse_all(_run_out(now).filter(session_id=session_id), by=by, now=now)


def release_holds(*, now: dt.datetime, by: Actor, limit: int = 1000) -> dict[str, int]:
    """Let go every hold and every offer whose time is over, oldest first. Returns {"released"}.

    Safe to run twice and at once.
    """
    return {"released": _lapse_all(_run_out(now).order_by("held_until")[:limit], by=by, now=now)}


def lapse_offers(*, now: dt.datetime, by: Actor) -> int:
    """Let go every offered place whose time is over; returns how many went."""
    return _lapse_all(_run_out(now).filter(offer__isnull=False).order_by("held_until"), by=by, now=now)


_LAST_OPEN = Prepared(
    lambda blank: Attempt.objects.filter(
        charge__booking_reference=blank("reference"), status__in=PENDING_ATTEMPTS
    ).order_by("-expires_at")[:1]
)


def payment_open_until(booking_reference: str) -> dt.datetime | None:
    """Until when a payment of this booking may still be made and heard of; None where no payment page is open."""
    attempt = _LAST_OPEN.first(reference=booking_reference)
    return attempt.expires_at + rules.CHECKOUT_MARGIN if attempt else None


def runs(place: Place, now: dt.datetime) -> bool:
    """Whether a place is held and its time is not over."""
    return place.state == PlaceState.HELD and place.held_until is not None and place.held_until > now


def _run_out(now: dt.datetime) -> QuerySet[Place]:
    return Place.objects.filter(state=PlaceState.HELD, held_until__lte=now)


def _lapse_all(places: QuerySet[Place], *, by: Actor, now: dt.datetime) -> int:
    """Each by what it is held for: a booking that is being made, a move of one that is, or an offer not answered."""
    gone = 0
    for place_id, booking_id, move_id, offer_id in list(places.values_list("pk", "booking", "move", "offer")):
        try:
            if move_id is not None and booking_id is None:
                gone += lapse_move(move_id=move_id, by=by, now=now)
            elif booking_id is not None:
                gone += lapse(booking_id=booking_id, by=by, now=now)
            elif offer_id is not None:
                gone += offers.lapse(offer_id=offer_id, by=by, now=now)
        except BookingStateError:  # it was moved to another session just now: it is running again
            continue
        except Exception:  # one bad hold must not keep the others from going
            logger.exception("place %s cannot be let go", place_id)
    return gone


def _is_paying(booking: Booking, place: Place, *, by: Actor, now: dt.datetime) -> bool:
    """Whether a payment page of theirs is open; the place is then held for as long as it is."""
    until = payment_open_until(booking.reference)
    if until is None or until <= now:
        return False
    courses.keep_place(place_id=place.pk, until=until, by=by, now=now)
    return True
