"""The beat's heartbeat, by which /readyz knows that jobs are being rung for."""

import time

from celery import shared_task
from django.core.cache import cache

HEARTBEAT_KEY = "beat-heartbeat"


@shared_task(name="ndors_portal.jobs.heartbeat", ignore_result=True)
def heartbeat() -> None:
    """Note that beat rang and a worker answered; kept for a day."""
    cache.set(HEARTBEAT_KEY, time.time(), 24 * 3600)
