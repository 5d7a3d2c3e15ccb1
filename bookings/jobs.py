"""Celery tasks of bookings."""

from celery import shared_task

from audit.context import Actor
from audit.jobs import ActingTask
from bookings import services
from common import clock


@shared_task(base=ActingTask, name="bookings.jobs.release_holds")
def release_holds() -> None:
    """Let go every hold whose time is over. May run at any time, twice and at once."""
    now = clock.now()
    services.release_holds(now=now, by=Actor("job", "release_holds"))
    services.forget_old_tries(now=now)


@shared_task(base=ActingTask, name="bookings.jobs.schedule_reminders")
def schedule_reminders() -> None:
    """Put every reminder that is due into the outbox. May run at any time, twice and at once."""
    services.schedule_reminders(now=clock.now(), by=Actor("job", "schedule_reminders"))


@shared_task(base=ActingTask, name="bookings.jobs.reconcile_payments")
def reconcile_payments() -> None:
    """Compare yesterday with Stripe, and what earlier days left open. May run at any time, twice and at once."""
    services.reconcile_due_payments(now=clock.now(), by=Actor("job", "reconcile_payments"))


@shared_task(base=ActingTask, name="bookings.jobs.offer_places")
def offer_places() -> None:
    """Offer free places to who waits, and settle what was offered. May run at any time, twice and at once."""
    services.offer_places(now=clock.now(), by=Actor("job", "offer_places"))
