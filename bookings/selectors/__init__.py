"""Reads for the candidate's pages: what can be booked and why the rest cannot, and what is booked."""

from bookings.selectors.booked import (
    Receipt,
    charge_at_stripe,
    consents_given,
    course_charge,
    current_booking,
    is_paid,
    last_move,
    outcome_of,
    receipt_of,
)
from bookings.selectors.dates import Filters, Group, OpenSessions, dates_for, open_sessions
from bookings.selectors.needs import is_fit, needs_of
from bookings.selectors.offered import (
    has_unsettled_payment,
    late_dates,
    late_payment,
    offer_to,
    venues,
    waited_too_long,
    waiting_entry,
    waiting_offer,
    ways_of,
)
from bookings.selectors.prices import FeeChange, MadeUnder, Sold, fee_change, made_under

__all__ = [
    "FeeChange",
    "Filters",
    "Group",
    "MadeUnder",
    "OpenSessions",
    "Receipt",
    "Sold",
    "charge_at_stripe",
    "consents_given",
    "course_charge",
    "current_booking",
    "dates_for",
    "fee_change",
    "has_unsettled_payment",
    "is_fit",
    "is_paid",
    "last_move",
    "late_dates",
    "late_payment",
    "made_under",
    "needs_of",
    "offer_to",
    "open_sessions",
    "outcome_of",
    "receipt_of",
    "venues",
    "waited_too_long",
    "waiting_entry",
    "waiting_offer",
    "ways_of",
]
