"""The sweeps as commands and as tasks."""

import datetime as dt
import json
from io import StringIO

import pytest
from django.core.management import call_command

from bookings import jobs
from bookings.constants import BookingStatus
from bookings.models import Booking, SignInTries
from tests.bookings.conftest import NOW
from tests.factories import bookings as b

pytestmark = pytest.mark.django_db
LATER = (NOW + dt.timedelta(minutes=20)).isoformat()


def answer(name: str, now: str) -> dict[str, int]:
    out = StringIO()
    call_command(name, now=dt.datetime.fromisoformat(now), as_json=True, stdout=out)
    found: dict[str, int] = json.loads(out.getvalue())
    return found


def test_release_holds_answers_in_json_and_acts_under_its_name() -> None:
    booking = b.ReadyBookingFactory.create()
    SignInTries.objects.create(subject=b"x", tried_at=[NOW], last_at=NOW)
    assert answer("release_holds", LATER) == {"released": 1}
    assert answer("release_holds", LATER) == {"released": 0}
    booking.refresh_from_db()
    assert (booking.status, booking.status_by) == (BookingStatus.LAPSED, "command:release_holds")
    assert SignInTries.objects.count() == 0


def test_schedule_reminders_answers_by_kind() -> None:
    booking = b.ConfirmedBookingFactory.create()
    when = booking.place.session.starts_at - dt.timedelta(hours=48)
    counts = answer("schedule_reminders", when.isoformat())
    assert counts["reminder_48h"] == 1
    assert answer("schedule_reminders", when.isoformat())["reminder_48h"] == 0


def test_the_tasks_do_the_same() -> None:
    b.ReadyBookingFactory.create()
    jobs.release_holds()
    jobs.schedule_reminders()
    assert Booking.objects.get().status_by == "job:release_holds"
