"""A bare Django view that takes a place: the SQL of our own page, and nothing around it. Served as our own is."""

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path

from benchmarks.journey import statements


def hold(request: HttpRequest) -> HttpResponse:
    """Say the statements."""
    given = request.POST
    job = {"referral": int(given["referral"]), "key": given["key"], "session": int(given["session"])}
    with connection.cursor() as cursor:
        statements.say(cursor, job)
    return HttpResponseRedirect("/booking/details/")


def alive(request: HttpRequest) -> HttpResponse:
    """Served."""
    return HttpResponse("ok")


urlpatterns = [path("", hold), path("healthz", alive)]
django.setup()
settings.MIDDLEWARE = []
settings.ROOT_URLCONF = __name__
application = WSGIHandler()
