"""A candidate and a place: bookings and moves, places offered, the waiting list, consents and needs."""

from bookings.models.bookings import Booking
from bookings.models.consents import Consent, ConsentText
from bookings.models.feedback import Feedback
from bookings.models.moves import Move
from bookings.models.needs import Need
from bookings.models.offers import LatePayment, PlaceOffer
from bookings.models.pay_links import PayLink
from bookings.models.policies import Policy
from bookings.models.sign_in import SignInTries
from bookings.models.waiting import WaitingEntry

__all__ = [
    "Booking",
    "Consent",
    "ConsentText",
    "Feedback",
    "LatePayment",
    "Move",
    "Need",
    "PayLink",
    "PlaceOffer",
    "Policy",
    "SignInTries",
    "WaitingEntry",
]
