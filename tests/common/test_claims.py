"""Rows as a queue: claimed once, passed over while claimed, claimable again when the claim lapses."""

import datetime as dt
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections, transaction

from common.claims import claim, seconds_to_wait
from tests.audit.odd import odd_model

NOW = dt.datetime(2026, 11, 20, 10, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def odd(db: None) -> Iterator[Any]:
    with odd_model() as model:
        yield model


def keys(rows: list[Any]) -> list[str]:
    return [row.key for row in rows]


def test_due_rows_are_claimed_in_order_and_once(odd: Any) -> None:
    odd.objects.bulk_create(odd(key=str(number), select=9 - number) for number in range(5))
    due = odd.objects.filter(select__lt=9)
    first = claim(due, now=NOW, limit=3, seconds=60, ordering=("select", "pk"))
    assert keys(first) == ["4", "3", "2"]
    assert (first[0].claimed_until, first[0].attempts, first[0].doubled) == (NOW + MINUTE, 1, 10)
    assert keys(claim(due, now=NOW, limit=3, seconds=60, ordering=("select",))) == ["1"]
    assert claim(due, now=NOW, limit=3, seconds=60) == []
    assert sorted(odd.objects.values_list("key", "attempts")) == [("0", 0), ("1", 1), ("2", 1), ("3", 1), ("4", 1)]


def test_a_claim_lapses(odd: Any) -> None:
    odd.objects.create(key="a")
    claim(odd.objects.all(), now=NOW, limit=1, seconds=60)
    assert claim(odd.objects.all(), now=NOW + MINUTE - dt.timedelta(microseconds=1), limit=1, seconds=60) == []
    again = claim(odd.objects.all(), now=NOW + MINUTE, limit=1, seconds=60)
    assert [(row.attempts, row.claimed_until) for row in again] == [(2, NOW + 2 * MINUTE)]


def test_nulls_and_the_other_way_around(odd: Any) -> None:
    odd.objects.bulk_create([odd(key="a", text="x"), odd(key="b", text=None), odd(key="c", text="y")])
    assert keys(claim(odd.objects.all(), now=NOW, limit=9, seconds=0, ordering=("text",))) == ["a", "c", "b"]
    assert keys(claim(odd.objects.all(), now=NOW, limit=9, seconds=0, ordering=("-text",))) == ["b", "c", "a"]


def test_a_claim_leaves_no_history(odd: Any) -> None:
    odd.objects.create(key="a")
    claim(odd.objects.all(), now=NOW, limit=1, seconds=60)
    assert odd.history.count() == 1


def test_it_is_one_statement(odd: Any, django_assert_num_queries: Any) -> None:
    odd.objects.create(key="a")
    with django_assert_num_queries(3):  # with the savepoint that a transaction becomes inside a test
        assert len(claim(odd.objects.all(), now=NOW, limit=1, seconds=60)) == 1


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_never_claim_the_same_row_nor_wait() -> None:
    with odd_model() as odd:
        odd.objects.bulk_create(odd(key=f"{number:03}") for number in range(60))
        start = threading.Barrier(4)
        claimed: list[str] = []

        def work() -> None:
            start.wait(20)
            while rows := claim(odd.objects.all(), now=NOW, limit=7, seconds=60):
                claimed.extend(keys(rows))
            connections.close_all()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(claimed) == [f"{number:03}" for number in range(60)]
        assert set(odd.objects.values_list("attempts", flat=True)) == {1}


@pytest.mark.django_db(transaction=True)
def test_a_row_someone_has_locked_is_passed_over() -> None:
    with odd_model() as odd:
        odd.objects.bulk_create([odd(key="a"), odd(key="b")])
        others: list[list[str]] = []
        with transaction.atomic():
            odd.objects.select_for_update().get(key="a")

            def work() -> None:
                others.append(keys(claim(odd.objects.all(), now=NOW, limit=9, seconds=60)))
                connections.close_all()

            thread = threading.Thread(target=work)
            thread.start()
            thread.join(20)
        assert others == [["b"]]


@pytest.mark.django_db(transaction=True)
def test_a_claim_inside_a_transaction_is_refused() -> None:
    with odd_model() as odd:
        odd.objects.create(key="a")
        with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
            claim(odd.objects.all(), now=NOW, limit=1, seconds=60)
        assert odd.objects.get().attempts == 0


def test_waiting_doubles_up_to_its_bound() -> None:
    waits = [seconds_to_wait(attempts) for attempts in (0, 1, 2, 3, 7, 8, 1000)]
    assert waits == [30, 30, 60, 120, 1920, 3600, 3600]
    assert seconds_to_wait(3, first=5, most=12) == 12
