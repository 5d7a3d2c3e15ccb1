"""The address at which a booking made by telephone is paid: its number, signed, and nothing about the person."""

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

_SIGNER_SALT = "bookings.pay-link"


def url_of(booking_id: int) -> str:
    """The whole address, for a message."""
    token = _signer().sign(str(booking_id))
    return f"{settings.SITE_URL}{reverse('bookings:pay_link', args=[token])}"


def booking_id_of(token: str) -> int | None:
    """The booking that an address is for; None where we did not make it."""
    try:
        return int(_signer().unsign(token))
    except BadSignature:
        return None


def _signer() -> Signer:
    return Signer(salt=_SIGNER_SALT, sep=".")
