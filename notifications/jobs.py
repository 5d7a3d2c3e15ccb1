"""Celery tasks of the outbox."""

from celery import shared_task

from audit.jobs import ActingTask
from common import clock
from notifications import services


@shared_task(base=ActingTask, name="notifications.jobs.send_messages")
def send_messages() -> None:
    """Send what is due until nothing is. May run at any time, twice and at once."""
    while sum(services.send_messages(now=clock.now()).values()) >= services.MOST_AT_ONCE:
        pass
