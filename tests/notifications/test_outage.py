"""Scenario 21, with a real worker: the mail server is down for six hours and Redis is emptied meanwhile."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
import redis
from celery import current_app
from django.conf import settings
from django.db.models import F

from common import clock
from devtools import processes
from notifications import services
from notifications.catalogue import KINDS
from notifications.constants import MessageStatus
from notifications.models import Message
from tests.support.mail import SmtpSink
from tests.support.programs import Program

pytestmark = pytest.mark.django_db(transaction=True)
SIX_HOURS = timedelta(hours=6)
SAMPLE_COUNT = 12


def ring() -> None:
    """As beat does."""
    current_app.send_task("notifications.jobs.send_messages", queue="mail")


def wait(condition: Callable[[], bool]) -> None:
    is_so = processes.wait_until(condition, seconds=30)
    assert is_so, list(Message.objects.values_list("status", "attempts", "error"))


def test_s21_each_message_goes_exactly_once_and_a_stale_reminder_is_dropped(
    celery_worker_process: Program, smtp_sink: SmtpSink
) -> None:
    smtp_sink.stop()
    now = clock.now()
    for number in range(SAMPLE_COUNT):
        services.enqueue(
            "confirmation",
            to=f"candidate{number}@example.org",
            dedupe_key=f"confirmation:{number}",
            now=now,
            context=KINDS["confirmation"].sample,
        )
    services.enqueue(
        "reminder_2h",
        to="late@example.org",
        dedupe_key="reminder_2h:1",
        now=now,
        context=KINDS["reminder_2h"].sample,
        useless_at=now + timedelta(hours=2),
    )
    wait(lambda: not Message.objects.filter(attempts=0).exists())
    wait(lambda: not Message.objects.exclude(claimed_until=None).exists())
    assert set(Message.objects.values_list("status", flat=True)) == {MessageStatus.QUEUED}

    # The worker dies, Redis loses all it had, and six hours go by: the rows are as much older.
    celery_worker_process.kill()
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
    Message.objects.update(
        created_at=F("created_at") - SIX_HOURS,
        send_at=F("send_at") - SIX_HOURS,
        useless_at=F("useless_at") - SIX_HOURS,
        claimed_until=F("claimed_until") - SIX_HOURS,
    )
    smtp_sink.start()
    celery_worker_process.start()
    for _ in range(3):
        ring()
    wait(lambda: not Message.objects.filter(status=MessageStatus.QUEUED).exists())
    ring()
    told = Counter(mail["To"] for mail in smtp_sink.wait_for(SAMPLE_COUNT))
    assert told == {f"candidate{number}@example.org": 1 for number in range(SAMPLE_COUNT)}
    (dropped,) = Message.objects.filter(status=MessageStatus.DROPPED)
    assert (dropped.to, dropped.error) == ("late@example.org", "no longer useful: its time had passed")
    assert Message.objects.filter(status=MessageStatus.SENT).count() == SAMPLE_COUNT
