"""Candidates who have signed in already, for what is measured after that. In a process with Django."""

from importlib import import_module
from typing import Any

TOKEN = "a" * 32


def cookies_of(referral: Any) -> dict[str, str]:
    """The cookies of a browser that signed in with this offer just now; `TOKEN` goes with its forms."""
    from django.conf import settings

    from bookings.views import door
    from common import clock

    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[door.REFERRAL_ID], store[door.REFERRAL_KEY] = referral.pk, referral.key
    store[door.SEEN_AT] = int(clock.now().timestamp())
    store.save()
    return {settings.SESSION_COOKIE_NAME: store.session_key, settings.CSRF_COOKIE_NAME: TOKEN}
