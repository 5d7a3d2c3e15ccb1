"""Error handlers of the project (`handler400` … `handler500`, CSRF_FAILURE_VIEW) and pages for empty error answers."""

import logging
import sys
from collections.abc import Callable

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from redis.exceptions import RedisError

from common.error_pages import STATUSES, error_page, problem, wants_problem

logger = logging.getLogger(__name__)

_BARE_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Sorry, there is a problem with the service</title></head>
<body><h1>Sorry, there is a problem with the service</h1><p>Try again later.</p></body></html>"""


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400. The exception's words are for us, not for whoever sent a strange request."""
    return error_page(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403, with the words of the PermissionDenied where it has some."""
    return error_page(request, 403, detail=str(exception))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404. Never says what exactly was not found."""
    return error_page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500, or 503 with Retry-After when the database, or Redis, cannot be reached. Uses neither itself."""
    error = sys.exc_info()[1]
    try:
        if isinstance(error, (OperationalError, InterfaceError, RedisError)):
            return error_page(request, 503, retry_after=30)
        return error_page(request, 500)
    except Exception:  # whatever broke the page may break its template too; this is the last answer there is
        logger.exception("the error page failed")
        return problem(500) if wants_problem(request) else HttpResponse(_BARE_PAGE, status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form that was open too long, or sent by another site. `reason` is for developers and not shown."""
    return error_page(
        request,
        403,
        title="Go back and try again",
        detail="For your security we could not accept that form. This can happen if the page was open for a long "
        "time, or if your browser does not accept cookies. Nothing was changed.",
    )


class ErrorPagesMiddleware:
    """Gives a body to error answers that come without one: Django's own 405 and 410, for example.

    And an error answer to what would be redirected, and lose what was sent, for want of a slash.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Replaces an empty body and keeps the headers that were set."""
        response = self.get_response(request)
        if response.status_code == 301 and wants_problem(request) and request.method not in ("GET", "HEAD", "OPTIONS"):
            # Followed, it would become a GET, and the caller would be told of a verb that they never sent.
            return error_page(request, 404, detail="The address must end with a slash.")
        if response.status_code not in STATUSES or not isinstance(response, HttpResponse) or response.content:
            return response
        page = error_page(request, response.status_code)
        for name in ("Allow", "Retry-After"):
            if response.has_header(name):
                page[name] = response[name]
        page.cookies = response.cookies
        return page


class BodySizeMiddleware:
    """Refuses what says that it is too large before any of it is read: 413, and no disk or memory is filled."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Files may be as large as a batch and what stands around it in a form; anything else must fit in memory."""
        length = request.META.get("CONTENT_LENGTH") or ""
        has_files = request.content_type == "multipart/form-data"
        most = settings.UPLOAD_MAX_BYTES if has_files else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if not (length.isascii() and length.isdecimal()) or int(length) <= most:
            return self.get_response(request)
        return error_page(
            request, 413, detail=f"What was sent is larger than {most // (1024 * 1024)} MB. Send it in parts."
        )
