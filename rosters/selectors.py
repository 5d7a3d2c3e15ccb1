"""What a trainer sees: their own sessions, and the roster of one."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Prefetch, Q, QuerySet

from accounts.models import User
from bookings.constants import BookingStatus
from bookings.models import Booking, Need
from courses.constants import PlaceState, SessionStatus
from courses.models import Session
from rosters import rules
from rosters.models import Attendance

ON_ROSTER = (BookingStatus.CONFIRMED, BookingStatus.COMPLETED, BookingStatus.NOT_COMPLETED)


@dataclass(frozen=True, slots=True)
class Client:
    """One line of a roster: no more of a person than the trainer needs."""

    booking_id: int
    reference: str
    name: str
    actions: list[str]
    attendance: Attendance | None


def own_sessions(user: User) -> "QuerySet[Session]":
    """The sessions this user is assigned to, cancelled and draft ones aside."""
    return (
        Session.objects.filter(assignments__trainer__user=user)
        .exclude(status__in=[SessionStatus.DRAFT, SessionStatus.CANCELLED])
        .with_room()
    )


def upcoming(user: User, *, now: datetime) -> "QuerySet[Session]":
    """Their sessions that have not ended, next first, with the number of clients as `clients`."""
    return (
        own_sessions(user)
        .filter(ends_at__gt=now)
        .annotate(clients=_CLIENTS)
        .select_related("register")
        .order_by("starts_at")
    )


def recent(user: User, *, now: datetime) -> "QuerySet[Session]":
    """Their sessions that ended within the roster window, newest first."""
    return (
        own_sessions(user)
        .filter(ends_at__lte=now, ends_at__gt=now - rules.ROSTER_WINDOW)
        .annotate(clients=_CLIENTS)
        .select_related("register")
        .order_by("-starts_at")
    )


def roster(session: Session) -> list[Client]:
    """The clients with a paid place, by surname."""
    bookings = (
        Booking.objects.filter(place__session=session, place__state=PlaceState.TAKEN, status__in=ON_ROSTER)
        .select_related("referral", "attendance")
        .prefetch_related(Prefetch("referral__needs", queryset=Need.objects.standing().only("kind", "referral_id")))
        .order_by("referral__surname_key", "referral__forenames")
    )
    return [
        Client(
            booking_id=booking.pk,
            reference=booking.reference,
            name=f"{booking.referral.forenames} {booking.referral.surname}",
            actions=rules.actions([need.kind for need in booking.referral.needs.all()]),
            attendance=getattr(booking, "attendance", None),
        )
        for booking in bookings
    ]


_CLIENTS = Count("places", filter=Q(places__state=PlaceState.TAKEN), distinct=True)
