"""Tells the record who is behind a web request."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse
from django.utils.functional import LazyObject, empty

from audit.context import NOBODY, Acting, Actor, acting_as_found

CANDIDATE_SESSION_KEY = "candidate_referral_key"


class ActingUserMiddleware:
    """Everything a request writes is recorded as done by its user or candidate.

    Nothing is loaded for it: a page that looked at neither user nor session acted for nobody.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle the request under its actor."""
        with acting_as_found(partial(acting_of, request)):
            return self.get_response(request)


def act_as(request: HttpRequest, actor: Actor, *, on_behalf_of: str = "", reason: str = "") -> None:
    """For the rest of the request the record names `actor`: for an API's token, or a candidate being signed in."""
    # A request of Django REST framework wraps the one that the middleware knows.
    vars(getattr(request, "_request", request))["_acting"] = Acting(actor, on_behalf_of, reason)


def acting_of(request: HttpRequest) -> Acting:
    """Who is behind `request`, from what it has loaded so far."""
    told: Acting | None = getattr(request, "_acting", None)
    if told is not None:
        return told
    user = _loaded_user(request)
    if user is not None and user.is_authenticated:
        return Acting(Actor(user.actor_kind, str(user.pk)))
    session: Any = getattr(request, "session", None)
    # The attribute is there once the session was loaded; asking it before would be a query.
    if session is None or not hasattr(session, "_session_cache"):
        return NOBODY
    reference = session.get(CANDIDATE_SESSION_KEY)
    if reference and SESSION_KEY not in session:
        return Acting(Actor("candidate", str(reference)))
    return NOBODY


def actor_of(request: HttpRequest) -> Actor | None:
    """The actor behind `request`, for a view to pass on as `by`; loads the user where needed."""
    if getattr(request, "_acting", None) is None and hasattr(request, "user"):
        _ = request.user.is_authenticated
        _ = getattr(request, "session", {}).get(CANDIDATE_SESSION_KEY)
    return acting_of(request).actor


def _loaded_user(request: HttpRequest) -> Any:
    cached = getattr(request, "_cached_user", None)
    user = getattr(request, "user", None)
    if isinstance(user, LazyObject) and user._wrapped is empty:  # type: ignore[attr-defined]
        return cached
    return user
