"""Telling people that they can book, and chasing those who have not. Set by set: offers come by the thousand."""

import datetime as dt

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat

from bookings import messages
from bookings.models import Booking
from common.clock import london_day
from notifications import selectors as notifications_selectors
from notifications import services as notifications
from notifications.constants import Anchor
from notifications.models import Message, ReminderRule
from notifications.rules import due_at
from referrals.constants import BOOKABLE, ReferralStatus
from referrals.models import Force, Referral

SLICE = 1000
MOST_SLICES = 500
# Workers may be off over Easter; what is older than this is left to the chasers.
TOLD_WITHIN = dt.timedelta(days=7)
# Nobody is chased about what they heard of only now, nor twice in two days.
PATIENCE = dt.timedelta(days=2)
# No police letter gives longer than this to book (DOMAIN.md §3: complete by is before offence + 6 months).
LONGEST_OFFER = dt.timedelta(days=190)

# The most urgent first: whoever gets it is left in peace by the others.
_FIELDS = {Anchor.BOOK_BY: "book_by", Anchor.COMPLETE_BY: "complete_by", Anchor.OFFER: "offer_on"}
_KEY = Concat(OuterRef("force_id"), Value("/"), OuterRef("reference"))


def tell_of_offers(*, now: dt.datetime) -> int:
    """Tell everybody whose offer can be booked and who has not been told; returns how many messages that makes."""
    today = london_day(now)
    told = Message.objects.filter(
        Q(dedupe_key=Concat(Value("offer_ready:"), _KEY))
        | Q(dedupe_key=Concat(Value("offer_ready:"), _KEY, Value(":sms")))
    )
    waiting = _reachable().filter(
        ~Exists(told),
        ~_has_live(),
        status=ReferralStatus.LIVE,
        bookable_at__gt=now - TOLD_WITHIN,
        bookable_at__lte=now,
        book_by__gte=today,
        complete_by__gte=today,
    )
    count = 0
    for _ in range(MOST_SLICES):
        with transaction.atomic(durable=True):
            drafts = [messages.offer_ready(referral) for referral in _locked(waiting)]
            count += notifications.enqueue_many(drafts, now=now)
        if len(drafts) < SLICE:
            break
    return count


def chase(*, now: dt.datetime) -> dict[str, int]:
    """Chase who has not booked, by the rules of the day; returns how many messages by kind."""
    counts: dict[str, int] = {}
    rules = list(ReminderRule.objects.on(london_day(now)).exclude(anchor=Anchor.COURSE_START))
    for anchor in _FIELDS:
        for rule in sorted((rule for rule in rules if rule.anchor == anchor), key=lambda rule: -rule.days):
            counts[rule.kind] = counts.get(rule.kind, 0) + _chase(rule, now)
    return counts


def _chase(rule: ReminderRule, now: dt.datetime) -> int:
    count = 0
    for day in _days_due(rule, now):
        due = due_at(day, days=rule.days, at=rule.at)
        useless_at = due + dt.timedelta(hours=rule.useful_hours)
        prefix = f"{rule.kind}:{day.isoformat()}:{rule.days}:"
        unbooked = _unbooked(rule, day, due, now)
        for _ in range(MOST_SLICES):
            with transaction.atomic(durable=True):
                drafts = [
                    messages.chaser(referral, rule.kind, dedupe_key=f"{prefix}{referral.key}", useless_at=useless_at)
                    for referral in _locked(unbooked)
                ]
                count += notifications.enqueue_many(drafts, now=now)
            if len(drafts) < SLICE:
                break
    return count


def _days_due(rule: ReminderRule, now: dt.datetime) -> list[dt.date]:
    """The anchor days for which the rule's message is due and still useful now."""
    useful = dt.timedelta(hours=rule.useful_hours)
    today = london_day(now) - dt.timedelta(days=rule.days)
    days = [today - dt.timedelta(days=back) for back in range(useful.days + 2)]
    return [
        day
        for day in days
        if due_at(day, days=rule.days, at=rule.at) <= now < due_at(day, days=rule.days, at=rule.at) + useful
    ]


def _unbooked(rule: ReminderRule, day: dt.date, due: dt.datetime, now: dt.datetime) -> QuerySet[Referral]:
    today = london_day(now)
    chased = Message.objects.filter(
        referral_key=_KEY, kind__in=["offer_ready", *messages.CHASERS], created_at__gt=now - PATIENCE
    )
    return _reachable().filter(
        ~Exists(chased),
        ~_has_live(),
        **{_FIELDS[Anchor(rule.anchor)]: day},
        force__in=list(Force.objects.values_list("pk", flat=True)),  # the index of open offers begins with it
        status__in=BOOKABLE,
        complete_by__gte=today,
        book_by__gte=today,
        bookable_at__lt=due - PATIENCE,
        bookable_at__gt=now - LONGEST_OFFER,
    )


def _has_live() -> Exists:
    """Something is held or booked: they know."""
    return Exists(Booking.objects.live().filter(referral=OuterRef("pk")))


def _reachable() -> QuerySet[Referral]:
    is_reachable = ~Q(email="")
    if notifications_selectors.can_text():
        is_reachable |= ~Q(mobile="")
    return Referral.objects.filter(is_reachable)


def _locked(referrals: QuerySet[Referral]) -> list[Referral]:
    """A slice, locked, so that nobody books or withdraws between the look and the message."""
    rows = referrals.select_related("force", "course_type").select_for_update(
        no_key=True, skip_locked=True, of=("self",)
    )
    return list(rows[:SLICE])
