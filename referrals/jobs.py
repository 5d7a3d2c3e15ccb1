"""Celery tasks of this app."""

from celery import shared_task

from audit.context import Actor
from audit.jobs import ActingTask
from common import clock
from referrals import services


@shared_task(base=ActingTask, name="referrals.jobs.import_batches")
def import_batches() -> None:
    """Import what waits, the oldest first, until nothing does, and tell of what could not be finished.

    May run at any time, twice and at once.
    """
    while services.import_next_batch(by=Actor("job", "import_batches"), now=clock.now()):
        pass
    services.tell_left(now=clock.now())


@shared_task(base=ActingTask, name="referrals.jobs.expire_referrals")
def expire_referrals() -> None:
    """Expire offers whose complete by has passed. May run at any time, twice and at once."""
    while services.expire_referrals(by=Actor("job", "expire_referrals"), now=clock.now()):
        pass


@shared_task(base=ActingTask, name="referrals.jobs.tell_unreported")
def tell_unreported() -> None:
    """Write to who must act on outcomes that have waited too long. May run at any time, twice and at once."""
    services.tell_unreported(by=Actor("job", "tell_unreported"), now=clock.now())


@shared_task(base=ActingTask, name="referrals.jobs.collect_drops")
def collect_drops() -> None:
    """Look through the watched folder for files of forces. May run at any time, twice and at once."""
    services.collect_drops(by=Actor("job", "collect_drops"), now=clock.now())


@shared_task(base=ActingTask, name="referrals.jobs.outcome_return")
def outcome_return(force: str) -> None:
    """Write the return due into a force's drop folder now; the look through the folder does it within an hour anyway.

    Nothing for a force without a folder. May run at any time, twice and at once.
    """
    services.lay_out_return(force_code=force, by=Actor("job", "outcome_return"), now=clock.now())
