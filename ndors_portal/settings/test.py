"""Tests: the dev settings, cheap password hashes. Services are real; tests/conftest.py starts them."""

import os

os.environ.setdefault("DATABASE_URL", "postgres://set-by-conftest@127.0.0.1:1/ndors")
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:1/0")
os.environ.setdefault("SITE_URL", "http://testserver")
os.environ.setdefault("ALLOWED_HOSTS", "testserver,127.0.0.1,localhost")
os.environ["NDORS_IGNORE_DEMO_ENV"] = "1"  # a demo running beside the tests keeps its data to itself

from ndors_portal.settings.dev import *  # noqa: F403

DEMO = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# A web server of the tests serves style sheets and scripts from where they are written; nothing is collected first.
WHITENOISE_USE_FINDERS = bool(os.environ.get("STATIC_FROM_SOURCES"))
