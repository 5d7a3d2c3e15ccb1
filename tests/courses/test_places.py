"""Places: held, kept, taken, given back; and every door the database keeps shut (scenario 2)."""

import datetime as dt

import pytest
from django.contrib import admin
from django.db import IntegrityError, connection, transaction

from audit.context import Actor, acting
from courses import services
from courses.constants import PlaceState, SessionStatus
from courses.errors import NoPlaceLeftError, PlaceGoneError, SessionNotFoundError, SessionNotOpenError
from courses.models import Place, Session
from tests.factories import courses as c

NOW = c.CREATED_AT
BY = Actor("candidate", "46/46TEST0001")
QUARTER = dt.timedelta(minutes=15)

pytestmark = pytest.mark.django_db


def hold(session: Session, holder: str = "46/46TEST0001", now: dt.datetime = NOW) -> Place:
    return services.hold_place(session_id=session.pk, holder=holder, until=now + QUARTER, by=BY, now=now)


def claimed(session: Session) -> int:
    return Session.objects.values_list("places_claimed", flat=True).get(pk=session.pk)


def test_hold_counts_the_place() -> None:
    session = c.OpenSessionFactory.create(capacity=2)
    place = hold(session)
    assert (place.state, place.held_until, claimed(session)) == (PlaceState.HELD, NOW + QUARTER, 1)


def test_hold_for_the_same_holder_gives_the_same_place() -> None:
    session = c.OpenSessionFactory.create(capacity=1)
    first = hold(session)
    second = hold(session, now=NOW + dt.timedelta(minutes=1))
    assert second.pk == first.pk
    assert second.held_until == NOW + dt.timedelta(minutes=16)
    assert claimed(session) == 1


def test_hold_when_full_is_refused_and_changes_nothing() -> None:
    session = c.OpenSessionFactory.create(capacity=1)
    hold(session)
    with pytest.raises(NoPlaceLeftError):
        hold(session, "46/46TEST0002")
    assert (Place.objects.count(), claimed(session)) == (1, 1)


def test_hold_maps_the_databases_refusal_where_the_look_before_was_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    session = c.OpenSessionFactory.create(capacity=1)
    hold(session)
    stale = Session.objects.get(pk=session.pk)
    stale.places_claimed = 0
    monkeypatch.setattr("courses.services.places.lock_session", lambda _: stale)
    with pytest.raises(NoPlaceLeftError):
        hold(session, "46/46TEST0002")
    assert (Place.objects.count(), claimed(session)) == (1, 1)


@pytest.mark.parametrize("status", [SessionStatus.DRAFT, SessionStatus.CANCELLED, SessionStatus.DELIVERED])
def test_hold_on_a_session_that_is_not_open_is_refused(status: SessionStatus) -> None:
    session = c.SessionFactory.create(status=status)
    with pytest.raises(SessionNotOpenError):
        hold(session)
    assert Place.objects.count() == 0


def test_hold_once_it_has_started_is_refused() -> None:
    session = c.OpenSessionFactory.create()
    with pytest.raises(SessionNotOpenError):
        hold(session, now=session.starts_at)


def test_hold_on_an_unknown_session_is_refused() -> None:
    with pytest.raises(SessionNotFoundError):
        services.hold_place(session_id=0, holder="46/46TEST0001", until=NOW, by=BY, now=NOW)


def test_keep_only_ever_lengthens() -> None:
    place = hold(c.OpenSessionFactory.create())
    longer = services.keep_place(place_id=place.pk, until=NOW + 2 * QUARTER, by=BY, now=NOW)
    assert longer.held_until == NOW + 2 * QUARTER
    same = services.keep_place(place_id=place.pk, until=NOW, by=BY, now=NOW)
    assert same.held_until == NOW + 2 * QUARTER


def test_take_may_be_repeated_and_keeps_the_count() -> None:
    session = c.OpenSessionFactory.create()
    place = hold(session)
    for _ in range(2):
        taken = services.take_place(place_id=place.pk, by=BY, now=NOW)
        assert (taken.state, taken.held_until) == (PlaceState.TAKEN, None)
    assert claimed(session) == 1


