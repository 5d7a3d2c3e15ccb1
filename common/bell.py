"""Ringing for a worker. Rows are the queue: a bell that nobody hears costs the seconds until beat looks anyway.

A bell that was rung and not yet answered is not rung again: under load one answer does the work of many. A task that
answers says so before it looks (`answered`), so whoever commits after that look rings anew.
"""

import logging

from celery import current_app
from django.core.cache import cache
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

# Should an answer get lost with its worker, others may ring again after this.
RINGS_SECONDS = 5


def ring_on_commit(task: str, *, queue: str = "default", after_seconds: float = 0) -> None:
    """Once the present transaction is committed, tell a worker to look now, or so much later.

    Never raises for a broker that is away.
    """
    transaction.on_commit(lambda: _ring(task, queue, after_seconds), robust=True)


def go_on_later(task: str, *, queue: str) -> None:
    """Put a task that has more to do at the end of its queue, so that others have their turn. Never raises.

    Unlike a bell it is not left out where one was rung already: as many workers go on as were at it.
    """
    try:
        current_app.send_task(task, queue=queue, retry=False, expires=300)
    except (OperationalError, RedisError):
        log.warning("the broker is away; beat will ring for %s", task)


def answered(task: str) -> None:
    """The bell of this task has been heard; to be called before the task looks for work."""
    try:
        cache.delete(_key(task))
    except RedisError:
        log.warning("the broker is away; the bell for %s falls silent by itself", task)


def _ring(task: str, queue: str, after_seconds: float) -> None:
    try:
        if cache.add(_key(task), 1, RINGS_SECONDS + after_seconds):
            current_app.send_task(task, queue=queue, retry=False, expires=300, countdown=after_seconds or None)
    except (OperationalError, RedisError):
        log.warning("the broker is away; beat will ring for %s", task)


def _key(task: str) -> str:
    return f"bell:{task}"
