"""What a webhook is held against: Django with one view and nothing around it, which inserts one row and says 200."""

import os
import uuid

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ndors_portal.settings.test")
_INSERT = "INSERT INTO bench_rows (id, body) VALUES (%s, %s)"


def insert(request: HttpRequest) -> HttpResponse:
    """One row, committed."""
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [uuid.uuid4(), request.body.decode()])
    return HttpResponse()


def _application() -> WSGIHandler:
    django.setup()
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = []
    return WSGIHandler()


urlpatterns = [
    path("payments/stripe/webhook/", insert),
    path("healthz", lambda request: HttpResponse("ok")),
]
application = _application()
