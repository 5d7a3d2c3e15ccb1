"""Who is signed in, kept in the database and, to spare it a look for every page, in Redis as well."""

import logging
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends import cached_db
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


class SessionStore(cached_db.SessionStore):
    """As Django's `cached_db`; while Redis is away the database answers, so that nobody is signed out while paying."""

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._cache: Any = _Forgiving(caches[settings.SESSION_CACHE_ALIAS])


class _Forgiving:
    """A cache that may be away. Only taking a session out must not fail in silence: who signs out must be out."""

    def __init__(self, cache: BaseCache) -> None:
        self._cache = cache

    def get(self, key: str) -> Any:
        try:
            return self._cache.get(key)
        except RedisError:
            logger.warning("Redis is away: a session is read from the database")
            return None

    def set(self, key: str, value: Any, timeout: float | None) -> None:
        try:
            self._cache.set(key, value, timeout)
        except RedisError:
            logger.warning("Redis is away: a session is kept in the database alone")

    def __contains__(self, key: str) -> bool:
        try:
            return key in self._cache
        except RedisError:
            return False

    def delete(self, key: str) -> bool:
        return self._cache.delete(key)
