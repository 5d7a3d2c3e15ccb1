"""The answer to a request that cannot be served: a page for people, problem+json (RFC 9457) for programs."""

import json
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from common import organisation

API_PREFIX = "/api/"
STATUSES = frozenset({400, 403, 404, 405, 410, 413, 429, 500, 503})
"""Statuses with a page of their own in templates/."""


def error_page(
    request: HttpRequest, status: int, *, title: str = "", detail: str = "", retry_after: int | None = None
) -> HttpResponse:
    """The response for `status`, one of STATUSES.

    `title` and `detail` replace the page's heading and first paragraph; they are shown as they are, so they must be
    fit for the reader. `retry_after` (seconds) is sent as a header. Touches neither database, session nor user: it
    must work when these are what failed.
    """
    if wants_problem(request):
        response = problem(status, detail=detail)
    else:
        # No request in the context: the context processors would reach for the session and the user.
        context = {"portal": organisation.words(request.path_info), "error_title": title, "error_detail": detail}
        response = HttpResponse(render_to_string(f"{status}.html", context), status=status)
    if retry_after is not None:
        response["Retry-After"] = str(retry_after)
    response["Cache-Control"] = "no-store"
    return response


def wants_problem(request: HttpRequest) -> bool:
    """True for requests to the API, whose callers are programs."""
    return request.path_info.startswith(API_PREFIX)


def problem(status: int, *, detail: str = "") -> HttpResponse:
    """A problem+json response whose title is the status's own phrase."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    if detail:
        body["detail"] = detail
    return HttpResponse(json.dumps(body), status=status, content_type="application/problem+json")
