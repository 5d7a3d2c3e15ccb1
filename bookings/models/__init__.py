"""A candidate and a place: bookings, the consents given for them and the needs told to us."""

from bookings.models.bookings import Booking
from bookings.models.consents import Consent, ConsentText
from bookings.models.feedback import Feedback
from bookings.models.moves import Move
from bookings.models.needs import Need
from bookings.models.policies import Policy
from bookings.models.sign_in import SignInTries

__all__ = ["Booking", "Consent", "ConsentText", "Feedback", "Move", "Need", "Policy", "SignInTries"]
