"""A force's system shows a token; everything it then reads or writes is its own force's."""

import logging
from dataclasses import dataclass

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from redis.exceptions import RedisError
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from common import clock
from referrals import lookups
from referrals.models import Force, ForceToken

logger = logging.getLogger(__name__)

_REFUSED = "This token is not valid."


@dataclass(frozen=True)
class ForceSystem:
    """Who is behind a request with a token."""

    token: ForceToken
    is_authenticated: bool = True

    @property
    def pk(self) -> int:
        """The token's key, by which requests are counted."""
        return self.token.pk

    @property
    def force(self) -> Force:
        """The force it may see and touch."""
        return self.token.force


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer …`. Unknown, expired and revoked tokens are refused alike."""

    def authenticate(self, request: Request) -> tuple[ForceSystem, ForceToken] | None:
        """The system behind the token; nothing where none is shown."""
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return None
        if scheme.lower() != "bearer":
            raise AuthenticationFailed(_REFUSED)
        digest = lookups.token_digest(text.strip())
        token = ForceToken.objects.select_related("force").filter(digest=digest, revoked_at__isnull=True).first()
        if token is None or token.expires_at <= clock.now() or not token.force.is_active:
            raise AuthenticationFailed(_REFUSED)
        return ForceSystem(token), token

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return 'Bearer realm="api"'


class HasScope(BasePermission):
    """The token may do what the view is for."""

    message = "This token may not do that."

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the view's `scope` is among the token's."""
        return isinstance(request.user, ForceSystem) and getattr(view, "scope", "") in request.user.token.scopes


class TokenThrottle(SimpleRateThrottle):
    """So many requests a minute for each token (settings)."""

    scope = "token"

    def allow_request(self, request: Request, view: APIView) -> bool:
        """As DRF's. While Redis is away nobody counts, and a force's system is let through: its token is checked."""
        try:
            return bool(super().allow_request(request, view))
        except RedisError:
            logger.warning("Redis is away: requests of tokens are not counted")
            return True

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        """One count for each token; who has none is refused before."""
        if not isinstance(request.user, ForceSystem):
            return None
        return f"api-throttle-{request.user.pk}"


class TokenScheme(OpenApiAuthenticationExtension):
    """How the token is described in the schema."""

    target_class = "referrals.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """A bearer token."""
        return {"type": "http", "scheme": "bearer"}
