"""Celery tasks of oversight."""

from celery import shared_task

from audit.context import Actor
from audit.jobs import ActingTask
from common import clock
from oversight import services


@shared_task(base=ActingTask, name="oversight.jobs.check_processing_times")
def check_processing_times() -> None:
    """Recompute every running clock and record breaches. May run at any time, twice and at once."""
    services.check_processing_times(by=Actor("job", "check_processing_times"), now=clock.now())
