"""What the portal's jobs do by themselves, day by day."""

import datetime as dt
from collections.abc import Callable

from django.conf import settings
from django.test.utils import override_settings

from audit.context import Actor, acting
from bookings import services as bookings
from common.clock import london_day
from common.working_time import is_working_day
from devtools.demo.candidates import Payer
from devtools.demo.clock import Clock
from devtools.demo.police import Police, at_hour
from notifications import services as notifications
from oversight import services as oversight
from payments import services as payments
from referrals import services as referrals

NOWHERE = "django.core.mail.backends.dummy.EmailBackend"
# What is younger than this is left to the demo's own worker, which sends it to the mail sink.
SENT_BY_THE_WORKER = dt.timedelta(hours=20)
DAILY = dt.timedelta(days=12)
FORCES = ("46", "42")


def plan_day(
    clock: Clock, day: dt.date, police: Police, payer: Payer | None, *, say: Callable[[dt.date], None]
) -> None:
    """Write the jobs of one London day into the story."""
    is_last = at_hour(day, 23) > clock.end
    clock.at(at_hour(day, 2), lambda now: say(day))
    clock.at(at_hour(day, 3, 20), lambda now: expire(now=now))
    if payer:
        clock.at(at_hour(day, 4, 15), lambda now: reconcile(payer, now=now))
    if is_working_day(day) and not is_last:
        clock.at(at_hour(day, 7), lambda now: take_back_outcomes(police, now=now))
    # Long ago people were told every third day: nobody sees the difference, and loading is quicker.
    if day > london_day(clock.end) - DAILY or day.toordinal() % 3 == 0:
        clock.at(at_hour(day, 12, 30), lambda now: tell_people(clock, now=now))
    if payer:
        clock.at(at_hour(day, 17), lambda now: send_refunds(payer, now=now))
    if day.weekday() in (2, 6):
        clock.at(at_hour(day, 19), lambda now: check_promises(now=now))


def expire(*, now: dt.datetime) -> None:
    """Offers whose complete by has passed."""
    by = Actor("job", "expire_referrals")
    with acting(by):
        referrals.expire_referrals(by=by, now=now)


def take_back_outcomes(police: Police, *, now: dt.datetime) -> None:
    """The forces have their returns written."""
    for force_code in FORCES:
        police.take_back_outcomes(force_code, now=now)


def tell_people(clock: Clock, *, now: dt.datetime) -> None:
    """Reminders are put into the outbox, and what waits there is sent; mail of the past goes to nobody."""
    by = Actor("job", "schedule_reminders")
    with acting(by):
        bookings.schedule_reminders(by=by, now=now)
    if now < clock.end - SENT_BY_THE_WORKER:
        with acting(Actor("job", "send_messages")), override_settings(EMAIL_BACKEND=NOWHERE):
            assert settings.EMAIL_BACKEND == NOWHERE
            while any(notifications.send_messages(now=now).values()):
                pass


def send_refunds(payer: Payer, *, now: dt.datetime) -> None:
    """Refunds that were asked for go to Stripe."""
    payer.is_now(now)
    with acting(Actor("job", "send_refunds")):
        payments.send_refunds(now=now)


def reconcile(payer: Payer, *, now: dt.datetime) -> None:
    """The day before is compared with Stripe, whose fees are booked."""
    payer.is_now(now)
    by = Actor("job", "reconcile_payments")
    with acting(by):
        bookings.reconcile_due_payments(by=by, now=now)


def close_what_was_left(payer: Payer, *, now: dt.datetime) -> None:
    """Payment pages that ran out are closed, and holds whose time is over are let go."""
    payer.is_now(now)
    by = Actor("job", "settle_payments")
    with acting(by):
        payments.settle_payments(now=now)
    by = Actor("job", "release_holds")
    with acting(by):
        bookings.release_holds(by=by, now=now)


def check_promises(*, now: dt.datetime) -> None:
    """The processing times are looked at."""
    by = Actor("job", "check_processing_times")
    with acting(by):
        oversight.check_processing_times(by=by, now=now)
