"""What all views of the API have in common."""

from collections.abc import Callable
from typing import Any, cast

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import client_address
from audit import services as audit
from audit.context import Actor
from audit.middleware import act_as
from common import clock
from common.errors import NotFoundError
from referrals.api.authentication import ForceSystem, HasScope, TokenAuthentication, TokenThrottle
from referrals.api.problems import answer
from referrals.models import Force


class ForceView(APIView):
    """A view for the system of one force: `self.force`, `self.by` and `self.now` are set before it runs."""

    authentication_classes = (TokenAuthentication,)
    permission_classes = (HasScope,)
    throttle_classes = (TokenThrottle,)
    scope = ""
    force: Force
    by: Actor

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Read the clock, and tell the record who acts."""
        self.now = clock.now()
        super().initial(request, *args, **kwargs)
        system = cast("ForceSystem", request.user)
        self.force, self.by = system.force, Actor("api", system.force.pk)
        act_as(request._request, self.by)

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        """Problems, always."""
        return answer

    def handle_exception(self, exc: Exception) -> Response:
        """Put into the access log what this force asked for and does not have."""
        if isinstance(exc, NotFoundError) and isinstance(self.request.user, ForceSystem):
            self.log("api.not_found", subject=self.request.path_info[:200], allowed=False)
        response: Response = super().handle_exception(exc)
        return response

    def log(self, action: str, *, referral_key: str = "", subject: str = "", allowed: bool = True) -> None:
        """Put an opening of a record, or its refusal, into the access log."""
        audit.log_access(
            action,
            by=self.by,
            now=self.now,
            referral_key=referral_key,
            subject=subject,
            address=client_address(self.request._request),
            allowed=allowed,
        )
