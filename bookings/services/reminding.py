"""Reminders: 7 days, 48 hours (with the joining link) and 2 hours before the course."""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from audit.context import Actor
from bookings import messages, rules
from bookings.constants import BookingStatus
from bookings.models import Booking
from notifications.models import Message


@dataclass(frozen=True)
class Reminder:
    """`days` or `hours` before the start; useless once `until_hours` before it."""

    kind: str
    days: int = 0
    hours: int = 0
    until_hours: int = 0


REMINDERS = (
    Reminder("reminder_7d", days=7, until_hours=48),
    Reminder("reminder_48h", hours=48, until_hours=2),
    Reminder("reminder_2h", hours=2),
)


def schedule_reminders(*, now: dt.datetime, by: Actor) -> dict[str, int]:
    """Put every reminder that is due into the outbox, once. Safe to run late, twice and at once.

    Who booked after a reminder was due does not get that one. Returns counts by kind.
    """
    return {reminder.kind: _schedule(reminder, now) for reminder in REMINDERS}


def _schedule(reminder: Reminder, now: dt.datetime) -> int:
    # A day more than the reminder's own: clock changes are settled below, for each session by itself.
    horizon = now + dt.timedelta(days=reminder.days, hours=reminder.hours) + dt.timedelta(days=1)
    bookings = (
        Booking.objects.filter(status=BookingStatus.CONFIRMED)
        .filter(place__session__starts_at__gt=now, place__session__starts_at__lte=horizon)
        .with_session()
    )
    due = []
    for booking in bookings:
        starts_at = booking.place.session.starts_at
        due_at = rules.reminder_due_at(starts_at, days=reminder.days, hours=reminder.hours)
        useless_at = starts_at - dt.timedelta(hours=reminder.until_hours)
        if due_at <= now < useless_at and booking.confirmed_at and booking.confirmed_at < due_at:
            due.append((booking, useless_at))
    keys = {messages.reminder_key(booking, reminder.kind) for booking, _ in due}
    told = set(Message.objects.filter(dedupe_key__in=keys).values_list("dedupe_key", flat=True))
    count = 0
    for booking, useless_at in due:
        if messages.reminder_key(booking, reminder.kind) not in told:
            with transaction.atomic(durable=True):
                # Cancelled since the look: the lock waits for that to be seen.
                if Booking.objects.select_for_update().filter(pk=booking.pk, status=BookingStatus.CONFIRMED).exists():
                    messages.reminder(booking, reminder.kind, now=now, useless_at=useless_at)
                    count += 1
    return count
