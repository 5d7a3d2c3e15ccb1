"""What KCC staff see and do about bookings, and about the prices and rules they are sold under."""

from bookings.admin.bookings import BookingAdmin
from bookings.admin.feedback import FeedbackAdmin
from bookings.admin.needs import NeedAdmin
from bookings.admin.prices import BookingChargeAdmin, BookingFeeScheduleAdmin
from bookings.admin.reference import ConsentTextAdmin, PolicyAdmin
from bookings.admin.waiting import WaitingEntryAdmin

__all__ = [
    "BookingAdmin",
    "BookingChargeAdmin",
    "BookingFeeScheduleAdmin",
    "ConsentTextAdmin",
    "FeedbackAdmin",
    "NeedAdmin",
    "PolicyAdmin",
    "WaitingEntryAdmin",
]
