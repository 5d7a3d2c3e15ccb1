"""Doors of machines that sign what they send."""

from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string

View = Callable[[HttpRequest], HttpResponseBase]


class SignedDoorsMiddleware:
    """Calls the views of `SIGNED_DOORS` at once, by the whole path.

    What stands after it finds out who signed in and what they may do. A webhook is believed for its signature alone,
    and a thousand of them may come at once.
    """

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Every other path goes on."""
        name = settings.SIGNED_DOORS.get(request.path_info)
        return _view(name)(request) if name else self.get_response(request)


@cache
def _view(name: str) -> View:
    view: View = import_string(name)
    return view
