"""The Celery app. Rows are the queue and Celery only rings the bell, so no result is ever stored.

The beat schedule stands here in code, so that every environment runs the same one and a change to it is reviewed.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import task_prerun, worker_init
from django.db import close_old_connections
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ndors_portal.settings.dev")

app = Celery("ndors_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(related_name="jobs")

# A worker keeps its connection from task to task, as a web process does from request to request: opening one costs
# more than what most tasks ask. Before each task it is looked at whether it still works, or has grown too old.
app.conf["CELERY_DB_REUSE_MAX"] = 1000
task_prerun.connect(close_old_connections)

QUEUES = ("imports", "mail", "default")
app.conf.task_queues = [Queue(name) for name in QUEUES]
app.conf.task_default_queue = "default"

# Work that nobody waits for stands back where a page is asked for on the same machine.
WORKERS_NICE = 10


@worker_init.connect
def stand_back(**_: Any) -> None:
    """Have this worker and all its children leave processors to the web where there are not enough.

    Where Linux shares processors out by session (sched_autogroup_enabled), a session's own niceness counts, not that
    of its processes.
    """
    os.nice(WORKERS_NICE)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(WORKERS_NICE), encoding="ascii")


Schedule = dict[str, dict[str, Any]]


def _every(task: str, schedule: float | crontab, queue: str = "default") -> dict[str, Any]:
    return {"task": task, "schedule": schedule, "options": {"queue": queue, "expires": 300}}


app.conf.beat_schedule = {
    "beat-heartbeat": _every("ndors_portal.jobs.heartbeat", 30.0),
    "import-batches": _every("referrals.jobs.import_batches", 30.0, "imports"),
    "collect-drops": _every("referrals.jobs.collect_drops", 60.0, "imports"),
    "tell-unreported": _every("referrals.jobs.tell_unreported", crontab(minute=40, hour="8-17")),
    "expire-referrals": _every("referrals.jobs.expire_referrals", crontab(minute=20)),
    "send-messages": _every("notifications.jobs.send_messages", 20.0, "mail"),
    "release-holds": _every("bookings.jobs.release_holds", 60.0),
    "offer-places": _every("bookings.jobs.offer_places", 60.0),
    "schedule-reminders": _every("bookings.jobs.schedule_reminders", 300.0),
    "apply-stripe-events": _every("payments.jobs.apply_stripe_events", 20.0),
    "settle-payments": _every("payments.jobs.settle_payments", 120.0),
    "reconcile-payments": _every("bookings.jobs.reconcile_payments", crontab(minute=15, hour="4,6,8,12,16")),
    "remind-of-disputes": _every("payments.jobs.remind_of_disputes", crontab(minute=25, hour="8-17")),
    "send-refunds": _every("payments.jobs.send_refunds", 60.0),
    "issue-statements": _every("payments.jobs.issue_statements", crontab(minute=10, hour=6)),
    "make-exports": _every("payments.jobs.make_exports", 60.0),
    "expire-exports": _every("payments.jobs.expire_exports", crontab(minute=35)),
    "seal-audit": _every("audit.jobs.seal", 60.0),
    "check-processing-times": _every("oversight.jobs.check_processing_times", 300.0),
}
