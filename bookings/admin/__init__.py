"""What KCC staff see and do about bookings."""

from bookings.admin.bookings import BookingAdmin
from bookings.admin.needs import NeedAdmin
from bookings.admin.reference import ConsentTextAdmin, PolicyAdmin

__all__ = ["BookingAdmin", "ConsentTextAdmin", "NeedAdmin", "PolicyAdmin"]