def test_release_gives_the_seat_back_once() -> None:
    session = c.OpenSessionFactory.create(capacity=1)
    place = hold(session)
    for _ in range(2):
        services.release_place(place_id=place.pk, reason="lapsed", by=BY, now=NOW)
    assert claimed(session) == 0
    assert hold(session, "46/46TEST0002").state == PlaceState.HELD


def test_a_released_place_can_be_neither_kept_nor_taken() -> None:
    place = c.ReleasedPlaceFactory.create()
    with pytest.raises(PlaceGoneError):
        services.keep_place(place_id=place.pk, until=NOW, by=BY, now=NOW)
    with pytest.raises(PlaceGoneError):
        services.take_place(place_id=place.pk, by=BY, now=NOW)


# --- Every door of the database ---------------------------------------------------------------------------------
@pytest.fixture
def full() -> Session:
    session = c.OpenSessionFactory.create(capacity=2)
    c.TakenPlaceFactory.create(session=session)
    c.HeldPlaceFactory.create(session=session)
    return session


def one_more(session: Session) -> Place:
    return Place(session=session, holder="46/46OTHER001", state=PlaceState.TAKEN, claimed_at=NOW)


def test_s02_every_door_to_a_full_session_is_refused(full: Session) -> None:
    released = c.ReleasedPlaceFactory.create(session=full)

    def by_service() -> None:
        hold(full)

    def by_save() -> None:
        one_more(full).save()

    def by_bulk_create() -> None:
        Place.objects.bulk_create([one_more(full)])

    def by_update() -> None:
        Place.objects.filter(pk=released.pk).update(state="TAKEN", released_at=None)

    def by_sql() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO courses_place (session_id, holder, state, claimed_at, release_reason)"
                " VALUES (%s, '46/46OTHER001', 'TAKEN', now(), '')",
                [full.pk],
            )

    for door in (by_service, by_save, by_bulk_create, by_update, by_sql):
        with pytest.raises((IntegrityError, NoPlaceLeftError)), transaction.atomic():
            door()
        assert claimed(full) == 2, door.__name__
        assert Place.objects.filter(session=full).claiming().count() == 2


def test_s02_the_admin_offers_no_way_to_a_place(full: Session) -> None:
    model_admin = admin.site._registry[Place]
    request = object()
    assert not model_admin.has_add_permission(request)  # type: ignore[arg-type]
    assert not model_admin.has_change_permission(request)  # type: ignore[arg-type]
    assert not model_admin.has_delete_permission(request)  # type: ignore[arg-type]


def test_s02_the_counter_cannot_be_talked_down(full: Session) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE courses_session SET places_claimed = 0 WHERE id = %s", [full.pk])
    Session.objects.filter(pk=full.pk).update(places_claimed=1)
    assert claimed(full) == 2


def test_s02_capacity_grows_only_with_a_reason(full: Session) -> None:
    with pytest.raises(IntegrityError, match="only with a reason"), transaction.atomic():
        Session.objects.filter(pk=full.pk).update(capacity=3)
    with acting(Actor("staff", "7"), reason="A second trainer joins"):
        Session.objects.filter(pk=full.pk).update(capacity=3)
    hold(full)
    assert claimed(full) == 3


def test_a_stale_copy_that_is_saved_does_not_overwrite_the_counter(full: Session) -> None:
    stale = Session.objects.get(pk=full.pk)
    stale.places_claimed = 0
    stale.joining_url = "https://meet.example.org/j/5678"
    stale.save()
    assert claimed(full) == 2


def test_places_cannot_be_truncated(full: Session) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # else PostgreSQL itself refuses: this test has written rows
        with pytest.raises(IntegrityError, match="never truncated"), transaction.atomic():
            cursor.execute("TRUNCATE courses_place CASCADE")
    assert claimed(full) == 2


def test_deleting_a_place_gives_its_seat_back(full: Session) -> None:
    Place.objects.filter(session=full, state=PlaceState.TAKEN).delete()
    assert claimed(full) == 1


def test_a_place_does_not_change_its_session(full: Session) -> None:
    other = c.OpenSessionFactory.create()
    with pytest.raises(IntegrityError, match="cannot go back"), transaction.atomic():
        Place.objects.filter(session=full).update(session=other)
    assert (claimed(full), claimed(other)) == (2, 0)
