"""Sessions while Redis is there, is emptied, and is away."""

from typing import Any

import pytest
from django.core.cache import cache
from redis.exceptions import ConnectionError as RedisAwayError

from accounts.sessions import SessionStore

pytestmark = pytest.mark.django_db


def saved(**values: Any) -> str:
    store = SessionStore()
    store.update(values)
    store.save()
    assert store.session_key is not None
    return str(store.session_key)


@pytest.fixture
def redis_goes(monkeypatch: pytest.MonkeyPatch) -> Any:
    def go() -> None:
        def refuse(*args: Any, **kwargs: Any) -> Any:
            raise RedisAwayError

        for name in ("get", "set", "delete", "has_key", "__contains__"):
            monkeypatch.setattr(type(cache._connections[cache._alias]), name, refuse)  # type: ignore[attr-defined]

    return go


def test_a_session_is_read_from_redis(django_assert_num_queries: Any) -> None:
    key = saved(candidate=7)
    with django_assert_num_queries(0):
        assert SessionStore(key)["candidate"] == 7


def test_a_session_outlives_redis_emptied(django_assert_num_queries: Any) -> None:
    key = saved(candidate=7)
    cache.clear()
    with django_assert_num_queries(1):
        assert SessionStore(key)["candidate"] == 7


def test_a_session_is_read_made_and_written_while_redis_is_away(redis_goes: Any) -> None:
    key = saved(candidate=7)
    redis_goes()
    store = SessionStore(key)
    assert store["candidate"] == 7
    store["step"] = 2
    store.save()
    assert dict(SessionStore(key).items()) == {"candidate": 7, "step": 2}
    assert SessionStore(saved(candidate=8))["candidate"] == 8


def test_signing_out_while_redis_is_away_does_not_pretend(redis_goes: Any) -> None:
    key = saved(candidate=7)
    redis_goes()
    with pytest.raises(RedisAwayError):
        SessionStore(key).flush()
