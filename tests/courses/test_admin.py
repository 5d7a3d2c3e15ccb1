"""Staff schedule, open, change and cancel sessions through services, and nothing past them."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role, User
from courses.constants import Mode, SessionStatus
from courses.models import Place, Session, SessionTrainer
from tests.factories import courses as c

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]


@pytest.fixture
def staff(client: Client, time_machine: Any) -> Client:
    """A manager, on the day on which the tests' rows are made."""
    time_machine.move_to(c.CREATED_AT, tick=False)
    user = User.objects.create_user("manager", password="demo", role=Role.MANAGER, is_staff=True, is_superuser=True)
    client.force_login(user)
    return client


def do(client: Client, session: Session, act: str, **fields: object) -> int:
    """Open the page of an act, send its form; the status of the answer."""
    url = reverse(f"admin:courses_session_{act}", args=[session.pk])
    assert client.get(url).status_code == 200
    return client.post(url, fields).status_code


def test_several_are_scheduled_and_opened_at_once(staff: Client) -> None:
    given = {
        "course_type": c.course_type().pk,
        "mode": Mode.DIGITAL,
        "day": "2027-03-21",
        "time": "09:00",
        "weeks": 3,
        "is_open": "on",
        "joining_url": "https://meet.example.org/j/1",
    }
    assert staff.get(reverse("admin:courses_session_add")).status_code == 200
    assert staff.post(reverse("admin:courses_session_add"), given).status_code == 302
    made = list(Session.objects.order_by("starts_at"))
    # The clocks go forward on 28 March 2027.
    assert [session.starts_at.hour for session in made] == [9, 8, 8]
    assert {session.status for session in made} == {SessionStatus.OPEN}
    assert {session.status_by.split(":")[0] for session in made} == {"staff"}


def test_what_cannot_be_scheduled_is_said_and_nothing_made(staff: Client) -> None:
    given = {
        "course_type": c.course_type().pk, "mode": Mode.CLASSROOM, "day": "2027-03-21", "time": "09:00", "weeks": 2,
    }  # fmt: skip
    response = staff.post(reverse("admin:courses_session_add"), given)
    assert response.status_code == 200
    assert "Choose a room" in response.content.decode()
    assert Session.objects.count() == 0


def test_the_life_of_a_session(staff: Client) -> None:
    session = c.SessionFactory.create(starts_at=dt.datetime(2027, 6, 7, 8, tzinfo=dt.UTC))
    trainer = c.TrainerLicenceFactory.create().trainer
    assert do(staff, session, "open") == 302
    assert do(staff, session, "roster", trainer=trainer.pk, role="LEAD") == 302
    assert do(staff, session, "capacity", capacity=5, reason="") == 200
    assert do(staff, session, "capacity", capacity=5, reason="Small group") == 302
    changed = {"day": "2027-06-08", "time": "10:00", "joining_url": "https://meet.example.org/j/2"}
    assert do(staff, session, "change-details", **changed, reason="Trainer asked") == 302
    assert SessionTrainer.objects.get().starts_at == dt.datetime(2027, 6, 8, 9, tzinfo=dt.UTC)
    assert do(staff, session, "take-off", trainer=trainer.pk, reason="Ill") == 302
    assert do(staff, session, "cancel", reason="Nobody to teach it") == 302
    session.refresh_from_db()
    assert (session.status, session.capacity, session.cancel_reason) == (
        SessionStatus.CANCELLED,
        5,
        "Nobody to teach it",
    )
    assert do(staff, session, "open") == 200  # refused, with the reason on the page


def test_pages_are_read_only_and_show_the_history(staff: Client) -> None:
    place = c.TakenPlaceFactory.create()
    url = reverse("admin:courses_session_change", args=[place.session_id])
    assert place.holder in staff.get(url).content.decode()
    assert staff.post(url, {"capacity": 1}).status_code == 403
    assert staff.get(reverse("admin:courses_session_history", args=[place.session_id])).status_code == 200
    for model in ("session", "place", "coursetype", "courseversion", "venue", "room", "trainer"):
        assert staff.get(reverse(f"admin:courses_{model}_changelist")).status_code == 200
    assert staff.get(reverse("admin:courses_place_change", args=[place.pk])).status_code == 200
    assert staff.post(reverse("admin:courses_place_add"), {}).status_code == 403
    assert staff.post(reverse("admin:courses_place_delete", args=[place.pk]), {"post": "yes"}).status_code == 403
    assert Place.objects.count() == 1


def test_drafts_are_opened_from_the_list(staff: Client) -> None:
    drafts = [c.SessionFactory.create(starts_at=dt.datetime(2027, 6, day, 8, tzinfo=dt.UTC)) for day in (7, 8)]
    chosen = {"action": "open_chosen", "_selected_action": [session.pk for session in drafts]}
    staff.post(reverse("admin:courses_session_changelist"), chosen)
    assert set(Session.objects.values_list("status", flat=True)) == {SessionStatus.OPEN}


def test_a_version_is_only_ended(staff: Client) -> None:
    version = c.version_of(c.course_type())
    url = reverse("admin:courses_courseversion_change", args=[version.pk])
    staff.post(url, {"valid_to": "2027-12-31", "max_clients": 99})
    version.refresh_from_db()
    assert (version.valid_to, version.max_clients) == (dt.date(2027, 12, 31), 9)


def test_who_may_not_change_sessions_cannot(client: Client) -> None:
    user = User.objects.create_user("clerk", password="demo", role=Role.CLERK, is_staff=True)
    client.force_login(user)
    session = c.OpenSessionFactory.create()
    response = client.post(reverse("admin:courses_session_cancel", args=[session.pk]), {"reason": "Because"})
    session.refresh_from_db()
    assert (response.status_code, session.status) == (403, SessionStatus.OPEN)
