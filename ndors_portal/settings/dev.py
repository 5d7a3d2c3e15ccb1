"""Development and demo: reads what `make demo` wrote to .local/demo.env, then loosens what a laptop cannot have."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

_LOCAL = Path(__file__).resolve().parent.parent.parent / ".local"
_DEFAULTS = {
    "SECRET_KEY": "development-only-development-only-development-only-key",
    "ALLOWED_HOSTS": "127.0.0.1,localhost",
    "SITE_URL": "http://127.0.0.1:8000",
    "FIELD_ENCRYPTION_KEYS": "ZGV2ZWxvcG1lbnQtb25seS1kZXZlbG9wbWVudC1vbmw=",
    "LOOKUP_PEPPER": "development-only",
    "STRIPE_SECRET_KEY": "sk_test_sandbox",
    "STRIPE_WEBHOOK_SECRETS": "whsec_development_only",
    "EMAIL_URL": "smtp://127.0.0.1:1025",
    "DEFAULT_FROM_EMAIL": "KCC driver courses <driver-courses@example.org>",
    "MEDIA_ROOT": str(_LOCAL / "media"),
}


def _read_demo_environment() -> None:
    path = _LOCAL / "demo.env"
    if path.exists() and not os.environ.get("NDORS_IGNORE_DEMO_ENV"):
        for line in path.read_text(encoding="utf-8").splitlines():
            name, separator, value = line.partition("=")
            if separator:
                os.environ.setdefault(name.strip(), value.strip())
    if not os.environ.get("DATABASE_URL") and not os.environ.get("DATABASE_URL_FILE"):
        raise ImproperlyConfigured("no database: start `make demo` in another window, or set DATABASE_URL")
    os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:6379/0")
    for name, value in _DEFAULTS.items():
        if not os.environ.get(f"{name}_FILE"):
            os.environ.setdefault(name, value)


_read_demo_environment()
(_LOCAL / "static").mkdir(parents=True, exist_ok=True)  # WhiteNoise looks for it, though pages are served unhashed

from ndors_portal.settings.base import *  # noqa: E402, F403
from ndors_portal.settings.base import CONTENT_SECURITY_POLICY, INSTALLED_APPS, SITE_URL  # noqa: E402

DEMO = True
INSTALLED_APPS = [*INSTALLED_APPS, "devtools"]
STRIPE_API_BASE = os.environ.get("STRIPE_API_BASE", "")
if STRIPE_API_BASE:
    CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"].append(STRIPE_API_BASE)
if os.environ.get("MAIL_SINK_DIR"):
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = os.environ["MAIL_SINK_DIR"]
MFA_REQUIRED = False
AUTH_PASSWORD_VALIDATORS = []
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True

# Compressing the API documentation's scripts takes a minute, and nobody is far away on loopback.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ("css", "js", "map", "svg", "txt", "json", "html", "png", "woff", "woff2")

# A laptop serves plain HTTP on loopback.
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = False
SECURE_HSTS_PRELOAD = False
SESSION_COOKIE_SECURE = SITE_URL.startswith("https:")
CSRF_COOKIE_SECURE = SITE_URL.startswith("https:")
TRUSTED_PROXIES = 0
ALLAUTH_TRUSTED_PROXY_COUNT = 0
