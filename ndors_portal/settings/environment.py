"""Values from the environment, or from the file that NAME_FILE points to (how containers hand over secrets)."""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def optional(name: str, default: str = "") -> str:
    """The value of NAME, or the stripped text of the file named by NAME_FILE, or `default`."""
    path = os.environ.get(f"{name}_FILE")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE: {path} cannot be read ({error.strerror})") from error
    return os.environ.get(name, default)


def required(name: str) -> str:
    """As `optional`, but an absent or empty value stops the start and names the variable."""
    value = optional(name)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set (nor {name}_FILE); see the README's table of variables")
    return value


def listed(value: str) -> list[str]:
    """Comma-separated values, spaces and empty ones dropped."""
    return [part.strip() for part in value.split(",") if part.strip()]


def database(url: str) -> dict[str, object]:
    """Django's DATABASES entry for a `postgres://user:password@host:port/name` URL.

    Server-side cursors and persistent session state are off: the pool in front may hand each transaction
    another connection (PgBouncer in transaction mode).
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured("a database URL must begin with postgres:// or postgresql://")
    return {
        "ENGINE": "common.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {"application_name": "ndors", "connect_timeout": 5},
    }


def email(url: str) -> dict[str, object]:
    """Django's EMAIL_* settings for `smtp://user:password@host:port` (`smtps://` for TLS from the start)."""
    parts = urlsplit(url)
    if parts.scheme not in {"smtp", "smtp+tls", "smtps"}:
        raise ImproperlyConfigured("EMAIL_URL must begin with smtp://, smtp+tls:// or smtps://")
    return {
        "EMAIL_HOST": parts.hostname or "localhost",
        "EMAIL_PORT": parts.port or (465 if parts.scheme == "smtps" else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_TIMEOUT": 20,
    }
