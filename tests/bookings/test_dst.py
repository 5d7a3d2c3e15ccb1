"""Scenario 22: courses at 9am on both sides of both clock changes of 2027 say 9am wherever they are told of."""

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from icalendar import Calendar

from bookings import services
from bookings.models import Booking
from common import clock
from notifications import services as notifications
from notifications.models import Message
from oversight.rules import HOURS, Limit, due_at
from tests.bookings.conftest import STAFF, sign_in
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.support.mail import SmtpSink, words_of

pytestmark = pytest.mark.django_db
DAYS = [dt.date(2027, 3, 27), dt.date(2027, 3, 28), dt.date(2027, 10, 30), dt.date(2027, 10, 31)]
MINUTE = dt.timedelta(minutes=1)


def booking_on(day: dt.date) -> Booking:
    start = clock.from_london(day, dt.time(9))
    return b.ConfirmedBookingFactory.create(
        now=start - dt.timedelta(days=20), session=c.OpenSessionFactory.create(starts_at=start)
    )


def sweep(now: dt.datetime) -> list[str]:
    """What is sent of reminders when everything runs then, twice."""
    before = set(Message.objects.values_list("pk", flat=True))
    for late in range(2):
        services.schedule_reminders(now=now + late * MINUTE, by=STAFF)
        notifications.send_messages(now=now + late * MINUTE)
    added = Message.objects.exclude(pk__in=before).filter(kind__startswith="reminder_", status="SENT")
    return list(added.values_list("kind", flat=True))


@pytest.mark.parametrize("day", DAYS)
def test_s22_page_mail_and_calendar_say_nine(day: dt.date, client: Client, clock_at: Any, smtp_sink: SmtpSink) -> None:
    booking = booking_on(day)
    now = booking.place.session.starts_at - dt.timedelta(hours=47)
    with clock_at(now):
        page = sign_in(client, booking.referral, now).get("/booking/").content.decode()
    assert "9am to 11:45am" in page
    assert clock.day_words(day) in page

    from bookings import messages

    messages.confirmation(Booking.objects.with_session().get(pk=booking.pk), now=now)
    notifications.send_messages(now=now)
    (mail,) = [each for each in smtp_sink.messages if "booked" in each["Subject"]]
    for part in ("plain", "html"):
        text = re.sub(r"<[^>]+>", "", words_of(mail, part))
        assert f"Date: {clock.day_words(day)}" in text
        assert "Time: 9am to 11:45am" in text
        assert "Be ready at 8:45am." in text
    (file,) = mail.iter_attachments()
    (event,) = Calendar.from_ical(file.get_content()).walk("VEVENT")
    starts = event.decoded("dtstart")
    assert (starts.astimezone(clock.LONDON).time(), starts.astimezone(clock.LONDON).date()) == (dt.time(9), day)
    assert event["dtstart"].params["TZID"] == "Europe/London"
    assert event.decoded("dtend").astimezone(clock.LONDON).time() == dt.time(11, 45)


@pytest.mark.parametrize("day", DAYS)
def test_s22_each_reminder_fires_once_at_its_time(day: dt.date, smtp_sink: SmtpSink) -> None:
    start = booking_on(day).place.session.starts_at
    week = clock.from_london(day - dt.timedelta(days=7), dt.time(9))
    assert sweep(week - 3 * MINUTE) == []
    assert sweep(week) == ["reminder_7d"]
    assert sweep(week + dt.timedelta(hours=1)) == []
    assert sweep(start - dt.timedelta(hours=48, minutes=3)) == []
    assert sweep(start - dt.timedelta(hours=48)) == ["reminder_48h"]
    assert sweep(start - dt.timedelta(hours=2, minutes=3)) == []
    assert sweep(start - dt.timedelta(hours=2)) == ["reminder_2h"]
    assert sweep(start) == []
    times = [words_of(each) for each in smtp_sink.messages if "starts soon" in each["Subject"]]
    assert len(times) == 1
    assert f"Your course starts at 9am on {clock.day_words(day)}." in times[0]


@pytest.mark.parametrize("day", DAYS)
def test_s22_the_roster_says_nine(day: dt.date, client: Client, clock_at: Any) -> None:
    booking = booking_on(day)
    session = booking.place.session
    trainer = c.SessionTrainerFactory.create(session=session).trainer
    from accounts.models import Role, User

    trainer.user = User.objects.create_user("trainer-x", password="demo", role=Role.TRAINER)
    trainer.save()
    client.force_login(trainer.user)
    with clock_at(session.starts_at - dt.timedelta(hours=20)):
        pages = [client.get(url).content.decode() for url in ("/trainer/", f"/trainer/sessions/{session.pk}/")]
    assert "9am" in pages[0] + pages[1]
    assert not {"8am", "10am"} & set(re.findall(r"\b\d{1,2}am\b", pages[0] + pages[1]))


@pytest.mark.parametrize(("day", "hours"), list(zip(DAYS, (26, 25, 26, 27), strict=True)))
def test_s22_clocks_run_in_real_hours(day: dt.date, hours: int) -> None:
    """24 hours from 9am the day before, and how far they are from the 11am two hours after the course began."""
    before = clock.from_london(day - dt.timedelta(days=1), dt.time(9))
    limit = Limit(24, HOURS, 75, dt.date(2020, 1, 1), None)
    assert due_at(limit, before) == before + dt.timedelta(hours=24)
    eleven = clock.from_london(day, dt.time(11))
    assert eleven - before == dt.timedelta(hours=hours)
