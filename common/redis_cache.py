"""Django's cache in Redis, asked through one client: Django makes a new one for each question, which costs more."""

from typing import Any

from django.core.cache.backends import redis


class _Client(redis.RedisCacheClient):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._clients: dict[bool, Any] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        """The client to read with, or the one to write with; clients may be shared between threads."""
        if write not in self._clients:
            self._clients[write] = super().get_client(key, write=write)
        return self._clients[write]


class RedisCache(redis.RedisCache):
    """The cache backend of the settings."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        """As Django's."""
        super().__init__(server, params)
        self._class = _Client
