"""Queries compiled once give what Django's own give, for other values, in other threads, and keep no answer."""

import threading

import pytest
from django.db import connection, transaction
from django.db.models import Count, F, Q
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from common.prepared import Prepared
from courses.constants import Mode
from courses.models import Room, Session, Venue
from tests.factories import courses as c

pytestmark = pytest.mark.django_db


def with_rooms(blank):
    return (
        Session.objects.filter(mode=blank("mode"), pk__gt=blank("after")).select_related("room__venue").order_by("pk")
    )


def test_rows_are_those_of_the_plain_query_with_what_they_join(django_assert_num_queries):
    rooms = [c.OpenSessionFactory.create(mode=Mode.CLASSROOM, room=c.RoomFactory.create()) for _ in range(3)]
    online = c.OpenSessionFactory.create()
    prepared = Prepared(with_rooms)
    for _ in range(2):
        with django_assert_num_queries(1):
            found = prepared.all(mode=Mode.CLASSROOM, after=rooms[0].pk)
            assert [each.room.venue for each in found] == [each.room.venue for each in rooms[1:]]
    assert found == rooms[1:]
    assert [vars(each.room) | {"_state": 0} for each in found] == [
        vars(each.room) | {"_state": 0} for each in rooms[1:]
    ]
    assert prepared.all(mode=Mode.DIGITAL, after=0) == [online]
    assert prepared.all(mode=Mode.DIGITAL, after=online.pk) == []


def test_nothing_of_an_answer_is_kept():
    venue = c.VenueFactory.create(name="Before")
    prepared = Prepared(lambda blank: Venue.objects.filter(pk=blank("pk")))
    assert prepared.get(pk=venue.pk).name == "Before"
    Venue.objects.filter(pk=venue.pk).update(name="After")
    assert prepared.get(pk=venue.pk).name == "After"


def test_first_and_get_where_there_is_nothing():
    prepared = Prepared(lambda blank: Venue.objects.filter(pk=blank("pk")))
    assert prepared.first(pk=0) is None
    with pytest.raises(Venue.DoesNotExist):
        prepared.get(pk=0)


def test_values_come_as_the_plain_query_gives_them():
    c.OpenSessionFactory.create_batch(2)
    flat = Prepared(
        lambda blank: Session.objects.filter(mode=blank("mode")).order_by("pk").values_list("pk", flat=True)
    )
    assert flat.all(mode=Mode.DIGITAL) == list(Session.objects.order_by("pk").values_list("pk", flat=True))
    counted = Prepared(
        lambda blank: (
            Session.objects.filter(mode=blank("mode"))
            .annotate(free=F("capacity") - F("places_claimed"))
            .values_list("mode", "free")
            .annotate(sessions=Count("pk"))
            .order_by()
        )
    )
    (row,) = counted.all(mode=Mode.DIGITAL)
    assert row == ("DIGITAL", Session.objects.values_list("capacity", flat=True)[0], 2)


def test_the_same_blank_may_stand_twice_and_values_are_never_taken_for_sql():
    venue = c.VenueFactory.create(name="x' OR '1'='1", town="100% here")
    prepared = Prepared(lambda blank: Venue.objects.filter(Q(name=blank("words")) | Q(town=blank("words"))))
    assert prepared.all(words=venue.name) == [venue]
    assert prepared.all(words=venue.town) == [venue]
    assert prepared.all(words="' OR 1=1 --") == []


def test_a_value_that_is_missing_is_an_error_and_asks_nothing(django_assert_num_queries):
    prepared = Prepared(lambda blank: Venue.objects.filter(pk=blank("pk")))
    prepared.all(pk=1)
    with django_assert_num_queries(0), pytest.raises(KeyError):
        prepared.all()


@pytest.mark.django_db(transaction=True)
def test_rows_are_locked_in_a_transaction_only():
    room = c.RoomFactory.create()
    prepared = Prepared(lambda blank: Room.objects.select_for_update().filter(pk=blank("pk")))
    with transaction.atomic():
        assert prepared.get(pk=room.pk) == room
    with pytest.raises(TransactionManagementError):
        prepared.get(pk=room.pk)


@pytest.mark.django_db(transaction=True)
def test_the_order_of_joins_is_given_for_the_query_alone():
    session = c.ClassroomSessionFactory.create()
    prepared = Prepared(lambda blank: Session.objects.select_related("room__venue").filter(pk=blank("pk")))
    with CaptureQueriesContext(connection) as asked:
        assert prepared.get(pk=session.pk).room.venue == session.room.venue
    assert [each["sql"].startswith("SET LOCAL join_collapse_limit TO 1; SELECT") for each in asked] == [True]
    with connection.cursor() as cursor:
        cursor.execute("SHOW join_collapse_limit")
        assert cursor.fetchone() == ("8",)


@pytest.mark.django_db(transaction=True)
def test_threads_share_the_query_and_each_has_its_own_connection():
    venues = c.VenueFactory.create_batch(8)
    prepared = Prepared(lambda blank: Venue.objects.filter(pk=blank("pk")))
    wrong: list[object] = []

    def work(venue: Venue) -> None:
        try:
            wrong.extend(1 for _ in range(50) if prepared.get(pk=venue.pk) != venue)
        except Exception as error:  # noqa: BLE001 - told below
            wrong.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[venue]) for venue in venues]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
