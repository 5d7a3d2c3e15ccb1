"""The trainers' pages: only their own courses, only near the day, no more of a person than they need."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import Role, User
from audit.models import AccessLog
from bookings.constants import NeedKind
from courses.models import Session, SessionTrainer, Trainer
from rosters.models import Attendance
from tests.factories.bookings import ConfirmedBookingFactory, NeedFactory
from tests.factories.courses import OpenSessionFactory, SessionTrainerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def assignment() -> SessionTrainer:
    """A trainer with a sign-in, on an open digital session."""
    made: SessionTrainer = SessionTrainerFactory.create()
    made.trainer.user = User.objects.create_user("trainer", password="demo", role=Role.TRAINER)
    made.trainer.save()
    return made


@pytest.fixture
def session(assignment: SessionTrainer) -> Session:
    return assignment.session


@pytest.fixture
def trainer(client: Client, assignment: SessionTrainer) -> Client:
    client.force_login(assignment.trainer.user)
    return client


def on(moment: datetime) -> Any:
    return time_machine.travel(moment, tick=False)


def test_courses_lists_own_sessions_and_nobody_elses(trainer: Client, session: Session) -> None:
    other = SessionTrainerFactory.create(
        session=OpenSessionFactory.create(starts_at=session.starts_at + timedelta(days=1))
    )
    with on(session.starts_at - timedelta(days=5)):
        page = trainer.get("/trainer/").content.decode()
    assert f"/trainer/sessions/{session.pk}/" in page
    assert f"/trainer/sessions/{other.session_id}/" not in page
    assert "Monday 14 December 2026, 9am to 11:45am" in page


def test_courses_says_so_when_there_are_none(client: Client) -> None:
    user = User.objects.create_user("new", password="demo", role=Role.TRAINER)
    Trainer.objects.create(user=user, name="New Trainer", email="new@example.org")
    client.force_login(user)
    assert "You have no courses coming up" in client.get("/trainer/").content.decode()


@pytest.mark.parametrize(("hours_before", "visible"), [(49, False), (48, True), (0, True)])
def test_roster_shows_names_from_48_hours_before(
    trainer: Client, session: Session, hours_before: int, visible: bool
) -> None:
    booking = ConfirmedBookingFactory.create(session=session)
    with on(session.starts_at - timedelta(hours=hours_before)):
        page = trainer.get(f"/trainer/sessions/{session.pk}/").content.decode()
    assert (booking.referral.surname in page) is visible
    assert (booking.reference in page) is visible
    assert AccessLog.objects.filter(action="roster.opened", subject=f"session:{session.pk}").count() == int(visible)


def test_opening_a_roster_is_on_record_with_where_from(trainer: Client, session: Session, settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    with on(session.starts_at):
        trainer.get(f"/trainer/sessions/{session.pk}/", headers={"X-Forwarded-For": "192.0.2.7"})
    assert AccessLog.objects.get(action="roster.opened").address == "192.0.2.7"


def test_roster_hides_names_48_hours_after(trainer: Client, session: Session) -> None:
    booking = ConfirmedBookingFactory.create(session=session)
    with on(session.ends_at + timedelta(hours=48, seconds=1)):
        page = trainer.get(f"/trainer/sessions/{session.pk}/").content.decode()
    assert booking.referral.surname not in page


def test_roster_tells_what_to_do_and_not_why(trainer: Client, session: Session) -> None:
    booking = ConfirmedBookingFactory.create(session=session)
    NeedFactory.create(referral=booking.referral, kind=NeedKind.STEP_FREE, detail="uses a wheelchair")
    NeedFactory.create(referral=booking.referral, kind=NeedKind.NO_INTERNET)
    with on(session.starts_at):
        page = trainer.get(f"/trainer/sessions/{session.pk}/").content.decode()
    assert "Keep a step-free way and seat." in page
    assert "wheelchair" not in page
    assert booking.referral.address_1 not in page
    assert booking.referral.date_of_birth.isoformat() not in page


def test_s26_another_trainers_session_is_404_and_shows_nothing(trainer: Client, session: Session) -> None:
    other = SessionTrainerFactory.create(
        session=OpenSessionFactory.create(starts_at=session.starts_at + timedelta(days=1))
    )
    booking = ConfirmedBookingFactory.create(session=other.session)
    with on(other.session.starts_at):
        for path in ("", f"clients/{booking.pk}/", "close/"):
            answer = trainer.get(f"/trainer/sessions/{other.session_id}/{path}")
            assert answer.status_code == 404
            assert booking.referral.surname not in answer.content.decode()
        answer = trainer.post(
            f"/trainer/sessions/{other.session_id}/clients/{booking.pk}/", {"mark": "DID_NOT_ATTEND"}
        )
    assert answer.status_code == 404
    assert not Attendance.objects.exists()


@pytest.mark.parametrize("role", [Role.OFFICER, Role.CLERK])
def test_pages_are_for_trainers_only(client: Client, session: Session, role: Role) -> None:
    client.force_login(User.objects.create_user("someone", password="demo", role=role))
    assert client.get("/trainer/").status_code == 403


def test_pages_ask_who_you_are(client: Client, session: Session) -> None:
    answer = client.get(f"/trainer/sessions/{session.pk}/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


def test_marking_a_client_saves_and_returns_to_the_roster(trainer: Client, session: Session) -> None:
    booking = ConfirmedBookingFactory.create(session=session)
    with on(session.starts_at):
        answer = trainer.post(
            f"/trainer/sessions/{session.pk}/clients/{booking.pk}/", {"mark": "COMPLETED", "document_kind": "PASSPORT"}
        )
        page = trainer.get(answer["Location"]).content.decode()
    assert answer.status_code == 302
    assert "Completed" in page
    assert Attendance.objects.get().document_kind == "PASSPORT"


def test_marking_completed_without_a_document_says_what_to_do(trainer: Client, session: Session) -> None:
    booking = ConfirmedBookingFactory.create(session=session)
    with on(session.starts_at):
        answer = trainer.post(f"/trainer/sessions/{session.pk}/clients/{booking.pk}/", {"mark": "COMPLETED"})
    assert "Choose the identity document you checked." in answer.content.decode()
    assert not Attendance.objects.exists()


def test_closing_with_a_client_unmarked_says_so(trainer: Client, session: Session) -> None:
    ConfirmedBookingFactory.create(session=session)
    with on(session.ends_at):
        answer = trainer.post(f"/trainer/sessions/{session.pk}/close/")
    assert "Mark every client before you close the register: 1 to go." in answer.content.decode()


@pytest.mark.parametrize("clients", [1, 9])
def test_pages_ask_the_database_as_often_for_nine_clients_as_for_one(
    trainer: Client, session: Session, clients: int, django_assert_num_queries: Callable[[int], Any]
) -> None:
    for _ in range(clients):
        booking = ConfirmedBookingFactory.create(session=session)
        NeedFactory.create(referral=booking.referral)
    with on(session.starts_at):
        trainer.get("/trainer/")  # the session of the sign-in is read from the database once
        with django_assert_num_queries(COURSES_QUERIES):
            trainer.get("/trainer/")
        with django_assert_num_queries(ROSTER_QUERIES):
            trainer.get(f"/trainer/sessions/{session.pk}/")


COURSES_QUERIES = 3
ROSTER_QUERIES = 5
