"""Who sits at the desk: every police page begins with the officer's own force."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from accounts.access import client_address, role_required
from audit import services as audit
from audit.context import Actor
from audit.middleware import actor_of
from common import clock
from common.errors import NotFoundError
from referrals.models import Force, Officer


@dataclass(frozen=True)
class Desk:
    """The officer's force, who they are to the record, and when this is."""

    force: Force
    by: Actor
    now: datetime
    address: str | None
    email: str

    def opened(self, action: str, *, referral_key: str = "", subject: str = "", allowed: bool = True) -> None:
        """Put into the access log that a person's record is being opened, or that it was refused."""
        audit.log_access(
            action,
            by=self.by,
            now=self.now,
            referral_key=referral_key,
            subject=subject,
            address=self.address,
            allowed=allowed,
        )


Page = Callable[..., HttpResponseBase]


def police_page(view: Callable[..., HttpResponseBase]) -> Page:
    """A page of an officer: `view(request, desk, …)`.

    Whatever is not this force's is not found, and the attempt is in the access log. A user of another role, or an
    officer without a force, is refused.
    """

    @role_required("OFFICER")
    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        desk = _desk(request)
        try:
            return view(request, desk, *args, **kwargs)
        except NotFoundError as error:
            desk.opened("police.not_found", subject=request.path_info[:200], allowed=False)
            raise Http404(error.message) from error

    return page


def _desk(request: HttpRequest) -> Desk:
    officer = Officer.objects.select_related("force").filter(user=request.user.pk).first()
    by = actor_of(request)
    if officer is None or by is None or not officer.force.is_active:
        raise PermissionDenied
    email = getattr(request.user, "email", "")
    return Desk(officer.force, by, clock.now(), client_address(request), email)
