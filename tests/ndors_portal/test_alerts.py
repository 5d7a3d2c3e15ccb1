"""What /readyz says a person must see to."""

import datetime as dt

import pytest
import time_machine
from django.test import Client

from payments.models import ReconciliationRun
from tests.factories.payments import ParkedEventFactory

pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 11, 20)


def _alerts(at: str) -> list[str]:
    with time_machine.travel(f"{DAY}T{at}:00Z", tick=False):
        told: list[str] = Client().get("/readyz").json()["alerts"]
    return told


def _reconciled(days_ago: int) -> None:
    at = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
    ReconciliationRun.objects.create(
        day=DAY - dt.timedelta(days=days_ago), status="GREEN", started_at=at, finished_at=at, done_by="job:x"
    )


def test_nothing_to_see_to() -> None:
    assert _alerts("13:00") == []
    _reconciled(1)
    assert _alerts("13:00") == []


def test_a_parked_event_is_an_alert() -> None:
    ParkedEventFactory.create()
    assert _alerts("13:00") == ["parked_webhooks"]


def test_yesterday_not_compared_by_noon_is_an_alert() -> None:
    _reconciled(2)
    assert _alerts("11:59") == []
    assert _alerts("12:00") == ["reconciliation_late"]


def test_a_run_broken_off_does_not_count() -> None:
    _reconciled(2)
    _reconciled(1)
    ReconciliationRun.objects.filter(day=DAY - dt.timedelta(days=1)).update(status="RUNNING", finished_at=None)
    assert _alerts("12:00") == ["reconciliation_late"]
