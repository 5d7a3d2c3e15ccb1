"""Errors as `application/problem+json` (RFC 9457)."""

from http import HTTPStatus
from typing import Any

from django.http import Http404
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import set_rollback

from common.errors import PortalError


class ProblemRenderer(JSONRenderer):
    """JSON under its own media type."""

    media_type = "application/problem+json"


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """The response to an expected error; None for any other, which is a 500."""
    headers: dict[str, str] = {}
    if isinstance(error, PortalError):
        body = problem(error.status, error.message)
    elif isinstance(error, Http404):
        body = problem(404, "We could not find that.")
    elif isinstance(error, exceptions.ValidationError):
        body = problem(422, "Some values are missing or wrong.") | {"errors": error.detail}
    elif isinstance(error, exceptions.APIException):
        body = problem(error.status_code, str(error.detail))
        if header := getattr(error, "auth_header", None):
            headers["WWW-Authenticate"] = header
        if wait := getattr(error, "wait", None):
            headers["Retry-After"] = str(round(wait))
    else:
        return None
    set_rollback()
    response = Response(body, status=body["status"], headers=headers, content_type=ProblemRenderer.media_type)
    request = context.get("request")
    if request is not None:
        request.accepted_renderer, request.accepted_media_type = ProblemRenderer(), ProblemRenderer.media_type
    return response


def problem(status: int, detail: str) -> dict[str, Any]:
    """The body of a problem."""
    return {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
