"""Ringing for a worker. Rows are the queue: a bell that nobody hears costs the seconds until beat looks anyway."""

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)


def ring_on_commit(task: str, *, queue: str = "default") -> None:
    """Once the present transaction is committed, tell a worker to look now. Never raises for a broker that is away."""
    transaction.on_commit(lambda: _ring(task, queue), robust=True)


def _ring(task: str, queue: str) -> None:
    try:
        current_app.send_task(task, queue=queue, retry=False, expires=300)
    except OperationalError:
        log.warning("the broker is away; beat will ring for %s", task)
