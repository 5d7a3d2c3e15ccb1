"""A second factor comes before everything else."""

from collections.abc import Callable
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

# The pages one needs to get a second factor, and the way out.
_ALLOWED = frozenset({"account_login", "account_logout", "account_reauthenticate", "healthz", "readyz"})
_ENROLLED_KEY = "has_second_factor"


class SecondFactorMiddleware:
    """Sends a signed-in user without a second factor to enrolment, from whatever page they ask for, admin included.

    A user who has one was asked for it at sign-in by django-allauth. Who came through a directory was asked there.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on; the decision needs the resolved view."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Redirect who has no second factor yet; None lets the view run."""
        if not settings.MFA_REQUIRED or not request.user.is_authenticated:
            return None
        name = request.resolver_match.url_name if request.resolver_match else None
        if name and (name in _ALLOWED or name.startswith("mfa_")):
            return None
        if request.session.get(_ENROLLED_KEY) == request.user.pk or _came_through_directory(request):
            return None
        if is_mfa_enabled(request.user):
            # Asked once a session: the last factor cannot be taken away while one is required.
            request.session[_ENROLLED_KEY] = request.user.pk
            return None
        return redirect("mfa_index")


def _came_through_directory(request: HttpRequest) -> bool:
    return any(record.get("method") == "socialaccount" for record in get_authentication_records(request))
