"""PostgreSQL and Redis of the project's own, for demo and tests: no server, container or account is assumed."""

from devtools.embedded.errors import EmbeddedServiceError
from devtools.embedded.postgres import EmbeddedPostgres
from devtools.embedded.redis import EmbeddedRedis

__all__ = ["EmbeddedPostgres", "EmbeddedRedis", "EmbeddedServiceError"]
