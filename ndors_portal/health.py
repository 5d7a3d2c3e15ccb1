"""Whether the portal is alive and whether it keeps up: /healthz and /readyz (CONTRACT.md)."""

import time
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from common import clock
from ndors_portal.jobs import HEARTBEAT_KEY
from notifications.selectors import oldest_unsent_at
from payments.selectors import last_reconciled_day, oldest_parked_event_at, oldest_unprocessed_event_at
from referrals.selectors import oldest_unprocessed_batch_at

# Yesterday is compared with Stripe from four in the morning on; by noon it has been, or somebody must look.
RECONCILED_BY_HOUR = 12
# Seconds of age past which a queue is not being worked; a healthy queue is emptied within a minute or two.
LIMITS_SECONDS = {
    "oldest_unsent_message": 900,
    "oldest_unprocessed_webhook": 300,
    "oldest_unprocessed_batch": 3600,
    "last_beat": 180,
}


@require_safe
@never_cache
def alive(request: HttpRequest) -> HttpResponse:
    """200 when the process serves: no look at anything outside it."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """JSON of what the portal leans on and the ages of its queues in seconds; 503 when one is over its limit.

    `alerts` names what a person must see to and no restart would mend, so it takes no process out of service.
    """
    now = clock.now()
    report: dict[str, object] = {"database": False, "redis": False}
    late: list[str] = []
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        report["database"] = True
        report["oldest_unsent_message"] = _age(oldest_unsent_at(now=now), now)
        report["oldest_unprocessed_webhook"] = _age(oldest_unprocessed_event_at(), now)
        report["oldest_unprocessed_batch"] = _age(oldest_unprocessed_batch_at(), now)
        report["alerts"] = _alerts(now)
    except DatabaseError:
        late.append("database")
    try:
        beat = cache.get(HEARTBEAT_KEY)
        report["redis"] = True
        report["last_beat"] = None if beat is None else round(time.time() - beat, 1)
        if beat is None:
            late.append("last_beat")
    except RedisError:
        late.append("redis")
    for name, limit in LIMITS_SECONDS.items():
        age = report.get(name)
        if isinstance(age, int | float) and age > limit:
            late.append(name)
    report["over_limit"] = late
    return JsonResponse(report, status=503 if late else 200)


def _alerts(now: datetime) -> list[str]:
    alerts = []
    if oldest_parked_event_at() is not None:
        alerts.append("parked_webhooks")
    last, today = last_reconciled_day(), clock.london_day(now)
    days = 1 if clock.london(now).hour >= RECONCILED_BY_HOUR else 2
    if last is not None and last < today - timedelta(days=days):
        alerts.append("reconciliation_late")
    return alerts


def _age(since: datetime | None, now: datetime) -> float:
    return 0 if since is None else round(max(0.0, (now - since).total_seconds()), 1)
