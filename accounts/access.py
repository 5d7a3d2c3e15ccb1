"""Who may open which page."""

import ipaddress
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.mixins import AccessMixin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from accounts.models import Role

View = Callable[..., HttpResponseBase]


def has_role(user: Any, *roles: str) -> bool:
    """Whether `user` is signed in, active and of one of `roles`."""
    return bool(user.is_authenticated and user.is_active and user.role in roles)


def role_required(*roles: str) -> Callable[[View], View]:
    """Only users of `roles` ("OFFICER", "TRAINER", ...) see the page.

    Who is not signed in is sent to sign in and brought back; another role is refused with 403.
    """
    known = frozenset(Role(role) for role in roles)

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if has_role(request.user, *known):
                return view(request, *args, **kwargs)
            if request.user.is_authenticated:
                raise PermissionDenied
            return redirect_to_login(request.get_full_path())

        return guarded

    return decorate


class RoleRequiredMixin(AccessMixin):
    """As `role_required`, for a class-based view that names its `roles`."""

    roles: tuple[str, ...] = ()

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Let the roles in, send the unknown to sign in, refuse the rest."""
        if has_role(request.user, *self.roles):
            response: HttpResponse = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
            return response
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.get_full_path())


def client_address(request: HttpRequest) -> str | None:
    """Where a request comes from, behind as many proxies as the settings trust; None where that cannot be told.

    Of `X-Forwarded-For` only the entries our own proxies appended count: what stands before them anyone can write.
    """
    address = request.META.get("REMOTE_ADDR")
    if settings.TRUSTED_PROXIES > 0:
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
        if len(hops) >= settings.TRUSTED_PROXIES:
            address = hops[-settings.TRUSTED_PROXIES]
    try:
        return str(ipaddress.ip_address(address or ""))
    except ValueError:
        return None
