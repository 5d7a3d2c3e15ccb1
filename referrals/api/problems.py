"""Errors as `application/problem+json` (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import IO, Any

from django.http import Http404
from rest_framework import exceptions
from rest_framework.parsers import JSONParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.response import Response
from rest_framework.views import set_rollback

from common.errors import PortalError


class ProblemRenderer(JSONRenderer):
    """JSON under its own media type."""

    media_type = "application/problem+json"


class TableRenderer(BaseRenderer):
    """What makes `Accept: text/csv` acceptable; the view writes the file itself."""

    media_type = "text/csv"
    format = "csv"


class ShallowJSONParser(JSONParser):
    """JSON that is not nested beyond what can be read: such a body is broken, not a failure of ours."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Read the body. Raises ParseError."""
        try:
            read: dict[str, Any] = super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise exceptions.ParseError("JSON parse error - It is nested too deeply.") from error
        return read


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
