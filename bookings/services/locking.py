"""Locks in the house's order (session, referral, booking, charge), and the one place that changes a status."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from django.db import transaction

from audit import services as audit
from audit.context import Actor
from bookings.constants import BOOKING_TRANSITIONS, MOVE_TRANSITIONS, BookingStatus, CancelCause, MoveStatus
from bookings.errors import BookingNotFoundError, BookingStateError, MoveNotFoundError, MoveStateError
from bookings.models import Booking, LatePayment, Move, PlaceOffer, WaitingEntry
from common.prepared import Prepared
from courses.models import Session
from referrals.models import Referral

_TRIES = 5


def _locked_sessions() -> Any:
    return Session.objects.select_for_update(no_key=True, of=("self",)).with_room().order_by("pk")


_SESSION = Prepared(lambda blank: _locked_sessions().filter(pk=blank("pk")))
_REFERRAL = Prepared(lambda blank: Referral.objects.select_for_update(no_key=True).filter(pk=blank("pk")))
_BOOKING = Prepared(
    lambda blank: (
        Booking.objects.select_for_update(no_key=True, of=("self",))
        .select_related("place", "policy")
        .filter(pk=blank("pk"))
    )
)
_WHERE = Prepared(lambda blank: Booking.objects.filter(pk=blank("pk")).values_list("place__session_id", "referral_id"))


def lock_sessions(session_ids: set[int]) -> dict[int, Session]:
    """Lock sessions, the lower number first; they come with their course and room."""
    if len(session_ids) == 1:
        return {session.pk: session for session in _SESSION.all(pk=next(iter(session_ids)))}
    return {session.pk: session for session in _locked_sessions().filter(pk__in=session_ids)}


def lock_referral(referral_id: int) -> Referral:
    """Lock a referral; its sessions are locked already."""
    return _REFERRAL.get(pk=referral_id)


def lock_all_of(referral_id: int) -> Referral:
    """Lock every session on which a referral has a live booking or an open offer, then the referral. Composed.

    Where that changed between the look and the lock, the locks are let go and taken anew: never a session after its
    referral. Raises BookingStateError should it happen again and again.
    """
    for _ in range(_TRIES):
        with suppress(_ElsewhereError), transaction.atomic():
            locked = lock_sessions(_sessions_of(referral_id))
            referral = lock_referral(referral_id)
            if not _sessions_of(referral_id) <= locked.keys():
                raise _ElsewhereError
            return referral
    raise BookingStateError


class _ElsewhereError(Exception):
    """Rolls back to before the locks."""


def _sessions_of(referral_id: int) -> set[int]:
    booked = Booking.objects.live().filter(referral_id=referral_id).values_list("place__session_id", flat=True)
    offered = PlaceOffer.objects.open().filter(referral_id=referral_id).values_list("place__session_id", flat=True)
    return set(booked.union(offered))


def lock_booking(booking_id: int, *, also: Iterable[int] = ()) -> Booking:
    """Lock a booking and everything above it in the order, and return it as it is now, with all of that.

    `also` are further sessions that are locked with its own. Raises BookingNotFoundError;
    BookingStateError where it changed its session between the look and the lock (the caller's request is then out of
    date).
    """
    where = _WHERE.first(pk=booking_id)
    if where is None:
        raise BookingNotFoundError
    session_id, referral_id = where
    session = lock_sessions({session_id, *also})[session_id]
    referral = lock_referral(referral_id)
    booking = _BOOKING.get(pk=booking_id)
    if booking.place.session_id != session_id:
        raise BookingStateError
    booking.place.session, booking.referral = session, referral
    return booking


def lock_move(move_id: int) -> Move:
    """Lock a move, its booking, and everything above that, both sessions included; it comes with all of it.

    Raises MoveNotFoundError, BookingStateError.
    """
    where = Move.objects.filter(pk=move_id).values_list("booking_id", "place__session_id").first()
    if where is None:
        raise MoveNotFoundError
    booking_id, session_id = where
    booking = lock_booking(booking_id, also={session_id})
    locked = Move.objects.select_for_update(no_key=True, of=("self",)).select_related("place", "charge")
    move = locked.get(pk=move_id)
    if move.place.session_id != session_id:
        raise BookingStateError
    move.booking, move.place.session = booking, Session.objects.with_room().get(pk=session_id)
    return move


def move(
    booking: Booking,
    to: BookingStatus,
    *,
    by: Actor,
    now: dt.datetime,
    words: str,
    reason: str = "",
    cause: CancelCause | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Change a booking's status: it alone does. The booking is locked. Raises BookingStateError."""
    if to not in BOOKING_TRANSITIONS[booking.status]:
        raise BookingStateError
    before = booking.status
    booking.status, booking.status_at, booking.status_by = to, now, str(by)
    if cause:
        booking.cancel_cause = cause
    if to == BookingStatus.CONFIRMED:
        booking.confirmed_at = now
    booking.save(update_fields=["status", "status_at", "status_by", "cancel_cause", "confirmed_at", "place"])
    audit.record(
        f"booking.{to.lower()}",
        by=by,
        now=now,
        words=words,
        referral_key=booking.referral.key,
        subject=f"booking:{booking.reference}",
        reason=reason,
        data={"before": before, **(data or {})},
    )


def change_move(
    move: Move, to: MoveStatus, *, by: Actor, now: dt.datetime, words: str, reason: str = "", action: str = ""
) -> None:
    """Change the status of a move to another date: it alone does. Its booking is locked. Raises MoveStateError."""
    if to not in MOVE_TRANSITIONS[move.status]:
        raise MoveStateError
    before = move.status
    move.status, move.status_at, move.status_by = to, now, str(by)
    move.save(update_fields=["status", "status_at", "status_by", "place"])
    record_move(
        move, action or f"booking.move_{to.lower()}", by=by, now=now, words=words, reason=reason, before=before
    )


def record_move(
    move: Move, action: str, *, by: Actor, now: dt.datetime, words: str, reason: str = "", before: str = ""
) -> None:
    """Write into the record what became of a move. It comes with its booking, and that with its referral."""
    audit.record(
        action,
        by=by,
        now=now,
        words=words,
        referral_key=move.booking.referral.key,
        subject=f"booking:{move.booking.reference}",
        reason=reason,
        data={
            "move": move.pk,
            "rule": move.rule,
            "fee_pence": move.fee_pence,
            **({"before": before} if before else {}),
        },
    )


def change_status(
    row: WaitingEntry | PlaceOffer | LatePayment,
    to: str,
    *,
    transitions: Mapping[str, frozenset[str]],
    action: str,
    referral: Referral,
    subject: str,
    by: Actor,
    now: dt.datetime,
    words: str,
    fields: Sequence[str] = (),
) -> None:
    """Change the status of what is offered or waited for: it alone does. The referral is locked.

    `fields` are saved with it. Raises BookingStateError.
    """
    if to not in transitions[row.status]:
        raise BookingStateError
    row.status, row.status_at, row.status_by = to, now, str(by)
    row.save(update_fields=["status", "status_at", "status_by", *fields])
    audit.record(action, by=by, now=now, words=words, referral_key=referral.key, subject=subject)
