"""The only writers of `Place`. All are composed: they run inside the caller's transaction.

The caller holds its locks in the house's order (session, referral, booking, charge). Whatever changes the number of
claimed places locks the session itself, first, so that the counter's own lock is never taken out of order.
"""

import datetime as dt

from django.db import transaction

from audit.context import Actor
from common.prepared import Prepared
from courses.constants import PlaceState, SessionStatus
from courses.errors import NoPlaceLeftError, PlaceGoneError, SessionNotFoundError, SessionNotOpenError
from courses.models import Place, Session
from courses.services.violations import NO_PLACE_LEFT, told_apart

_OWN = Prepared(
    lambda blank: (
        Place.objects.select_for_update()
        .filter(session_id=blank("session_id"), holder=blank("holder"))
        .claiming()
        .order_by("pk")
    )
)
_SESSION = Prepared(lambda blank: Session.objects.select_for_update(no_key=True).filter(pk=blank("pk")))
_PLACE = Prepared(lambda blank: Place.objects.select_for_update().filter(pk=blank("pk")))


@transaction.atomic
def hold_place(*, session_id: int, holder: str, until: dt.datetime, by: Actor, now: dt.datetime) -> Place:
    """Hold a place for `holder` (a referral key) until then. Locks the session.

    Repeated for the same holder it returns the place they have, held for as long as the longer of both times. Raises
    NoPlaceLeftError, SessionNotOpenError, SessionNotFoundError. Nothing lapses here: that is the caller's to do.
    """
    session = lock_session(session_id)
    own = _OWN.first(session_id=session.pk, holder=holder)
    if own:
        return keep_place(place_id=own.pk, until=until, by=by, now=now)
    if session.status != SessionStatus.OPEN or session.starts_at <= now:
        raise SessionNotOpenError
    if session.places_claimed >= session.capacity:
        raise NoPlaceLeftError
    with told_apart(NO_PLACE_LEFT):  # the look above spares a failed insert; the database decides
        return Place.objects.create(
            session=session, holder=holder, state=PlaceState.HELD, held_until=until, claimed_at=now
        )


@transaction.atomic
def keep_place(*, place_id: int, until: dt.datetime, by: Actor, now: dt.datetime) -> Place:
    """Hold a held place for longer, never for shorter; a taken one is returned as it is. Raises PlaceGoneError."""
    place = _lock(place_id)
    if place.state == PlaceState.RELEASED:
        raise PlaceGoneError
    if place.held_until and place.held_until < until:
        place.held_until = until
        place.save(update_fields=["held_until"])
    return place


@transaction.atomic
def take_place(*, place_id: int, by: Actor, now: dt.datetime) -> Place:
    """Turn a held place into a taken one; a taken one is returned as it is. Raises PlaceGoneError."""
    place = _lock(place_id)
    if place.state == PlaceState.RELEASED:
        raise PlaceGoneError
    if place.state == PlaceState.HELD:
        place.state, place.held_until = PlaceState.TAKEN, None
        place.save(update_fields=["state", "held_until"])
    return place


@transaction.atomic
def release_place(*, place_id: int, reason: str, by: Actor, now: dt.datetime) -> Place:
    """Give a place back; a released one is returned as it is. Locks its session. `reason` is one or two words."""
    lock_session(Place.objects.only("session_id").get(pk=place_id).session_id)
    place = _lock(place_id)
    if place.state != PlaceState.RELEASED:
        place.state, place.held_until = PlaceState.RELEASED, None
        place.released_at, place.release_reason = now, reason
        place.save(update_fields=["state", "held_until", "released_at", "release_reason"])
    return place


@transaction.atomic
def let_run_out(*, place_id: int, by: Actor, now: dt.datetime) -> Place:
    """Let the time of a held place be over now, so that the next sweep gives it back; any other is returned as it is.

    For callers that hold locks below the session's and so may not take that any more.
    """
    place = _lock(place_id)
    if place.held_until and place.held_until > now:
        place.held_until = now
        place.save(update_fields=["held_until"])
    return place


def lock_session(session_id: int) -> Session:
    """Lock a session's row, leaving foreign keys to it free. Raises SessionNotFoundError."""
    session = _SESSION.first(pk=session_id)
    if session is None:
        raise SessionNotFoundError
    return session


def _lock(place_id: int) -> Place:
    return _PLACE.get(pk=place_id)
