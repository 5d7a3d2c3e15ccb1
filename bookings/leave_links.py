"""The address at which somebody leaves the waiting list: their entry and its last day, signed; nothing else."""

import datetime as dt

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

_SIGNER_SALT = "bookings.leave-link"


def url_of(entry_id: int, *, last_day: dt.date) -> str:
    """The whole address, for a message; it can be used up to the end of that day."""
    token = _signer().sign(f"{entry_id}-{last_day:%Y%m%d}")
    return f"{settings.SITE_URL}{reverse('bookings:waiting_leave_link', args=[token])}"


def read(token: str) -> tuple[int, dt.date] | None:
    """The entry that an address is for, and its last day; None where we did not make it."""
    try:
        entry_id, last_day = _signer().unsign(token).split("-")
    except BadSignature:
        return None
    return int(entry_id), dt.date.fromisoformat(last_day)


def _signer() -> Signer:
    return Signer(salt=_SIGNER_SALT, sep=".")
