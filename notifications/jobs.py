"""Celery tasks of the outbox."""

import time

from celery import shared_task

from audit.jobs import ActingTask
from common import bell, clock
from notifications import services

# After so many seconds a run makes room: forty thousand letters of one batch must not keep refunds and holds waiting.
RUN_SECONDS = 2.0


@shared_task(base=ActingTask, name="notifications.jobs.send_messages")
def send_messages() -> None:
    """Send what is due for a while; what is left then waits its turn behind other work. May run twice and at once."""
    ends = time.monotonic() + RUN_SECONDS
    while sum(services.send_messages(now=clock.now()).values()) >= services.MOST_AT_ONCE:
        if time.monotonic() >= ends:
            bell.go_on_later("notifications.jobs.send_messages", queue="mail")
            return
