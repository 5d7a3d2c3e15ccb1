"""Addresses that fail in each way, with the project's own error handlers."""

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseGone
from django.urls import include, path
from django.views.decorators.http import require_POST
from redis.exceptions import ConnectionError as RedisConnectionError

from common.error_pages import error_page
from ndors_portal import errors


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("secret words")


def no_database(request: HttpRequest) -> HttpResponse:
    raise OperationalError("could not connect to server")


def no_redis(request: HttpRequest) -> HttpResponse:
    raise RedisConnectionError("could not connect to Redis")


def suspicious(request: HttpRequest) -> HttpResponse:
    raise SuspiciousOperation("secret words")


def forbidden(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


def forbidden_with_words(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied("This course is not yours.")


def gone(request: HttpRequest) -> HttpResponse:
    return HttpResponseGone()


def throttled(request: HttpRequest) -> HttpResponse:
    return error_page(request, 429, retry_after=900)


def too_large(request: HttpRequest) -> HttpResponse:
    return error_page(request, 413)


@require_POST
def post_only(request: HttpRequest) -> HttpResponse:
    return HttpResponse("done")


_pages = [
    path("broken/", broken),
    path("no-database/", no_database),
    path("no-redis/", no_redis),
    path("suspicious/", suspicious),
    path("forbidden/", forbidden),
    path("forbidden-with-words/", forbidden_with_words),
    path("gone/", gone),
    path("throttled/", throttled),
    path("too-large/", too_large),
    path("post-only/", post_only),
]
urlpatterns = [*_pages, path("api/v1/", include(_pages)), path("", include("ndors_portal.statements"))]

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.server_error
