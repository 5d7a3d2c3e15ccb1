"""A bell rings once until it is answered; nobody hears of a broker that is away."""

import datetime as dt
import json
from typing import Any

import pytest
import redis
from celery import shared_task
from django.core.cache import cache
from django.db import transaction

from audit.jobs import ActingTask
from common import bell, clock

TASK = "tests.common.test_bell.look"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def broker(_redis_client: redis.Redis) -> redis.Redis:
    """Where bells wait for a worker."""
    return _redis_client


@pytest.fixture
def rung(broker: redis.Redis) -> Any:
    """How many bells wait for a worker."""
    return lambda: broker.llen("default")


def test_bells_are_one_until_somebody_answers(rung: Any) -> None:
    for _ in range(3):
        bell.ring_on_commit(TASK)
    assert rung() == 1
    bell.answered(TASK)  # the worker begins to look: what is committed from now on, it may not see
    bell.ring_on_commit(TASK)
    assert rung() == 2


def test_bells_of_different_tasks_do_not_hush_one_another(rung: Any) -> None:
    bell.ring_on_commit(TASK)
    bell.ring_on_commit(f"{TASK}_elsewhere")
    assert rung() == 2


def test_a_bell_rings_after_the_commit_and_never_without_it(rung: Any) -> None:
    with transaction.atomic():
        bell.ring_on_commit(TASK)
        assert rung() == 0
    assert rung() == 1
    bell.answered(TASK)
    with transaction.atomic():
        bell.ring_on_commit(TASK)
        transaction.set_rollback(True)
    assert rung() == 1


def test_an_answer_that_never_comes_is_waited_for_no_longer_than_this() -> None:
    bell.ring_on_commit(TASK)
    assert 0 < cache._cache.get_client(None).pttl(cache.make_key(f"bell:{TASK}")) <= bell.RINGS_SECONDS * 1000  # type: ignore[attr-defined]


def test_a_bell_for_later_is_heard_then_and_is_one_meanwhile(broker: redis.Redis, rung: Any) -> None:
    for _ in range(3):
        bell.ring_on_commit(TASK, after_seconds=2)
    assert rung() == 1
    (message,) = broker.lrange("default", 0, -1)
    wait = dt.datetime.fromisoformat(json.loads(message)["headers"]["eta"]) - clock.now()
    assert 1 < wait.total_seconds() <= 2
    assert cache._cache.get_client(None).pttl(cache.make_key(f"bell:{TASK}")) > bell.RINGS_SECONDS * 1000  # type: ignore[attr-defined]


def test_a_task_answers_before_it_looks(rung: Any) -> None:
    heard = []

    @shared_task(base=ActingTask, name=TASK)
    def look() -> None:
        bell.ring_on_commit(TASK)  # something was committed while it looks
        heard.append(rung())

    bell.ring_on_commit(TASK)
    look()
    assert heard == [2]


def test_a_broker_that_is_away_is_nobodys_error(settings: Any) -> None:
    nowhere = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": nowhere}
    bell.ring_on_commit(TASK)
    bell.answered(TASK)
