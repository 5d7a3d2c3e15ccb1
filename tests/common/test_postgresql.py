"""A connection that rests is used again without a question, and one whose server has let it go is noticed."""

import pytest
from django.db import connection, connections

from devtools import processes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def resting():
    """A connection of its own, open and idle, with its number at the server."""
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (number,) = cursor.fetchone()
    yield other, number
    other.close()


def test_one_that_works_is_usable_without_a_round_trip(resting):
    other, number = resting
    assert other.is_usable()
    with connection.cursor() as cursor:
        cursor.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [number])
        assert cursor.fetchone() == ("SELECT pg_backend_pid()",)


def test_one_that_the_server_has_ended_is_not(resting):
    other, number = resting
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [number])
    assert processes.wait_until(lambda: not other.is_usable(), seconds=10)


def test_the_next_request_opens_another(resting):
    other, number = resting
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [number])
    assert processes.wait_until(lambda: not other.is_usable(), seconds=10)
    other.close_if_unusable_or_obsolete()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        assert cursor.fetchone() != (number,)


def test_one_that_is_closed_or_was_never_open_is_not_usable(resting):
    other, _ = resting
    other.close()
    assert not other.is_usable()
