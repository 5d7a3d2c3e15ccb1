"""Celery tasks of money. Each may run twice and at once: rows are claimed, and every step may be repeated."""

from celery import shared_task

from audit.jobs import ActingTask
from common import clock
from payments import services


@shared_task(base=ActingTask, name="payments.jobs.apply_stripe_events")
def apply_stripe_events() -> None:
    """Look into the webhooks that wait."""
    services.apply_stripe_events(now=clock.now())


@shared_task(base=ActingTask, name="payments.jobs.settle_payments")
def settle_payments() -> None:
    """Ask Stripe about attempts left open, and close those no longer due."""
    services.settle_payments(now=clock.now())


@shared_task(base=ActingTask, name="payments.jobs.issue_statements")
def issue_statements() -> None:
    """Freeze what is owed to the forces and to UKROEd for every month that is over."""
    services.issue_due_statements(now=clock.now())


@shared_task(base=ActingTask, name="payments.jobs.send_refunds")
def send_refunds() -> None:
    """Send refunds that were asked for, and follow those under way."""
    services.send_refunds(now=clock.now())


@shared_task(base=ActingTask, name="payments.jobs.remind_of_disputes")
def remind_of_disputes() -> None:
    """Write to staff about disputes whose answer is nearly due."""
    services.remind_of_disputes(now=clock.now())


@shared_task(base=ActingTask, name="payments.jobs.make_exports")
def make_exports() -> None:
    """Make the files that finance asked for."""
    services.make_exports(now=clock.now())


@shared_task(base=ActingTask, name="payments.jobs.expire_exports")
def expire_exports() -> None:
    """Delete finance's files whose days are over."""
    services.expire_exports(now=clock.now())
