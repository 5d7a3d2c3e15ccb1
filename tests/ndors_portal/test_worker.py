"""A worker keeps its connection to the database from task to task, and gets another where the server ended it."""

import pytest
from celery import current_app
from django.db import connection

from common import clock
from devtools import processes
from notifications import services
from notifications.catalogue import KINDS
from notifications.constants import MessageStatus
from notifications.models import Message
from tests.support.programs import Program

pytestmark = pytest.mark.django_db(transaction=True)


def sent_by_a_worker() -> None:
    """One message, sent by the worker before this returns."""
    key = f"worker:{Message.objects.count()}"
    services.enqueue(
        "confirmation",
        to="candidate@example.org",
        dedupe_key=key,
        context=KINDS["confirmation"].sample,
        now=clock.now(),
    )
    current_app.send_task("notifications.jobs.send_messages", queue="mail")
    sent = Message.objects.filter(dedupe_key=key, status=MessageStatus.SENT)
    assert processes.wait_until(sent.exists, seconds=20)


def backends() -> set[int]:
    """Who is connected to this test's database beside the test, and at rest."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND state = 'idle' AND application_name = 'ndors'"
        )
        return {number for (number,) in cursor.fetchall()}


def test_connections_are_kept_and_renewed(celery_worker_process: Program) -> None:
    before = backends()
    for _ in range(4):
        sent_by_a_worker()
    kept = backends() - before
    assert kept
    for _ in range(4):
        sent_by_a_worker()
    assert kept <= backends()

    with connection.cursor() as cursor:
        for number in kept:
            cursor.execute("SELECT pg_terminate_backend(%s)", [number])
    sent_by_a_worker()
    assert not kept & backends()
