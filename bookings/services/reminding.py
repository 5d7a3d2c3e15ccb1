"""Reminders before the course: when each is due stands in `ReminderRule` (7 days, 48 hours with the link, 2 hours)."""

import datetime as dt

from django.db import transaction
from django.db.models import BigIntegerField, CharField, Exists, F, Func, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Concat

from audit.context import Actor
from bookings import messages
from bookings.constants import BookingStatus
from bookings.models import Booking
from bookings.services.chasing import chase, tell_of_offers
from common.clock import london_day
from courses.constants import Mode
from notifications.constants import Anchor
from notifications.models import Message, ReminderRule
from notifications.rules import due_at

# Clock changes make a day an hour longer or shorter: they are settled for each session by itself.
_SLACK = dt.timedelta(hours=2)
LINK = "joining_link"


def schedule_reminders(*, now: dt.datetime, by: Actor) -> dict[str, int]:
    """Put everything that is due into the outbox, once: offers that can be booked, chasers, reminders.

    Safe to run late, twice and at once. Who booked after a reminder was due does not get that one. Returns counts by
    kind.
    """
    counts = {"offer_ready": tell_of_offers(now=now), **chase(now=now)}
    rules = ReminderRule.objects.on(london_day(now)).filter(anchor=Anchor.COURSE_START)
    # The link by itself comes last: a reminder may just have told it.
    for rule in sorted(rules, key=lambda rule: rule.kind == LINK):
        counts[rule.kind] = counts.get(rule.kind, 0) + _schedule(rule, now)
    return counts


def _schedule(rule: ReminderRule, now: dt.datetime) -> int:
    count = 0
    for booking in _untold(rule, now):
        starts_at = booking.place.session.starts_at
        due = due_at(starts_at, days=rule.days, hours=rule.hours, at=rule.at)
        useless_at = min(due + dt.timedelta(hours=rule.useful_hours), starts_at)
        if not due <= now < useless_at or (rule.kind != LINK and _came_after(booking, due)):
            continue
        with transaction.atomic(durable=True):
            # Cancelled or moved since the look: the lock waits for that to be seen.
            same = Booking.objects.filter(pk=booking.pk, status=BookingStatus.CONFIRMED, place=booking.place_id)
            if same.select_for_update(no_key=True).exists():
                messages.reminder(booking, rule.kind, now=now, useless_at=useless_at)
                count += 1
    return count


def _untold(rule: ReminderRule, now: dt.datetime) -> QuerySet[Booking]:
    """Confirmed bookings around the rule's time that have no such message yet."""
    latest = now - dt.timedelta(days=rule.days, hours=rule.hours) + (dt.timedelta(days=1) if rule.at else _SLACK)
    earliest = max(now, latest - dt.timedelta(hours=rule.useful_hours) - 2 * _SLACK)
    bookings = (
        Booking.objects.filter(status=BookingStatus.CONFIRMED)
        .filter(place__session__starts_at__gt=earliest, place__session__starts_at__lte=latest)
        .with_session()
        .annotate(reminder_key=_key(rule.kind))
    )
    told = Message.objects.filter(
        Q(dedupe_key=OuterRef("reminder_key")) | Q(dedupe_key=Concat(OuterRef("reminder_key"), Value(":sms")))
    )
    if rule.kind == LINK:
        return _without_link(bookings.filter(~Exists(told)))
    return bookings.filter(~Exists(told)).order_by("pk")


def _without_link(bookings: QuerySet[Booking]) -> QuerySet[Booking]:
    """Those whose session has a link by now that no message has told them."""
    told = Message.objects.annotate(link=KeyTextTransform("joining_url", "context")).filter(
        referral_key=Concat(OuterRef("referral__force_id"), Value("/"), OuterRef("referral__reference")),
        link=OuterRef("place__session__joining_url"),
    )
    digital = bookings.filter(place__session__mode=Mode.DIGITAL).exclude(place__session__joining_url="")
    return digital.filter(~Exists(told)).order_by("pk")


def _key(kind: str) -> Concat:
    """`messages.reminder_key` in SQL."""
    epoch = Func(
        F("place__session__starts_at"), template="EXTRACT(EPOCH FROM %(expressions)s)", output_field=CharField()
    )
    seconds = Cast(Cast(epoch, BigIntegerField()), TextField())
    return Concat(Value(f"{kind}:"), "reference", Value(":"), seconds, output_field=TextField())


def _came_after(booking: Booking, due: dt.datetime) -> bool:
    """Whether the booking was made, or moved here, inside the reminder's time."""
    assert booking.confirmed_at is not None
    return max(booking.confirmed_at, booking.place.claimed_at) >= due
